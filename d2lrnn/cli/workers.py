"""Workers that begin and end together: when one is lost, the others are ended, with one line."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click

from d2lrnn import children, processes
from d2lrnn.cli.monitor import LIMIT, Monitor
from d2lrnn.training import interrupts

Job = tuple[dict[str, str], Sequence[str]]  # what is added to the environment, and a command

PAUSE = 0.05  # seconds between two looks
GRACE = 3.0  # seconds for the others to end by themselves, and again after they are asked to
SAVING = 15.0  # seconds to save what has been learned, after a signal to this process
INTERRUPTED = (-signal.SIGINT, interrupts.status(signal.SIGINT))


def run(workers: Sequence[Job], helpers: Sequence[Job] = (), limit: float = LIMIT) -> int:
    """Run workers, the first being rank 0, until all have ended; return the exit status.

    Helpers run beside them, and end with them. Rank 0 has this process's output; that of the
    others is shown if they fail and rank 0 does not. All end when this process ends, however it
    ends, and when one of them does nothing for limit seconds while others wait for it.
    """
    jobs = [
        ({processes.NAME: f"rank {rank}", **environment}, c)
        for rank, (environment, c) in enumerate(workers)
    ]
    monitor = Monitor([f"rank {rank}" for rank in range(len(jobs))], _names(helpers), limit)
    with contextlib.ExitStack() as stack:
        environment = stack.enter_context(children.listening(monitor.hear))
        outputs = [None, *(stack.enter_context(tempfile.TemporaryFile()) for _ in jobs[1:])]
        beside, started = Started(environment), Started(environment)
        stack.callback(beside.end)
        stack.callback(started.end, saving=SAVING)
        interrupted = stack.enter_context(passing_on(started.send))
        for job in helpers:
            beside.start(job, subprocess.DEVNULL)
        for job, output in zip(jobs, outputs, strict=True):
            started.start(job, output)
        problem = _wait(started, beside, monitor)
        lost, quiet = started.first_lost(), monitor.quiet()
        if problem is None and lost is None:
            return 0
        started.end(0 if problem else SAVING if interrupted else GRACE)
        if problem or lost is None:
            return tell(f"{problem}")
        if interrupted and started.codes()[lost] in INTERRUPTED:
            return INTERRUPTED[1]
        status = _show(started.codes(), lost, outputs[lost])
        if quiet:
            click.echo(f"Error: {quiet}", err=True)
        return status


def _names(helpers: Sequence[Job]) -> list[str]:
    return [environment.get(processes.NAME, "the server") for environment, _ in helpers]


def _wait(started: Started, beside: Started, monitor: Monitor) -> str | None:
    """Wait until all workers have ended, or one has failed; return what else is wrong, or None."""
    while started.first_lost() is None and not started.have_ended():
        if any(beside.codes()):
            return "the server was lost"
        if problem := monitor.problem():
            return problem
        time.sleep(PAUSE)
    return None


class Started:
    """Processes of which this one is the parent.

    Each has a separate session, so that the signals of a terminal reach the parent alone, which
    passes each on once.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        """Take what all of them have in their environment."""
        self.environment = environment
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, job: Job, stdout: Any, stderr: Any = None) -> subprocess.Popen[bytes]:
        """Start a process with an output, None for that of this process; stderr is the same."""
        environment, command = job
        process = subprocess.Popen(
            command,
            env={**os.environ, **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stdout if stderr is None else stderr,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def codes(self) -> list[Any]:
        """Return the exit status of each that has ended; None for the others."""
        return [process.poll() for process in self.processes]

    def first_lost(self) -> int | None:
        """Return which has failed, or None; one that was killed rather than one that followed."""
        bad = [(code > 0, index) for index, code in enumerate(self.codes()) if code]
        return min(bad)[1] if bad else None

    def have_ended(self) -> bool:
        """Return whether all have."""
        return None not in self.codes()

    def send(self, signum: int) -> None:
        """Send a signal to those that run."""
        for process in self.processes:
            process.send_signal(signum)

    def end(self, seconds: float = 0, *, saving: float = GRACE) -> None:
        """Let all end by themselves for some seconds, then ask them to, then end them."""
        stages = (None, seconds), (signal.SIGTERM, saving), (signal.SIGKILL, GRACE)
        for signum, patience in stages:
            if signum is not None and not self.have_ended():
                self.send(signum)
            end = time.monotonic() + patience
            while not self.have_ended() and time.monotonic() < end:
                time.sleep(PAUSE)


@contextlib.contextmanager
def passing_on(send: Callable[[int], Any]) -> Iterator[list[int]]:
    """Pass on Ctrl-C and Ctrl-Z to workers, by send(signum); leave at SIGTERM and SIGHUP.

    Yields the interrupts so far. A handler is not handed on to the processes that are started, but
    an ignored signal is.
    """
    interrupted: list[int] = []

    def interrupt(signum: int, _: Any) -> None:
        interrupted.append(signum)
        send(signum)

    def stop(signum: int, _: Any) -> None:
        send(signal.SIGSTOP)
        signal.signal(signum, signal.SIG_DFL)
        signal.raise_signal(signum)  # stops here, until SIGCONT
        signal.signal(signum, stop)
        send(signal.SIGCONT)

    handlers: dict[int, Any] = {signal.SIGINT: interrupt}
    if hasattr(signal, "SIGTSTP"):  # Windows has none
        handlers[signal.SIGTSTP] = stop
    with interrupts.exiting(), interrupts.handling(handlers):
        yield interrupted


def tell(problem: str) -> int:
    """Say why the processes have been ended; return the exit status."""
    click.echo(
        f"Error: {problem}; all processes were ended; a run with --checkpoint continues with the "
        "same command and --resume",
        err=True,
    )
    return 1


def tell_killed(rank: int, signum: int) -> None:
    """Say which process was killed."""
    tell(f"rank {rank} was killed by {signal.Signals(signum).name}")


def _show(codes: Sequence[int], lost: int, output: Any) -> int:
    """Show the last words of the process that failed, and say how it ended; return the status."""
    code = codes[lost]
    if code < 0:
        tell_killed(lost, -code)
        return 1
    if codes[0] > 0:  # rank 0 has said what it is
        return code
    if output is not None:
        output.seek(0)
        click.echo(output.read().decode(errors="replace").strip(), err=True)
    click.echo(f"Error: rank {lost} ended with status {code}; the others were ended", err=True)
    return code
