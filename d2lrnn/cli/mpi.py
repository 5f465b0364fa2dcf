"""Workers that MPI's starter starts and ends: mpiexec, of MPICH or Open MPI."""

from __future__ import annotations

import contextlib
import functools
import locale
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

from d2lrnn import children
from d2lrnn.cli.monitor import LIMIT, Monitor
from d2lrnn.cli.workers import (
    GRACE,
    INTERRUPTED,
    PAUSE,
    SAVING,
    Started,
    passing_on,
    tell,
    tell_killed,
)

# What MPICH, by the number of a process, and Open MPI, by its rank, print about one that was lost.
BY_NUMBER = re.compile(r"PID (\d+) RUNNING AT .*?EXIT CODE: (\d+)", re.DOTALL)
BY_RANK = re.compile(r"process rank (\d+) .*?exited on\s+signal (\d+)", re.DOTALL)
MPI_PRINTS = ("====", "=   ", "YOUR APPLICATION", "This typically", "Please see the FAQ", "Abort(")
OF_CTRL_C = "[mpiexec@"  # printed beside what our own processes print about it


def run(
    starter: Sequence[str],
    command: Sequence[str],
    environment: dict[str, str],
    size: int,
    limit: float = LIMIT,
) -> int:
    """Run a command in that many processes by MPI's starter; return its exit status.

    As in workers.run, all end with this process, and when one of them has stopped.
    """
    monitor, problem = Monitor([f"rank {rank}" for rank in range(size)], limit=limit), None
    with contextlib.ExitStack() as stack:
        started = Started(stack.enter_context(children.listening(monitor.hear)))
        stack.callback(lambda: _end(started, monitor, GRACE if problem else SAVING))
        send = functools.partial(_send, started, monitor)
        interrupted = stack.enter_context(passing_on(send))
        job = environment, [*starter, *command]
        process = started.start(job, subprocess.PIPE, subprocess.PIPE)
        output = Output(process)
        while not (problem or started.have_ended()):
            output.check()
            problem = monitor.problem()
            time.sleep(PAUSE)
    if problem:
        return tell(problem)
    if interrupted and process.returncode:
        return INTERRUPTED[1]
    ranks = {f"{worker.pid}": name.split()[-1] for name, worker in monitor.workers.items()}
    lost = lost_of(output.end(), ranks)
    if lost is not None:
        tell_killed(*lost)
        return 1
    return process.returncode


def _send(started: Started, monitor: Monitor, signum: int) -> None:
    """Send a signal to the workers; to MPI's starter while none has reported."""
    workers = monitor.alive()
    for pid in workers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signum)
    if not workers:
        started.send(signum)


def _end(started: Started, monitor: Monitor, saving: float) -> None:
    """End the workers: ask them to, and then their starter, which ends what is left."""
    if started.have_ended():
        return
    _send(started, monitor, signal.SIGTERM)
    end = time.monotonic() + saving
    while not started.have_ended() and time.monotonic() < end:
        time.sleep(PAUSE)
    _send(started, monitor, signal.SIGKILL)
    started.end()


def lost_of(printed: str, ranks: dict[str, str]) -> tuple[int, int] | None:
    """Return the rank of a process that a signal has ended, and the signal, by what MPI prints."""
    if match := BY_NUMBER.search(printed):
        rank, number = ranks.get(match[1]), int(match[2])
    elif match := BY_RANK.search(printed):
        rank, number = match[1], int(match[2])
    else:
        return None
    by_signal = number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT)
    return (int(rank), number) if rank is not None and by_signal else None


class Output:
    """What MPI's starter prints: that of the workers is passed on, its own is kept.

    What several workers print about an error, in the same words, is passed on once.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        """Read both streams until they end, in threads."""
        self.printed: list[str] = []
        self.error: OSError | None = None
        self.readers = [
            threading.Thread(target=self._read, args=arguments, daemon=True)
            for arguments in (
                (process.stdout, sys.stdout, False),
                (process.stderr, sys.stderr, True),
            )
        ]
        for reader in self.readers:
            reader.start()

    def _read(self, source: Any, target: Any, once: bool) -> None:
        lines, encoding = set(), locale.getpreferredencoding(False)
        for line in (line.decode(encoding, "replace") for line in source):
            if line.startswith((*MPI_PRINTS, OF_CTRL_C)) or "mpirun" in line:
                self.printed.append(line)
            elif not once or line not in lines:
                try:
                    target.write(line)
                    target.flush()
                except OSError as error:
                    self.error = error
                    return
            lines.add(line)

    def check(self) -> None:
        """Raise OSError if nothing can be printed any more."""
        if self.error is not None:
            raise self.error

    def end(self) -> str:
        """Wait until all is read; return what the starter has printed itself."""
        for reader in self.readers:
            reader.join()
        self.check()
        return "".join(self.printed)
