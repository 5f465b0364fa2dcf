"""Where a command prints to, when nobody reads it any more: a closed pipe, a full disk.

What has been learned is worth more than what is said about it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

CLOSED = getattr(signal, "SIGHUP", signal.SIGTERM)  # what a terminal that is closed sends


class Losable:
    """A stream that fails once: then it ends training as a closed terminal does, and is silent."""

    def __init__(self, stream: Any) -> None:
        """Write to a stream of text."""
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        """Be like the stream in all else."""
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text, if that can be."""
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Pass on what has been written, if that can be."""
        self._try(self._stream.flush)

    def _try(self, do: Callable[[], Any]) -> None:
        try:
            do()
        except OSError as error:
            _to_nowhere(self._stream)
            with contextlib.suppress(OSError, AttributeError):  # that may be closed too
                sys.__stderr__.write(f"nothing more can be printed ({error.strerror})\n")  # type: ignore[union-attr]
            if callable(signal.getsignal(CLOSED)):  # somebody listens, and will save
                signal.raise_signal(CLOSED)


def _to_nowhere(stream: Any) -> None:
    """Let what a stream still holds, and all that follows, be written to nowhere."""
    with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


@contextlib.contextmanager
def losable() -> Iterator[None]:
    """Let a loss of the output end training in order, and nothing else."""
    if sys.stdout is None:
        yield
        return
    with contextlib.redirect_stdout(Losable(sys.stdout)):
        yield
        sys.stdout.flush()


def escape_what_cannot_be_shown() -> None:
    r"""Print what the encoding of the terminal lacks as, say, ``\xe9``: no reason to fail."""
    for stream in (sys.stdout, sys.stderr):
        if getattr(stream, "errors", None) == "strict" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
