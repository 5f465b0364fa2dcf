"""A function and its reference, called with one problem in each dtype."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from d2lrnn.measure import agreement
from d2lrnn.measure.cell_check import runs
from d2lrnn.measure.cell_check.layout import Layout
from d2lrnn.measure.cell_check.runs import Array, CallError, Problem, Results
from d2lrnn.measure.cell_check.subjects import Subject


@dataclass(frozen=True, eq=False)
class Pair:
    """A function, its reference or None, the layout of their parameters, and a problem.

    Without a reference, the results of the function in float64 are expected.
    """

    subject: Subject
    reference: Subject | None
    layout: Layout
    problem: Problem

    @functools.cached_property
    def no_float64(self) -> str:
        """Why the backend of the function does not have float64, or "" if it has."""
        return _no_float64(self.subject)

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The dtypes in which the function is called."""
        return agreement.DTYPES[1:] if self.no_float64 else agreement.DTYPES

    def results(self) -> tuple[dict[str, Results], dict[str, CallError]]:
        """Return the results, and the errors, of the function in each dtype.

        Raises:
            ValueError: the function fails in each dtype, or its outputs have the wrong shape.
        """
        if self.reference is None and self.no_float64:
            raise ValueError(
                f"without a reference, float64 is necessary; {self.no_float64}, or give a reference"
            )
        results, failures = {}, {}
        for dtype in self.dtypes:
            try:
                results[dtype] = runs.run(self.subject, self.problem, self.layout, dtype)
            except CallError as error:
                failures[dtype] = error
        if not results or (self.reference is None and "float64" in failures):
            raise next(iter(failures.values()))
        for one in results.values():
            if one.outputs.shape != self.expected.outputs.shape:
                raise ValueError(
                    f"{self.subject.name} returns outputs of shape {one.outputs.shape}; expected "
                    f"{self.expected.outputs.shape}, (num_steps * batch_size, vocab_size)"
                )
        return results, failures

    @functools.cached_property
    def _repeated(self) -> tuple[Subject, Subject]:
        """The function and the reference, to be called many times."""
        return self.subject.repeated, (self.reference or self.subject).repeated

    def run(self, dtype: str, problem: Problem) -> Results:
        """Call the function for another problem."""
        return runs.run(self._repeated[0], problem, self.layout, dtype)

    def run_reference(self, problem: Problem) -> Results:
        """Call the reference."""
        return runs.run(self._repeated[1], problem, self.layout, self.expected_dtype)

    def reference_gradients(self, problem: Problem) -> tuple[Array, ...]:
        """Return the gradients of the reference."""
        assert self.reference is not None
        gradients = runs.differentiate(self.reference, problem, self.expected_dtype)
        if not gradients.arrays:
            raise ValueError(f"the reference {self.reference.name} fails: {gradients.error}")
        return gradients.arrays

    @functools.cached_property
    def expected_dtype(self) -> str:
        """The dtype of the reference: float64 if its backend has it."""
        return "float32" if _no_float64(self.reference or self.subject) else "float64"

    @functools.cached_property
    def expected(self) -> Results:
        """The results of the reference."""
        return self.run_reference(self.problem)

    def bound(self, quantity: str, dtype: str) -> float:
        """Return the largest difference that rounding explains; see agreement.bound.

        As for any custom step, a forward step need not contract, so that its rounding errors may
        accumulate as those of gradients do.
        """
        num_terms = self.problem.num_terms * self.layout.num_layers
        limits = [agreement.bound(name, dtype, num_terms) for name in (quantity, "gradients")]
        # A reference in float32 is within the bound too, and so the two are within twice the bound.
        return max(limits) * (2 if self.expected_dtype == "float32" else 1)


def _no_float64(subject: Subject) -> str:
    """Return why a backend does not have float64, or "" if it has."""
    try:
        subject.rnn.from_numpy(np.zeros(1), dtype="float64")
    except ValueError as error:
        return str(error).partition(", or use dtype=")[0]  # check_cell chooses the dtypes
    return ""
