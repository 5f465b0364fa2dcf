"""The parent side of child processes: they end when the parent ends, and report their progress."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import socketserver
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from d2lrnn import processes

LONGEST_FOLDER = 80  # characters; the path of a socket has 104 bytes at most
POLL = 0.1  # seconds

Report = dict[str, Any]


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Receives the reports of all children, with one thread per child."""

    address_family = getattr(socket, "AF_UNIX", socket.AF_INET)  # Windows has no AF_UNIX
    daemon_threads, request_queue_size = True, socket.SOMAXCONN

    def __init__(self, path: str, hear: Callable[[Report], object]) -> None:
        """Listen at a path."""
        self.hear = hear
        super().__init__(path, Child)  # type: ignore[arg-type]  # typed for internet addresses


class Child(socketserver.StreamRequestHandler):
    """The connection of one child."""

    server: Server

    def handle(self) -> None:
        """Read reports until the child has ended."""
        report: Report = {}
        with contextlib.suppress(OSError, ValueError):  # the child was killed while sending
            for line in self.rfile:
                report = json.loads(line)
                self.server.hear(report)
        self.server.hear({**report, "ended": True})


@contextlib.contextmanager
def listening(hear: Callable[[Report], object] = lambda report: None) -> Iterator[dict[str, str]]:
    """Yield the environment variables for child processes that are started within the block.

    The children end when this process ends (not on Windows). The caller must end them before the
    block is left.

    Args:
        hear: a function called, in a thread, with each report of a child: a dict with name, pid,
            begun, done, busy and leaving. When the child has ended, its last report is repeated
            with ended=True.
    """
    if not hasattr(socket, "AF_UNIX"):
        yield {}
        return
    place = tempfile.gettempdir()
    folder = tempfile.mkdtemp(dir=place if len(place) <= LONGEST_FOLDER else "/tmp")
    path = str(Path(folder) / "parent")
    try:
        with Server(path, hear) as server:
            threading.Thread(target=server.serve_forever, args=(POLL,), daemon=True).start()
            try:
                yield {processes.PARENT: path}
            finally:
                server.shutdown()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
