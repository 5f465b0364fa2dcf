"""What several commands need: options, checks before work begins, errors as one line."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator

import click

from d2lrnn import backends, files
from d2lrnn.resume import Interrupted

BACKEND = click.Choice(list(backends.BACKENDS))


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Turn what a user can mend into one line and exit status 1."""
    try:
        yield
    except (ValueError, OSError, ImportError, FloatingPointError) as error:
        raise click.ClickException(str(error)) from error


@contextlib.contextmanager
def interruptible(checkpoint: str | None) -> Iterator[None]:
    """Let Ctrl-C save a run that is kept, say where, and exit with 130; a second one, at once.

    The second is left to the operating system, which does not wait for a framework to return from
    what it computes; a shell calls that status 130 too.
    """
    if checkpoint is None:
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    except Interrupted as error:
        click.echo(f"\n{error}", err=True)
        sys.exit(130)
    finally:
        signal.signal(signal.SIGINT, before)


def check_outputs(model: str | None, picture: str | None) -> None:
    """Check, before anything is computed, that what is to be saved can be; tidy up around it."""
    if model:
        _check_writable(model)
        files.remove_strays(model)
    if picture:
        _check_writable(picture)
        from d2lrnn import plot

        plot.check_format(picture)


def save_picture(axes: object, path: str) -> None:
    """Save the figure of one or more matplotlib Axes."""
    import numpy as np

    first = np.ravel(np.asarray(axes, dtype=object))[0]
    first.figure.savefig(path, dpi=150)
    click.echo(f"plot saved in {path}")


def _check_writable(path: str) -> None:
    folder = os.path.dirname(os.path.abspath(path))
    if not os.access(folder, os.W_OK):
        raise OSError(f"cannot write {path}: the folder {folder} is missing or read-only")
    if os.path.isdir(path):
        raise OSError(f"cannot write {path}: it is a folder; give the name of a file")
