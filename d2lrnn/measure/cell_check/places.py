"""Compare two arrays, and describe the place of the first difference in words."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from d2lrnn.measure import agreement
from d2lrnn.measure.cell_check.report import Comparison
from d2lrnn.measure.cell_check.runs import Array


def compare(
    quantity: str, dtype: str, computed: Array, expected: Array, bound: float
) -> Comparison:
    """Return the comparison of two arrays, with the first difference in the order of indices."""
    difference = agreement.difference(computed, expected)
    if difference <= bound:
        return Comparison(quantity, dtype, difference, bound)
    largest = float(np.abs(expected).max(initial=0.0)) or 1.0
    places = np.argwhere(~(np.abs(computed.astype(np.float64) - expected) <= bound * largest))
    index = tuple(map(int, places[0]))
    numbers = float(computed[index]), float(expected[index])
    return Comparison(quantity, dtype, difference, bound, "", *numbers, index=index)


def wrong(quantity: str, dtype: str, remark: str) -> Comparison:
    """Return a comparison that fails, with a sentence in place of numbers."""
    return Comparison(quantity, dtype, math.inf, 0.0, remark=remark)


def with_row(compared: Comparison) -> Comparison:
    """Return a comparison of a state with its row and unit."""
    if not compared.index:
        return compared
    row, *units = compared.index
    place = f"row {row}, unit {', '.join(map(str, units))}"
    return replace(compared, place=place, row=row, unit=units[0] if len(units) == 1 else None)


def with_indices(compared: Comparison) -> Comparison:
    """Return a comparison of a gradient with its place in words."""
    if not compared.index:
        return compared
    if compared.quantity == "gradient of inputs":
        step, row, unit = compared.index
        place = f"time step {step}, row {row}, input {unit}"
        return replace(compared, place=place, time_step=step, row=row, unit=unit)
    if compared.quantity.startswith("gradient of the initial state"):
        return with_row(compared)
    return replace(compared, place=f"index [{', '.join(map(str, compared.index))}]")


def at(compared: Comparison, unit: str, batch_size: int) -> Comparison:
    """Return a comparison of outputs (T * n, q) with its place; unit is the word for a column."""
    row_of_all, column = compared.index
    step, row = divmod(row_of_all, batch_size)
    place = f"time step {step}, row {row}, {unit} {column}"
    return replace(compared, place=place, time_step=step, row=row, unit=column)
