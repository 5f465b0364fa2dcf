"""All backends compute with the new values of a custom function that changes between steps."""

import copy
import functools
import types

import numpy as np
import pytest

from d2lrnn.nets import forward, values_read

X, Y = np.random.default_rng(0).integers(5, size=(2, 2, 3))
factor = 1.0
table = {"factor": np.ones(1)}


class Scaled:
    """A callable object with an attribute."""

    factor = 1.0

    def __init__(self, rnn):
        self.rnn, self.config = rnn, types.SimpleNamespace(factor=1.0)

    def __call__(self, inputs, state, params):
        outputs, state = self.rnn.rnn(inputs, state, params)
        return self.scale() * outputs, state

    def scale(self):
        return self.factor


class Rnn:
    """The functions that Scaled calls; a module cannot be copied."""

    def __init__(self, rnn):
        self.rnn = rnn.rnn


class Configured(Scaled):
    def scale(self):
        return self.config.factor


class Slotted:
    __slots__ = ("__dict__", "factor", "rnn")

    def __init__(self, rnn):
        self.rnn, self.factor = rnn, 1.0

    def forward(self, inputs, state, params):
        outputs, state = self.rnn.rnn(inputs, state, params)
        return self.factor * outputs, state


def scaled(inputs, state, params, *, rnn, scale):
    outputs, state = rnn.rnn(inputs, state, params)
    return scale() * outputs, state


def of_global():
    return factor


def of_array():
    return float(table["factor"][0])


def with_attribute(rnn):
    forward_fn = Scaled(rnn)
    return forward_fn, lambda value: setattr(forward_fn, "factor", value)


def with_attribute_of_an_attribute(rnn):
    forward_fn = Configured(rnn)
    return forward_fn, lambda value: setattr(forward_fn.config, "factor", value)


def with_attribute_of_its_class(rnn):
    kind = type("Own", (Scaled,), {"__module__": __name__})
    return kind(rnn), lambda value: setattr(kind, "factor", value)


def with_bound_method(rnn):
    owner = Slotted(rnn)
    return owner.forward, lambda value: setattr(owner, "factor", value)


def with_closure(rnn):
    value = 1.0

    def change(new):
        nonlocal value
        value = new

    return functools.partial(scaled, rnn=rnn, scale=lambda: value), change


def with_global(rnn):
    def change(new):
        globals()["factor"] = new

    change(1.0)
    return functools.partial(scaled, rnn=rnn, scale=of_global), change


def with_array_in_place(rnn):
    def change(new):
        table["factor"][:] = new

    change(1.0)
    return functools.partial(scaled, rnn=rnn, scale=of_array), change


WAYS = [
    with_attribute,
    with_attribute_of_an_attribute,
    with_attribute_of_its_class,
    with_bound_method,
    with_closure,
    with_global,
    with_array_in_place,
]


def net_of(rnn, forward_fn):
    return rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, forward_fn, seed=0)


@pytest.mark.parametrize("way", WAYS)
def test_a_step_computes_with_a_value_that_was_changed_after_the_step_before(rnn, way):
    forward_fn, change = way(rnn)
    net = net_of(rnn, forward_fn)
    step, losses = net.make_step(1e-9), []
    for value in (300.0, 300.0, 0.0, 300.0):
        change(value)
        losses.append(step(X, Y, net.begin_state(2))[0])
    assert losses[2] == pytest.approx(np.log(5), rel=1e-5)  # all scores are 0
    assert abs(losses[3] - losses[2]) > 0.01
    assert losses[1:] == pytest.approx([losses[0], losses[2], losses[0]], rel=1e-5)


def test_a_call_computes_with_the_changed_value(rnn):
    forward_fn, change = with_attribute(rnn)
    net, largest = net_of(rnn, forward_fn), []
    for value in (1.0, 0.0, 1.0):
        change(value)
        outputs, _ = net.evaluate(X, net.begin_state(2))
        largest.append(np.abs(outputs).max())
    assert largest[1] == 0 < largest[0] == largest[2]


def test_a_net_of_a_callable_object_is_copied_after_a_step(rnn):
    net = net_of(rnn, Scaled(Rnn(rnn)))
    step = net.make_step(0.1)
    step(X, Y, net.begin_state(2))
    loss, _ = net.gradients(X, Y, net.begin_state(2))
    copied = copy.deepcopy(net)
    net.forward_fn.factor = 0.0
    assert copied.gradients(X, Y, copied.begin_state(2))[0] == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize("segment", [None, 2])
def test_gradients_and_segments_use_the_changed_value(rnn, segment):
    forward_fn, change = with_attribute(rnn)
    net, norms = net_of(rnn, forward_fn), []
    step = rnn.make_step(net, 1e-9, segment=segment)
    for value in (1.0, 0.0, 1.0):
        change(value)
        loss, _ = step(X, Y, net.begin_state(2))
        expected, gradients = net.gradients(X, Y, net.begin_state(2))
        assert loss == pytest.approx(expected, rel=1e-5)
        norms.append(np.abs(gradients[0]).max())
    assert norms[1] == 0 < norms[0]
    assert norms[2] == pytest.approx(norms[0], rel=1e-4)


@pytest.mark.only("jax", "tensorflow")
def test_a_function_that_does_not_change_is_traced_once(rnn):
    class Counting(Scaled):
        calls = 0

        def __call__(self, *arguments):
            self.calls += 1
            return super().__call__(*arguments)

    forward_fn = Counting(rnn)
    net = net_of(rnn, forward_fn)
    step = net.make_step(0.1)
    for _ in range(5):
        step(X, Y, net.begin_state(2))
    assert forward_fn.calls == 1
    forward_fn.other = 3  # which its code does not name
    step(X, Y, net.begin_state(2))
    assert forward_fn.calls == 1


def test_a_function_of_this_package_calls_no_code_of_a_user(rnn):
    for forward_fn in (rnn.rnn, rnn.lstm_fused, rnn.stack("gru", 2)[2]):
        assert forward.user_code(forward_fn) is None


def custom_cell(rnn):
    """A custom cell whose step reads an attribute, and a function that sets it."""
    owner = types.SimpleNamespace(factor=1.0)

    def scaled_cell(X, H, p):
        return rnn.tanh(owner.factor * (X @ p.W_xh + H @ p.W_hh) + p.b_h)

    params = {"W_xh": ("d", "h"), "W_hh": ("h", "h"), "b_h": ("h",)}
    return rnn.new_cell(scaled_cell, params), lambda value: setattr(owner, "factor", value)


@pytest.mark.parametrize("segment", [None, 2])
def test_the_step_of_a_custom_cell_is_computed_with_the_changed_value(rnn, segment):
    cell, change = custom_cell(rnn)
    net = rnn.RNNModelScratch(5, 4, *cell, seed=0)
    step, norms = rnn.make_step(net, 1e-9, segment=segment), []
    for value in (300.0, 0.0, 300.0):
        change(value)
        loss, _ = step(X, Y, net.begin_state(2))
        expected, gradients = net.gradients(X, Y, net.begin_state(2))
        outputs, _ = net.evaluate(X, net.begin_state(2))
        given, noise = np.full((1, 2), -1), np.zeros((1, 2, 5))
        _, state = net.say(X[:, 0], net.begin_state(2), given, noise)
        assert loss == pytest.approx(expected, rel=1e-5)
        sizes = (gradients[0], outputs, *map(rnn.to_numpy, state))
        norms.append([np.abs(array).max() for array in sizes])
    assert norms[1] == pytest.approx([0, 0, 0], abs=1e-6)
    assert min(norms[0]) > 1e-3
    assert norms[2] == pytest.approx(norms[0], rel=1e-3)


def test_a_classifier_with_a_custom_cell_computes_with_the_changed_value(rnn):
    cell, change = custom_cell(rnn)
    net = rnn.SequenceClassifierScratch(5, 4, 2, cell=cell, seed=0)
    rows, largest = np.eye(5, dtype=np.float32)[X], []
    for value in (1.0, 0.0, 1.0):
        change(value)
        scores = rnn.to_numpy(net(rows))
        largest.append(np.abs(scores).max())
    assert largest[1] == 0 < largest[0] == largest[2]


@pytest.mark.parametrize("way", WAYS)
def test_read_values_are_equal_until_they_change(rnn, way):
    forward_fn, change = way(rnn)
    change(float("nan"))
    values = values_read.read(forward_fn)
    assert values == values_read.read(forward_fn)
    change(2.0)
    assert values != values_read.read(forward_fn)


def test_objects_that_refer_to_each_other_are_read(rnn):
    forward_fn = Scaled(rnn)
    forward_fn.config.factor = [forward_fn, {"self": forward_fn}]
    assert values_read.read(forward_fn) == values_read.read(forward_fn)
