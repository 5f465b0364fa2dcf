"""Files: available, downloaded from a server on this machine, and missing."""

import hashlib

import pooch
import pytest

from d2lrnn.data import corpora, data_files, datasets, tensor_loaders

CONTENT = b"The Time Machine, by H. G. Wells [1898]\n\n\nI\n"


@pytest.fixture
def server(server, tmp_path):
    """Serve a book."""
    (tmp_path / "server" / "book.txt").write_bytes(CONTENT)
    return server


def fetch(name, url, content):
    known_hash = f"sha1:{hashlib.sha1(content).hexdigest()}"
    return data_files.fetch(name, url, known_hash, instead="do without")


def test_a_file_is_downloaded_once_and_then_comes_from_the_cache(server):
    path = fetch("book.txt", f"{server}/book.txt", CONTENT)
    assert path.read_bytes() == CONTENT
    again = fetch("book.txt", "http://127.0.0.1:1/book.txt", CONTENT)
    assert again == path


@pytest.mark.parametrize("file", ["missing.txt", "book.txt"])
def test_a_failed_download_names_three_remedies_and_leaves_no_file(server, file, tmp_path):
    with pytest.raises(data_files.DownloadError) as error:
        fetch("wanted.txt", f"{server}/{file}", b"something else")
    for words in ("wanted.txt", "connect to the internet", "D2LRNN_DATA", "or do without"):
        assert words in str(error.value)
    assert list((tmp_path / "cache").glob("*")) == []


def test_a_refused_connection_is_the_same_error(server):
    with pytest.raises(data_files.DownloadError, match="Do one of the following"):
        fetch("book.txt", "http://127.0.0.1:1/book.txt", CONTENT)


@pytest.fixture
def asked(server, monkeypatch):
    """The list of requested addresses; https addresses do not answer."""
    addresses, retrieve = [], pooch.retrieve

    def note(url, *args, **settings):
        addresses.append(url)
        if url.startswith("https"):
            raise ConnectionError("no https here")
        return retrieve(url, *args, **settings)

    monkeypatch.setattr(pooch, "retrieve", note)
    return addresses


def test_https_is_tried_first_and_then_http(server, asked):
    url = f"{server}/book.txt".replace("http", "https")
    assert fetch("book.txt", url, CONTENT).read_bytes() == CONTENT
    assert asked == [url, f"{server}/book.txt"]


def test_if_neither_server_answers_the_error_is_that_of_https(server, asked):
    with pytest.raises(data_files.DownloadError, match=r"from https://.*no https here\). Do one"):
        fetch("wanted.txt", f"{server}/missing".replace("http", "https"), CONTENT)


@pytest.mark.parametrize("read", [corpora.read_time_machine, datasets.read_fra_eng])
def test_files_of_the_book_are_downloaded_over_https(server, asked, monkeypatch, read):
    monkeypatch.setattr(data_files, "TIMEOUT", 0.01)
    with pytest.raises(data_files.DownloadError):
        read()
    assert asked[0].startswith("https://d2l-data")


@pytest.mark.parametrize(("value", "shown"), [("0", False), ("1", True)])
def test_the_bar_of_a_download_can_be_turned_off(server, monkeypatch, value, shown):
    monkeypatch.setenv("D2LRNN_PROGRESS", value)
    monkeypatch.setattr(data_files.sys.stderr, "isatty", lambda: True, raising=False)
    made, downloader = [], pooch.HTTPDownloader

    def make(*, progressbar, timeout):
        made.append(progressbar)
        return downloader(timeout=timeout)

    monkeypatch.setattr(pooch, "HTTPDownloader", make)
    fetch("book.txt", f"{server}/book.txt", CONTENT)
    assert made == [shown]


def test_the_data_folder_is_searched_first(server, tmp_path, monkeypatch):
    monkeypatch.setenv("D2LRNN_DATA", str(tmp_path))
    (tmp_path / "book.txt").write_bytes(CONTENT)
    path = fetch("book.txt", "http://127.0.0.1:1/book.txt", CONTENT)
    assert path == tmp_path / "book.txt"


def test_another_file_in_the_data_folder_is_refused(server, tmp_path, monkeypatch):
    monkeypatch.setenv("D2LRNN_DATA", str(tmp_path))
    (tmp_path / "book.txt").write_bytes(b"something else")
    with pytest.raises(ValueError, match="has the sha1"):
        fetch("book.txt", f"{server}/book.txt", CONTENT)


def test_a_file_can_be_identified_by_its_sha256(server, tmp_path, monkeypatch):
    monkeypatch.setenv("D2LRNN_DATA", str(tmp_path))
    (tmp_path / "book.txt").write_bytes(CONTENT)
    url, known_hash = f"{server}/book.txt", f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    available = data_files.fetch("book.txt", url, known_hash, instead="")
    downloaded = data_files.fetch("another.txt", url, known_hash, instead="")
    assert available == tmp_path / "book.txt"
    assert downloaded.read_bytes() == CONTENT


def test_a_hash_of_another_kind_is_refused(server):
    with pytest.raises(ValueError) as error:
        data_files.fetch("book.txt", f"{server}/book.txt", "md5:0123", instead="")
    expected = "the kind of known_hash is 'md5'; expected one of 'sha1', 'sha256'"
    assert str(error.value) == expected


def test_the_error_without_the_time_machine_mentions_the_built_in_corpus(server, monkeypatch):
    monkeypatch.setattr(corpora, "TIME_MACHINE_URL", "http://127.0.0.1:1/timemachine.txt")
    with pytest.raises(data_files.DownloadError, match="or use the built-in corpus, which needs"):
        corpora.read_time_machine()


def test_the_time_machine_is_read_as_letters_and_spaces(server, tmp_path, monkeypatch):
    monkeypatch.setenv("D2LRNN_DATA", str(tmp_path))
    (tmp_path / "timemachine.txt").write_bytes(CONTENT)
    monkeypatch.setattr(corpora, "TIME_MACHINE_HASH", "sha1:" + hashlib.sha1(CONTENT).hexdigest())
    assert corpora.read_time_machine() == ["the time machine by h g wells", "", "", "i"]


def test_the_built_in_corpus_is_long_enough_and_plain():
    story = "".join(corpora.read_builtin())
    assert len(story) >= 12000
    assert story.isascii()
    assert story.endswith("\n")


def test_a_text_is_read_with_nothing_changed_but_its_line_ends(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("\ufeffEins\r\nzwei\rdrei\n\nvier é".encode())
    assert corpora.read_text(path) == ["Eins\n", "zwei\n", "drei\n", "\n", "vier é"]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"abc", ["abc"]),
        (b"abc\n", ["abc\n"]),
        (b"abc\n\n", ["abc\n", "\n"]),
        (b"a\r\nb", ["a\n", "b"]),
        (b"a\r\nb\r\n", ["a\n", "b\n"]),
        (b"a\rb\r", ["a\n", "b\n"]),
        (b"a\n ", ["a\n", " "]),
        (b"\nab", ["\n", "ab"]),
        ("a\x0bb\x85c\u2028d".encode(), ["a\x0bb\x85c\u2028d"]),
    ],
)
def test_a_text_has_the_line_ends_of_its_file(tmp_path, content, lines):
    (tmp_path / "text").write_bytes(content)
    assert corpora.read_text(tmp_path / "text") == lines
    assert "".join(corpora.read_blocks(tmp_path / "text")) == "".join(lines)


@pytest.mark.parametrize(
    ("end", "tokens"), [("", "abc "), ("\n", "abc \n"), ("\r\n", "abc \n"), ("\n\n", "abc \n")]
)
def test_the_vocabulary_and_the_ids_are_those_of_the_file(rnn, tmp_path, end, tokens):
    (tmp_path / "text").write_bytes(("abc " * 20 + end).encode())
    loader, vocab = rnn.load_data_text(tmp_path / "text", 2, 5)
    assert set(vocab) == {"<unk>", *tokens}
    said = "".join(vocab.to_tokens(loader.corpus))
    assert said == "abc " * 20 + end.replace("\r\n", "\n")


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_words_do_not_depend_on_the_end_of_the_file(rnn, tmp_path, end):
    (tmp_path / "text").write_bytes(("to be or not " * 9 + "to be" + end).encode())
    loader, vocab = rnn.load_data_text(tmp_path / "text", 2, 5, token="word")
    assert (len(loader.corpus), set(vocab)) == (38, {"<unk>", "to", "be", "or", "not"})


def test_the_error_for_a_file_that_is_not_utf8_names_the_position(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes(b"abc\xe9!")
    with pytest.raises(ValueError) as error:
        corpora.read_text(path)
    assert str(error.value) == (
        f"{path} is not UTF-8: byte 3 is 0xe9; "
        "save the file as UTF-8, or give its encoding, such as encoding='latin-1' (--encoding)"
    )


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_a_file_without_text_is_refused(tmp_path, content):
    (tmp_path / "empty.txt").write_bytes(content)
    with pytest.raises(ValueError, match="holds no text"):
        corpora.read_text(tmp_path / "empty.txt")


ODD_TEXTS = [
    "\ufeffEins\r\nzwei\rdrei\n\nvier é",
    "a\r",
    "👩‍👧 👩‍👧\r\n\r\n𐍈\n",
    " lead and trail  ",
    "onewordwithoutanyspaceatall" * 5,
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("content", ODD_TEXTS)
def test_reading_in_blocks_gives_the_same_text_and_cuts_no_word(
    tmp_path, monkeypatch, content, size
):
    (tmp_path / "text").write_bytes(content.encode())
    monkeypatch.setattr(corpora, "BLOCK", size)
    blocks, lines = (list(f(tmp_path / "text")) for f in (corpora.read_blocks, corpora.read_text))
    assert "".join(blocks) == "".join(lines)
    words = [word for block in blocks for word in block.split()]
    assert words == "".join(lines).split()


def test_a_word_without_end_is_not_copied_again_and_again(tmp_path, monkeypatch):
    (tmp_path / "text").write_bytes(b"x" * 100_000)
    monkeypatch.setattr(corpora, "BLOCK", 10)
    asked = []
    monkeypatch.setattr(corpora, "_end_of_words", lambda text: asked.append(len(text)) or 0)
    assert "".join(corpora.read_blocks(tmp_path / "text")) == "x" * 100_000
    assert max(asked) <= 11


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize("content", [b"abc\xe9!", b"\xef\xbb\xbfab\xff", b"abcde\xf0\x9f\x91", b""])
def test_invalid_bytes_are_located_when_reading_in_blocks(tmp_path, monkeypatch, content, size):
    (tmp_path / "text").write_bytes(content)
    with pytest.raises(ValueError) as whole:
        corpora.read_text(tmp_path / "text")
    monkeypatch.setattr(corpora, "BLOCK", size)
    with pytest.raises(ValueError) as in_blocks:
        list(corpora.read_blocks(tmp_path / "text"))
    assert str(in_blocks.value) == str(whole.value)


def test_a_further_corpus_is_one_entry(monkeypatch, rnn):
    monkeypatch.setitem(corpora.CORPORA, "abc", corpora.Corpus(lambda: ["abcabcabc\n"] * 9, "ab"))
    load = tensor_loaders.with_tensors(tensor_loaders.load_data, rnn.from_numpy)
    loader, vocab = load("abc", 2, 4)
    X, _ = next(iter(loader))
    assert (tuple(X.shape), len(vocab)) == ((2, 4), 5)


@pytest.mark.parametrize("name", corpora.CORPORA)
def test_a_corpus_has_the_same_name_in_the_interface(rnn, name):
    assert callable(getattr(rnn, f"load_data_{name.replace('-', '_')}"))


def test_an_unknown_corpus_is_refused():
    with pytest.raises(ValueError, match=r"corpus is .abc.; expected .*builtin"):
        tensor_loaders.load_data("abc", 2, 4)
