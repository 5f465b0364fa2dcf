"""Handling of Ctrl-C and of the other signals that ask a process to end.

A signal is recorded, and training stops at the next point where it can stop safely. Schedulers send
SIGTERM; closing a terminal sends SIGHUP. This module imports only what loads fast.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from d2lrnn import processes

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
TOGETHER = 0.5  # seconds within which two kinds of signal are one request
SIGNALS = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))


class Stopped(KeyboardInterrupt):
    """Training was interrupted by Ctrl-C or by the signal ``signum``, and stopped safely."""

    def __init__(self, message: str, signum: int) -> None:
        """Store the message and the number of the signal."""
        super().__init__(message)
        self.signum = signum


@dataclass
class Listener:
    """The signal that has requested an end, if any: its number and the time at which it came."""

    signum: int | None = None
    since: float = 0.0

    def stop_if_asked(self, message: str) -> None:
        """Raise Stopped if a signal has requested an end."""
        if self.signum is not None:
            raise Stopped(message, self.signum)


@contextlib.contextmanager
def listening() -> Iterator[Listener]:
    """Record the first signal that requests an end; a second one has its usual effect.

    A signal of another kind within TOGETHER seconds of the first counts as the same request: at the
    end of a session, systemd sends SIGTERM and SIGHUP together. If another process of d2lrnn has
    started this one, a signal of the same kind also counts as the same request: that process
    forwards signals, and the system may have sent the same signal to this process directly.

    A signal that is ignored stays ignored, such as Ctrl-C for a job that a script starts in the
    background, or SIGHUP under nohup. Python delivers signals only to the main thread; in any other
    thread, nothing is recorded.
    """
    listener = Listener()
    if threading.current_thread() is not threading.main_thread():
        yield listener
        return
    before = {signum: signal.getsignal(signum) for signum in SIGNALS}
    handlers = {s: old for s, old in before.items() if old not in (signal.SIG_IGN, None)}

    def put_back() -> None:
        for signum, handler in handlers.items():
            signal.signal(signum, handler)

    def note(signum: int, _: Any) -> None:
        if listener.signum is None:
            listener.signum, listener.since = signum, time.monotonic()
            if not processes.has_parent():
                signal.signal(signum, handlers[signum])
        elif time.monotonic() - listener.since >= TOGETHER:
            put_back()
            signal.raise_signal(signum)

    for signum in handlers:
        signal.signal(signum, note)
    try:
        yield listener
    finally:
        put_back()


_shared: Listener | None = None  # of the outermost training_ends block


@contextlib.contextmanager
def training_ends() -> Iterator[Listener]:
    """Record signals as listening does, until the outermost block of this kind ends.

    A block within another one shares its Listener, so that the caller of a training function can
    save the results before a signal ends the process. If the outermost block ends without an error
    and a signal has been recorded, the signal is raised again.
    """
    global _shared
    if _shared is not None and threading.current_thread() is threading.main_thread():
        yield _shared
        return
    with listening() as listener:
        if threading.current_thread() is threading.main_thread():
            _shared = listener
        try:
            yield listener
        finally:
            if _shared is listener:
                _shared = None
    if listener.signum is not None:
        signal.raise_signal(listener.signum)


@contextlib.contextmanager
def handling(handlers: Mapping[int, Any]) -> Iterator[None]:
    """Set handlers, by signal, within a block; signals that are ignored stay ignored.

    Python allows this in the main thread only; in any other thread, nothing is set.
    """
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {signum: signal.getsignal(signum) for signum in handlers}
    changed = {s: old for s, old in before.items() if old not in (signal.SIG_IGN, None)}
    for signum in changed:
        signal.signal(signum, handlers[signum])
    try:
        yield
    finally:
        for signum, handler in changed.items():
            signal.signal(signum, handler)


def exiting() -> contextlib.AbstractContextManager[None]:
    """Let SIGTERM and SIGHUP raise SystemExit, so that ``finally`` blocks clean up."""

    def leave(signum: int, _: Any) -> None:
        sys.exit(status(signum))

    return handling({signum: leave for signum in SIGNALS if signum != signal.SIGINT})


def status(signum: int | None) -> int:
    """Return the exit status that shells report for a process that a signal has ended."""
    return 128 + (signum or signal.SIGINT)


@contextlib.contextmanager
def ending_at_once() -> Iterator[None]:
    """Let Ctrl-C end the process at once with one line of output.

    This is for the time of the imports, when there is nothing to save: there, a KeyboardInterrupt
    may be turned into another error or be lost.
    """
    before = signal.getsignal(signal.SIGINT)
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or before in (signal.SIG_IGN, None):
        yield
        return

    def end(signum: int, _: Any) -> None:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        os.write(2, b"\ninterrupted\n")
        os._exit(status(signum))

    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def second_at_once() -> Iterator[None]:
    """Let a second signal end the process at once, even during a long computation.

    Python calls signal handlers only between two of its own instructions, and a framework may
    compute for minutes within one. So a thread reads the pipe of signal.set_wakeup_fd, to which
    each signal is written immediately.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    before = signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
    threading.Thread(target=_exit_at_the_second, args=(reads,), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writes)


def _exit_at_the_second(reads: int) -> None:
    """End the process at the second signal that is read; return when the pipe is closed."""
    first, since = None, 0.0
    with open(reads, "rb", buffering=0) as signals:
        while read := signals.read(1):
            if (signum := read[0]) not in SIGNALS:
                continue
            if first is None:
                first, since = signum, time.monotonic()
                continue
            again = signum == first and not processes.has_parent()
            if again or time.monotonic() - since >= TOGETHER:
                os._exit(status(signum))
