"""Functions that read or write files refuse paths that are not files, without waiting."""

import os
import threading

import numpy as np
import pytest
from not_files import NO_TEXTS

from d2lrnn.data import datasets, reading
from d2lrnn.files import atomic, pictures

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="files of Unix"),
    pytest.mark.usefixtures("in_time"),
]
TEXT = "the clock ticks and tocks\n" * 60


@pytest.fixture
def train(rnn, make_net, builtin):
    """A function that trains for an epoch, with a checkpoint."""
    corpus, vocab = builtin

    def train(path, **settings):
        loader, net = rnn.SeqDataLoader(corpus[:240], 4, 8, seed=0), make_net(len(vocab))
        return rnn.train_ch8(net, loader, vocab, 1, 1, checkpoint=path, progress=False, **settings)

    return train


@pytest.mark.parametrize("resume", [False, True])
def test_no_checkpoint_is_saved_to_a_path_that_is_not_a_file(train, tmp_path, not_a_file, resume):
    path, words = not_a_file(tmp_path / "run")
    with pytest.raises(OSError, match=words) as error:
        train(path, resume=resume)
    assert str(error.value).startswith(f"cannot write {path}: ")


@pytest.mark.parametrize("resume", [False, True])
def test_a_checkpoint_without_a_name_or_a_folder_is_refused(train, tmp_path, resume):
    for path, words in (("", "is empty; give a name"), (tmp_path / "no" / "run", "is missing")):
        with pytest.raises(FileNotFoundError, match=words):
            train(path, resume=resume)


def test_no_model_is_written_to_a_path_that_is_not_a_file(rnn, make_net, tmp_path, not_a_file):
    path, words = not_a_file(tmp_path / "m")
    with pytest.raises(OSError, match=words) as error:
        rnn.save_model(path, make_net(), rnn.Vocab("abcd"))
    assert str(error.value).startswith(f"cannot write {path}: ")


def test_no_model_is_read_from_a_path_that_is_not_a_file(rnn, tmp_path, not_a_file):
    path, _ = not_a_file(tmp_path / "m")
    with pytest.raises((OSError, rnn.CheckpointError)) as error:
        rnn.load_model(path)
    assert os.fspath(path) in f"{error.value} {error.value.filename}"


@pytest.mark.parametrize("not_a_file", NO_TEXTS.values(), ids=NO_TEXTS, indirect=True)
@pytest.mark.parametrize("name", ["read_text", "load_data_text"])
def test_no_text_is_read_from_a_path_that_is_neither_a_file_nor_a_pipe(
    rnn, tmp_path, not_a_file, name
):
    path, _ = not_a_file(tmp_path / "text")
    with pytest.raises(OSError) as error:
        getattr(rnn, name)(path, *([] if name == "read_text" else [4, 8]))
    assert os.fspath(path) in f"{error.value} {error.value.filename}"


@pytest.fixture
def pipe():
    """The name of a pipe that a text is written into."""
    reads, writes = os.pipe()
    os.write(writes, TEXT.encode())
    os.close(writes)
    yield f"/dev/fd/{reads}"
    os.close(reads)


def test_a_pipe_is_read_like_a_file(rnn, pipe):
    assert "".join(rnn.read_text(pipe)) == TEXT


def test_a_text_from_a_pipe_is_trained_on_like_a_file(rnn, tmp_path, pipe):
    (tmp_path / "text").write_text(TEXT)
    loaded = [rnn.load_data_text(path, 4, 8) for path in (pipe, tmp_path / "text")]
    corpora = [np.asarray(loader.corpus) for loader, _ in loaded]
    np.testing.assert_array_equal(*corpora)
    assert loaded[0][1].idx_to_token == loaded[1][1].idx_to_token


def test_a_pipe_with_a_name_is_read_once_a_program_writes_to_it(rnn, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Timer(0.2, (tmp_path / "pipe").write_text, [TEXT])
    writer.start()
    assert "".join(rnn.read_text(tmp_path / "pipe")) == TEXT
    writer.join()


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_pipe_that_no_program_writes_to_is_not_waited_for(rnn, monkeypatch, tmp_path, mode):
    monkeypatch.setattr(reading, "PATIENCE", 0.2)
    os.mkfifo(tmp_path / "pipe", mode)
    handles = os.listdir("/dev/fd")
    with pytest.raises(TimeoutError, match="pipe that no program has opened for writing within 0"):
        rnn.read_text(tmp_path / "pipe")
    assert os.listdir("/dev/fd") == handles


@pytest.mark.parametrize("name", ["read_text", "load_data_text"])
def test_a_pipe_with_too_much_data_is_refused(rnn, monkeypatch, pipe, name):
    monkeypatch.setattr(reading, "MAX_PIPED", 1000)
    with pytest.raises(ValueError, match=f"{pipe} yields more than 1,000 bytes without an end"):
        getattr(rnn, name)(pipe, *([] if name == "read_text" else [4, 8]))


def test_a_file_may_have_any_size(rnn, monkeypatch, tmp_path):
    monkeypatch.setattr(reading, "MAX_PIPED", 1000)
    (tmp_path / "text").write_text(TEXT)
    assert "".join(rnn.read_text(tmp_path / "text")) == TEXT


def test_a_file_with_a_limit_of_a_few_bytes_is_not_read_further():
    with pytest.raises(ValueError, match=f"{__file__} is larger than 100 bytes"):
        reading.content(__file__, 100)


def test_a_data_folder_holds_files(reference, monkeypatch, tmp_path, not_a_file):
    not_a_file(tmp_path / "timemachine.txt")
    monkeypatch.setenv("D2LRNN_DATA", os.fspath(tmp_path))
    monkeypatch.setattr("d2lrnn.data.data_files._retrieve", lambda *_: 1 / 0)
    with pytest.raises((OSError, ZeroDivisionError)):  # there is none: it would be downloaded
        reference.read_time_machine()


def test_no_images_are_read_from_a_path_that_is_not_a_file(tmp_path, not_a_file):
    path, _ = not_a_file(tmp_path / "images")
    with pytest.raises((OSError, ValueError)):
        datasets.read_idx(path, (1, 2, 2))


def test_no_figure_is_saved_to_a_path_that_is_not_a_file(tmp_path, not_a_file):
    path, words = not_a_file(tmp_path / "p.png")
    with pytest.raises(OSError, match=f"cannot write {path}: .*{words}"):
        pictures.save(None, path)


def test_a_path_that_is_not_a_file_is_not_replaced(tmp_path, not_a_file):
    path, _ = not_a_file(tmp_path / "f")
    before = os.lstat(path).st_ino if path.parent.is_dir() else None
    with pytest.raises(OSError):
        atomic.replace(path, b"content")
    assert before is None or os.lstat(path).st_ino == before


def test_checking_a_writable_file_does_not_change_it(tmp_path):
    (tmp_path / "f").write_bytes(b"before")
    for name in ("f", "new"):
        atomic.check_writable(tmp_path / name)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"f": b"before"}


def test_a_link_to_a_file_is_accepted_as_an_output(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "f")
    for _ in range(2):
        atomic.check_writable(tmp_path / "link")
        atomic.replace(tmp_path / "link", b"content")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "f").read_bytes() == b"content"
