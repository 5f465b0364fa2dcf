"""A server of the demo, and a real browser.

The browser is Chromium, where D2LRNN_CHROMIUM says or on the PATH. Each page that a test opens is
watched: an error on its console, a request that fails or one that leaves localhost fails the test.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import urllib.request
from urllib.parse import urlencode

import looking
import pytest
from playwright.sync_api import sync_playwright

PATIENCE = 90_000  # milliseconds; generous, for a slow machine with much else to do
DESK = {"width": 1280, "height": 720}


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture(scope="session")
def port():
    return free_port()


@pytest.fixture(scope="session")
def server(port):
    """The address of a server that the command starts, which prints only its address."""
    yield from served(port)


@pytest.fixture(scope="session")
def lecture_server():
    """The same with the lecture of the package."""
    yield from served(free_port(), "--lecture")


def served(port, *options):
    command = [sys.executable, "-m", "d2lrnn", "demo", "--no-show", "--port", str(port), *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ
    )
    said = []
    reader = threading.Thread(target=lambda: said.extend(process.stdout), daemon=True)
    reader.start()
    address = f"http://127.0.0.1:{port}"
    looking.wait_for(lambda: answers(address), lambda: f"no answer from {address}: {''.join(said)}")
    yield address
    process.terminate()
    process.wait(30)
    reader.join(30)
    process.stdout.close()
    told = [line for line in said if not line.startswith("403 GET")]  # who is not let in
    assert told == [f"the demo is at http://localhost:{port}; end it with Ctrl-C\n"], "".join(said)


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.fixture(scope="session")
def chromium():
    """A browser whose pages share a cache, like the tabs of a viewer."""
    path = os.environ.get("D2LRNN_CHROMIUM") or shutil.which("chromium")
    if not path:
        raise pytest.UsageError("no Chromium: install Debian's, or set D2LRNN_CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        context = browser.new_context(viewport=DESK, accept_downloads=True)
        context.set_default_timeout(PATIENCE)
        yield context
        browser.close()


@pytest.fixture
def visit(chromium, server):
    """A function that opens a view in a new page, and so in a new session, and returns it."""
    with visiting(chromium) as opened:
        yield lambda view="train", **query: opened(server, view=view, **query)


@pytest.fixture
def visit_lecture(chromium, lecture_server):
    """The same for the lecture."""
    with visiting(chromium) as opened:
        yield lambda **query: opened(lecture_server, **query)


@contextlib.contextmanager
def visiting(chromium):
    pages, trouble = [], []

    def visit(server, **query):
        page = chromium.new_page()
        pages.append(page)
        watch(page, trouble)
        page.goto(f"{server}/?{urlencode(query)}")
        page.get_by_role("button", name="Save picture").wait_for()
        return page

    yield visit
    for page in pages:
        page.close()
    assert trouble == []


def watch(page, trouble):
    def outside(request):
        if not request.url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
            trouble.append(f"request to {request.url}")

    def failed(response):
        if response.status >= 400:
            trouble.append(f"{response.status} {response.url}")

    def said(message):
        if message.type in ("error", "warning"):
            trouble.append(f"console: {message.text}")

    page.on("console", said)
    page.on("pageerror", lambda error: trouble.append(f"page: {error}"))
    page.on("request", outside)
    page.on("websocket", outside)
    page.on("response", failed)
    page.on("requestfailed", lambda request: trouble.append(f"failed: {request.url}"))


@pytest.fixture
def read():
    """A function that gives the Reader of a page."""
    return looking.Reader
