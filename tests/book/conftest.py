"""Fixtures for the book's pages. D2LRNN_BOOK names their folder, which contains cells.py."""

import dis
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from d2lrnn.book import chapters, replaced, shared
from d2lrnn.data import data_files

PAGES = "D2LRNN_BOOK"
FRAMEWORKS = {
    "classic": ("torch", "tensorflow", "mxnet"),
    "v1": ("torch", "tensorflow", "jax", "mxnet"),
}
FRAMEWORKS["1.0"] = FRAMEWORKS["v1"]
HERE = Path(__file__).parent
# With --pages=sample: one page of each edition in each framework, beside those that are always run
SAMPLE = {
    "classic": {"torch": "bi-rnn", "tensorflow": "text-preprocessing", "mxnet": "sequence"},
    "v1": {
        "torch": "deep-rnn",
        "tensorflow": "machine-translation-and-dataset",
        "jax": "language-model",
        "mxnet": "encoder-decoder",
    },
}
PAIRS = [("Go.", "Va !"), ("I lost.", "J'ai perdu."), ("He's calm.", "Il est calme.")]


def pytest_collection_modifyitems(config, items):
    """Deselect, rather than skip, pages that are not available or not for a backend."""
    available = os.environ.get(PAGES) and os.environ.get(data_files.DATA_FOLDER)
    here = [item for item in items if HERE in item.path.parents]
    pages = set() if available else {"run_page", "book_pages"}
    without = [
        item
        for item in here
        if not is_for_backend(item) or pages & set(getattr(item, "fixturenames", ()))
    ]
    config.hook.pytest_deselected(items=without)
    items[:] = [item for item in items if item not in without]


def is_for_backend(item):
    """Return whether an edition supports a backend and its page is selected."""
    arguments = item.callspec.params if hasattr(item, "callspec") else {}
    if "edition" not in arguments or "backend" not in arguments:
        return True
    edition, backend = arguments["edition"], arguments["backend"]
    if "page" in arguments and item.config.getoption("--pages") == "sample":
        return arguments["page"].rpartition("/")[2] == SAMPLE[edition].get(backend)
    return backend in FRAMEWORKS[edition]


@pytest.fixture
def book_pages():
    """The folder of the book's pages, with cells.py in it."""
    return os.environ[PAGES]


@pytest.fixture(scope="session")
def without_framework():
    """A function that makes a module, like that of a framework, of an edition's shared names."""

    def make(edition):
        module = types.ModuleType(f"shared_names_of_{edition.replace('.', '_')}")
        module.__path__ = shared.__path__
        sys.modules[module.__name__] = module
        chapters.take_shared_names(module, edition)
        replaced.remember(module)
        return module

    return make


@pytest.fixture(autouse=True)
def _no_figure_stays_open():
    """Close the figures that a test leaves open, because matplotlib warns about too many."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def record_calls(monkeypatch):
    """A function that replaces names of a module, as a user does, and lists the calls."""

    def replace(d2l, names):
        calls = []
        for name in names:
            monkeypatch.setattr(d2l, name, recording(name, getattr(d2l, name), calls))
        return calls

    return replace


def recording(name, original, calls):
    """Return a function that appends its name to the list and calls the original."""

    def call(*args, **kwargs):
        calls.append(name)
        return original(*args, **kwargs)

    return call


@pytest.fixture
def called_past():
    """A function that lists which functions of a d2l name another one without ``d2l.``."""

    def find(d2l):
        package = f"{d2l.__name__}."
        files = [module for name, module in sys.modules.items() if name.startswith(package)]
        return {
            (function.__qualname__, line.argval)
            for file in files
            for function in functions_in(file)
            for code in codes_in(function.__code__)
            for line in dis.get_instructions(code)
            if line.opname == "LOAD_GLOBAL" and is_ours(vars(d2l).get(line.argval))
        }

    return find


def is_ours(value):
    """Return whether a name's value is a function or a class of this package."""
    return str(getattr(value, "__module__", "")).startswith("d2lrnn.")


def functions_in(file):
    """Yield the functions and methods that a file defines."""
    for value in vars(file).values():
        for method in vars(value).values() if isinstance(value, type) else [value]:
            method = getattr(method, "__wrapped__", method)
            if isinstance(method, types.FunctionType) and method.__module__ == file.__name__:
                yield method


def codes_in(code):
    """Yield a function's code, and that of the functions within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes_in(constant)


@pytest.fixture
def pairs_and_text(tmp_path):
    """A data folder with The Time Machine and 600 pairs of sentences."""
    folder = tmp_path / "texts"
    (folder / "fra-eng").mkdir(parents=True)
    text = Path(os.environ[data_files.DATA_FOLDER], "timemachine.txt")
    (folder / text.name).write_bytes(text.read_bytes())
    lines = "".join(f"{english}\t{french}\n" for english, french in PAIRS * 200)
    (folder / "fra-eng" / "fra.txt").write_text(lines, encoding="utf-8")
    return folder


@pytest.fixture
def run_page(tmp_path, pairs_and_text, request):
    """A function that runs a page's cells and returns the report of cells.py.

    Models are trained for 1 epoch, or for 2 where all pages run.
    """
    epochs = "2" if request.config.getoption("--pages") == "all" else "1"

    def run(ref, chapter, tab, module, before=""):
        pages, out, first = Path(os.environ[PAGES]), tmp_path / "out.json", tmp_path / "first.py"
        first.write_text(before)
        line = [sys.executable, str(pages / "cells.py"), "run", "--git", str(pages / "pages")]
        line += ["--ref", ref, "--chapter", chapter, "--tab", tab, "--module", module]
        line += ["--timemachine", str(pairs_and_text / "timemachine.txt"), "--pre", str(first)]
        line += ["--env", f"{data_files.DATA_FOLDER}={pairs_and_text}", "--threads", "1"]
        line += ["--path", str(Path(__file__).parents[2]), "--out", str(out), "--timeout", "600"]
        line += ["--epochs", epochs]
        # A reader's XLA optimizes, and what trains for epochs is slower where the suite's does not.
        env = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
        subprocess.run(line, check=False, capture_output=True, timeout=1800, env=env)
        return json.loads(out.read_text())

    return run
