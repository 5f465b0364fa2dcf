"""Files: at hand, downloaded from a server on this machine, and missing."""

import gc
import hashlib
import http.server
import threading
import warnings

import pytest

from d2lrnn import corpora

CONTENT = b"The Time Machine, by H. G. Wells [1898]\n\n\nI\n"


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve a folder on the loopback address; use an empty cache and no data folder."""
    root = tmp_path / "server"
    root.mkdir()
    (root / "book.txt").write_bytes(CONTENT)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(root))

        def log_message(self, *args):
            pass

    monkeypatch.setenv("D2LRNN_DATA", "")
    monkeypatch.setattr(corpora.pooch, "os_cache", lambda name: tmp_path / "cache")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
    with warnings.catch_warnings():  # pooch leaves the connection of a failed download to the
        warnings.simplefilter("ignore", ResourceWarning)  # garbage collector
        gc.collect()


def sha1(content):
    return hashlib.sha1(content).hexdigest()


def test_a_file_is_downloaded_once_and_then_comes_from_the_cache(server):
    path = corpora.fetch("book.txt", f"{server}/book.txt", sha1(CONTENT))
    assert path.read_bytes() == CONTENT
    again = corpora.fetch("book.txt", "http://127.0.0.1:1/book.txt", sha1(CONTENT))
    assert again == path


@pytest.mark.parametrize("file", ["missing.txt", "book.txt"])
def test_a_failed_download_names_three_ways_out_and_leaves_nothing(server, file, tmp_path):
    with pytest.raises(corpora.DownloadError) as error:
        corpora.fetch("wanted.txt", f"{server}/{file}", sha1(b"something else"))
    for words in ("wanted.txt", "connect to the internet", "D2LRNN_DATA", "--corpus builtin"):
        assert words in str(error.value)
    assert list((tmp_path / "cache").glob("*")) == []


def test_a_refused_connection_is_the_same_error(server):
    with pytest.raises(corpora.DownloadError, match="Three ways out"):
        corpora.fetch("book.txt", "http://127.0.0.1:1/book.txt", sha1(CONTENT))


def test_the_data_folder_is_looked_in_first(server, tmp_path, monkeypatch):
    monkeypatch.setenv("D2LRNN_DATA", str(tmp_path))
    (tmp_path / "book.txt").write_bytes(CONTENT)
    path = corpora.fetch("book.txt", "http://127.0.0.1:1/book.txt", sha1(CONTENT))
    assert path == tmp_path / "book.txt"


def test_another_file_in_the_data_folder_is_refused(server, tmp_path, monkeypatch):
    monkeypatch.setenv("D2LRNN_DATA", str(tmp_path))
    (tmp_path / "book.txt").write_bytes(b"something else")
    with pytest.raises(ValueError, match="has the SHA-1"):
        corpora.fetch("book.txt", f"{server}/book.txt", sha1(CONTENT))


def test_the_time_machine_is_read_as_letters_and_spaces(server, tmp_path, monkeypatch):
    monkeypatch.setenv("D2LRNN_DATA", str(tmp_path))
    (tmp_path / "timemachine.txt").write_bytes(CONTENT)
    monkeypatch.setattr(corpora, "TIME_MACHINE_SHA1", sha1(CONTENT))
    assert corpora.read_time_machine() == ["the time machine by h g wells", "", "", "i"]


def test_the_built_in_corpus_is_long_enough_and_plain():
    story = "".join(corpora.read_builtin())
    assert len(story) >= 12000
    assert story.isascii()
    assert story.endswith("\n")


def test_a_text_is_read_with_nothing_changed_but_its_line_ends(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("\ufeffEins\r\nzwei\rdrei\n\nvier é".encode())
    assert corpora.read_text(path) == ["Eins\n", "zwei\n", "drei\n", "\n", "vier é\n"]


def test_a_file_that_is_no_utf8_says_where(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes(b"abc\xe9!")
    with pytest.raises(ValueError) as error:
        corpora.read_text(path)
    assert str(error.value) == f"{path} is not UTF-8: byte 3 is 0xe9; save the file as UTF-8"


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_a_file_without_text_is_refused(tmp_path, content):
    (tmp_path / "empty.txt").write_bytes(content)
    with pytest.raises(ValueError, match="holds no text"):
        corpora.read_text(tmp_path / "empty.txt")
