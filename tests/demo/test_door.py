"""Which requests are accepted, by their host name and the host name of their page."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect


async def ask(server, headers):
    """What the page answers to some headers, and the status that a session's websocket gets."""
    answer = await AsyncHTTPClient().fetch(HTTPRequest(server))
    token = re.search(rb'"token":"([^"]+)"', answer.body)[1].decode()
    page = await AsyncHTTPClient().fetch(HTTPRequest(server, headers=headers), raise_error=False)
    request = HTTPRequest(server.replace("http", "ws", 1) + "/ws", headers=headers)
    try:
        socket = await websocket_connect(request, subprotocols=["bokeh", token])
    except HTTPClientError as error:
        return page, error.code
    socket.close()
    return page, 101


def answer_to(server, headers):
    """Return the result of ask from another thread, because this thread has a browser's loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, ask(server, headers)).result()


def test_a_browser_of_this_machine_is_admitted(server, port):
    own = {"Host": f"localhost:{port}", "Origin": f"http://localhost:{port}"}
    page, code = answer_to(server, own)
    assert (page.code, code) == (200, 101)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("evil.com:{}", "http://evil.com:{}"),  # a name that was made to point here
        ("evil.com:{}", None),
        ("evil.com:{}", "http://localhost:{}"),
        ("localhost:{}", "http://evil.com:{}"),
        ("localhost:{}", "null"),
        ("localhost", "http://localhost"),
        ("localhost.evil.com:{}", "http://localhost.evil.com:{}"),
    ],
)
def test_an_unknown_host_name_opens_neither_page_nor_websocket(server, port, host, origin):
    headers = {"Host": host.format(port)}
    if origin is not None:
        headers["Origin"] = origin.format(port)
    page, code = answer_to(server, headers)
    assert (page.code, code) == (403, 403)
    assert f"only localhost:{port}, 127.0.0.1:{port}" in page.body.decode()
