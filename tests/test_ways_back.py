"""The ways back: what arrives is left as it was, and what is handed back is in one piece."""

import dataclasses
import functools

import numpy as np
import pytest

from d2lrnn import backends
from d2lrnn.measure import agreement
from d2lrnn.nets import cells, networks

FUSED = [f"{cell}_fused" for cell in cells.FUSED]
CASES = [*agreement.CASES, *FUSED]
SIZES = {  # (num_steps, batch_size, num_inputs, num_hiddens)
    "one row": (3, 1, 4, 5),
    "one unit": (3, 2, 4, 1),
    "one row and one unit": (3, 1, 4, 1),
    "one of everything": (1, 1, 1, 1),
    "some of each": (3, 2, 4, 5),
}


def make_problem(case, sizes="some of each"):
    """The problem of a case, and whether its cell is fused."""
    names = "num_steps", "batch_size", "num_inputs", "num_hiddens"
    settings = dict(zip(names, SIZES[sizes], strict=True))
    problem = agreement.make_problem(case.removesuffix("_fused"), **settings)
    return problem, case.endswith("_fused")


def gradients_of(rnn, problem, fused=False, dtype="float64"):
    """The gradients of a problem, as a backend's own tensors."""
    forward_fn = agreement.forward_function(rnn, problem.architecture, fused=fused)
    made = functools.partial(rnn.from_numpy, dtype=dtype)
    state, params = tuple(map(made, problem.state)), list(map(made, problem.params))
    d_outputs, d_state = made(problem.d_outputs), tuple(map(made, problem.d_state))
    arguments = made(problem.inputs), state, params, d_outputs, d_state
    d_inputs, d_first, d_params = rnn.vjp(forward_fn, *arguments)
    return [d_inputs, *d_first, *d_params], arguments


def assert_agree(rnn, found, expected):
    for one, other in zip(found, expected, strict=True):
        assert agreement.difference(rnn.to_numpy(one), np.asarray(other)) <= 1e-12


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("case", CASES)
def test_one_tensor_may_arrive_at_every_state(rnn, case, sizes):
    problem, fused = make_problem(case, sizes)
    shared = problem.d_state[0]
    problem = dataclasses.replace(problem, d_state=(shared,) * len(problem.d_state))
    expected, _ = gradients_of(backends.load("numpy"), problem)
    forward_fn = agreement.forward_function(rnn, problem.architecture, fused=fused)
    made = functools.partial(rnn.from_numpy, dtype="float64")
    state, params = tuple(map(made, problem.state)), list(map(made, problem.params))
    one = made(shared)
    d_inputs, d_first, d_params = rnn.vjp(
        forward_fn,
        made(problem.inputs),
        state,
        params,
        made(problem.d_outputs),
        (one,) * len(state),
    )
    assert_agree(rnn, [d_inputs, *d_first, *d_params], expected)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("case", CASES)
def test_nothing_that_arrives_is_written_into(rnn, case, sizes):
    problem, fused = make_problem(case, sizes)
    _, (inputs, state, params, d_outputs, d_state) = gradients_of(rnn, problem, fused)
    after = [inputs, *state, *params, d_outputs, *d_state]
    before = [problem.inputs, *problem.state, *problem.params]
    before += [problem.d_outputs, *problem.d_state]
    for one, other in zip(after, before, strict=True):
        np.testing.assert_array_equal(rnn.to_numpy(one), other)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("case", CASES)
def test_what_has_arrived_may_arrive_again(rnn, case, sizes):
    problem, fused = make_problem(case, sizes)
    first, arguments = gradients_of(rnn, problem, fused)
    first = [rnn.to_numpy(gradient) for gradient in first]
    forward_fn = agreement.forward_function(rnn, problem.architecture, fused=fused)
    d_inputs, d_first, d_params = rnn.vjp(forward_fn, *arguments)
    for one, other in zip([d_inputs, *d_first, *d_params], first, strict=True):
        np.testing.assert_array_equal(rnn.to_numpy(one), other)


def is_in_one_piece(tensor):
    """Whether a tensor's numbers are next to each other, row by row, as all-reduce wants them."""
    if hasattr(tensor, "is_contiguous"):
        return tensor.is_contiguous()
    flags = getattr(tensor, "flags", None)  # other frameworks' tensors have no strides
    return flags is None or flags.c_contiguous


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("case", CASES)
def test_every_gradient_is_in_one_piece(rnn, case, sizes):
    gradients, _ = gradients_of(rnn, *make_problem(case, sizes))
    assert [is_in_one_piece(gradient) for gradient in gradients] == [True] * len(gradients)


@pytest.mark.parametrize("case", CASES)
def test_every_gradient_of_a_loss_is_in_one_piece(rnn, case):
    problem, fused = make_problem(case)
    net = cells.new_net(rnn, problem.architecture, 5, 4, fused=fused, seed=0)
    X = np.array([[0, 1, 2], [2, 1, 0]])
    state, targets = net.begin_state(2), rnn.from_numpy(X.T.reshape(-1), dtype="int64")
    compute = rnn.value_and_grad(networks.Recurrent(net.forward_fn), "softmax")
    _, _, gradients = compute(net.params, (net.inputs(X, state), state), targets)
    assert [is_in_one_piece(gradient) for gradient in gradients] == [True] * len(gradients)
