"""Ctrl-C, and the other signals that ask a process to end: noted, acted on when there is time.

Schedulers send SIGTERM, and a terminal that is closed SIGHUP. Imports nothing that takes long.
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
    """Training was interrupted where it could stop: by Ctrl-C, or by the signal ``signum``."""

    def __init__(self, message: str, signum: int) -> None:
        """Say where it stopped."""
        super().__init__(message)
        self.signum = signum


@dataclass
class Listener:
    """Which signal has asked to end; None so far."""

    signum: int | None = None
    since: float = 0.0

    def stop_if_asked(self, message: str) -> None:
        """Raise Stopped if a signal has asked to end."""
        if self.signum is not None:
            raise Stopped(message, self.signum)


@contextlib.contextmanager
def listening() -> Iterator[Listener]:
    """Note the first signal that asks to end, and let a second one do what it always does.

    One of another kind that comes with the first is the same request: when a session ends, systemd
    sends SIGTERM and SIGHUP at once. A parent passes on what may have reached this process too, and
    so there one of the same kind is the same request as well.

    One that is ignored, as Ctrl-C is for a job that a script starts in the background, and SIGHUP
    under nohup, stays ignored. Threads hear no signals: there, nothing is noted.
    """
    listener = Listener()
    if threading.current_thread() is not threading.main_thread():
        yield listener
        return
    before = {signum: signal.getsignal(signum) for signum in SIGNALS}
    heard = {s: found for s, found in before.items() if found not in (signal.SIG_IGN, None)}

    def put_back() -> None:
        for signum, found in heard.items():
            signal.signal(signum, found)

    def note(signum: int, _: Any) -> None:
        if listener.signum is None:
            listener.signum, listener.since = signum, time.monotonic()
            if not processes.has_parent():
                signal.signal(signum, heard[signum])
        elif time.monotonic() - listener.since >= TOGETHER:
            put_back()
            signal.raise_signal(signum)

    for signum in heard:
        signal.signal(signum, note)
    try:
        yield listener
    finally:
        put_back()


_shared: Listener | None = None  # of the outermost training_ends block


@contextlib.contextmanager
def training_ends() -> Iterator[Listener]:
    """Note signals as listening does, from the first update to the end of the outermost block.

    A block within another one shares its Listener, so that the caller of a training function can
    save the results before a signal ends the process. A signal that nothing has acted on when the
    outermost block ends without an error is raised again.
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
    """Set handlers, by signal; signals that are ignored stay so. Threads can set none."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {signum: signal.getsignal(signum) for signum in handlers}
    changed = {s: found for s, found in before.items() if found not in (signal.SIG_IGN, None)}
    for signum in changed:
        signal.signal(signum, handlers[signum])
    try:
        yield
    finally:
        for signum, found in changed.items():
            signal.signal(signum, found)


def exiting() -> contextlib.AbstractContextManager[None]:
    """Let SIGTERM and SIGHUP raise SystemExit, so that what must be ended or removed is."""

    def leave(signum: int, _: Any) -> None:
        sys.exit(status(signum))

    return handling({signum: leave for signum in SIGNALS if signum != signal.SIGINT})


def status(signum: int | None) -> int:
    """Return the exit status of a process that a signal has ended, as shells have it."""
    return 128 + (signum or signal.SIGINT)


@contextlib.contextmanager
def ending_at_once() -> Iterator[None]:
    """Let Ctrl-C end the process with one line: while it imports, there is nothing to save.

    Within an import, KeyboardInterrupt comes out as any error, or as none.
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
    """Let a second signal end the process at once, whatever computes.

    Python tells of a signal only between two of its own instructions, and a framework may compute
    for minutes within one. So a thread listens where the system itself writes each signal down.
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
    """End the process at the second signal that is read; return when nothing more can come."""
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
