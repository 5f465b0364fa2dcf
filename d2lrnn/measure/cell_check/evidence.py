"""What is known of two functions whose results differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from d2lrnn.measure import agreement
from d2lrnn.measure.cell_check.layout import Layout
from d2lrnn.measure.cell_check.runs import Array, CallError, Problem, Results

Candidate = tuple[str, Array, Array]  # a sentence, the array of the function, that of the change


@dataclass(frozen=True)
class Evidence:
    """The results of both functions for a problem, and the functions themselves.

    Attributes:
        problem: the arguments.
        layout: the names of the parameters and the states.
        computed: the results of the function that is checked.
        expected: those of the reference.
        forward: (problem) -> the results of the function for another problem.
        reference: the same for the reference.
        bound: the largest difference that rounding explains, relative to the largest element.
        is_built_in: whether the reference is a function of this package.
    """

    problem: Problem
    layout: Layout
    computed: Results
    expected: Results
    forward: Callable[[Problem], Results]
    reference: Callable[[Problem], Results]
    bound: float
    is_built_in: bool

    def same(self, computed: Array, expected: Array) -> bool:
        """Return whether two arrays agree to within rounding."""
        if computed.shape != expected.shape or not computed.size or not np.isfinite(expected).all():
            return False
        return agreement.difference(computed, expected) <= self.bound

    def agree(self, problem: Problem) -> bool:
        """Return whether both functions agree for another problem."""
        try:
            computed, expected = self.forward(problem), self.reference(problem)
        except (CallError, ValueError):
            return False
        pairs = zip(
            (computed.outputs, *computed.state), (expected.outputs, *expected.state), strict=True
        )
        return all(self.same(*pair) for pair in pairs)
