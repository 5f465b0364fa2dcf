"""What training prints: progress bars and lines of text, neither of which ever ends it.

This is the one place that makes progress bars, and says whether they are shown.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from typing import Any

# The environment variable that turns progress bars off where it is 0. Where it is "lines", as in
# the command, output that is not a terminal gets a line every few seconds.
PROGRESS = "D2LRNN_PROGRESS"
LINES = "lines"
SECONDS = 5.0  # from one such line to the next
SOON = 1e-9  # seconds; with a delay, tqdm does not draw a bar when it makes it


class Shown:
    """A tqdm bar; what it cannot print is left out, whatever the error.

    A terminal may be closed, a disk full, a pipe broken, and each frontend has errors of its own.
    """

    def __init__(self, tqdm_bar: Any) -> None:
        """Take the bar, which has not been drawn yet, and draw it."""
        self._bar = tqdm_bar
        for name in ("display", "clear"):  # an error there would leave tqdm's lock locked
            setattr(tqdm_bar, name, _never_failing(getattr(tqdm_bar, name)))
        with contextlib.suppress(Exception):
            tqdm_bar.refresh()

    def __enter__(self) -> Shown:
        """Return the bar, which is closed at the end."""
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
        """Put a text before the bar, at once or when it is drawn the next time."""
        with contextlib.suppress(Exception):
            self._bar.set_description_str(text, refresh=refresh)

    def write(self, text: str) -> None:
        """Print a line of text above the bar."""
        with contextlib.suppress(Exception):
            self._bar.write(printable(text))
            sys.stdout.flush()  # so that lines stay in order, whoever prints the next one


def bar(progress: bool | None = None, **settings: Any) -> Shown:
    """Return a progress bar.

    Args:
        progress: True for a progress bar, False for none, None for one if this is a terminal or a
            notebook and the environment variable D2LRNN_PROGRESS is not 0.
        settings: what else tqdm takes, such as total.
    """
    from tqdm.auto import tqdm  # here: most imports of this package train nothing

    variable = os.environ.get(PROGRESS)
    disable: bool | None = not progress
    if sys.stderr is None:  # closed: there is nowhere to show it
        disable = True
    elif progress is None:
        disable = True if variable == "0" else None
    try:
        if disable is None and variable == LINES and not sys.stderr.isatty():
            return Shown(_lines(**settings))
        return Shown(tqdm(disable=disable, delay=SOON, **settings))
    except Exception:  # such as that of a closed stream, asked whether it is a terminal
        return Shown(tqdm(disable=True, **settings))


def _never_failing(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that does the same, without its errors."""

    def call(*args: Any, **settings: Any) -> Any:
        with contextlib.suppress(Exception):
            return method(*args, **settings)
        return None

    return call


def _lines(**settings: Any) -> Any:
    """Return a tqdm bar that writes a line now and then, and none for what ends before."""
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
    """Print a line of text; where nothing can be printed, leave it out."""
    with contextlib.suppress(Exception):
        print(printable(text), flush=True)


def printable(text: str) -> str:
    r"""Return a text with escapes, such as ``\xe9``, for what the output's encoding lacks."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding, getattr(sys.stdout, "errors", None) or "strict")
    except UnicodeError:
        return text.encode(encoding, "backslashreplace").decode(encoding)
    return text


def length(train_iter: Any) -> int | None:
    """Return how many minibatches an epoch has, or None where a loader does not tell.

    Some have the method and raise TypeError: they do not know either.
    """
    try:
        return len(train_iter)
    except TypeError:
        return None
