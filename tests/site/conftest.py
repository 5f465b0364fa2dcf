"""The site as it is built, and a real browser that reads it.

These tests need what the extra "docs" brings, playwright, and Chromium where D2LRNN_CHROMIUM says
or on the PATH. The ordinary suite does not collect them: pytest tests/site, or tox -e docs.
"""

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
WRITTEN = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [
    *(f"notebooks/{name}.html" for name in ["index", *NOTEBOOKS]),
    *(str(path.relative_to(ROOT / "docs").with_suffix(".html")) for path in WRITTEN),
    "contributing.html",
    "changelog.html",
]
LAPTOP = {"width": 1280, "height": 800}
PATIENCE = 90_000  # milliseconds; generous, for a slow machine with much else to do


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the site, built anew; a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    settings = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def address(site):
    """The address of a local server for the site."""
    handler = functools.partial(Quiet, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def chromium():
    """A browser with the screen of a small laptop."""
    path = os.environ.get("D2LRNN_CHROMIUM") or shutil.which("chromium")
    if not path:
        raise pytest.UsageError("no Chromium: install Debian's, or set D2LRNN_CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        context = browser.new_context(viewport=LAPTOP)
        context.set_default_timeout(PATIENCE)
        yield context
        browser.close()


@pytest.fixture(scope="module", params=PAGES)
def page(request, chromium, address):
    """A page of the site; ``trouble`` lists its errors."""
    page = chromium.new_page()
    page.trouble = []
    watch(page, page.trouble)
    page.goto(f"{address}/{request.param}", wait_until="networkidle")
    yield page
    page.close()


def watch(page, trouble):
    def outside(request):
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
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
    page.on("response", failed)
    page.on("requestfailed", lambda request: trouble.append(f"failed: {request.url}"))
