"""Fixtures for edition 1.0: the book's names in the backend under test, and small data."""

import importlib
import pathlib

import numpy as np
import pytest

from d2lrnn import backends
from d2lrnn.data import corpora, data_files

HERE = pathlib.Path(__file__).parent
# Names, arguments and defaults of the book's package 1.0.3, of "all" frameworks or those named.
# Lists among the defaults are tuples; JAX's RNN is an empty promise there and lacks ``training``.
SIGNATURES = (HERE / "signatures.txt").read_text(encoding="utf-8").splitlines()


def chosen(config):
    """Return the names of the backends of this test run."""
    asked = config.getoption("--backend")
    return {None: backends.available(), "all": list(backends.BACKENDS)}.get(asked, [asked])


def pytest_generate_tests(metafunc):
    """Parametrize each signature with each chosen backend that has it."""
    if "signature" not in metafunc.fixturenames:
        return
    names = chosen(metafunc.config)
    lines = [line.partition(": ")[::2] for line in SIGNATURES]
    pairs = [
        (name, signature)
        for name in names
        for frameworks, signature in lines
        if name != "numpy" and (frameworks == "all" or name in frameworks.split())
    ]
    ids = [f"{name}-{signature.partition('(')[0]}" for name, signature in pairs]
    metafunc.parametrize("signature", pairs, ids=ids)


def pytest_collection_modifyitems(config, items):
    """Deselect NumPy, for which the book has no edition, and Flax if JAX is not chosen."""
    flax = {"flax"} if "jax" not in chosen(config) else set()
    here = [item for item in items if HERE in item.path.parents]
    only_numpy = {"signature"} if chosen(config) == ["numpy"] else set()
    without = [
        item for item in here if _has_no_case(item) or (flax | only_numpy) & set(item.fixturenames)
    ]
    config.hook.pytest_deselected(items=without)
    items[:] = [item for item in items if item not in without]


def _has_no_case(item):
    params = item.callspec.params if hasattr(item, "callspec") else {}
    if params.get("backend") == "numpy":
        return True
    return "function" in params and not item.module.lookups(params["backend"], params["function"])


@pytest.fixture(scope="session")
def d2l(backend):
    """The book's names in the backend under test."""
    return importlib.import_module(f"d2lrnn.book.{backend}")


@pytest.fixture(scope="session")
def plain(without_framework):
    """The book's names that need no framework."""
    return without_framework("1.0")


@pytest.fixture
def flax():
    """Flax's layers, which come with the backend JAX."""
    from flax import linen

    return linen


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A working folder, and next to it ``data`` with a short Time Machine and sentence pairs."""
    story = "\n".join(corpora.read_builtin())
    pairs = [("Go.", "Va !"), ("I'm home.", "Je suis chez moi."), ("He ran.", "Il a couru.")]
    lines = ["\t".join(pair) for pair in pairs * 20]
    root = tmp_path_factory.mktemp("book")
    data = root / "data"
    (data / "fra-eng").mkdir(parents=True)
    (data / "timemachine.txt").write_text(story, encoding="utf-8")
    (data / "fra-eng" / "fra.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (root / "work").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root / "work")
        patch.setenv(data_files.DATA_FOLDER, str(data))
        yield data


@pytest.fixture(scope="session")
def to_numpy(rnn):
    """A function that converts the backend's tensors to NumPy arrays."""
    return rnn.to_numpy


@pytest.fixture
def book(d2l, backend, files):
    """Shortened versions of the book's cells."""
    return Book(d2l, backend)


class Book:
    """A book's module ``d2l``, and small runs of its classes."""

    def __init__(self, d2l, backend):
        self.d2l, self.backend = d2l, backend
        self.data = d2l.TimeMachine(batch_size=10, num_steps=4, num_train=30, num_val=10)
        self.size = len(self.data.vocab)
        self.ones = d2l.ones((4, 2))
        self.labels = d2l.astype(d2l.ones((4,)), d2l.int32)
        if backend == "torch":
            self.labels = self.labels.long()

    def scratch(self, lr=0.3):
        rnn = self.d2l.RNNScratch(num_inputs=self.size, num_hiddens=4)
        return self.d2l.RNNLMScratch(rnn, vocab_size=self.size, lr=lr)

    def layers(self):
        sizes = (self.size, 4) if self.backend == "torch" else (4,)
        return self.d2l.RNNLM(self.d2l.RNN(*sizes), vocab_size=self.size, lr=0.3)

    def fit(self, model, data=None, clip=1):
        trainer = self.d2l.Trainer(max_epochs=1, gradient_clip_val=clip)
        trainer.fit(model, data or self.data)
        return trainer

    def predict(self):
        model, params = self.scratch(lr=0.7), []
        if self.backend == "jax":
            variables = model.init(self.d2l.get_key(), self.data.X[:1])
            params = [variables["params"]]
            # Our network returns an array, and not a list as a reader's may.
            outputs = [self.ones @ np.ones((2, 4))]
            model.apply(variables, outputs, method=model.output_layer)
        model.predict("the", 3, self.data.vocab, *params)

    def regress(self):
        data = self.regression_data()
        self.fit(self.d2l.LinearRegressionScratch(2, lr=0.03), data, clip=0)

    def regression_data(self):
        return self.d2l.SyntheticRegressionData(self.d2l.tensor([2.0, -3.4]), 4.2, batch_size=500)

    def classify(self):
        book = self

        class Data(self.d2l.DataModule):
            def __init__(self):
                super().__init__()
                self.batch_size = 2

            def get_dataloader(self, train):
                return self.get_tensorloader([book.ones, book.labels], train)

        self.fit(self.d2l.SoftmaxRegression(num_outputs=3, lr=0.3), Data())

    def encode(self):
        encoder = self.d2l.Seq2SeqEncoder(9, 4, 4, 1)
        ids = self.d2l.astype(self.d2l.ones((2, 3)), self.d2l.int32)
        if self.backend == "jax":
            encoder.init_with_output(self.d2l.get_key(), ids)
        else:
            encoder(ids)

    def summarize(self):
        if self.backend == "mxnet":  # whose SoftmaxRegression has one layer, and no list of them
            model = self.d2l.Classifier()
            model.net = self.d2l.nn.Sequential()
        else:
            model = self.d2l.SoftmaxRegression(num_outputs=3, lr=0.3)
        model.layer_summary((2, 2))

    def train_seq2seq(self):
        layer = {
            "torch": lambda: self.d2l.nn.Linear(2, 2),
            "mxnet": lambda: self.d2l.nn.Dense(2),
            "tensorflow": lambda: self.d2l.tf.keras.layers.Dense(2),
        }[self.backend]()
        self.d2l.train_seq2seq(layer, [], 0.1, 0, {"<bos>": 1}, self.d2l.try_gpu())

    def build_array(self):
        vocab = self.d2l.Vocab(["a"], reserved_tokens=["<pad>", "<eos>"])
        self.d2l.build_array_nmt([["a"]], vocab, 3)
