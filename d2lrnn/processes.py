"""A process that ends with the one that started it, and reports what it does.

The parent, in children.py, listens at a socket, whose path is in the environment of its children.
A child connects when it imports d2lrnn, and ends when the connection closes. The system closes it
when the parent ends, also by SIGKILL, and refuses it if the parent ended before the child
connected. Imports nothing that takes long.
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
NAME = "D2LRNN_NAME"  # what the parent calls the child, such as "rank 1"
RANKS = ("PMI_RANK", "OMPI_COMM_WORLD_RANK")  # how MPICH and Open MPI number the processes
TIMEOUT = "D2LRNN_TIMEOUT"

INTERVAL = 0.5  # seconds between two reports
BUSY = 0.02  # share of a processor; what waits takes less
PR_SET_PDEATHSIG = 1  # of Linux's prctl
BY_HAND = 1800.0  # seconds of waiting without a parent, which would know what the others do


class Exchange:
    """Counts the exchanges with other processes that have begun and that are done.

    It is a context manager: within the block, this process may wait for the others.
    """

    def __init__(self) -> None:
        """Count from 0."""
        self.begun = self.done = self._depth = 0

    def __enter__(self) -> None:
        """Begin; an exchange within another one is part of it."""
        self.begun += self._depth == 0
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        """Note that the exchange is done."""
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
        """Tell the parent what this process does."""
        ranks = [f"rank {os.environ[name]}" for name in RANKS if name in os.environ]
        report = {
            "name": os.environ.get(NAME) or next(iter(ranks), ""),
            "pid": os.getpid(),
            "begun": exchange.begun,
            "done": exchange.done,
            "busy": self.busy,  # intervals of computing
            "leaving": self.leaving,
        }
        with contextlib.suppress(OSError):  # the parent is stopped, does not read, or has ended
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
        """Report that Python ends: the thread may end long before the process does."""
        self.leaving = True
        self.report()

    def _end(self) -> NoReturn:
        """End at once; remove what a parent that was killed has left."""
        with contextlib.suppress(OSError):
            os.unlink(self.path)
            os.rmdir(os.path.dirname(self.path))
        os._exit(1)


link: Link | None = None


def follow_parent() -> None:
    """Report to the parent, if there is one, and end when it ends."""
    global link
    path = os.environ.pop(PARENT, None)  # what this process starts has another parent
    if path is not None:
        _go_on_without_parent()
        link = Link(path)
        atexit.register(link.leave)
        threading.Thread(target=link.follow, daemon=True).start()


def _go_on_without_parent() -> None:
    """Let Linux continue this process when its parent ends: while it is stopped, it cannot end."""
    if sys.platform == "linux":
        import ctypes
        import signal

        with contextlib.suppress(OSError, AttributeError):  # a C library without it
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGCONT)


def has_parent() -> bool:
    """Return whether a process of this package has started this one, and waits for it."""
    return link is not None


def meet(engine: Callable[..., Any], *args: Any) -> Any:
    """Return engine(*args), which waits for the other processes."""
    with exchange:
        if link is not None:
            link.report()  # now: mpi4py lets no other thread run while it is imported
        return engine(*args)


def time_limit(default: float) -> float:
    """Return the seconds that D2LRNN_TIMEOUT gives, or the default.

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
    """End this process when it has waited too long for others, unless it has a parent to do so.

    Only a parent knows what the others do. So processes that were started by hand, maybe on several
    machines, wait longer, and each that has waited says so: the rank that does not is the one to
    look at.
    """
    if not has_parent():
        limit = time_limit(BY_HAND)
        threading.Thread(target=_limit, args=(rank, limit), daemon=True).start()


def _limit(rank: int, limit: float) -> None:
    waited, begun = 0.0, 0
    while waited < limit:
        time.sleep(INTERVAL)  # however long this process is stopped, it has waited so long
        in_the_same = exchange.done < exchange.begun == begun
        waited, begun = waited + INTERVAL if in_the_same else 0.0, exchange.begun
    message = (
        f"Error: rank {rank} has waited {limit:g} seconds for the other processes; check the rank "
        f"that does not print this line, or set {TIMEOUT} to more seconds\n"
    )
    with contextlib.suppress(OSError):
        os.write(2, message.encode())
    os._exit(1)
