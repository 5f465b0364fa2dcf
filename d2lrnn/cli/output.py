"""Where a command prints to, when nobody reads it any more: a closed pipe, a full disk.

What has been learned is worth more than what is said about it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import click

LOST = (errno.ENOSPC, errno.EFBIG, errno.EIO, errno.EBADF)  # what an output fails with
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


def is_about_output(error: Exception) -> bool:
    """Return whether an error is that of an output which takes nothing, and not of a file."""
    if not isinstance(error, OSError) or error.strerror is None:  # with none, the words are ours
        return False
    return error.filename is None and error.errno in LOST


@contextlib.contextmanager
def nothing_can_be_printed() -> Iterator[None]:
    """End a command in one line where its output, on a full disk say, takes nothing any more."""
    try:
        yield
    except OSError as error:
        if not is_about_output(error):
            raise
        _to_nowhere(sys.stdout)
        with contextlib.suppress(OSError):
            click.echo(f"Error: nothing can be printed ({error.strerror})", err=True)
        sys.exit(1)


def harmless(text: str) -> str:
    r"""Return text without what controls a terminal, where there is one: ``\x1b`` in words.

    A file or a pipe gets the text as it is. Newlines and tabs stay.
    """
    if not sys.stdout.isatty():
        return text
    return "".join(
        repr(letter)[1:-1]
        if unicodedata.category(letter) == "Cc" and letter not in "\n\t"
        else letter
        for letter in text
    )


def tell_of_unknown(prefix: str, vocab: Any) -> None:
    """Say which tokens of a prefix a vocabulary lacks, and what becomes of them."""
    lacks = [token for token in dict.fromkeys(vocab.split(prefix)) if token not in vocab]
    if lacks:
        kind = "words" if vocab.token == "word" else "characters"
        named = ", ".join(map(repr, lacks[:10])) + (", ..." if len(lacks) > 10 else "")
        unknown = vocab.to_tokens(vocab.unk)
        click.echo(
            f"Note: the vocabulary lacks these {kind} of the prefix: {named}; "
            f"the net reads {unknown!r} instead",
            err=True,
        )


def escape_what_cannot_be_shown() -> None:
    r"""Print what the encoding of the terminal lacks as, say, ``\xe9``: no reason to fail."""
    for stream in (sys.stdout, sys.stderr):
        if getattr(stream, "errors", None) == "strict" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
