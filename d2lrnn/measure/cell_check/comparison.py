"""Compare the results of a function with those of its reference, and look for the cause."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from d2lrnn.measure import agreement
from d2lrnn.measure.cell_check import causes, gradients, places, precision, runs
from d2lrnn.measure.cell_check.evidence import Evidence
from d2lrnn.measure.cell_check.pair import Pair
from d2lrnn.measure.cell_check.report import CellReport, Comparison
from d2lrnn.measure.cell_check.runs import CallError, Results


def report(pair: Pair, *, with_gradients: bool) -> CellReport:
    """Compare outputs, last states and gradients in each dtype.

    Raises:
        ValueError: a function fails, or does not return tensors of the right form.
    """
    results, failures = pair.results()
    compared = [*_of_repeated_calls(pair, results), *_of_calls(pair, results, failures)]
    cause = compared[0].remark if compared else ""
    compared += _of_results(pair, results)
    notes = [f"float64 was not compared: {pair.no_float64}"] if pair.no_float64 else []
    agrees = all(one.ok for one in compared)
    if not agrees:
        cause = cause or _cause(pair, results, compared)
    if with_gradients and agrees:
        more, cause = gradients.of_pair(pair, results)
        compared += more
    elif with_gradients:
        notes.append("the gradients were not compared, because of this difference")
    names = pair.subject.name, pair.reference.name if pair.reference else "", pair.subject.backend
    is_own = pair.reference is not None and not pair.reference.is_built_in
    other = pair.reference.backend if pair.reference is not None and is_own else ""
    return CellReport(*names, tuple(compared), cause, tuple(notes), other)


def _of_repeated_calls(pair: Pair, results: Mapping[str, Results]) -> Iterator[Comparison]:
    """Yield the dtypes in which a second call with the same arguments gives other results."""
    calls = [("", pair.subject, dtype, one) for dtype, one in results.items()]
    if pair.reference is not None and not pair.reference.is_built_in:
        name = f" of the reference {pair.reference.name}"
        calls.append((name, pair.reference, pair.expected_dtype, pair.expected))
    for name, subject, dtype, one in calls:
        again = runs.run(subject, pair.problem, pair.layout, dtype)
        limit = pair.bound("forward", dtype)
        pairs = zip((one.outputs, *one.state), (again.outputs, *again.state), strict=True)
        if any(x.shape != y.shape or agreement.difference(x, y) > limit for x, y in pairs):
            text = f"two calls{name} with the same arguments give different results"
            yield places.wrong("the results of two calls", dtype, text)


def _of_calls(
    pair: Pair, results: Mapping[str, Results], failures: Mapping[str, CallError]
) -> Iterator[Comparison]:
    """Yield what is wrong with the calls: errors in one dtype, changes in place, dtypes."""
    for dtype, error in failures.items():
        reason = error.__cause__
        text = (
            f"the function works in {next(iter(results))} and fails in {dtype}: "
            f"{type(reason).__name__}: {reason}; convert constants to the dtype of the inputs"
        )
        yield places.wrong("the call", dtype, text)
    for dtype, one in results.items():
        if one.changed:
            names = ", ".join(one.changed)
            text = f"the function changes {names} in place; compute a new tensor instead"
            yield places.wrong("the arguments", dtype, text)
        if {*one.dtypes} != {dtype}:
            pairs = zip(("outputs", *pair.layout.states), one.dtypes, strict=True)
            listed = ", ".join(f"{name} {other}" for name, other in pairs if other != dtype)
            text = (
                f"the function returns {listed} for inputs of {dtype}; convert constants and new "
                "tensors to the dtype of the inputs"
            )
            yield places.wrong("the dtype", dtype, text)


def _of_results(pair: Pair, results: Mapping[str, Results]) -> list[Comparison]:
    compared = []
    for dtype, one in results.items():
        if pair.reference is None and dtype == "float64":
            continue  # the results would be compared with themselves
        limit = pair.bound("forward", dtype)
        outputs = places.compare("outputs", dtype, one.outputs, pair.expected.outputs, limit)
        compared.append(_placed(pair, outputs, dtype))
        for name, computed, expected in zip(
            pair.layout.states, one.state, pair.expected.state, strict=True
        ):
            state = places.compare(f"last state {name}", dtype, computed, expected, limit)
            compared.append(places.with_row(state))
    return compared


def _placed(pair: Pair, compared: Comparison, dtype: str) -> Comparison:
    """Return a comparison of outputs with its place: of the hidden states, if they differ."""
    batch_size = pair.problem.inputs.shape[1]
    if compared.ok:
        return compared
    hidden = _hidden(pair, dtype)
    if hidden is None or hidden.ok:
        return places.at(compared, "output", batch_size)
    moved = replace(compared, index=hidden.index, value=hidden.value, expected=hidden.expected)
    return places.at(moved, "hidden unit", batch_size)


def _hidden(pair: Pair, dtype: str) -> Comparison | None:
    """Compare the hidden states, as outputs of which each is one hidden unit."""
    if not pair.layout.has_output_layer:
        return None
    W_hq, b_q = pair.problem.params[-2:]
    params = (*pair.problem.params[:-2], np.eye(len(W_hq), len(b_q)), np.zeros_like(b_q))
    problem = replace(pair.problem, params=params)
    try:
        computed, expected = pair.run(dtype, problem), pair.run_reference(problem)
    except ValueError:
        return None
    limit = pair.bound("forward", dtype)
    return places.compare("hidden states", dtype, computed.outputs, expected.outputs, limit)


def _cause(pair: Pair, results: Mapping[str, Results], compared: Sequence[Comparison]) -> str:
    """Return a sentence about the cause of different outputs or states, or ""."""
    wrong = [one for one in compared if not one.ok]
    dtype = wrong[0].dtype
    small = precision.cause(pair, results, wrong)
    if small:
        return small
    evidence = Evidence(
        pair.problem,
        pair.layout,
        results[dtype],
        pair.expected,
        functools.partial(pair.run, dtype),
        pair.run_reference,
        pair.bound("forward", dtype),
        pair.reference is not None and pair.reference.is_built_in,
    )
    if wrong[0].quantity != "outputs":
        names = [f"last state {name}" for name in pair.layout.states]
        return causes.of_state(evidence, names.index(wrong[0].quantity))
    hidden = _hidden(pair, dtype)
    in_output_layer = hidden is not None and hidden.ok
    otherwise = "the hidden states agree; look at the output layer" if in_output_layer else ""
    return causes.of_outputs(evidence) or otherwise
