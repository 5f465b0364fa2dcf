"""Accept only requests whose Host and Origin are known host names of the server.

This prevents DNS rebinding: another site can make its own host name resolve to this machine and
then request the demo by that name, so that the browser treats both as the same site.
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
        """Collect the local names, the names of this machine if it is public, and more names.

        Args:
            address: the address that the server is bound to. If these are all addresses of the
                machine, every numeric address is accepted, since only a name can be made to resolve
                to this machine.
            port: the default port.
            more: more host names, each with or without a port.
        """
        names = [*LOCAL, *more]
        if address not in LOCAL:
            names += [f"[{address}]" if ":" in address else address, socket.gethostname()]
        with_port = [name if _port(name) else f"{name}:{port}" for name in names]
        self.names = tuple(dict.fromkeys(name.lower() for name in with_port))
        self.port, self.everywhere = port, address in EVERYWHERE

    def __contains__(self, host: str) -> bool:
        """Return whether a host is known; the default port is 80."""
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
    """Return the port in a host name, or an empty string."""
    return host.rpartition("]")[2].rpartition(":")[2] if ":" in host.rpartition("]")[2] else ""


class Stranger(routing.Matcher):
    """Matches requests with an unknown Host or Origin."""

    def __init__(self, names: Names) -> None:
        """Store the known names."""
        self.names = names

    def match(self, request: Any) -> dict[str, Any] | None:
        """Return the arguments for Refused, or None for a request to accept."""
        host = request.headers.get("Host", "")
        if host not in self.names:
            return {"path_kwargs": {"message": refusal(host, self.names)}}
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc not in self.names:
            return {"path_kwargs": {"message": refusal(origin, self.names)}}
        return None


def refusal(name: str, names: Names) -> str:
    """Return the message for a refused request."""
    return (
        f"This server does not accept the name {name[:100]!r}, only {', '.join(names.names)}. "
        "To add a name, start the server with d2lrnn demo --host NAME."
    )


class Refused(web.RequestHandler):
    """Answers every refused request with status 403 and a message."""

    def prepare(self) -> None:
        """Answer before the HTTP method is handled."""
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(self.path_kwargs["message"])


def is_news(record: logging.LogRecord) -> bool:
    """Return whether to show a log record; closed connections are normal and not shown."""
    return "connection was closed" not in record.getMessage()


def complain(loop: Any, context: dict[str, Any]) -> None:
    """Report exceptions of the event loop, except for messages to closed connections."""
    if not isinstance(context.get("exception"), (StreamClosedError, WebSocketClosedError)):
        loop.default_exception_handler(context)


def guard(server: Any, names: Names) -> None:
    """Make a Bokeh server refuse requests with unknown host names."""
    for name in ("bokeh.server.views.ws", "panel.io.document"):
        logging.getLogger(name).addFilter(is_news)
    router = server._tornado.default_router
    router.rules.insert(0, router.process_rule(routing.Rule(Stranger(names), Refused)))
