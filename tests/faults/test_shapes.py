"""Any sizes, memory layouts and shared tensors give the numbers of the reference."""

import dataclasses
import functools

import numpy as np
import pytest
from anything import drive
from hypothesis import settings
from hypothesis import strategies as st

from d2lrnn import backends
from d2lrnn.measure import agreement
from d2lrnn.nets import build, concatenated, embedding

CASES = [*agreement.CASES, *(f"{cell}_fused" for cell in build.FUSED)]
CASES += [f"concat_{cell}" for cell in ("rnn", "gru", "lstm")]
few, some = st.sampled_from([0, 1, 1, 2, 3]), st.sampled_from([1, 1, 2, 3])
strategies = {
    "case": st.sampled_from(CASES),
    "sizes": st.fixed_dictionaries(
        {"num_steps": few, "batch_size": few, "num_inputs": some, "num_hiddens": some}
    ),
    "dtype": st.sampled_from(agreement.DTYPES),
    "layout": st.sampled_from(["in one piece", "every other", "transposed", "backwards"]),
    "shared": st.booleans(),
    "seed": st.integers(0, 2**16),
}


@pytest.fixture
def many(faults):
    return settings(max_examples=faults(20, 500))


def spread(rnn, array, dtype, layout):
    """A tensor of the same numbers, where the framework has such views a view of another."""
    if layout == "every other":
        return rnn.from_numpy(array.repeat(2, axis=-1), dtype=dtype)[..., ::2]
    if layout == "transposed" and array.ndim == 2:
        tensor = rnn.from_numpy(array.T, dtype=dtype)
        return tensor.T if hasattr(tensor, "T") else rnn.from_numpy(array, dtype=dtype)
    if layout == "backwards":
        array = np.ascontiguousarray(array[::-1])[::-1]
    return rnn.from_numpy(array, dtype=dtype)


def is_in_one_piece(tensor):
    """Return whether a tensor is contiguous, if the framework has this information."""
    if hasattr(tensor, "is_contiguous"):
        return tensor.is_contiguous()
    flags = getattr(tensor, "flags", None)
    return flags is None or flags.c_contiguous


def solve(rnn, case, problem, dtype, layout):
    """Outputs, last state and all gradients of a problem."""
    cell = case.removeprefix("concat_").removesuffix("_fused")
    params = problem.params
    if case.startswith("concat_"):
        forward_fn, params = getattr(rnn, case), concatenated.joined(params, "HX", np.concatenate)
    else:
        fused = case.endswith("_fused")
        forward_fn = embedding.functions(
            rnn.RNNModelScratch.ops, agreement.CASES[cell], fused=fused
        )[2]
    made = functools.partial(spread, rnn, dtype=dtype, layout=layout)
    tensors = {}  # by array: where it is the same one, so is the tensor

    def tensor(array):
        return tensors.setdefault(id(array), made(array))

    state, d_state = (tuple(map(tensor, part)) for part in (problem.state, problem.d_state))
    inputs, d_outputs, params = (
        tensor(problem.inputs),
        tensor(problem.d_outputs),
        list(map(tensor, params)),
    )
    outputs, last = forward_fn(inputs, state, params)
    d_inputs, d_first, d_params = rnn.vjp(forward_fn, inputs, state, params, d_outputs, d_state)
    gradients = [d_inputs, *d_first, *d_params]
    assert all(map(is_in_one_piece, gradients))
    return [list(map(rnn.to_numpy, part)) for part in ([outputs, *last], gradients)]


def make_problem(case, sizes, seed, shared):
    problem = agreement.make_problem(case, seed=seed, **sizes)
    if shared and len({part.shape for part in problem.state}) == 1:  # s4d has states of two shapes
        state, d_state = ((part[0],) * len(part) for part in (problem.state, problem.d_state))
        return dataclasses.replace(problem, state=state, d_state=d_state)
    return problem


def test_the_numbers_are_those_of_the_reference(rnn, many):
    reference = backends.load("numpy")

    def check(case, sizes, dtype, layout, shared, seed):
        summed = case.removeprefix("concat_").removesuffix("_fused")
        problem = make_problem(summed, sizes, seed, shared)
        expected = solve(reference, case.removesuffix("_fused"), problem, "float64", "in one piece")
        found = solve(rnn, case, problem, dtype, layout)
        terms = max(problem.num_terms, 8) * (2 if shared else 1)
        for quantity, ones, others in zip(("forward", "gradients"), found, expected, strict=True):
            # what nearly cancels out is as exact as its terms, not as it is small itself
            largest = max([1.0, *(np.abs(other).max() for other in others if other.size)])
            limit = agreement.bound(quantity, dtype, terms) * largest
            for one, other in zip(ones, others, strict=True):
                assert one.shape == other.shape
                assert one.dtype.name == dtype
                assert not one.size or np.abs(one - other).max() <= limit

    drive(many, strategies, check)
