"""The backward passes do not change the gradients that they receive, and return contiguous ones."""

import dataclasses
import functools

import numpy as np
import pytest
from bounds import AGREED

from d2lrnn import backends
from d2lrnn.measure import agreement
from d2lrnn.nets import build, cells, concatenated, networks

FUSED = [f"{cell}_fused" for cell in build.FUSED]
CASES = [*cells.CELLS, *FUSED, "lstm, 2 layers, bidirectional"]
SIZES = {  # (num_steps, batch_size, num_inputs, num_hiddens)
    "one row": (3, 1, 4, 5),
    "one unit": (3, 2, 4, 1),
    "one row and one unit": (3, 1, 4, 1),
    "one of everything": (1, 1, 1, 1),
    "some of each": (3, 2, 4, 5),
}


def make_problem(case, sizes="some of each"):
    """The problem of a case, with one array as the gradient of every state of a shape."""
    names = "num_steps", "batch_size", "num_inputs", "num_hiddens"
    settings = dict(zip(names, SIZES[sizes], strict=True))
    problem = agreement.make_problem(case.removesuffix("_fused"), **settings)
    shared = {array.shape: array for array in problem.d_state}
    d_state = tuple(shared[array.shape] for array in problem.d_state)
    return dataclasses.replace(problem, d_state=d_state)


@functools.cache
def gone_back(backend, case, sizes="some of each", times=2):
    """The gradients, as tensors, of every time, and the arguments as they are afterwards.

    One tensor arrives at every state, and again the next time.
    """
    rnn, problem = backends.load(backend), make_problem(case, sizes)
    fused = case.endswith("_fused")
    forward_fn = agreement.forward_function(rnn, problem.architecture, fused=fused)
    made = functools.partial(rnn.from_numpy, dtype="float64")
    state, params = tuple(map(made, problem.state)), list(map(made, problem.params))
    inputs, d_outputs = map(made, (problem.inputs, problem.d_outputs))
    shared = {array.shape: made(array) for array in problem.d_state}
    d_states = tuple(shared[array.shape] for array in problem.d_state)
    arguments = inputs, state, params, d_outputs, d_states
    found = []
    for _ in range(times):
        d_inputs, d_state, d_params = rnn.vjp(forward_fn, *arguments)
        found.append([d_inputs, *d_state, *d_params])
    return found, [inputs, *state, *params, d_outputs, *d_states]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("case", CASES)
def test_one_tensor_can_be_used_for_every_state(rnn, backend, case, sizes):
    (found, _), _ = gone_back(backend, case, sizes)
    (expected,), _ = gone_back("numpy", case.removesuffix("_fused"), sizes, times=1)
    for one, other in zip(found, expected, strict=True):
        assert agreement.difference(rnn.to_numpy(one), other) <= AGREED


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("case", CASES)
def test_received_arrays_are_not_changed(rnn, backend, case, sizes):
    _, after = gone_back(backend, case, sizes)
    problem = make_problem(case, sizes)
    before = [problem.inputs, *problem.state, *problem.params, problem.d_outputs]
    for one, other in zip(after, [*before, *problem.d_state], strict=True):
        np.testing.assert_array_equal(rnn.to_numpy(one), other)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("case", CASES)
def test_received_arrays_can_be_converted_again(rnn, backend, case, sizes):
    (first, second), _ = gone_back(backend, case, sizes)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(rnn.to_numpy(one), rnn.to_numpy(other))


def is_in_one_piece(tensor):
    """Return whether a tensor is contiguous, as all-reduce requires."""
    if hasattr(tensor, "is_contiguous"):
        return tensor.is_contiguous()
    flags = getattr(tensor, "flags", None)  # other frameworks' tensors have no strides
    return flags is None or flags.c_contiguous


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("case", CASES)
def test_every_gradient_is_contiguous(backend, case, sizes):
    (gradients, _), _ = gone_back(backend, case, sizes)
    assert [is_in_one_piece(gradient) for gradient in gradients] == [True] * len(gradients)


@pytest.mark.parametrize("case", [*agreement.CASES, *FUSED])
def test_every_gradient_of_a_loss_is_contiguous(rnn, case):
    architecture, fused = make_problem(case).architecture, case.endswith("_fused")
    net = build.new_net(rnn, architecture, 5, 4, fused=fused, seed=0)
    X = np.array([[0, 1, 2], [2, 1, 0]])
    state, targets = net.begin_state(2), rnn.from_numpy(X.T.reshape(-1), dtype="int64")
    compute = rnn.value_and_grad(networks.Recurrent(net.forward_fn), "softmax")
    _, _, gradients = compute(net.params, (net.inputs(X, state), state), targets)
    assert [is_in_one_piece(gradient) for gradient in gradients] == [True] * len(gradients)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_every_gradient_of_a_concatenated_cell_is_contiguous(rnn, cell):
    problem = agreement.make_problem(cell, num_steps=3, batch_size=2, num_inputs=4, num_hiddens=5)
    params = list(map(rnn.from_numpy, concatenated.joined(problem.params, "HX", np.concatenate)))
    ends = rnn.from_numpy(problem.d_outputs), tuple(map(rnn.from_numpy, problem.d_state))
    start = rnn.from_numpy(problem.inputs), tuple(map(rnn.from_numpy, problem.state))
    d_inputs, d_state, d_params = rnn.vjp(getattr(rnn, f"concat_{cell}"), *start, params, *ends)
    gradients = [d_inputs, *d_state, *d_params]
    assert [is_in_one_piece(gradient) for gradient in gradients] == [True] * len(gradients)


@pytest.mark.parametrize("case", ["lstm", "lstm_fused", "gru, 2 layers"])
def test_one_tensor_can_be_every_initial_state(rnn, case):
    fused, problem = case.endswith("_fused"), make_problem(case)
    forward_fn = agreement.forward_function(rnn, problem.architecture, fused=fused)
    made = functools.partial(rnn.from_numpy, dtype="float64")
    inputs, params = made(problem.inputs), list(map(made, problem.params))
    d_outputs, H = made(problem.d_outputs), problem.state[0]
    d_state = tuple(made((1 + n) * d) for n, d in enumerate(problem.d_state))  # each its own
    found = []
    for state in ((made(H),) * 2, (made(H), made(H))):
        _, d_first, _ = rnn.vjp(forward_fn, inputs, state, params, d_outputs, d_state)
        found.append([rnn.to_numpy(d) for d in d_first])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=AGREED)
