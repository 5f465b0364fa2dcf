"""Every public name has an example, which prints the same in each backend.

They stand where the contract is written. ``rnn`` is the backend under test; files that they write
are in a folder of their own.
"""

import doctest
import inspect
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest
from contracts import BACKEND, LAYERS, SCAN_LAYERS

from d2lrnn import exports
from d2lrnn.data import data_files, datasets

ERRORS = {name: getattr(exports, name) for name in exports.PLACES if name.endswith("Error")}
FRENCH = "Go.\tVa !\nHi.\tSalut !\n"  # the first line is the book's
OF_TEXTS = [name for name in BACKEND if "time_machine" in name or "shakespeare" in name]
KNOWN = {*BACKEND, *ERRORS, "Backend", "Layers", "ScanLayers"}
PAGES = sorted((Path(__file__).parent.parent / "docs" / "reference").glob("*.md"))


def of_the_pages():
    """The names on the reference pages that are not names of a backend."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    things = map(pkgutil.resolve_name, re.findall(r"^::: ([\w.]+)$", text, re.MULTILINE))
    named = {thing.__name__: thing for thing in things if not inspect.ismodule(thing)}
    return {name: thing for name, thing in named.items() if name not in KNOWN}


BESIDE = of_the_pages()
OF_LAYERS = {**LAYERS, **SCAN_LAYERS}
EVERY = {**BACKEND, **OF_LAYERS, **ERRORS, **BESIDE}
FLAGS = doctest.ELLIPSIS | doctest.REPORT_NDIFF


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to write into, with small data sets in place of those that are downloaded."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(data_files.DATA_FOLDER, str(tmp_path))
    (tmp_path / "fra-eng").mkdir()
    (tmp_path / "fra-eng" / "fra.txt").write_text(FRENCH, encoding="utf-8")
    blank = lambda stem, shape: np.zeros(shape, np.uint8)  # noqa: E731
    monkeypatch.setattr(datasets, "_read_mnist_file", blank)
    return tmp_path


def examples_of(name, thing, **names):
    """The examples of a docstring, as a test in which names are known."""
    return doctest.DocTestParser().get_doctest(thing.__doc__, names, name, None, 0)


def assert_true(test):
    """Run the examples; if the output is wrong, show it."""
    said = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=FLAGS)
    runner.run(test, out=said.append)
    assert not said, "".join(said)


@pytest.mark.parametrize("name", EVERY)
def test_a_public_name_has_an_example_that_shows_something(name):
    examples = examples_of(name, EVERY[name]).examples
    assert any(name in example.source for example in examples)
    assert examples[-1].want


@pytest.mark.parametrize("name", [name for name in EVERY if name not in {*OF_TEXTS, *OF_LAYERS}])
def test_an_example_prints_its_documented_output(rnn, folder, name):
    assert_true(examples_of(name, EVERY[name], rnn=rnn))


@pytest.mark.parametrize("name", OF_TEXTS)
def test_an_example_of_a_text_function_prints_its_documented_output(rnn, data_folder, name):
    assert_true(examples_of(name, BACKEND[name], rnn=rnn))


@pytest.mark.frameworks
@pytest.mark.parametrize("name", LAYERS)
def test_an_example_of_a_layer_prints_its_documented_output(rnn, name):
    assert_true(examples_of(name, LAYERS[name], rnn=rnn))


@pytest.mark.only("tensorflow", "jax")
@pytest.mark.parametrize("name", SCAN_LAYERS)
def test_an_example_of_a_layer_with_a_scan_prints_its_documented_output(rnn, name):
    assert_true(examples_of(name, SCAN_LAYERS[name], rnn=rnn))


def test_an_example_that_is_wrong_is_found(rnn):
    def wrong():
        """>>> rnn.bleu.__name__
        'blue'
        """

    with pytest.raises(AssertionError, match="blue"):
        assert_true(examples_of("wrong", wrong, rnn=rnn))
