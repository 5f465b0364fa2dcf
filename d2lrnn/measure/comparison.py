"""Compare the results of several backends: the largest differences, in a table."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from d2lrnn import backends
from d2lrnn.measure import agreement
from d2lrnn.measure.agreement import Arrays, Case, OwnCase
from d2lrnn.nets import cells

if TYPE_CHECKING:
    from d2lrnn.interface import BackendLike


@dataclass(frozen=True)
class Gap:
    """The largest difference of one quantity, for one backend or pair of backends."""

    case: str
    quantity: str
    dtype: str
    who: str
    difference: float
    bound: float

    @property
    def holds(self) -> bool:
        """Whether the difference is within the bound; False for NaN."""
        return self.difference <= self.bound


def compare(
    names: Iterable[str],
    cases: Iterable[Case] = (),
    progress: Callable[[str], Any] = lambda text: None,
) -> list[Gap]:
    """Return the differences between each backend and the reference, and between all pairs.

    cases are "mlp", keys of agreement.CASES or CONCISE, and custom cells; by default, all but
    custom cells.
    """
    names = list(names)
    return [row for part in parts(cases) for row in compare_part(names, *part, progress)]


def parts(cases: Iterable[Case] = ()) -> list[tuple[Case, str]]:
    """Return what compare computes one after the other: each case in each dtype."""
    chosen = list(cases) or ["mlp", *agreement.CASES, *agreement.CONCISE]
    return list(itertools.product(chosen, agreement.DTYPES))


def compare_part(
    names: Sequence[str], case: Case, dtype: str, progress: Callable[[str], Any]
) -> list[Gap]:
    """Return the differences of one case in one dtype."""
    reference = _results(backends.load("numpy"), case, "float64")
    results, rows = {}, []
    for name in names:
        progress(f"{case}, {dtype}, {name}")
        results[name] = _results(backends.load(name), case, dtype)
    num_terms = agreement.make_problem(without_suffix(case)).num_terms
    for quantity in reference:
        limit = agreement.bound(quantity, dtype, num_terms)
        if isinstance(case, OwnCase):  # whose step may not contract as tanh does
            limit = max(limit, agreement.bound("gradients", dtype, num_terms))
        for name in names:
            gap = _largest(results[name][quantity], reference[quantity])
            rows.append(Gap(str(case), quantity, dtype, name, gap, limit))
        for one, other in itertools.combinations(names, 2):
            gap = _largest(results[one][quantity], results[other][quantity])
            # Each is within the bound of the reference, so the two are within twice the bound.
            rows.append(Gap(str(case), quantity, dtype, f"{one}-{other}", gap, 2 * limit))
    return rows


def without_suffix(case: Case) -> Case:
    """Return the case whose problem a case about the frameworks' own layers solves."""
    return case.removesuffix(", concise") if isinstance(case, str) else case


def table(rows: Iterable[Gap], names: Iterable[str]) -> str:
    """Return rows as text: one line per quantity, with each backend and the worst pair."""
    names = list(names)
    grouped: dict[tuple[str, str, str], list[Gap]] = {}
    for row in rows:
        grouped.setdefault((row.case, row.quantity, row.dtype), []).append(row)
    width = max(10, *map(len, names)) + 1
    heads = "".join(f"{name:>{width}}" for name in names)
    labels = [f"{case}: {quantity} {dtype}" for case, quantity, dtype in grouped]
    wide = max(map(len, [*labels, ""])) + 1
    lines = [f"{'':{wide}}{heads}{'bound':>10}   worst pair (its bound is twice as large)"]
    for label, group in zip(labels, grouped.values(), strict=True):
        single = {row.who: row for row in group}
        columns = "".join(f"{single[name].difference:>{width}.1e}" for name in names)
        pairs = [row for row in group if row.who not in names]
        worst = max(pairs, key=lambda row: row.difference, default=None)
        pair = f"{worst.difference:.1e} {worst.who}" if worst else "-"
        verdict = "" if all(row.holds for row in group) else "   BROKEN"
        lines.append(f"{label:{wide}}{columns}{group[0].bound:>10.1e}   {pair}{verdict}")
    return "\n".join(lines)


def _results(rnn: BackendLike, case: Case, dtype: str) -> dict[str, Arrays]:
    if isinstance(case, str) and case in agreement.CONCISE:
        return agreement.solve_concise(rnn, case, dtype)
    problem = agreement.in_backend(agreement.make_problem(case), case, rnn)
    results = agreement.solve(rnn, problem, dtype)
    if isinstance(case, OwnCase) or case in cells.CELLS:
        results["losses"] = {"loss": agreement.train(rnn, case, dtype)}
    return results


def _largest(arrays: Arrays, expected: Arrays) -> float:
    return max(agreement.difference(arrays[name], expected[name]) for name in expected)
