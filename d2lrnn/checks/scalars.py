"""Checks of numbers and strings: sizes, rates, seeds and choices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

LAST_PORT = 65535
SMALLEST, LARGEST = (float(getattr(np.finfo(np.float32), name)) for name in ("tiny", "max"))


def positive(**named: float) -> float:
    """Check that the one named value is a number above 0 in the range of float32; return a float.

    The frameworks handle a number outside of this range differently: with an error, as 0 or
    infinity, or in float64.
    """
    ((name, value),) = named.items()
    if not (_is_finite(value) and value > 0):
        raise ValueError(f"{name} is {shown(value)}; expected a finite number above 0")
    if not SMALLEST <= value <= LARGEST:
        raise ValueError(
            f"{name} is {shown(value)}; expected {SMALLEST:.2g} to {LARGEST:.2g}, "
            "which float32 holds"
        )
    return float(value)


def not_negative(**values: float) -> None:
    """Check that each named value is a finite number, 0 or above."""
    for name, value in values.items():
        if not (_is_finite(value) and value >= 0):
            raise ValueError(f"{name} is {shown(value)}; expected a finite number, 0 or above")


def below_one(**values: float) -> None:
    """Check that each named value is a number, 0 or above and below 1."""
    for name, value in values.items():
        if not (_is_finite(value) and 0 <= value < 1):
            raise ValueError(f"{name} is {shown(value)}; expected a number, 0 or above and below 1")


def up_to_one(**values: float) -> None:
    """Check that each named value is a number from 0 to 1."""
    for name, value in values.items():
        if not (_is_finite(value) and 0 <= value <= 1):
            raise ValueError(f"{name} is {shown(value)}; expected a number from 0 to 1")


def part(**values: float) -> None:
    """Check that each named value is a number above 0 and at most 1."""
    for name, value in values.items():
        if not (_is_finite(value) and 0 < value <= 1):
            raise ValueError(f"{name} is {shown(value)}; expected a number above 0 and at most 1")


def share(**named: float) -> float:
    """Check that the one named value is a number between 0 and 1, both excluded; return a float."""
    ((name, value),) = named.items()
    if not (_is_finite(value) and 0 < value < 1):
        raise ValueError(
            f"{name} is {shown(value)}; expected a number between 0 and 1, such as 0.1"
        )
    return float(value)


def size(**values: int) -> None:
    """Check that each named value is an integer above 0."""
    for name, value in values.items():
        if not (_is_integer(value) and value > 0):
            raise ValueError(f"{name} is {shown(value)}; expected an integer, 1 or above")


def count(**values: int) -> None:
    """Check that each named value is an integer, 0 or above."""
    for name, value in values.items():
        if not (_is_integer(value) and value >= 0):
            raise ValueError(f"{name} is {shown(value)}; expected an integer, 0 or above")


def port(value: int) -> None:
    """Check that value is the number of a port on which a server can listen."""
    if not (_is_integer(value) and 0 < value <= LAST_PORT):
        raise ValueError(f"port is {shown(value)}; expected an integer from 1 to {LAST_PORT}")


def integer(**values: int) -> None:
    """Check that each named value is an integer in the range of 64 bits."""
    for name, value in values.items():
        if not (_is_integer(value) and -(2**63) <= value < 2**63):
            raise ValueError(f"{name} is {shown(value)}; expected an integer of 64 bits")


def choice(value: object, name: str, allowed: Sequence[str]) -> None:
    """Check that value is one of the allowed words."""
    if value not in allowed:
        words = ", ".join(repr(word) for word in allowed)
        raise ValueError(f"{name} is {value!r}; expected one of {words}")


def seed(value: Any) -> None:
    """Check that value can seed a generator: an integer, 0 or above, or None for a random seed."""
    if value is not None and not (_is_integer(value) and value >= 0):
        raise ValueError(f"seed is {value!r}; expected None or an integer, 0 or above")


def clipping(theta: float, clip: str) -> tuple[float, str]:
    """Check the arguments theta and clip of grad_clipping; return theta as a float, and clip."""
    choice(clip, "clip", ("norm", "value"))
    return positive(theta=theta), clip


def floating(dtype: object) -> str:
    """Return dtype as "float32" or "float64"; nothing else is supported."""
    name = dtype if isinstance(dtype, str) else getattr(dtype, "__name__", str(dtype))
    if name not in ("float32", "float64"):
        raise ValueError(f"dtype is {dtype!r}; expected 'float32' or 'float64'")
    return name


def _is_integer(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _is_real(value: object) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    """Return whether value is a finite number in the range of Python's float."""
    try:
        return _is_real(value) and math.isfinite(value)
    except OverflowError:  # an integer beyond all floats
        return False


def shown(value: Any) -> str:
    """Return repr(value), or the number of bits for a very long integer."""
    if _is_integer(value) and int(value).bit_length() > 256:
        return f"an integer of {int(value).bit_length()} bits"
    return repr(value)
