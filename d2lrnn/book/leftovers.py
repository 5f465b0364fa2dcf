"""End the processes and remove the files that a notebook leaves behind, also after a kill -9.

``python leftovers.py FOLDER`` waits until its standard input is closed. The system closes it when
the process that started the program ends, for any reason.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil

MARK = "D2LRNN_BOOK_RUN"  # a variable of the kernel and of each process that its cells start


def end_processes(family: Iterable[Any], mark: str) -> list[str]:
    """End the children of a process and processes with a mark; return their command lines."""
    marked = [process for process in psutil.process_iter() if _mark(process) == mark]
    _, running = psutil.wait_procs({*family, *marked} - {psutil.Process()}, timeout=1)
    names = []
    for process in running:
        with contextlib.suppress(psutil.Error):
            names.append(" ".join(process.cmdline())[:80])
            process.terminate()
    for process in psutil.wait_procs(running, timeout=1)[1]:
        with contextlib.suppress(psutil.Error):
            process.kill()
    return names


def _mark(process: Any) -> str | None:
    with contextlib.suppress(psutil.Error, OSError):
        return dict(process.environ()).get(MARK)
    return None


@contextlib.contextmanager
def cleared(folder: Path) -> Iterator[None]:
    """Make sure that marked processes end and a folder is removed if this process is killed."""
    line = [sys.executable, __file__, str(folder)]  # not -m, which looks in the current folder
    with subprocess.Popen(
        line,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as watcher:
        try:
            yield
        finally:
            watcher.terminate()


def main(folder: str) -> None:
    """Wait for the end of the process that started this one, then remove what remains of it."""
    sys.stdin.read()
    end_processes([], folder)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
