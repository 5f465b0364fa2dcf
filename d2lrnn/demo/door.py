"""Who is let in: whoever asks for the server by a name that it has.

A page of another site can have a name of its own resolve to this machine, and then ask for the demo
by that name: to the browser both are one site. So what a request names as Host, and the Origin of
the page that makes it, must be known here.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from tornado import routing, web
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError

LOCAL = ("localhost", "127.0.0.1")
EVERYWHERE = ("", "0.0.0.0", "::")


class Names:
    """The names, with the port, under which a browser may reach the server."""

    def __init__(self, address: str, port: int, more: Sequence[str] = ()) -> None:
        """Know this machine's own names, where all may reach it, and some more.

        Args:
            address: what the server is bound to; where that is every address of the machine, it is
                known by any address in numbers as well: only a name can be made to point here.
            port: where no other is named.
            more: names, each with a port or without.
        """
        names = [*LOCAL, *more]
        if address not in LOCAL:
            names += [f"[{address}]" if ":" in address else address, socket.gethostname()]
        with_port = [name if _port(name) else f"{name}:{port}" for name in names]
        self.names = tuple(dict.fromkeys(name.lower() for name in with_port))
        self.port, self.everywhere = port, address in EVERYWHERE

    def __contains__(self, host: str) -> bool:
        """Whether that is one of them; port 80 is meant where none is named."""
        host = host.lower() if _port(host) else f"{host.lower()}:80"
        return host in self.names or (self.everywhere and self._is_address(host))

    def _is_address(self, host: str) -> bool:
        try:
            place = urlsplit(f"//{host}")
            ipaddress.ip_address(place.hostname or "")
            return place.port == self.port
        except ValueError:
            return False


def _port(host: str) -> str:
    """Return the port in a host's name, or nothing."""
    return host.rpartition("]")[2].rpartition(":")[2] if ":" in host.rpartition("]")[2] else ""


class Stranger(routing.Matcher):
    """Matches a request by, or from, a name that is not known."""

    def __init__(self, known: Names) -> None:
        """Keep the names."""
        self.known = known

    def match(self, request: Any) -> dict[str, Any] | None:
        """Return what Refused is to be told, or None for a request that is welcome."""
        host = request.headers.get("Host", "")
        if host not in self.known:
            return {"path_kwargs": {"told": told(host, self.known)}}
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc not in self.known:
            return {"path_kwargs": {"told": told(origin, self.known)}}
        return None


def told(name: str, known: Names) -> str:
    """Return what a stranger is told."""
    return (
        f"This server is not known as {name[:100]!r}, only as {', '.join(known.names)}. "
        "Another name is made known to it by d2lrnn demo --host NAME."
    )


class Refused(web.RequestHandler):
    """Says that somebody is not let in, to whatever was asked."""

    def prepare(self) -> None:
        """Answer before any method is looked at."""
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(self.path_kwargs["told"])


def is_news(record: logging.LogRecord) -> bool:
    """Return whether a line of a log is worth showing: not that a viewer has left, as all do."""
    return "connection was closed" not in record.getMessage()


def complain(loop: Any, context: dict[str, Any]) -> None:
    """Tell of what went wrong on the way, but for a message to a viewer who has left."""
    if not isinstance(context.get("exception"), (StreamClosedError, WebSocketClosedError)):
        loop.default_exception_handler(context)


def guard(server: Any, known: Names) -> None:
    """Let nobody pass who asks for a Bokeh server by a name that is not known."""
    for name in ("bokeh.server.views.ws", "panel.io.document"):
        logging.getLogger(name).addFilter(is_news)
    router = server._tornado.default_router
    router.rules.insert(0, router.process_rule(routing.Rule(Stranger(known), Refused)))
