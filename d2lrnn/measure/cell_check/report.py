"""The result of check_cell: what agrees, the first difference, and its probable cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """The comparison of one quantity in one dtype.

    Attributes:
        quantity: "outputs", "state H" or "gradient of W_xh", for example.
        dtype: "float64" or "float32".
        difference: the largest difference, relative to the largest expected element.
        bound: the largest difference that rounding explains.
        place: where the first difference is, in words; "" if the quantity agrees.
        value: the number at this place.
        expected: the number that was expected there.
        time_step: the time step of the first difference, from 0, or None.
        row: its row in the batch, or None.
        unit: its unit: of the hidden state or of the outputs or inputs, or None.
        index: its index in the array of the quantity.
        remark: a sentence in place of numbers, such as for a changed argument.

    Examples:
        >>> report = rnn.check_cell(rnn.concat_gru, reference="concat_gru")
        >>> compared = report.comparisons[0]  # a Comparison
        >>> compared.quantity, compared.ok
        ('outputs', True)
    """

    quantity: str
    dtype: str
    difference: float
    bound: float
    place: str = ""
    value: float = float("nan")
    expected: float = float("nan")
    time_step: int | None = None
    row: int | None = None
    unit: int | None = None
    index: tuple[int, ...] = ()
    remark: str = ""

    @property
    def ok(self) -> bool:
        """Whether the difference is within the bound; False for NaN."""
        return self.difference <= self.bound

    def __str__(self) -> str:
        """Return the quantity, the dtype, and the first difference if there is one."""
        if self.ok:
            share = self.difference / self.bound
            return f"{self.quantity}, {self.dtype}: agree ({share:.0%} of the bound)"
        if self.remark:
            return f"{self.remark} ({self.dtype})"
        value, expected = _digits(self.value, self.expected)
        return f"{self.quantity} at {self.place}: {value}, expected {expected} ({self.dtype})"


@dataclass(frozen=True, repr=False)
class CellReport:
    """The result of check_cell. It is true if the function agrees with the reference.

    Attributes:
        forward: the name of the function.
        reference: the name of the reference, or "" for finite differences.
        backend: the backend of the function.
        comparisons: a Comparison for each quantity and dtype, in the order of the report.
        cause: a sentence about the mistake, or where to look for it; "" if it is not known.
        notes: what was not compared, and why.
        reference_backend: the backend of the reference, or "" if it is a built-in cell.

    Examples:
        >>> report = rnn.check_cell(rnn.concat_gru, reference="concat_gru")  # a CellReport
        >>> report.ok, report.first, report.cause
        (True, None, '')
    """

    forward: str
    reference: str
    backend: str
    comparisons: tuple[Comparison, ...]
    cause: str = ""
    notes: tuple[str, ...] = ()
    reference_backend: str = ""

    @property
    def ok(self) -> bool:
        """Whether all quantities agree."""
        return not self.differences

    @property
    def differences(self) -> tuple[Comparison, ...]:
        """The comparisons that do not agree."""
        return tuple(one for one in self.comparisons if not one.ok)

    @property
    def first(self) -> Comparison | None:
        """The first difference, or None."""
        return next(iter(self.differences), None)

    def __bool__(self) -> bool:
        """Return whether all quantities agree."""
        return self.ok

    def __repr__(self) -> str:
        """Return the report as text."""
        return "\n".join([self._verdict(), *self._details(), *self.notes])

    __str__ = __repr__

    def _verdict(self) -> str:
        name = f"{self.forward} ({self.backend})"
        other = f" ({self.reference_backend})" if self.reference_backend else ""
        other = self.reference + other if self.reference else "finite differences"
        if self.ok:
            return f"{name} agrees with {other}: {self._agreeing()}"
        if self.first and not self.reference and self.first.remark:
            return f"{name} contains a mistake"
        return f"{name} differs from {other}"

    def _agreeing(self) -> str:
        most = max((one.difference / one.bound for one in self.comparisons), default=0.0)
        dtypes = " and ".join(dict.fromkeys(one.dtype for one in self.comparisons))
        return (
            f"{_listed(self.comparisons)}, in {dtypes}; the largest difference is {most:.0%} of "
            "its bound"
        )

    def _details(self) -> list[str]:
        if self.first is None:
            return []
        lines = [f"first difference: {self.first}"]
        if self.cause and self.cause != self.first.remark:
            lines.append(f"probable cause: {self.cause}")
        same = [one for one in self.comparisons if one.ok and one.dtype == self.first.dtype]
        differ = [one for one in self.differences if one.dtype == self.first.dtype]
        lines += [f"different: {_listed(differ)}"]
        return [*lines, f"equal: {_listed(same)}"] if same else lines


def _digits(value: float, expected: float) -> tuple[str, str]:
    """Return two numbers with as many digits, 6 to 17, as are necessary to see a difference."""
    for number in range(6, 18):
        texts = f"{value:.{number}g}", f"{expected:.{number}g}"
        if texts[0] != texts[1]:
            break
    return texts


def _listed(comparisons: Sequence[Comparison]) -> str:
    """Return the quantities, with a number in place of several gradients."""
    quantities = list(dict.fromkeys(one.quantity for one in comparisons))
    gradients = [quantity for quantity in quantities if quantity.startswith("gradient of ")]
    others = [quantity for quantity in quantities if quantity not in gradients]
    if len(gradients) > 3:
        return ", ".join([*others, f"{len(gradients)} gradients"])
    return ", ".join([*others, *gradients])
