"""MinGRU, the layer that computes mingru with the framework's own scan, where there is one."""

import copy

import numpy as np
import pytest
from bounds import AGREED, UPDATED

from d2lrnn.measure import agreement
from d2lrnn.nets import build, cells

pytestmark = pytest.mark.only("tensorflow", "jax")
X, Y = np.random.default_rng(0).integers(5, size=(2, 3, 35))


def make_pair(rnn, num_layers=1, bidirectional=False, dtype="float64"):
    """A net with the layer, and one of the textbook's cell with the same parameters."""
    architecture = cells.Architecture("mingru", num_layers, bidirectional)
    net = build.concise_net(rnn, architecture, 5, 4, seed=0, dtype=dtype)
    assert net.architecture == architecture
    twin = build.new_net(rnn, architecture, 5, 4, seed=1, dtype=dtype)
    rng = np.random.default_rng(0)
    net.load_arrays([rng.normal(size=array.shape) for array in net.arrays()])
    twin.load_arrays(net.arrays())
    return net, twin


def state_of(rnn, net):
    """A state that is not 0."""
    rng, begin = np.random.default_rng(1), net.begin_state(3)
    return tuple(rnn.from_numpy(rng.normal(size=s.shape), dtype=net.dtype) for s in begin)


@pytest.mark.parametrize("num_steps", [1, 2, 3, 4, 35])
@pytest.mark.parametrize(("num_layers", "bidirectional"), [(1, False), (2, True)])
def test_outputs_states_and_gradients_are_those_of_mingru(
    rnn, num_layers, bidirectional, num_steps
):
    net, twin = make_pair(rnn, num_layers, bidirectional)
    results = []
    for one in (net, twin):
        ids = X[:, :num_steps], Y[:, :num_steps]
        outputs, last = one(ids[0], state_of(rnn, one))
        loss, grads = one.gradients(*ids, state_of(rnn, one))
        results.append([rnn.to_numpy(a) for a in (outputs, *last)] + [np.array(loss), *grads])
    for found, expected in zip(*results, strict=True):
        assert agreement.difference(found, expected) <= AGREED


def test_float32_is_within_the_bound(rnn):
    net, _ = make_pair(rnn, dtype="float32")
    _, twin = make_pair(rnn)
    outputs, _ = net(X, net.begin_state(3))
    expected, _ = twin(X, twin.begin_state(3))
    found = rnn.to_numpy(outputs)
    assert found.dtype == np.float32
    limit = agreement.bound("forward", "float32", 0)
    assert agreement.difference(found, rnn.to_numpy(expected)) <= limit


def test_it_learns_what_mingru_learns(rnn):
    losses = []
    for net in make_pair(rnn):
        step, state = net.make_step(0.5), net.begin_state(3)
        losses.append([])
        for _ in range(4):
            loss, state = step(X, Y, state)
            losses[-1].append(float(loss))
    np.testing.assert_allclose(*losses, rtol=UPDATED)


def test_it_is_saved_copied_and_generates_like_mingru(rnn, tmp_path):
    vocab = rnn.Vocab("abcd")
    net, twin = make_pair(rnn)
    expected = rnn.predict_ch8("ab", 5, twin, vocab)
    rnn.save_model(tmp_path / "model", net, vocab)
    loaded, _ = rnn.load_model(tmp_path / "model")
    for one in (net, loaded, copy.deepcopy(net)):
        assert rnn.predict_ch8("ab", 5, one, vocab) == expected


def test_an_empty_minibatch_leaves_the_state_as_it_was(rnn):
    net, _ = make_pair(rnn)
    outputs, last = net(X[:, :0], state_of(rnn, net))
    assert outputs.shape == (0, 5)
    np.testing.assert_array_equal(rnn.to_numpy(last[0]), rnn.to_numpy(state_of(rnn, net)[0]))


def test_the_seed_determines_the_weights(rnn):
    seeds = 0, 0, 1
    arrays = [rnn.RNNModel(rnn.MinGRU(5, 4, seed=s), 5, seed=0).arrays() for s in seeds]
    np.testing.assert_array_equal(arrays[0][0], arrays[1][0])
    assert (arrays[0][0] != arrays[2][0]).all()
