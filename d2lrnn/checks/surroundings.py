"""The device, the processes, the memory of the machine, and whom a warning names."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from d2lrnn.checks.scalars import floating

INNER = ("d2lrnn", "contextlib")  # packages whose lines a warning does not name


def warn(message: str) -> None:
    """Warn of something at the line of the caller's own code, outside this package."""
    frame, level = sys._getframe(), 1
    while frame.f_back and frame.f_globals["__name__"].partition(".")[0] in INNER:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


def device(named: Any, find: Callable[[Any], Any]) -> Any:
    """Return what a framework has under the name of a device; None stays None.

    find raises whatever it likes where there is no such device.
    """
    if named is None:
        return None
    try:
        return find(named)
    except Exception:
        raise ValueError(
            f"device is {named!r}, which this backend does not find; expected None, 'cpu', or what "
            "try_gpu() returns: a GPU if there is one, otherwise the CPU"
        ) from None


def one_process(size: int, why: str) -> None:
    """Check that a process is alone, where what it does cannot be shared."""
    if size > 1:
        raise ValueError(f"there are {size} processes, and {why}; start one")


def memory(num_weights: int, dtype: str, remedy: str) -> None:
    """Check that this machine's memory holds a net of so many weights, and their gradients."""
    has, needs = memory_of_this_machine(), 2 * num_weights * np.dtype(floating(dtype)).itemsize
    if has is not None and needs > has:
        raise ValueError(
            f"the net would have {num_weights:,} parameters, which with their gradients take "
            f"{needs / 1e9:,.0f} GB in {dtype}; this machine has {has / 1e9:,.0f} GB of memory; "
            f"{remedy}"
        )


def memory_of_this_machine() -> int | None:
    """Return the bytes of memory that there are, or None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows, say
        return None
