"""Momentum, weight decay and learning rates that depend on the step, equal in all backends."""

import itertools
import math

import numpy as np
import pytest
from bounds import SAME, UPDATED

from d2lrnn import backends
from d2lrnn.data import batches
from d2lrnn.nets import build, cells, optimizers, schedules

HALVES = schedules.StepSchedule(2, 0.5)
# optimizer, learning rate, options
CASES = {
    "momentum": ("sgd", 0.3, {"momentum": 0.9}),
    "weight decay": ("sgd", 1.0, {"weight_decay": 0.01}),
    "adamw": ("adamw", 0.01, {"weight_decay": 0.1}),
    "schedule": ("sgd", 1.0, {"schedule": HALVES}),
    "schedule of adagrad": ("adagrad", 0.05, {"schedule": HALVES}),
    "all of sgd": ("sgd", 0.3, {"momentum": 0.9, "weight_decay": 0.01, "schedule": HALVES}),
    "all of adamw": ("adamw", 0.01, {"weight_decay": 0.1, "schedule": HALVES}),
}
# What a framework's own optimizer cannot do
REFUSED = {
    ("tensorflow", "all of sgd"): "momentum and schedule are both given, and TensorFlow's own",
    ("mxnet", "all of sgd"): "momentum and schedule are both given, and MXNet's own optimizer",
    ("mxnet", "adamw"): "weight_decay is 0.1, and MXNet does not have AdamW",
    ("mxnet", "all of adamw"): "weight_decay is 0.1, and MXNet does not have AdamW",
}


def trained(rnn, builtin, case, num_steps=20, clip="norm"):
    corpus, vocab = builtin
    optimizer, lr, options = CASES[case]
    net = build.new_net(rnn, cells.Architecture("gru"), len(vocab), 8, seed=0, dtype="float64")
    step = rnn.make_step(net, lr, optimizer=optimizer, clip=clip, **options)
    loader, state, losses = batches.SeqDataLoader(corpus, 8, 10, seed=0), net.begin_state(8), []
    for X, Y in itertools.islice(loader, num_steps):
        loss, state = step(X, Y, state)
        losses.append(loss)
    return net.arrays(), losses


@pytest.mark.parametrize(
    ("case", "clip"), [*((case, "norm") for case in CASES), ("all of sgd", "value")]
)
def test_twenty_steps_equal_those_of_the_reference(rnn, builtin, case, clip):
    found, losses = trained(rnn, builtin, case, clip=clip)
    expected, reference = trained(backends.load("numpy"), builtin, case, clip=clip)
    np.testing.assert_allclose(losses, reference, rtol=UPDATED)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=UPDATED, atol=UPDATED * np.abs(other).max())


MINIBATCHES = np.random.default_rng(0).integers(5, size=(5, 2, 3, 6))


class ByFormula:
    """The parameters after each step, by the equations of the optimizer."""

    def __init__(self, case, keras=False):
        self.keras = keras
        self.optimizer, self.lr, self.options = CASES[case]
        self.sums, self.squares, self.k = {}, {}, 0

    def __call__(self, params, grads):
        schedule = self.options.get("schedule") or (lambda k: 1.0)
        change = self.adamw if self.optimizer == "adamw" else self.sgd
        rate, new = self.lr * schedule(self.k), []
        for i, (w, g) in enumerate(zip(params, grads, strict=True)):
            new.append(w - rate * change(i, w, g))
        self.k += 1
        return new

    def sgd(self, i, w, g):
        mu, wd = self.options.get("momentum", 0.0), self.options.get("weight_decay", 0.0)
        self.sums[i] = mu * self.sums.get(i, 0.0) + g + wd * w
        return self.sums[i]

    def adamw(self, i, w, g):
        self.sums[i] = 0.9 * self.sums.get(i, 0.0) + 0.1 * g
        self.squares[i] = 0.999 * self.squares.get(i, 0.0) + 0.001 * g**2
        m = self.sums[i] / (1 - 0.9 ** (self.k + 1))
        v = self.squares[i] / (1 - 0.999 ** (self.k + 1))
        eps = 1e-7 / np.sqrt(1 - 0.999 ** (self.k + 1)) if self.keras else 1e-8
        return m / (np.sqrt(v) + eps) + self.options["weight_decay"] * w


def check_steps(rnn, net, case, tolerance=SAME, keras=False):
    """Check the weights after each step; a layer's bias may be a sum of two that are updated."""
    optimizer, lr, options = CASES[case]
    step = rnn.make_step(net, lr, 1e6, optimizer=optimizer, **options)  # nothing is clipped
    by_formula = ByFormula(case, keras)
    for X, Y in MINIBATCHES:
        before, (_, grads) = net.arrays(), net.gradients(X, Y, net.begin_state(3))
        step(X, Y, net.begin_state(3))
        for found, expected in zip(net.arrays(), by_formula(before, grads), strict=True):
            if found.ndim == 2:
                np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


BY_FORMULA = [case for case in CASES if "adagrad" not in case]


@pytest.mark.parametrize("case", BY_FORMULA)
def test_steps_equal_the_equations(rnn, make_net, case):
    check_steps(rnn, make_net(dtype="float64"), case)


@pytest.mark.parametrize("case", BY_FORMULA)
def test_a_framework_s_own_optimizer_computes_the_same_or_raises_an_error(
    rnn, backend, make_concise, case
):
    net = make_concise("lstm", dtype="float64")
    if (backend, case) in REFUSED:
        with pytest.raises(ValueError, match=REFUSED[backend, case]):
            check_steps(rnn, net, case)
        return
    # Keras and MXNet compute some products of options in float32; Keras adds another eps.
    check_steps(rnn, net, case, 1e-6, keras=backend == "tensorflow")


def test_a_step_is_not_compiled_again_when_the_rate_changes(rnn):
    calls = []

    def counted(inputs, state, params):
        calls.append(inputs)
        return rnn.rnn(inputs, state, params)

    functions = rnn.get_params, rnn.init_rnn_state, counted
    net = rnn.RNNModelScratch(5, 4, *functions, seed=0)
    step = rnn.make_step(net, 1.0, schedule=lambda k: 1 / (k + 1))
    numbers = []
    for X, Y in MINIBATCHES:
        step(X, Y, net.begin_state(3))
        numbers.append(len(calls))
    compiles = rnn.__name__ in ("d2lrnn.jax", "d2lrnn.tensorflow")
    assert numbers[-1] - numbers[1] == (0 if compiles else 3)


def test_the_number_of_steps_is_part_of_the_state_of_a_step(rnn, make_net):
    (X, Y), schedule = MINIBATCHES[0], schedules.CosineSchedule(4)
    nets = make_net(), make_net()
    steps = [rnn.make_step(net, 1.0, schedule=schedule) for net in nets]
    for _ in range(2):
        steps[0](X, Y, nets[0].begin_state(3))
    assert steps[0].memory()["number"].tolist() == [2]
    nets[1].load_arrays(nets[0].arrays())
    steps[1].load_memory(steps[0].memory())
    for net, step in zip(nets, steps, strict=True):
        step(X, Y, net.begin_state(3))
    for one, other in zip(nets[0].arrays(), nets[1].arrays(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert "number" not in rnn.make_step(make_net(), 1.0).memory()


def test_a_rate_of_zero_changes_nothing(rnn, make_net):
    net, (X, Y) = make_net(), MINIBATCHES[0]
    before = net.arrays()
    rnn.make_step(net, 1.0, schedule=lambda k: 0)(X, Y, net.begin_state(3))
    for one, other in zip(before, net.arrays(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_a_schedule_may_return_a_scalar_of_the_framework(rnn, make_net, dtype):
    one, other = make_net(), make_net()
    (X, Y), factor = MINIBATCHES[0], rnn.from_numpy(np.array(2, dtype))
    for net, schedule in ((one, lambda k: factor), (other, lambda k: 2.0)):
        rnn.make_step(net, 1.0, schedule=schedule)(X, Y, net.begin_state(3))
    for array, expected in zip(one.arrays(), other.arrays(), strict=True):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("factor", [-1.0, math.nan, [0.5]])
def test_a_tensor_that_is_not_a_rate_is_refused(rnn, make_net, factor):
    net, (X, Y) = make_net(), MINIBATCHES[0]
    step = rnn.make_step(net, 1.0, schedule=lambda k: rnn.from_numpy(np.array(factor)))
    with pytest.raises(
        ValueError, match=r"schedule\(0\) is [\s\S]*; expected a finite number, 0 or"
    ):
        step(X, Y, net.begin_state(3))


@pytest.mark.parametrize("factor", [-1, math.nan, math.inf, None, "1"])
def test_a_schedule_that_returns_something_else_is_refused(rnn, make_net, factor):
    net, (X, Y) = make_net(), MINIBATCHES[0]
    step = rnn.make_step(net, 1.0, schedule=lambda k: factor)
    with pytest.raises(ValueError, match=r"schedule\(0\) is .*; expected a finite number, 0 or"):
        step(X, Y, net.begin_state(3))


@pytest.mark.parametrize(
    ("optimizer", "options", "message"),
    [
        ("adam", {"momentum": 0.9}, "momentum is 0.9, and optimizer is 'adam', which does not"),
        ("adam", {"weight_decay": 0.1}, "expected optimizer 'sgd' or 'adamw', or weight_decay=0"),
        ("adagrad", {"weight_decay": 0.1}, "weight_decay is 0.1, and optimizer is 'adagrad'"),
        ("sgd", {"momentum": 1.0}, "momentum is 1.0; expected a number, 0 or above and below 1"),
        ("sgd", {"momentum": -0.1}, "momentum is -0.1; expected a number, 0 or above and below 1"),
        ("sgd", {"weight_decay": math.nan}, "weight_decay is nan; expected a finite number"),
        ("sgd", {"schedule": 0.5}, "schedule is 0.5; expected a function of the step"),
    ],
)
@pytest.mark.parametrize("kind", ["make_net", "make_concise"])
def test_options_that_make_no_sense_are_refused(
    rnn, backend, request, kind, optimizer, options, message
):
    if kind == "make_concise" and backend == "numpy":
        kind = "make_net"
    net = request.getfixturevalue(kind)()
    with pytest.raises(ValueError, match=message):
        rnn.make_step(net, 1.0, optimizer=optimizer, **options)


def test_segments_follow_the_same_rule(rnn, make_net):
    nets = make_net(dtype="float64"), make_net(dtype="float64")
    optimizer, lr, options = CASES["all of sgd"]
    for net, segment in zip(nets, (None, 2), strict=True):
        step = rnn.make_step(net, lr, optimizer=optimizer, segment=segment, **options)
        for X, Y in MINIBATCHES:
            step(X, Y, net.begin_state(3))
    for one, other in zip(nets[0].arrays(), nets[1].arrays(), strict=True):
        np.testing.assert_allclose(one, other, rtol=UPDATED, atol=SAME)


@pytest.mark.parametrize(
    ("name", "factors"),
    [
        ("constant", None),
        ("step", [1.0, 1.0, 0.1, 0.01]),
        ("cosine", [1.0, 0.9755, 0.5, 0.0245]),
        ("warmup", [0.3333, 1.0, 1.0, 1.0]),
        ("warmup-cosine", [0.3333, 1.0, 0.5868, 0.0302]),
    ],
)
def test_schedules_have_names(name, factors):
    schedule = schedules.named(name, 30)
    if factors is None:
        assert schedule is None
        return
    assert [schedule(k) for k in (0, 3, 15, 27)] == pytest.approx(factors, abs=1e-4)


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="schedule is 'linear'; expected one of 'constant', 'step"):
        schedules.named("linear", 30)


def test_a_schedule_given_by_name_needs_the_number_of_steps(rnn, make_net):
    with pytest.raises(ValueError, match="schedule is 'cosine', which needs the number of steps"):
        schedules.named("cosine", None)


def test_a_name_without_a_step_names_the_option_of_the_command():
    with pytest.raises(ValueError, match=r"no training steps; give num_epochs \(--epochs\) 1 or"):
        schedules.named("cosine", 0)


@pytest.mark.parametrize("kind", [schedules.CosineSchedule, schedules.WarmupSchedule, float])
def test_a_class_is_not_a_schedule(kind):
    message = f"is the class {kind.__name__}; expected an object of a class, such as Cosine"
    with pytest.raises(ValueError, match=f"schedule {message}"):
        schedules.named(kind, 0)
    with pytest.raises(ValueError, match=f"then {message}"):
        schedules.WarmupSchedule(3, then=kind)


def test_weight_decay_alone_makes_weights_smaller():
    rule, zero = optimizers.SGD(0.5, weight_decay=0.2), [np.zeros(2)]
    (w,), _ = rule.update([np.array([1.0, -2.0])], zero, [])
    np.testing.assert_allclose(w, [0.9, -1.8], rtol=SAME)
    rule = optimizers.Adam(0.5, weight_decay=0.2)
    (w,), _ = rule.update([np.array([1.0, -2.0])], zero, rule.begin([np.zeros(2)]))
    np.testing.assert_allclose(w, [0.9, -1.8], rtol=SAME)
