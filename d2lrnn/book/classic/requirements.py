"""What the book's interface needs beyond the package itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def needed(*modules: str) -> Iterator[None]:
    """Turn the absence of a module, while importing it, into the command that installs it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in modules:
            raise
        raise ImportError(
            f"the book's interface needs {error.name}, which is not installed; "
            f"run: pip install {' '.join(modules)}"
        ) from error
