"""Packages that only the book's interface requires."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def needed(*modules: str) -> Iterator[None]:
    """Raise an ImportError with the command that installs the modules if one is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in modules:
            raise
        raise ImportError(
            f"the book's interface needs {error.name}, which is not installed; "
            f"run: pip install {' '.join(modules)}",
            name=error.name,
        ) from None
