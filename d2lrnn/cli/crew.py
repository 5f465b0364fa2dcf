"""Processes that live and die together: where one is lost, the others are ended, in one line."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

Job = tuple[dict[str, str], Sequence[str]]  # what the environment says beside, and a command

PAUSE = 0.05  # seconds between two looks
GRACE = 3.0  # seconds for the others to end by themselves, and again after they are asked to
# What MPICH, by the number of a process, and Open MPI, by its rank, say of one that was lost.
BY_NUMBER = re.compile(r"PID (\d+) RUNNING AT .*?EXIT CODE: (\d+)", re.DOTALL)
BY_RANK = re.compile(r"process rank (\d+) .*?exited on\s+signal (\d+)", re.DOTALL)
MPI_SAYS = ("====", "=   ", "YOUR APPLICATION", "This typically", "Please see the FAQ", "Abort(")
OF_CTRL_C = "[mpiexec@"  # said beside what our own processes say of it
# A process notes its own number and its rank, and goes on as the command.
NOTED = 'echo "$$ ${PMI_RANK:-$OMPI_COMM_WORLD_RANK}" >> "$D2LRNN_RANKS"; exec "$@"'


def run(workers: Sequence[Job], helpers: Sequence[Job] = ()) -> int:
    """Run workers, the first being rank 0, until all have ended; return the exit status.

    Helpers run beside them, and end with them. Rank 0 has this process's output; that of the
    others is shown where they fail and rank 0 does not.
    """
    with contextlib.ExitStack() as stack, _undisturbed():
        beside = [_begun(job, stack, subprocess.DEVNULL, apart=True) for job in helpers]
        said = [None, *(stack.enter_context(tempfile.TemporaryFile()) for _ in workers[1:])]
        crew = [_begun(job, stack, output) for job, output in zip(workers, said, strict=True)]
        lost = _first_lost(crew, beside)
        if lost is None:
            return 0
        _end_within(crew, GRACE)
        if lost == len(crew):
            click.echo("Error: the server was lost; the processes have been ended", err=True)
            return 1
        codes = [process.wait() for process in crew]
        if codes[0] <= 0 or codes[lost] < 0:  # else rank 0 has said what it is
            _show(lost, codes[lost], said[lost])
        return codes[lost] if codes[lost] > 0 else 1


def run_by_mpi(starter: Sequence[str], command: Sequence[str], also: dict[str, str]) -> int:
    """Run a command by MPI's starter, which ends all processes itself; return its exit status."""
    with tempfile.TemporaryDirectory() as folder, _undisturbed():
        ranks = Path(folder) / "ranks"
        ranks.touch()
        process = subprocess.Popen(
            [*starter, "sh", "-c", NOTED, "sh", *command],
            env={**os.environ, **also, "D2LRNN_RANKS": str(ranks)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        told = _passed_on(process)
        lost = _lost_of(told, dict(line.split() for line in ranks.read_text().splitlines()))
    if lost is not None:
        _say_lost(*lost)
    return 1 if lost is not None else process.returncode


def _lost_of(told: str, ranks: dict[str, str]) -> tuple[int, int] | None:
    """Return the rank of a process that a signal has ended, and the signal, by what MPI says."""
    if found := BY_NUMBER.search(told):
        rank, number = ranks.get(found[1]), int(found[2])
    elif found := BY_RANK.search(told):
        rank, number = found[1], int(found[2])
    else:
        return None
    by_signal = number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT)
    return (int(rank), -number) if rank is not None and by_signal else None


def _passed_on(process: subprocess.Popen[str]) -> str:
    """Wait for MPI's starter, pass on what our processes say, and return what it says itself.

    What several processes say of an error, in the same words, is passed on once.
    """
    said: list[str] = []

    def read(source: Any, target: Any, *, once: bool) -> None:
        seen = set()
        for line in source:
            if line.startswith((*MPI_SAYS, OF_CTRL_C)) or "mpirun" in line:
                said.append(line)
            elif not once or line not in seen:
                target.write(line)
                target.flush()
            seen.add(line)

    beside = threading.Thread(
        target=read, args=(process.stderr, sys.stderr), kwargs={"once": True}, daemon=True
    )
    beside.start()
    read(process.stdout, sys.stdout, once=False)
    beside.join()
    process.wait()
    return "".join(said)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Leave Ctrl-C to the processes, which it reaches too; end them at SIGTERM and SIGHUP.

    A handler that does nothing is not handed on to the processes; one that ignores would be. What
    is ignored stays so.
    """
    handlers: dict[int, Any] = {signal.SIGINT: lambda *_: None, signal.SIGTERM: _exit}
    if hasattr(signal, "SIGHUP"):  # Windows has none
        handlers[signal.SIGHUP] = _exit  # helpers, which are apart, do not get it themselves
    before = {number: signal.getsignal(number) for number in handlers}
    for number, handler in handlers.items():
        if before[number] != signal.SIG_IGN:
            signal.signal(number, handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit(number: int, _: Any) -> None:
    sys.exit(128 + number)


def _begun(
    job: Job, stack: contextlib.ExitStack, output: Any, *, apart: bool = False
) -> subprocess.Popen[bytes]:
    """Start a process that does not outlive the stack; apart: one that Ctrl-C does not reach."""
    environment, command = job
    settings: dict[str, Any] = {} if output is None else {"stdout": output, "stderr": output}
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        start_new_session=apart,
        **settings,
    )
    stack.callback(_end_within, [process], 0)
    return process


def _first_lost(crew: Sequence[Any], beside: Sequence[Any]) -> int | None:
    """Wait until all have ended well, or one has not, and return which; len(crew): a helper."""
    while True:
        codes = [process.poll() for process in crew]
        bad = [(code > 0, rank) for rank, code in enumerate(codes) if code]
        if bad:
            return min(bad)[1]  # one that was killed rather than one that followed it
        if all(code == 0 for code in codes):
            return None
        if any(process.poll() for process in beside):
            return len(crew)
        time.sleep(PAUSE)


def _end_within(processes: Sequence[subprocess.Popen[bytes]], seconds: float) -> None:
    """Let processes end by themselves, then ask them to, then end them."""
    for act in (None, signal.SIGTERM, signal.SIGKILL):
        alive = [process for process in processes if process.poll() is None]
        if act is not None:
            for process in alive:
                process.send_signal(act)
        end = time.monotonic() + (seconds if act is None else GRACE)
        while any(p.poll() is None for p in processes) and time.monotonic() < end:
            time.sleep(PAUSE)


def _show(rank: int, code: int, said: Any) -> None:
    """Show the last words of a process that failed, and say how it ended."""
    if code < 0:
        _say_lost(rank, code)
        return
    if said is not None:
        said.seek(0)
        click.echo(said.read().decode(errors="replace").strip(), err=True)
    click.echo(f"Error: rank {rank} ended with status {code}; so have the others", err=True)


def _say_lost(rank: int, code: int) -> None:
    name = signal.Signals(-code).name
    click.echo(
        f"Error: rank {rank} was killed by {name}; the other processes have been ended; "
        "with --checkpoint, the same command and --resume goes on",
        err=True,
    )
