"""What several commands need: options, checks before work begins, errors as one line."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator

import click

from d2lrnn import backends
from d2lrnn.files import atomic

INTERRUPTED = 130  # the exit status, as shells have it: 128 and the number of the signal

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

    Python tells of a signal only between two of its own instructions, and a framework may compute
    for minutes within one. So a thread listens where the system itself writes each signal down.
    """
    if checkpoint is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    before = signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
    threading.Thread(target=_exit_at_the_second, args=(reads,), daemon=True).start()
    try:
        yield
    except KeyboardInterrupt as error:
        click.echo(f"\n{error}", err=True)  # an Interrupted says where the run is
        sys.exit(INTERRUPTED)
    finally:
        signal.set_wakeup_fd(before)
        os.close(writes)


def _exit_at_the_second(reads: int) -> None:
    """End the process at the second Ctrl-C that is read; return when nothing more can come."""
    number = 0
    with open(reads, "rb", buffering=0) as signals:
        while number < 2 and (signum := signals.read(1)):
            number += signum[0] == signal.SIGINT
    if number == 2:
        os._exit(INTERRUPTED)


def check_outputs(model: str | None, picture: str | None) -> None:
    """Check, before anything is computed, that what is to be saved can be; tidy up around it."""
    if model:
        _check_writable(model)
        atomic.remove_strays(model)
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
