"""What a command prints to, which may be a closed pipe, a full disk, or lack a character.

What has been learned is worth more than what is said about it.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import click

CLOSED = getattr(signal, "SIGHUP", signal.SIGTERM)  # what a terminal that is closed sends
LENIENT = ("backslashreplace", "ignore", "namereplace", "replace", "xmlcharrefreplace")


class OutputLostError(OSError):
    """Nothing more can be printed, and the command writes no file either."""


class Losable:
    """A stream of text, or its buffer, that is silent once nothing more can be written to it.

    Its other methods must not have the names of those of a stream, such as tell.
    """

    def __init__(self, stream: Any, text: Losable | None = None) -> None:
        """Write to a stream; text: the stream of text that it is the buffer of."""
        self._stream, self._text = stream, text or self
        self.lost: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        """Be like the stream in all else."""
        attribute = getattr(self._stream, name)
        return Losable(attribute, self) if name == "buffer" else attribute

    def write(self, text: Any) -> int:
        """Write a text, or bytes, if that is possible."""
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Pass on what has been written, if that is possible."""
        self._try(self._stream.flush)

    def _try(self, do: Callable[[], Any]) -> None:
        text = self._text
        if text.lost is None:
            try:
                do()
                return
            except BlockingIOError:  # a pipe that is full for now: the text waits, or is left out
                return
            except OSError as error:
                text.lost = error
                _to_nowhere(self._stream)
                text.report_loss(error)
        text.end_unless_useful(text.lost)

    def report_loss(self, error: OSError) -> None:
        """Report the loss, once; the loss of this stream is not reported."""

    def end_unless_useful(self, error: OSError) -> None:
        """End a command whose work would be lost; the loss of this stream ends nothing."""


class Closed(io.TextIOBase):
    """A stream that the command was started without: Python has None in its place."""

    def write(self, text: str) -> int:
        """Fail as a write to a closed descriptor does."""
        raise OSError(errno.EBADF, "the output is closed")


class Output(Losable):
    """The standard output of a command, without which it continues if it writes files.

    Otherwise training is interrupted, as by a closed terminal; any other command ends at once.
    """

    goes_on = False

    def report_loss(self, error: OSError) -> None:
        """Report that the output is lost, and end training unless the command writes files."""
        lost = f"nothing more can be printed ({error.strerror})"
        if self.goes_on:
            click.echo(f"Note: {lost}; the command continues and writes its files", err=True)
        elif _is_training():
            click.echo(lost, err=True)
            signal.raise_signal(CLOSED)

    def end_unless_useful(self, error: OSError) -> None:
        """End a command that writes no files, and does not train, at each later attempt."""
        if not self.goes_on and not _is_training():
            raise OutputLostError(error.errno, error.strerror)


def _is_training() -> bool:
    """Return whether something listens that ends training in order."""
    return callable(signal.getsignal(CLOSED))


def _to_nowhere(stream: Any) -> None:
    """Let what a stream still holds, and all that follows, be written to nowhere."""
    with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


@contextlib.contextmanager
def losable() -> Iterator[None]:
    """Let a command continue, or end with one line, where nothing more can be printed."""
    _open_closed()
    escape_what_cannot_be_shown()
    output = Output(sys.stdout or Closed())
    errors = Losable(sys.stderr or Closed())
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            try:
                yield
            finally:
                output.flush()
        except OutputLostError as error:
            click.echo(f"Error: nothing can be printed ({error.strerror})", err=True)
            sys.exit(1)


def go_on_without_output(*files: str | None) -> None:
    """Let the command continue where nothing more can be printed, if it writes files."""
    if isinstance(sys.stdout, Output):
        sys.stdout.goes_on = any(files)


@contextlib.contextmanager
def warnings_in_a_line() -> Iterator[None]:
    """Print a warning as a line, without the place in the source code that it came from."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: click.echo(f"Warning: {message}", err=True)
        yield


def _open_closed() -> None:
    """Open those of the standard streams that are closed, to the null device.

    A model file could otherwise get the number of one of them, and with it what a framework prints.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


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
        kind = "characters" if vocab.token == "char" else "words"
        named = ", ".join(map(repr, lacks[:10])) + (", ..." if len(lacks) > 10 else "")
        unknown = vocab.to_tokens(vocab.unk)
        click.echo(
            f"Note: these {kind} of the prefix are not in the vocabulary: {named}; "
            f"the network reads {unknown!r} instead",
            err=True,
        )


def escape_what_cannot_be_shown() -> None:
    r"""Print what the encoding of the terminal lacks as, say, ``\xe9``: no reason to fail."""
    for stream in (sys.stdout, sys.stderr):
        if getattr(stream, "errors", "") not in LENIENT and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
