"""The output of training: progress bars and lines of text. Errors in printing are ignored.

This module makes all progress bars and decides whether they are shown.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from typing import Any

# The environment variable that turns progress bars off if it is 0. If it is "lines", as the command
# line program sets it, a line is printed every few seconds when stderr is not a terminal.
PROGRESS = "D2LRNN_PROGRESS"
LINES = "lines"
SECONDS = 5.0  # from one such line to the next
SOON = 1e-9  # seconds; with a delay above 0, tqdm does not draw a bar in its constructor


class Shown:
    """A tqdm bar that ignores all errors in printing.

    A terminal may be closed, a disk full or a pipe broken, and each frontend of Jupyter raises its
    own errors.
    """

    def __init__(self, tqdm_bar: Any) -> None:
        """Wrap a bar that has not been drawn yet, and draw it."""
        self._bar = tqdm_bar
        for name in ("display", "clear"):  # an error in them would leave tqdm's lock locked
            setattr(tqdm_bar, name, _never_failing(getattr(tqdm_bar, name)))
        with contextlib.suppress(Exception):
            tqdm_bar.refresh()

    def __enter__(self) -> Shown:
        """Return the bar, which is closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the bar."""
        with contextlib.suppress(Exception):
            self._bar.close()

    @property
    def disable(self) -> bool:
        """Whether nothing is shown."""
        return bool(self._bar.disable)

    def update(self, number: int = 1) -> None:
        """Advance the bar."""
        with contextlib.suppress(Exception):
            self._bar.update(number)

    def set_description_str(self, text: str, *, refresh: bool = True) -> None:
        """Set the text before the bar, and draw it at once or at the next update."""
        with contextlib.suppress(Exception):
            self._bar.set_description_str(text, refresh=refresh)

    def write(self, text: str) -> None:
        """Print a line of text above the bar."""
        with contextlib.suppress(Exception):
            self._bar.write(printable(text))
            sys.stdout.flush()  # so that lines stay in order with other output


def bar(progress: bool | None = None, **settings: Any) -> Shown:
    """Return a progress bar.

    Args:
        progress: True for a progress bar, False for none, None for one if this is a terminal or a
            notebook and the environment variable D2LRNN_PROGRESS is not 0.
        settings: other arguments of tqdm, such as total.
    """
    from tqdm.auto import tqdm  # imported here: most programs that import d2lrnn do not train

    variable = os.environ.get(PROGRESS)
    disable: bool | None = not progress
    if sys.stderr is None:  # it is closed
        disable = True
    elif progress is None:
        disable = True if variable == "0" else None
    try:
        if disable is None and variable == LINES and not sys.stderr.isatty():
            return Shown(_lines(**settings))
        return Shown(tqdm(disable=disable, delay=SOON, **settings))
    except Exception:  # for example, isatty of a closed stream raises an error
        return Shown(tqdm(disable=True, **settings))


def _never_failing(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return the same method, but with all errors ignored."""

    def call(*args: Any, **settings: Any) -> Any:
        with contextlib.suppress(Exception):
            return method(*args, **settings)
        return None

    return call


def _lines(**settings: Any) -> Any:
    """Return a tqdm bar that writes a line every SECONDS seconds, the first after that time."""
    from tqdm import tqdm

    class Lines(tqdm):  # type: ignore[misc]
        written = time.monotonic()

        def display(self, msg: str | None = None, pos: int | None = None) -> None:
            if time.monotonic() - self.written >= SECONDS:
                self.written = time.monotonic()
                self.fp.write(f"{self}\n")
                self.fp.flush()

        def clear(self, nolock: bool = False) -> None:
            pass  # lines stay

        def close(self) -> None:
            self.leave = False
            self.disable = True

    return Lines(mininterval=SECONDS, delay=SECONDS, ncols=0, **settings)


def say(text: str) -> None:
    """Print a line of text; ignore errors in printing."""
    with contextlib.suppress(Exception):
        print(printable(text), flush=True)


def printable(text: str) -> str:
    r"""Return a text with escapes, such as ``\xe9``, for characters that stdout cannot encode."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding, getattr(sys.stdout, "errors", None) or "strict")
    except UnicodeError:
        return text.encode(encoding, "backslashreplace").decode(encoding)
    return text


def length(train_iter: Any) -> int | None:
    """Return the number of minibatches of an epoch, or None if the loader has no length.

    Some loaders define ``__len__`` and raise TypeError in it; they have no length either.
    """
    try:
        return len(train_iter)
    except TypeError:
        return None
