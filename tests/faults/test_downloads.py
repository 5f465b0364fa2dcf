"""Downloads from servers that fail in various ways, on the loopback address."""

import contextlib
import hashlib
import http.server
import subprocess
import sys
import textwrap
import threading
import time
import zipfile

import numpy as np
import pytest

from d2lrnn.data import data_files, datasets

CONTENT = np.random.default_rng(0).bytes(100_000)
HASH = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


class Faulty(http.server.BaseHTTPRequestHandler):
    """A server that does what the path says."""

    protocol_version = "HTTP/1.1"
    released = threading.Event()

    def do_GET(self):
        self.close_connection = True
        fault, _, number = self.path.strip("/").partition("/")
        getattr(self, f"send_{fault}")(int(number or 0))

    def begin(self, status=200, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def send_whole(self, _):
        self.begin(Content_Length=len(CONTENT))
        self.wfile.write(CONTENT)

    def send_slowly(self, _):
        self.begin(Content_Length=len(CONTENT))
        for start in range(0, len(CONTENT), 10_000):
            self.wfile.write(CONTENT[start : start + 10_000])
            time.sleep(0.05)

    def send_part(self, size):
        """The connection ends early."""
        self.begin(Content_Length=len(CONTENT))
        self.wfile.write(CONTENT[:size])

    def send_short(self, size):
        """The connection ends early, and nothing has said how much was to come."""
        self.begin(Connection="close")
        self.wfile.write(CONTENT[:size])

    def send_wrong(self, _):
        self.begin(Content_Length=len(CONTENT))
        self.wfile.write(CONTENT[::-1])

    def send_status(self, status):
        self.begin(status, Content_Length=5)
        self.wfile.write(b"sorry")

    def send_loop(self, _):
        self.begin(302, Location="/loop", Content_Length=0)

    def send_chain(self, number):
        self.begin(302, Location=f"/chain/{number + 1}", Content_Length=0)

    def send_silence(self, _):
        self.released.wait(20)

    def send_stall(self, size):
        self.begin(Content_Length=len(CONTENT))
        self.wfile.write(CONTENT[:size])
        self.wfile.flush()
        self.released.wait(20)

    def log_message(self, *args):
        pass


@pytest.fixture
def faulty(server):
    """The address of a faulty server; the fixture server sees to the cache and the warnings."""
    Faulty.released.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Faulty) as httpd:
        threading.Thread(target=httpd.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        Faulty.released.set()
        httpd.shutdown()


def assert_fails(url, cache):
    """One message with the three ways out, in time, and nothing left behind."""
    start = time.perf_counter()
    with pytest.raises(data_files.DownloadError) as error:
        data_files.fetch("book.txt", url, HASH, instead="do without")
    assert time.perf_counter() - start < 10
    message = str(error.value)
    assert message.startswith(f"cannot download book.txt from {url} (")
    assert message.endswith(
        "Do one of the following: connect to the internet and try again; put the file into a "
        "folder and set the environment variable D2LRNN_DATA to that folder; or do without"
    )
    assert "\n" not in message
    assert list(cache.glob("*")) == []


@pytest.mark.parametrize("fault", ["part", "short"])
def test_a_truncated_download_is_refused_at_every_length(faulty, tmp_path, faults, fault):
    for size in np.linspace(0, len(CONTENT) - 1, faults(5, 50)).astype(int):
        assert_fails(f"{faulty}/{fault}/{size}", tmp_path / "cache")


@pytest.mark.parametrize(
    "fault",
    ["wrong", "status/404", "status/500", "status/503", "loop", "chain", "silence", "stall/5000"],
)
def test_a_download_that_fails_leaves_one_message_and_nothing_else(
    faulty, tmp_path, monkeypatch, fault
):
    monkeypatch.setattr(data_files, "TIMEOUT", 0.3)
    assert_fails(f"{faulty}/{fault}", tmp_path / "cache")


def test_a_connection_that_is_refused_is_the_same(faulty, tmp_path):
    assert_fails("http://127.0.0.1:1/book", tmp_path / "cache")


def test_a_complete_download_equals_the_sent_bytes(faulty):
    path = data_files.fetch("book.txt", f"{faulty}/whole", HASH, instead="do without")
    assert path.read_bytes() == CONTENT


def test_a_damaged_file_in_the_cache_is_downloaded_again(faulty, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "book.txt").write_bytes(CONTENT[:100])
    path = data_files.fetch("book.txt", f"{faulty}/whole", HASH, instead="do without")
    assert path.read_bytes() == CONTENT


def test_a_damaged_file_in_the_cache_is_never_used(faulty, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "book.txt").write_bytes(CONTENT[:100])
    with pytest.raises(data_files.DownloadError):
        data_files.fetch("book.txt", f"{faulty}/wrong", HASH, instead="do without")


def test_the_hash_is_checked_before_the_file_takes_its_name(faulty, tmp_path):
    """Whoever looks while it is downloaded sees no file, or the whole one."""
    path, seen = tmp_path / "cache" / "book.txt", []
    arguments = "book.txt", f"{faulty}/slowly", HASH
    thread = threading.Thread(
        target=data_files.fetch, args=arguments, kwargs={"instead": "do without"}
    )
    thread.start()
    while thread.is_alive():
        seen.append(path.stat().st_size if path.exists() else 0)
        time.sleep(0.001)
    assert 0 in seen
    assert set(seen) <= {0, len(CONTENT)}
    assert path.read_bytes() == CONTENT


FETCH = """
import pathlib, sys
import pooch
from d2lrnn.data import data_files
pooch.os_cache = lambda name: pathlib.Path(sys.argv[3])
print(data_files.fetch("book.txt", sys.argv[1], sys.argv[2], instead="do without"))
"""


def test_two_processes_that_download_at_once_both_end_with_a_good_file(faulty, tmp_path):
    arguments = [f"{faulty}/slowly", HASH, str(tmp_path / "cache")]
    command = [sys.executable, "-c", textwrap.dedent(FETCH), *arguments]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in processes:
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert said.strip() == str(tmp_path / "cache" / "book.txt")
    assert (tmp_path / "cache" / "book.txt").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["book.txt"]


def link(name):
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return info


@pytest.mark.parametrize(
    ("member", "words"),
    [
        ("../outside.txt", "'../outside.txt', which is outside its folder"),
        ("a/../../outside.txt", "which is outside its folder"),
        ("/etc/outside.txt", "'/etc/outside.txt', which is outside its folder"),
        ("..\\outside.txt", "which is outside its folder"),
        ("C:\\outside.txt", "which is outside its folder"),
        (link("fra-eng/link"), "'fra-eng/link', which is a link"),
        (link(datasets.FRA_ENG_MEMBER), "which is a link"),
    ],
)
def test_an_archive_that_reaches_outside_its_folder_is_refused(tmp_path, member, words):
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, "/etc/passwd")
        if getattr(member, "filename", "") != datasets.FRA_ENG_MEMBER:
            archive.writestr(datasets.FRA_ENG_MEMBER, "Go.\tVa !\n")
    with pytest.raises(ValueError) as error:
        datasets._read_member(path, datasets.FRA_ENG_MEMBER, 1000)
    assert str(error.value).startswith(f"{path} holds ")
    assert words in str(error.value)
    assert [found.name for found in tmp_path.iterdir()] == ["archive.zip"]


def test_an_archive_that_never_ends_is_refused(tmp_path):
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(datasets.FRA_ENG_MEMBER, bytes(50_000_000))
    with pytest.raises(ValueError, match="is larger than 1000000 bytes"):
        datasets._read_member(path, datasets.FRA_ENG_MEMBER, 1_000_000)


def test_a_damaged_archive_gives_its_content_or_a_clear_error(tmp_path, faults):
    path, rng = tmp_path / "archive.zip", np.random.default_rng(0)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(datasets.FRA_ENG_MEMBER, "Go.\tVa !\n" * 100)
    whole = path.read_bytes()
    for _ in range(faults(100, 1000)):
        position = rng.integers(len(whole))
        path.write_bytes(whole[:position] + rng.bytes(4) + whole[position + 4 :])
        with contextlib.suppress(ValueError):  # some bytes of an archive mean nothing
            content = datasets._read_member(path, datasets.FRA_ENG_MEMBER, 1000)
            assert content == b"Go.\tVa !\n" * 100
