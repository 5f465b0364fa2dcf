"""What the tests of edition 1.0 share: the book's names in the backend under test, small data."""

import importlib
import pathlib

import pytest

from d2lrnn import backends
from d2lrnn.data import corpora

HERE = pathlib.Path(__file__).parent
# Names, arguments and defaults of the book's package 1.0.3, of "all" frameworks or those named.
# Lists among the defaults are tuples; JAX's RNN is an empty promise there and lacks ``training``.
SIGNATURES = (HERE / "signatures.txt").read_text(encoding="utf-8").splitlines()


def chosen(config):
    """The names of the backends that this run is about."""
    asked = config.getoption("--backend")
    return {None: backends.available(), "all": list(backends.BACKENDS)}.get(asked, [asked])


def pytest_generate_tests(metafunc):
    """Ask for each signature in each of the backends that are chosen and that have it."""
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
    """Leave out NumPy, which the book has no edition for, and Flax where JAX is not chosen."""
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
    return without_framework("1_0")


@pytest.fixture
def flax():
    """Flax's layers, which come with the backend JAX."""
    from flax import linen

    return linen


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder to work in, beside it ``data`` with a short Time Machine and pairs of sentences."""
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
        patch.setenv(corpora.DATA_FOLDER, str(data))
        yield data


@pytest.fixture(scope="session")
def to_numpy(rnn):
    """What makes NumPy arrays of the backend's tensors."""
    return rnn.to_numpy
