"""Fixtures for the book's interface of 0.17: the module ``d2l`` of each framework."""

import hashlib
import importlib
import pathlib
import pkgutil
import random

import numpy as np
import pytest

HERE = pathlib.Path(__file__).parent
EDITION = ("torch", "tensorflow", "mxnet")
STORY = "The Time-Traveller smiled round at us.\nThen he walked slowly out of the room.\n"
PAIRS = [
    ("Go.", "Va !"),
    ("I lost.", "J'ai perdu."),
    ("He's calm.", "Il est calme."),
    ("Hi.", "Salut !"),
]


def pytest_collection_modifyitems(config, items):
    """Deselect, rather than skip, tests of backends that this edition does not support."""
    without = [
        item
        for item in items
        if HERE in item.path.parents
        and "d2l" in getattr(item, "fixturenames", ())
        and not has_a_case(item)
    ]
    config.hook.pytest_deselected(items=without)
    items[:] = [item for item in items if item not in without]


def has_a_case(item):
    """Return whether there is something to test in a framework."""
    backend, function = (item.callspec.params.get(name) for name in ("backend", "function"))
    if backend not in EDITION or ("keras" in item.fixturenames and backend != "tensorflow"):
        return False
    return function is None or bool(item.module.lookups(backend, function))


@pytest.fixture
def d2l(backend, monkeypatch):
    """The module that the book's cells import as d2l."""
    monkeypatch.setenv("MPLBACKEND", "agg")
    return importlib.import_module(f"d2lrnn.book.classic.{backend}")


@pytest.fixture(scope="session")
def plain(without_framework):
    """The names of the module d2l that do not need a framework."""
    return without_framework("classic")


@pytest.fixture
def texts(request, tmp_path, monkeypatch):
    """A folder with a short Time Machine and a few pairs of sentences, which d2l searches first."""
    d2l = request.getfixturevalue("d2l" if "d2l" in request.fixturenames else "plain")
    content = (STORY * 30).encode()
    (tmp_path / "timemachine.txt").write_bytes(content)
    (tmp_path / "fra-eng").mkdir()
    lines = "".join(f"{english}\t{french}\n" for english, french in PAIRS * 4)
    (tmp_path / "fra-eng" / "fra.txt").write_text(lines, encoding="utf-8")
    url, sha1 = d2l.DATA_URL + "timemachine.txt", hashlib.sha1(content).hexdigest()
    monkeypatch.setitem(d2l.DATA_HUB, "time_machine", (url, sha1))
    monkeypatch.setenv("D2LRNN_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def device(d2l, backend):
    """The last argument of the book's training functions: a device, or a strategy in TensorFlow."""
    if backend != "tensorflow":
        return d2l.try_gpu()
    return d2l.tf.distribute.OneDeviceStrategy(d2l.try_gpu()._device_name)


@pytest.fixture
def forward(d2l):
    """A recurrent network, written as in a cell of the book."""

    def rnn(inputs, state, params):
        W_xh, W_hh, b_h, W_hq, b_q = params
        (H,) = state
        outputs = []
        for X in inputs:
            H = d2l.tanh(d2l.matmul(X, W_xh) + d2l.matmul(H, W_hh) + b_h)
            outputs.append(d2l.matmul(H, W_hq) + b_q)
        return d2l.concat(outputs, 0), (H,)

    return rnn


@pytest.fixture
def make_book_net(rnn, d2l, device, backend, forward):
    """A function that makes the book's model from scratch, with d2lrnn's parameters of seed 0."""

    def make(vocab_size, num_hiddens=8):
        def get_params(vocab_size, num_hiddens, device=None):
            return rnn.get_params(vocab_size, num_hiddens, seed=0)

        def init_state(batch_size, num_hiddens, device=None):
            return rnn.init_rnn_state(batch_size, num_hiddens)

        if backend == "tensorflow":
            return d2l.RNNModelScratch(vocab_size, num_hiddens, init_state, forward, get_params)
        functions = get_params, init_state, forward
        return d2l.RNNModelScratch(vocab_size, num_hiddens, device, *functions)

    return make


@pytest.fixture
def make_decoder(d2l, backend):
    """A function that makes the decoder of the book's cell: an embedding, a GRU and a layer."""

    def torch_decoder(vocab_size):
        class Decoder(d2l.Decoder):
            def __init__(self):
                super().__init__()
                self.embedding = d2l.nn.Embedding(vocab_size, 4)
                self.rnn = d2l.nn.GRU(4, 8)
                self.dense = d2l.nn.Linear(8, vocab_size)

            def init_state(self, enc_outputs, *args):
                return enc_outputs[1]

            def forward(self, X, state):
                Y, state = self.rnn(self.embedding(X).permute(1, 0, 2), state)
                return self.dense(Y).permute(1, 0, 2), state

        return Decoder()

    def mxnet_decoder(vocab_size):
        class Decoder(d2l.Decoder):
            def __init__(self):
                super().__init__()
                self.embedding = d2l.nn.Embedding(vocab_size, 4)
                self.rnn = d2l.rnn.GRU(8)
                self.dense = d2l.nn.Dense(vocab_size, flatten=False)

            def init_state(self, enc_outputs, *args):
                return enc_outputs[1]

            def forward(self, X, state):
                Y, state = self.rnn(self.embedding(X).swapaxes(0, 1), state)
                return self.dense(Y).swapaxes(0, 1), state

        return Decoder()

    def tensorflow_decoder(vocab_size):
        layers = d2l.tf.keras.layers

        class Decoder(d2l.Decoder):
            def __init__(self):
                super().__init__()
                self.embedding = layers.Embedding(vocab_size, 4)
                self.rnn = layers.RNN(layers.GRUCell(8), return_sequences=True, return_state=True)
                self.dense = layers.Dense(vocab_size)

            def init_state(self, enc_outputs, *args):
                return enc_outputs[1]

            def call(self, X, state, **kwargs):
                Y, *state = self.rnn(self.embedding(X), initial_state=state, **kwargs)
                return self.dense(Y), state

        return Decoder()

    return {"torch": torch_decoder, "mxnet": mxnet_decoder, "tensorflow": tensorflow_decoder}[
        backend
    ]


@pytest.fixture
def make_pair(d2l, make_decoder):
    """A function that makes an encoder and a decoder of two vocabularies."""

    def make(source, target):
        encoder = d2l.Seq2SeqEncoder(len(source), 4, 8, 1)
        return d2l.EncoderDecoder(encoder, make_decoder(len(target)))

    return make


SEED = {"torch": "torch:manual_seed", "tensorflow": "tensorflow:random.set_seed"}
SEED["mxnet"] = "mxnet:random.seed"  # which also draws from NumPy


@pytest.fixture(autouse=True)
def _same_chance(request):
    """Seed the random numbers of Python, NumPy and the framework in every test.

    The generator of Python is restored afterwards.
    """
    state = random.getstate()
    random.seed(0)
    np.random.seed(0)
    if "backend" in request.fixturenames:
        pkgutil.resolve_name(SEED[request.getfixturevalue("backend")])(0)
    yield
    random.setstate(state)
