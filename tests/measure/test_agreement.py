"""The backends agree with the equations, with finite differences and with each other."""

import functools

import numpy as np
import pytest
from bounds import AGREED, SAME, TRAINED
from hypothesis import given, settings
from hypothesis import strategies as st

from d2lrnn import backends
from d2lrnn.measure import agreement, comparison
from d2lrnn.nets import cells
from d2lrnn.numpy import bptt

CELLS = ["mlp", *cells.CELLS]
CASES = ["mlp", *agreement.CASES]
sizes = st.fixed_dictionaries(
    {
        "num_steps": st.integers(1, 9),
        "batch_size": st.integers(1, 5),
        "num_inputs": st.integers(1, 7),
        "num_hiddens": st.integers(1, 8),
        "seed": st.integers(0, 2**16),
    }
)


@functools.cache
def solution(backend, case, dtype="float64"):
    if case in agreement.CONCISE:
        return agreement.solve_concise(backends.load(backend), case, dtype)
    return agreement.solve(backends.load(backend), agreement.make_problem(case), dtype)


def losses(backend, case, dtype="float64"):
    return agreement.train(backends.load(backend), case, dtype)


def limit_of(quantity, case, dtype):
    problem = agreement.make_problem(case.removesuffix(", concise"))
    return agreement.bound(quantity, dtype, problem.num_terms)


@pytest.mark.against_reference
@pytest.mark.parametrize("quantity", ["forward", "gradients"])
@pytest.mark.parametrize("dtype", agreement.DTYPES)
@pytest.mark.parametrize("case", [*CASES, *agreement.CONCISE])
def test_a_network_agrees_with_the_float64_reference(backend, case, dtype, quantity):
    expected = solution("numpy", case)[quantity]
    found = solution(backend, case, dtype)[quantity]
    assert found.keys() == expected.keys()
    for name in expected:
        assert found[name].dtype.name == dtype, name
        gap = agreement.difference(found[name], expected[name])
        assert gap <= limit_of(quantity, case, dtype), name


@pytest.mark.against_reference
@settings(max_examples=5)
@given(sizes)
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_agree_with_the_reference_for_any_sizes(rnn, cell, sizes):
    problem = agreement.make_problem(cell, **sizes)
    expected = agreement.solve(backends.load("numpy"), problem)["gradients"]
    for name, gradient in agreement.solve(rnn, problem)["gradients"].items():
        assert agreement.difference(gradient, expected[name]) <= AGREED, name


@pytest.mark.against_reference
@pytest.mark.parametrize("dtype", agreement.DTYPES)
@pytest.mark.parametrize("cell", cells.CELLS)
def test_a_hundred_training_steps_agree_with_the_reference(backend, cell, dtype):
    expected, found = losses("numpy", cell), losses(backend, cell, dtype)
    limit = agreement.bound("losses", dtype, 0)
    assert len(found) == 100
    assert found[-1] < found[0] - 0.5  # it has learned something
    np.testing.assert_allclose(found, expected, rtol=limit)


@pytest.mark.parametrize("quantity", ["forward", "gradients"])
@pytest.mark.parametrize("dtype", agreement.DTYPES)
@pytest.mark.parametrize("case", [*CASES, *agreement.CONCISE])
def test_two_backends_agree_directly(pair, case, dtype, quantity):
    one, other = (solution(name, case, dtype)[quantity] for name in pair)
    for name in one:
        gap = agreement.difference(one[name], other[name])
        assert gap <= 2 * limit_of(quantity, case, dtype), name


@pytest.mark.parametrize("cell", cells.CELLS)
def test_two_backends_learn_the_same(pair, cell):
    one, other = (losses(name, cell) for name in pair)
    np.testing.assert_allclose(one, other, rtol=TRAINED)


@pytest.mark.parametrize("case", CASES)
def test_the_reference_s_gradients_equal_finite_differences(case):
    problem = agreement.make_problem(case, num_steps=4, batch_size=2, num_inputs=3, num_hiddens=5)
    arguments = [problem.inputs, *problem.state, *problem.params]
    num_states = len(problem.state)
    forward_fn = agreement.forward_function(backends.load("numpy"), problem.architecture)

    def objective():
        state, params = tuple(arguments[1 : 1 + num_states]), arguments[1 + num_states :]
        outputs, new_state = forward_fn(arguments[0], state, params)
        weighted = zip((outputs, *new_state), (problem.d_outputs, *problem.d_state))
        return sum((value * weight).sum() for value, weight in weighted if value.size)

    ends = problem.d_outputs, problem.d_state
    d_inputs, d_state, d_params = backends.load("numpy").vjp(
        forward_fn, problem.inputs, problem.state, problem.params, *ends
    )
    for argument, gradient in zip(arguments, [d_inputs, *d_state, *d_params], strict=True):
        expected = np.zeros_like(argument)
        for index in np.ndindex(argument.shape):
            value, ends = argument[index], []
            for step in (1e-6, -1e-6):
                argument[index] = value + step
                ends.append(objective())
            argument[index] = value
            expected[index] = (ends[0] - ends[1]) / 2e-6
        np.testing.assert_allclose(gradient, expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("dtype", agreement.DTYPES)
@given(sizes)
def test_the_product_of_the_concatenation_equals_the_sum_of_the_products(rnn, dtype, sizes):
    problem = agreement.make_problem(**sizes)
    X, H = problem.inputs[0], problem.state[0]
    W_xh, W_hh = problem.params[:2]
    tensors = [rnn.from_numpy(array, dtype=dtype) for array in (X, W_xh, H, W_hh)]
    X_, W_xh_, H_, W_hh_ = tensors
    joint = [np.concatenate([X, H], axis=1), np.concatenate([W_xh, W_hh])]
    XH_, W_ = [rnn.from_numpy(array, dtype=dtype) for array in joint]
    one, other = rnn.to_numpy(XH_ @ W_), rnn.to_numpy(X_ @ W_xh_ + H_ @ W_hh_)
    # Each sum of k terms is off by at most (k + 1) roundings of the sum of their magnitudes.
    magnitude = np.abs(joint[0]) @ np.abs(joint[1])
    limit = 2 * (len(W_xh) + len(W_hh) + 1) * np.finfo(dtype).eps * magnitude
    assert (np.abs(one - other) <= limit).all()


@settings(max_examples=8)
@given(sizes)
def test_a_recurrent_step_is_an_mlp_of_the_concatenation(rnn, sizes):
    problem = agreement.make_problem(**{**sizes, "num_steps": 1})
    X, (H,), (W_xh, W_hh, b_h, W_hq, b_q) = problem.inputs[0], problem.state, problem.params
    joint = np.concatenate([X, H], axis=1), np.concatenate([W_xh, W_hh])
    XH, *params = [rnn.from_numpy(array) for array in (*joint, b_h, W_hq, b_q)]
    outputs = agreement.solve(rnn, problem)["forward"]["outputs"]
    assert agreement.difference(rnn.to_numpy(rnn.mlp(XH, params)), outputs) <= AGREED


def test_the_forward_pass_of_bptt_equals_the_equations():
    numpy = backends.load("numpy")
    for case, architecture in agreement.CASES.items():
        problem = agreement.make_problem(case, num_steps=5)
        inputs, params = problem.inputs, problem.params
        if architecture.embedding:  # bptt.forward takes rows
            inputs, params = inputs @ params[0], params[1:]
        outputs, state, _ = bptt.forward(architecture, inputs, problem.state, params)
        expected = agreement.solve(numpy, problem)["forward"]
        np.testing.assert_allclose(outputs, expected["outputs"], rtol=AGREED, atol=SAME)
        for index, tensor in enumerate(state):
            np.testing.assert_allclose(tensor, expected[f"state[{index}]"], rtol=AGREED, atol=SAME)


def test_the_comparison_covers_every_quantity_and_detects_a_fault():
    rows = comparison.compare(["numpy"], ["mlp", "lstm", "lstm, 2 layers", "rnn, concise"])
    found = {(row.case, row.quantity) for row in rows}
    quantities = ("forward", "gradients")
    expected = {(case, q) for case in ("mlp", "lstm", "lstm, 2 layers") for q in quantities}
    assert found == expected | {("lstm", "losses")} | {("rnn, concise", q) for q in quantities}
    assert all(row.holds for row in rows)
    nan = comparison.Gap("rnn", "forward", "float64", "numpy", float("nan"), 1.0)
    assert not nan.holds
    assert "BROKEN" in comparison.table([nan], ["numpy"])
