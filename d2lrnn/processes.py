"""The child side of child processes: a child ends when its parent ends, and reports its progress.

The parent, in children.py, listens on a socket, whose path is in the environment of its children. A
child connects when it imports d2lrnn, and ends when the connection is closed. The operating system
closes the connection when the parent ends, even by SIGKILL, and refuses it if the parent ended
before the child connected. This module does not import slow modules.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

PARENT = "D2LRNN_PARENT"  # the path of the parent's socket
NAME = "D2LRNN_NAME"  # the name of the child, such as "rank 1"
RANKS = ("PMI_RANK", "OMPI_COMM_WORLD_RANK")  # the ranks of processes in MPICH and Open MPI
TIMEOUT = "D2LRNN_TIMEOUT"

INTERVAL = 0.5  # seconds between two reports
BUSY = 0.02  # share of a processor; a waiting process uses less
PR_SET_PDEATHSIG = 1  # an option of prctl in Linux
BY_HAND = 1800.0  # seconds to wait for other processes without a parent


class Exchange:
    """Counts the exchanges of data with other processes that have begun and that are done.

    As a context manager, it marks a block in which this process may wait for the others.
    """

    def __init__(self) -> None:
        """Count from 0."""
        self.begun = self.done = self._depth = 0

    def __enter__(self) -> None:
        """Count the start of an exchange; a nested exchange is part of the outer one."""
        self.begun += self._depth == 0
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        """Count the end of the exchange."""
        self._depth -= 1
        self.done += self._depth == 0


exchange = Exchange()


class Link:
    """The connection to the parent."""

    def __init__(self, path: str) -> None:
        """Connect, or end this process if the parent has ended."""
        self.path, self.busy, self.leaving = path, 0, False
        self.connection = socket.socket(socket.AF_UNIX)
        try:
            self.connection.connect(path)
        except OSError:
            self._end()
        self.connection.setblocking(False)

    def report(self) -> None:
        """Send the progress of this process to the parent."""
        ranks = [f"rank {os.environ[name]}" for name in RANKS if name in os.environ]
        report = {
            "name": os.environ.get(NAME) or next(iter(ranks), ""),
            "pid": os.getpid(),
            "begun": exchange.begun,
            "done": exchange.done,
            "busy": self.busy,  # the number of intervals spent computing
            "leaving": self.leaving,
        }
        with contextlib.suppress(OSError):  # the parent is suspended, busy, or has ended
            self.connection.send(json.dumps(report).encode() + b"\n")

    def follow(self) -> None:
        """Report at each interval until the connection closes, then end the process."""
        import selectors

        selector = selectors.DefaultSelector()
        selector.register(self.connection, selectors.EVENT_READ)
        with contextlib.suppress(ConnectionError):
            while True:
                self.report()
                used, since = time.process_time(), time.monotonic()
                if selector.select(INTERVAL) and not self.connection.recv(1):
                    break
                share = (time.process_time() - used) / (time.monotonic() - since)
                self.busy += share > BUSY
        self._end()

    def leave(self) -> None:
        """Report that Python exits: the thread may end long before the process does."""
        self.leaving = True
        self.report()

    def _end(self) -> NoReturn:
        """End this process; remove the socket of a parent that was killed."""
        with contextlib.suppress(OSError):
            os.unlink(self.path)
            os.rmdir(os.path.dirname(self.path))
        os._exit(1)


link: Link | None = None


def follow_parent() -> None:
    """Report to the parent, if there is one, and end when it ends."""
    global link
    path = os.environ.pop(PARENT, None)  # not inherited by children of this process
    if path is not None:
        _continue_without_parent()
        link = Link(path)
        atexit.register(link.leave)
        threading.Thread(target=link.follow, daemon=True).start()


def _continue_without_parent() -> None:
    """Let Linux send SIGCONT when the parent ends: a suspended process could not end itself."""
    if sys.platform == "linux":
        import ctypes
        import signal

        with contextlib.suppress(OSError, AttributeError):  # the C library lacks prctl
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGCONT)


def has_parent() -> bool:
    """Return whether this process was started by a process of this package that waits for it."""
    return link is not None


def meet(connect: Callable[..., Any], *args: Any) -> Any:
    """Return engine(*args), a call that may wait for other processes."""
    with exchange:
        if link is not None:
            link.report()  # now: other threads do not run during the import of mpi4py
        return connect(*args)


def time_limit(default: float) -> float:
    """Return the number of seconds in D2LRNN_TIMEOUT, or the default.

    Raises:
        ValueError: the variable is not a number above 0.
    """
    text = os.environ.get(TIMEOUT, "").strip()
    try:
        limit = float(text) if text else default
    except ValueError:
        limit = 0.0
    if not limit > 0:
        raise ValueError(f"{TIMEOUT} is {text!r}; expected a number of seconds above 0")
    return limit


def limit_waiting(rank: int) -> None:
    """End this process when it has waited too long for others, unless it has a parent.

    A parent monitors all processes. Processes that were started by hand, maybe on several machines,
    wait longer. Each prints a message when it ends; the rank without a message is the one to check.
    """
    if not has_parent():
        limit = time_limit(BY_HAND)
        threading.Thread(target=_limit, args=(rank, limit), daemon=True).start()


def _limit(rank: int, limit: float) -> None:
    waited, begun = 0.0, 0
    while waited < limit:
        time.sleep(INTERVAL)  # time in which this process is suspended does not count
        in_the_same = exchange.done < exchange.begun == begun
        waited, begun = waited + INTERVAL if in_the_same else 0.0, exchange.begun
    message = (
        f"Error: rank {rank} has waited {limit:g} seconds for the other processes; check the rank "
        f"that does not print this line, or set {TIMEOUT} to more seconds\n"
    )
    with contextlib.suppress(OSError):
        os.write(2, message.encode())
    os._exit(1)
