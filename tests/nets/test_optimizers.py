"""SGD, Adagrad and Adam: by their formulas, equal in all backends."""

import functools
import itertools

import numpy as np
import pytest
from bounds import UPDATED

from d2lrnn import backends
from d2lrnn.data import batches
from d2lrnn.nets import build, cells, optimizers

RATES = {"sgd": 1.0, "adagrad": 0.05, "adam": 0.01, "adamw": 0.01}


@pytest.fixture(scope="module")
def train(builtin):
    """A function that returns the parameters after 100 steps in a backend."""
    corpus, vocab = builtin

    @functools.cache
    def run(backend, name, dtype="float64"):
        rnn = backends.load(backend)
        settings = {"seed": 0, "dtype": dtype}
        net = build.new_net(rnn, cells.Architecture("rnn"), len(vocab), 16, **settings)
        loader = batches.SeqDataLoader(corpus, 8, 10, seed=0)
        step, state = net.make_step(RATES[name], optimizer=name), net.begin_state(8)
        minibatches = itertools.chain.from_iterable(itertools.repeat(loader))
        losses = []
        for X, Y in itertools.islice(minibatches, 100):
            loss, state = step(X, Y, state)
            losses.append(loss)
        return net.arrays(), losses

    return run


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_a_hundred_steps_equal_those_of_the_reference(backend, train, name):
    (found, losses), (expected, reference) = train(backend, name), train("numpy", name)
    np.testing.assert_allclose(losses, reference, rtol=UPDATED)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=UPDATED, atol=UPDATED * np.abs(other).max())
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_parameters_stay_in_float32(backend, train, name):
    arrays, _ = train(backend, name, "float32")
    assert {array.dtype.name for array in arrays} == {"float32"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_clipped_step_of_gradient_descent_is_as_long_as_lr_times_theta(make_net, dtype):
    net, (X, Y) = make_net(dtype=dtype), np.random.default_rng(0).integers(5, size=(2, 3, 6))
    before, gradients = net.arrays(), net.gradients(X, Y, net.begin_state(3))[1]
    assert joint_norm(gradients) > 0.01
    net.make_step(2.0, 0.01)(X, Y, net.begin_state(3))
    steps = [old.astype("float64") - new for old, new in zip(before, net.arrays(), strict=True)]
    assert joint_norm(steps) == pytest.approx(2.0 * 0.01, rel=1e-5)
    for one, gradient in zip(steps, gradients, strict=True):
        expected = 0.02 / joint_norm(gradients) * gradient
        np.testing.assert_allclose(one, expected, rtol=1e-4, atol=1e-8)


def joint_norm(arrays):
    return np.sqrt(sum((array.astype("float64") ** 2).sum() for array in arrays))


def test_adagrad_divides_by_the_root_of_all_squares():
    rule, w = optimizers.Adagrad(0.1), [np.array([1.0, 2.0])]
    memory = rule.begin(w)
    w, memory = rule.update(w, [np.array([3.0, -4.0])], memory)
    np.testing.assert_allclose(w[0], [0.9, 2.1])  # the first step is lr, whatever the gradient
    w, memory = rule.update(w, [np.array([4.0, 3.0])], memory)
    np.testing.assert_allclose(w[0], [0.9 - 0.1 * 4 / 5, 2.1 - 0.1 * 3 / 5])


def test_adam_corrects_its_averages():
    rule, w = optimizers.Adam(0.1), [np.array([1.0])]
    memory = rule.begin(w)
    w, memory = rule.update(w, [np.array([5.0])], memory)
    np.testing.assert_allclose(w[0], [0.9], rtol=1e-8)  # the first step is lr again
    w, memory = rule.update(w, [np.array([-1.0])], memory)
    m = (0.9 * 0.1 * 5 + 0.1 * -1) / (1 - 0.9**2)
    v = (0.999 * 0.001 * 25 + 0.001 * 1) / (1 - 0.999**2)
    np.testing.assert_allclose(w[0], [0.9 - 0.1 * m / (np.sqrt(v) + 1e-8)], rtol=1e-8)


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_a_framework_s_own_optimizer_learns(make_concise, name):
    net, X = make_concise("gru_reset_after"), np.array([[0, 1, 2, 3, 4, 0, 1]])
    step = net.make_step(RATES[name], optimizer=name)
    losses = [step(X[:, :-1], X[:, 1:], net.begin_state(1))[0] for _ in range(15)]
    assert losses[-1] < losses[0]


def test_an_unknown_optimizer_has_the_same_message_in_every_backend(make_net):
    with pytest.raises(ValueError) as error:
        make_net().make_step(1.0, optimizer="lion")
    assert str(error.value) == (
        "optimizer is 'lion'; expected one of 'sgd', 'adagrad', 'adam', 'adamw'"
    )


def test_an_unknown_optimizer_of_a_layer_has_the_same_message(make_concise):
    with pytest.raises(ValueError, match="optimizer is 'lion'; expected one of"):
        make_concise("rnn").make_step(1.0, optimizer="lion")
