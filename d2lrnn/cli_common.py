"""What several commands need: options, checks before work begins, errors as one line."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import click

from d2lrnn import backends

BACKEND = click.Choice(list(backends.BACKENDS))


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Turn what a user can mend into one line and exit status 1."""
    try:
        yield
    except (ValueError, OSError, ImportError, FloatingPointError) as error:
        raise click.ClickException(str(error)) from error


def check_outputs(model: str | None, picture: str | None) -> None:
    """Check, before anything is computed, that what is to be saved can be."""
    if model:
        _check_writable(model)
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
