"""Compare the gradients of two functions, or those of one with finite differences."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import replace

from d2lrnn.measure.cell_check import finite, gradient_causes, places, runs
from d2lrnn.measure.cell_check.layout import Layout
from d2lrnn.measure.cell_check.pair import Pair
from d2lrnn.measure.cell_check.report import Comparison
from d2lrnn.measure.cell_check.runs import Array, Gradients, Results


def of_pair(pair: Pair, results: dict[str, Results]) -> tuple[list[Comparison], str]:
    """Return the comparisons of the gradients, and a sentence about the first difference.

    Without a reference, the gradients in float64 are compared with finite differences, and those in
    float32 with those in float64.
    """
    compared: list[Comparison] = []
    cause = ""
    expected = None if pair.reference is None else pair.reference_gradients(pair.problem)
    for dtype in results:
        computed = runs.differentiate(pair.subject, pair.problem, dtype)
        if not computed.arrays:
            text = f"the gradients cannot be computed: {computed.error}"
            compared.append(places.wrong("the gradients", dtype, text))
            cause = cause or text
            continue
        if expected is None:
            part = _with_finite_differences(pair, computed, results[dtype])
        else:
            part = _with(expected, pair, computed, dtype)
        expected = computed.arrays if expected is None else expected
        compared += part
        if not cause and not all(one.ok for one in part):
            cause = _cause(pair, computed, expected, dtype)
    return compared, cause


def names_of(layout: Layout) -> list[str]:
    """Return the names of the arguments, in the order of their gradients."""
    states = [f"the initial state {name}" for name in layout.states]
    return ["inputs", *states, *layout.names]


def _with(
    expected: Iterable[Array], pair: Pair, computed: Gradients, dtype: str
) -> list[Comparison]:
    """Compare gradients with expected ones."""
    limit = pair.bound("gradients", dtype)
    return [
        places.with_indices(places.compare(f"gradient of {name}", dtype, one, other, limit))
        for name, one, other in zip(names_of(pair.layout), computed.arrays, expected, strict=True)
    ]


def _with_finite_differences(pair: Pair, computed: Gradients, results: Results) -> list[Comparison]:
    """Compare gradients in float64 with finite differences."""
    run = functools.partial(pair.run, "float64")
    unreached = {1 + len(pair.problem.state) + number for number in computed.unreached}
    compared = []
    for number, name in enumerate(names_of(pair.layout)):
        quantity, gradient = f"gradient of {name}", computed.arrays[number]
        if number in unreached:
            compared.append(places.wrong(quantity, "float64", f"no gradient reaches {name}"))
            continue
        difference, limit, exact = finite.compare(run, pair.problem, number, gradient, results)
        one = Comparison(quantity, "float64", difference, limit)
        if exact is not None:
            placed = places.compare(quantity, "float64", gradient, exact, finite.ELEMENT_BOUND)
            one = places.with_indices(replace(placed, difference=difference, bound=limit))
        compared.append(one)
    return compared


def _cause(pair: Pair, computed: Gradients, expected: Sequence[Array], dtype: str) -> str:
    evidence = gradient_causes.GradientEvidence(
        pair.problem,
        pair.layout,
        computed,
        tuple(expected),
        functools.partial(pair.run, dtype),
        pair.run_reference,
        None if pair.reference is None else pair.reference_gradients,
        pair.bound("gradients", dtype),
    )
    return gradient_causes.of_gradients(evidence)
