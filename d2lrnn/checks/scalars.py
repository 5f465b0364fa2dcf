"""Numbers and words: sizes, rates, seeds, choices, and how a wrong one is shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

LAST_PORT = 65535
SMALLEST, LARGEST = (float(getattr(np.finfo(np.float32), name)) for name in ("tiny", "max"))


def positive(**named: float) -> float:
    """Check that the one named value is a number above 0 that float32 holds; return it as Python's.

    What float32 holds as 0 or as infinity the frameworks refuse, ignore or compute with in float64.
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
    """Check that value is the number of a port that a server can listen at."""
    if not (_is_integer(value) and 0 < value <= LAST_PORT):
        raise ValueError(f"port is {shown(value)}; expected an integer from 1 to {LAST_PORT}")


def integer(**values: int) -> None:
    """Check that each named value is an integer that 64 bits hold."""
    for name, value in values.items():
        if not (_is_integer(value) and -(2**63) <= value < 2**63):
            raise ValueError(f"{name} is {shown(value)}; expected an integer of 64 bits")


def choice(value: object, name: str, allowed: Sequence[str]) -> None:
    """Check that value is one of the allowed words."""
    if value not in allowed:
        words = ", ".join(repr(word) for word in allowed)
        raise ValueError(f"{name} is {value!r}; expected one of {words}")


def seed(value: Any) -> None:
    """Check that value can seed a generator: an integer, 0 or above, or None for a fresh one."""
    if value is not None and not (_is_integer(value) and value >= 0):
        raise ValueError(f"seed is {value!r}; expected None or an integer, 0 or above")


def clipping(theta: float, clip: str) -> tuple[float, str]:
    """Check how gradients are to be clipped, and return theta as Python's float."""
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
    """Return whether value is a number that Python's float holds."""
    try:
        return _is_real(value) and math.isfinite(value)
    except OverflowError:  # an integer beyond all floats
        return False


def shown(value: Any) -> str:
    """Return repr(value), or how long an integer is that would fill the screen."""
    if _is_integer(value) and int(value).bit_length() > 256:
        return f"an integer of {int(value).bit_length()} bits"
    return repr(value)
