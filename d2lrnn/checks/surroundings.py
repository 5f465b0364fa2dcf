"""Checks of packages, devices, processes and memory, and the function that issues warnings."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from d2lrnn.checks.scalars import floating

INNER = ("d2lrnn", "contextlib")  # a warning never points to a line of these packages


def warn(message: str) -> None:
    """Issue a warning that points to the line outside of this package that made the call."""
    frame, level = sys._getframe(), 1
    while frame.f_back and frame.f_globals["__name__"].partition(".")[0] in INNER:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


@contextlib.contextmanager
def needed(user: str, *modules: str) -> Iterator[None]:
    """Raise an ImportError with the command that installs modules if one is not installed.

    Args:
        user: what needs the modules, with the verb, such as "plots need".
        modules: their names, which are also those of the packages to install.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in modules:
            raise
        raise ImportError(
            f"{user} {error.name}, which is not installed; run: pip install {' '.join(modules)}",
            name=error.name,
        ) from None


def device(named: Any, find: Callable[[Any], Any]) -> Any:
    """Return the framework's device with a name, or None for None.

    find looks the device up, and raises any exception if it does not exist.
    """
    if named is None:
        return None
    try:
        return find(named)
    except Exception:
        raise ValueError(
            f"device is {named!r}, which this backend does not find; expected None, 'cpu', or the "
            "result of try_gpu(): a GPU if there is one, otherwise the CPU"
        ) from None


def one_process(size: int, why: str) -> None:
    """Check that there is only one process; why is the reason, for the message."""
    if size > 1:
        raise ValueError(f"there are {size} processes, and {why}; start one process")


def memory(num_weights: int, dtype: str, remedy: str) -> None:
    """Check that a net with that many weights, and its gradients, fits in this machine's memory."""
    has, needs = memory_of_this_machine(), 2 * num_weights * np.dtype(floating(dtype)).itemsize
    if has is not None and needs > has:
        raise ValueError(
            f"the net would have {num_weights:,} parameters, which with their gradients take "
            f"{needs / 1e9:,.0f} GB in {dtype}; this machine has {has / 1e9:,.0f} GB of memory; "
            f"{remedy}"
        )


def memory_of_this_machine() -> int | None:
    """Return the size of the memory in bytes, or None if the system does not provide it."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # for example on Windows
        return None
