"""Printing never ends a training: what cannot be printed is escaped, or left out."""

import io
import sys
import threading

import pytest

from d2lrnn.numpy import xor
from d2lrnn.recipes import min_char
from d2lrnn.training.progress import bar, printable

TEXT = "Grüße an 漢字 😀 \ud800 "


class Broken(io.StringIO):
    """A pipe whose reading end is closed."""

    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")

    flush = isatty = write


class Full(io.StringIO):
    """A file on a disk that is full, unless there is room."""

    def __init__(self, *, room=False):
        super().__init__()
        self.room = room

    def write(self, text):
        if not self.room:
            raise OSError(28, "No space left on device")
        return super().write(text)


def encoded(encoding, errors):
    return lambda: io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=errors)


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


STREAMS = {
    "ascii": encoded("ascii", "strict"),
    "the C locale": encoded("ascii", "surrogateescape"),
    "latin-1": encoded("latin-1", "strict"),
    "utf-8": encoded("utf-8", "strict"),
    "a broken pipe": Broken,
    "a full disk": Full,
    "a closed file": closed,
    "none": lambda: None,
}


@pytest.fixture(params=STREAMS.values(), ids=STREAMS)
def stream(request):
    """A stream that cannot print all of a text, or nothing at all."""
    return request.param()


@pytest.fixture
def corpus(rnn):
    """A loader over a text of characters that few encodings have, and its Vocab."""
    vocab = rnn.Vocab(TEXT)
    return rnn.SeqDataLoader(vocab[list(TEXT * 5)], 2, 5, seed=0), vocab


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_language_model_is_trained_to_its_end(rnn, make_net, corpus, monkeypatch, stream, name):
    train_iter, vocab = corpus
    settings = {"prefix": TEXT, "sample_every": 1, "progress": True}
    monkeypatch.setattr(sys, name, stream)
    history = rnn.train_ch8(make_net(len(vocab)), train_iter, vocab, 1, 3, **settings)
    assert len(history.perplexity) == 3
    assert [text.startswith(TEXT) for _, text in history.samples] == [True] * 3


def test_a_network_over_sequences_is_trained_to_its_end(rnn, monkeypatch, stream):
    net = rnn.SequenceClassifierScratch(3, 4, 2, seed=0)
    loader = rnn.BatchLoader([[1, 2], [2, 1]], [0, 1], batch_size=2, seed=0)
    monkeypatch.setattr(sys, "stderr", stream)
    assert len(rnn.train_sequences(net, loader, 0.05, 3, progress=True).loss) == 3


def test_the_recipe_is_followed_to_its_end(reference, monkeypatch, stream):
    corpus, vocab = min_char.character_corpus([TEXT * 5])
    functions = reference.get_params, reference.init_rnn_state, reference.rnn
    net = reference.RNNModelScratch(len(vocab), 4, *functions, seed=0)
    monkeypatch.setattr(sys, "stdout", stream)
    seen = min_char.train_min_char(net, corpus, vocab, 3, sample_every=1, progress=False)
    assert len(seen.samples) == 3


def test_exclusive_or_is_learned_to_its_end(monkeypatch, stream):
    monkeypatch.setattr(sys, "stdout", stream)
    assert len(xor.learn_xor(3, report_every=1)[1]) == 3


def test_characters_that_the_output_cannot_encode_are_escaped(monkeypatch):
    for name, expected in {
        "ascii": "Gr\\xfc\\xdfe an \\u6f22\\u5b57 \\U0001f600 \\ud800 ",
        "latin-1": "Grüße an \\u6f22\\u5b57 \\U0001f600 \\ud800 ",
        "utf-8": "Grüße an 漢字 😀 \\ud800 ",
    }.items():
        monkeypatch.setattr(sys, "stdout", STREAMS[name]())
        assert printable(TEXT) == expected


def test_a_bar_that_cannot_be_drawn_does_not_stop_the_bars_of_other_threads():
    stream = Full(room=True)
    with bar(True, total=2, mininterval=0, file=stream) as shown:
        stream.room = False
        shown.update()
        shown.set_description_str("epoch 1")
        shown.write("a sample")
    other = threading.Thread(target=lambda: bar(True, file=io.StringIO()), daemon=True)
    other.start()
    other.join(10)
    assert not other.is_alive()


def test_a_text_that_cannot_be_drawn_does_not_end_what_the_bar_shows(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    with bar(True, total=2) as shown:
        shown.set_description_str(TEXT)
        shown.update()
        shown.write(TEXT)
        assert not shown.disable
