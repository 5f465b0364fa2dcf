"""Differences as small as rounding errors: those of float32 in a result in float64, and others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from d2lrnn.measure.cell_check.pair import Pair
from d2lrnn.measure.cell_check.report import Comparison
from d2lrnn.measure.cell_check.runs import Array, Results

CHANGE = 1e-9  # far below the rounding of float32, and far above that of float64
SHARE = 1e-3  # of the effect of such a change; rounding in float64 has an effect of about 1e-6


def cause(pair: Pair, results: Mapping[str, Results], wrong: Sequence[Comparison]) -> str:
    """Return a sentence about differences in one dtype only, as small as rounding errors, or "".

    Args:
        pair: the function and its reference.
        results: the results of the function in each dtype.
        wrong: the comparisons that do not agree, at least one.
    """
    dtypes, most = {one.dtype for one in wrong}, max(one.difference for one in wrong)
    if len(dtypes) != 1 or len(results) != 2:
        return ""
    if dtypes == {"float32"}:
        if pair.reference is None:
            return "float64 agrees: the function has larger rounding errors in float32 than usual"
        return "float64 agrees: the function has larger rounding errors than the reference"
    if most > pair.bound("forward", "float32"):
        return ""
    if _has_numbers_of_float32(results["float64"]) or _is_rounded(pair, results["float64"]):
        return (
            "the difference is as small as the rounding of float32, and the function rounds to "
            "float32: a constant or a new tensor in it has this dtype, or it converts to it"
        )
    return (
        f"the difference is small, {most:.2g} of the largest element, but larger than rounding "
        "errors in float64; look for a small number that is added, such as an epsilon, or for a "
        "rounded constant, such as one of float32"
    )


def _has_numbers_of_float32(results: Results) -> bool:
    """Return whether the outputs or a state have only numbers that float32 has."""
    arrays = (results.outputs, *results.state)
    return any(array.any() and np.array_equal(array, array.astype(np.float32)) for array in arrays)


def _is_rounded(pair: Pair, results: Results) -> bool:
    """Return whether very small changes of the arguments have another effect than they should.

    A tensor of float32 does not change with them, or changes by a step that is much larger.
    """
    rng = np.random.default_rng(0)
    problem = pair.problem
    changed = problem.with_arguments(
        [a * (1 + CHANGE * rng.standard_normal(a.shape)) for a in problem.arguments]
    )
    try:
        after, expected = pair.run("float64", changed), pair.run_reference(changed)
    except ValueError:
        return False
    effect = after.outputs - results.outputs
    right: Array = expected.outputs - pair.expected.outputs
    return bool(np.abs(effect - right).max() > SHARE * np.abs(right).max())
