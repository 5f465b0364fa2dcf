"""What several commands need: options, checks before work begins, errors as one line."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import shlex
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from d2lrnn import backends
from d2lrnn.cli.output import OutputLostError
from d2lrnn.data import reading
from d2lrnn.files import atomic, log_file, model_file, pictures
from d2lrnn.training import interrupts

if TYPE_CHECKING:
    from d2lrnn.interface import Backend

NO_MODEL = "check its name and folder, or train one: d2lrnn train --out FILE"
OWN_FILES: dict[str, str] = {}  # by their full paths, the files of custom cells as they were given
BACKEND = click.Choice(list(backends.BACKENDS))


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Turn what a user can mend into one line and exit status 1."""
    try:
        yield
    except OutputLostError:
        raise
    except (ValueError, OSError, ImportError, FloatingPointError) as error:
        raise click.ClickException(place_of(error) + in_words(error)) from error
    except MemoryError as error:
        raise click.ClickException(
            f"the memory does not suffice ({error}); take smaller sizes"
        ) from error
    except Exception as error:
        if not (place := place_of(error)):
            raise
        raise click.ClickException(f"{place}{type(error).__name__}: {error}") from error


def place_of(error: Exception) -> str:
    """Return the file and the line of a custom cell in which an error was raised, or ""."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [(OWN_FILES[one.filename], one.lineno) for one in frames if one.filename in OWN_FILES]
    return "{}, line {}: ".format(*lines[-1]) if lines else ""


def in_words(error: Exception) -> str:
    """Return what an error says, that of the system about a file in words and with a remedy."""
    named = isinstance(error, OSError) and os.path.isabs(error.filename or "")
    if isinstance(error, FileNotFoundError) and not named and not _has_working_folder():
        return "the working folder does not exist any more; change to another one, with cd"
    if not isinstance(error, OSError) or error.filename is None or error.errno is None:
        return str(error)
    remedies = {
        errno.ENOENT: "there is no such file; check its name and folder",
        errno.EISDIR: "this is a folder; give the name of a file",
        errno.EEXIST: "a file or folder of this name already exists; give another name",
        errno.ELOOP: "its links form a loop; give the name of a file",
        errno.ENOTDIR: "a part of this path is not a folder; check its name and folder",
        errno.EACCES: "you are not allowed to do this; check the file's permissions",
    }
    return f"{error.filename}: {remedies.get(error.errno, error.strerror)}"


def _has_working_folder() -> bool:
    """Return whether the folder that the command was started in still exists."""
    try:
        return bool(os.getcwd())
    except FileNotFoundError:
        return False


def check_readable(
    what: str, path: str, remedy: str = "check its name and folder", *, pipes: bool = False
) -> None:
    """Check, before anything is computed, that a file can be read.

    Args:
        what: the option or the argument that names it, such as "--text".
        path: the file.
        remedy: what to do if the file does not exist.
        pipes: whether it may be a pipe.
    """
    try:
        kind = reading.kind(path)
    except FileNotFoundError:
        raise OSError(f"{what} {path}: there is no such file; {remedy}") from None
    if kind is not None and not (pipes and kind == reading.PIPE):
        raise OSError(f"{what} {path} is {kind}; give the name of a file")
    if not os.access(path, os.R_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)


def as_argument(path: str) -> str:
    """Return a path quoted for a shell, so that a command does not read it as an option."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 round``, ``3 rounds``."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def was_given(context: click.Context, name: str) -> bool:
    """Return whether an option was written on the command line, with any value."""
    return context.get_parameter_source(name) == ParameterSource.COMMANDLINE


@contextlib.contextmanager
def together(rnn: Backend) -> Iterator[Any]:
    """Let only rank 0 of several processes print, and let no process wait for one that failed."""
    processes = rnn.processes()
    with contextlib.ExitStack() as stack:
        if processes.rank > 0:
            nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
            stack.enter_context(contextlib.redirect_stdout(nowhere))
        try:
            yield processes
        except Exception as error:
            if hasattr(processes.engine, "abandon"):
                click.echo(f"Error: {error}", err=True)
                sys.stderr.flush()
                processes.abandon()
            raise


@contextlib.contextmanager
def ending_in_order() -> Iterator[None]:
    """Note Ctrl-C, SIGTERM or SIGHUP until the results of training are saved; a second, at once.

    A signal that comes too late to stop training ends the command when its results are saved.
    """
    with interrupts.second_at_once(), interrupts.training_ends() as listener:
        yield
        if listener.signum is not None:
            click.echo("\ninterrupted after the end of training; the results are saved", err=True)
            sys.exit(interrupts.status(listener.signum))


@contextlib.contextmanager
def saving_first(save: Callable[[], None], *, note: Callable[[], str | None]) -> Iterator[None]:
    """Save the model when a signal stops training, and exit with the status that shells expect.

    The model is also saved before an error of the system ends training.

    Args:
        save: called when training has stopped.
        note: returns a line to print after the message, such as that nothing was saved, or None.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        click.echo(f"\n{str(error) or 'interrupted'}", err=True)
        if (line := note()) is not None:
            click.echo(line, err=True)
        save()
        sys.exit(interrupts.status(getattr(error, "signum", None)))
    except OSError:  # the checkpoint cannot be written, or another process is lost
        with contextlib.suppress(OSError):
            save()
        raise


def load_backend(name: str) -> Backend:
    """Return a backend; Ctrl-C while its framework is imported is one line."""
    with interrupts.ending_at_once():
        backend: Backend = backends.load(name)
    return backend


def check_apart(**paths: str | None) -> None:
    """Check that options, by name, name different files, also through links.

    Raises:
        ValueError: two of them are one file; the message names both.
    """
    named = {name: path for name, path in paths.items() if path is not None}
    for (one, path), (other, another) in itertools.combinations(named.items(), 2):
        if _same(path, another):
            raise ValueError(
                f"--{one} {path} and --{other} {another} are the same file; "
                "give each option another file"
            )


def _same(path: str, another: str) -> bool:
    if os.path.realpath(path) == os.path.realpath(another):
        return True
    return os.path.exists(path) and os.path.exists(another) and os.path.samefile(path, another)


def check_outputs(
    model: str | None, picture: str | None, run: str | None = None, log: str | None = None
) -> None:
    """Check, before anything is computed, that what is to be saved can be; tidy up around it."""
    if run is not None:
        atomic.check_writable(run)
        model_file.check_replaceable(run, run=True)
    if log is not None:
        atomic.check_writable(log)
        if not log.endswith(".csv"):
            raise ValueError(f"--log {log} is a table of numbers; give a name that ends in .csv")
        log_file.check_replaceable(log)
    if model is not None:
        atomic.check_writable(model)
        model_file.check_replaceable(model)
    if picture is not None:
        atomic.check_writable(picture)
        from d2lrnn import plot

        plot.check_format(picture)
        pictures.check_replaceable(picture)


def save_picture(axes: object, path: str) -> None:
    """Save the figure of one or more matplotlib Axes, and close it."""
    import numpy as np
    from matplotlib import pyplot

    first = np.ravel(np.asarray(axes, dtype=object))[0]
    pictures.save(first.figure, path)
    pyplot.close(first.figure)
    click.echo(f"saved the plot to {path}")
