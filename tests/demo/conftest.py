"""A server of the demo, and a real browser that looks at it.

The browser is Chromium, where D2LRNN_CHROMIUM says or on the PATH. Each page that a test opens is
watched: an error on its console, a request that fails or one that leaves localhost fails the test.
"""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from urllib.parse import urlencode

import pytest
from playwright.sync_api import sync_playwright

PATIENCE = 90_000  # milliseconds; generous, for a slow machine with much else to do
DESK = {"width": 1280, "height": 720}


@pytest.fixture(scope="session")
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture(scope="session")
def server(port):
    """The address of a server as the command starts it; what it says must hold no traceback."""
    command = [sys.executable, "-m", "d2lrnn", "demo", "--no-show", "--port", str(port)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ
    )
    said = []
    reader = threading.Thread(target=lambda: said.extend(process.stdout), daemon=True)
    reader.start()
    address = f"http://127.0.0.1:{port}"
    wait_for(lambda: answers(address), lambda: f"no answer from {address}: {''.join(said)}")
    yield address
    process.terminate()
    process.wait(30)
    reader.join(30)
    assert "Traceback" not in "".join(said), "".join(said)


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return answer.status == 200
    except OSError:
        return False


def wait_for(condition, message, seconds=90):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, message()
        time.sleep(0.1)


@pytest.fixture(scope="session")
def chromium():
    path = os.environ.get("D2LRNN_CHROMIUM") or shutil.which("chromium")
    if not path:
        raise pytest.UsageError("no Chromium: install Debian's, or set D2LRNN_CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, server):
    """A function that opens a view in a browser session of its own, and returns its page."""
    contexts, trouble = [], []

    def visit(view="train", *, viewport=DESK, **query):
        context = chromium.new_context(viewport=viewport, accept_downloads=True)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        watch(page, trouble)
        page.goto(f"{server}/?{urlencode({'view': view, **query})}")
        page.get_by_role("button", name="Save picture").wait_for()
        return page

    yield visit
    for context in contexts:
        context.close()
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


class Reader:
    """What a page shows."""

    def __init__(self, page):
        self.page = page

    def number(self, name):
        """The text below a name in the row of numbers."""
        label = self.page.locator(".quiet", has_text=name).first
        return label.evaluate("node => node.nextElementSibling.textContent")

    def until(self, name, holds):
        """Wait until the text below a name is as it should be, and return it."""
        found = []

        def there():
            found[:] = [self.number(name)]
            return holds(found[0])

        wait_for(there, lambda: f"{name} stays {found}")
        return found[0]


@pytest.fixture
def read():
    return Reader
