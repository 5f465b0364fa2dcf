"""``d2lrnn book`` runs a notebook as it stands."""

import os
import subprocess
import sys

import nbformat
import pytest

from d2lrnn.book import notebook

CLASSIC = "from d2l import torch as d2l\nd2l.train_ch8"
NEWER = "from d2l import torch as d2l\nd2l.Trainer(max_epochs=1)"


@pytest.fixture
def made(tmp_path):
    """A function that writes a notebook of these cells and returns its path."""

    def make(*sources):
        book = nbformat.v4.new_notebook()
        book.cells = [nbformat.v4.new_markdown_cell("Text.")]
        book.cells += [nbformat.v4.new_code_cell(source) for source in sources]
        path = tmp_path / "chapter.ipynb"
        nbformat.write(book, path)
        return path

    return make


def command(path, *options):
    """Run the command in a process of its own."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    line = [sys.executable, "-m", "d2lrnn", "book", str(path), *options]
    return subprocess.run(line, capture_output=True, text=True, env=environment, timeout=300)


@pytest.mark.parametrize(
    ("sources", "edition"),
    [
        ([CLASSIC], "classic"),
        ([NEWER], "1.0"),
        (["!pip install d2l==0.17.6", NEWER], "classic"),
        (["!pip install d2l==1.0.3", CLASSIC], "1.0"),
        (["class RNNModelScratch: #@save\n    pass"], "classic"),
        (["print(1)"], "1.0"),
    ],
)
def test_the_edition_is_found_out(sources, edition):
    assert notebook.edition_of(sources) == edition


@pytest.mark.parametrize(
    "line",
    [
        "!pip install d2l==0.17.6",
        "%pip install -U d2l",
        "pip install d2l",
        "!python -m pip install d2l --no-deps",
        "!pip install git+https://github.com/d2l-ai/d2l-en",
    ],
)
def test_what_installs_d2l_is_left_out_and_the_rest_of_the_cell_stays(line):
    assert notebook.without_pip(f"a = 1\n{line}\nb = 2") == "a = 1\nb = 2"


def test_a_line_that_goes_on_is_left_out_whole():
    assert notebook.without_pip("!pip install \\\n  d2l\nx") == "x"
    assert notebook.without_pip("!pip install d2l \\\n  pandas\nx") == "x"


def test_other_installations_stay():
    assert notebook.without_pip("!pip install pandas") == "!pip install pandas"


def test_a_notebook_runs_and_failures_are_told(made):
    path = made(
        "!pip install d2l==0.17.6\nimport os",
        "import d2l\nd2l.package",
        "1 / 0\n",
        "print('after', os.path.basename(os.getcwd()))",
    )
    before = path.read_bytes()
    done = command(path)
    assert done.returncode == 1, done.stderr
    assert "cell 3 failed: 1 / 0\n    ZeroDivisionError: division by zero" in done.stdout
    assert "3 of 4 cells passed, with d2lrnn, edition classic" in done.stdout
    executed = nbformat.read(path.with_suffix(".executed.ipynb"), as_version=4)
    assert executed.cells[1].source.startswith("!pip install d2l")
    assert executed.cells[1].outputs == []
    assert executed.cells[2].outputs[0].data["text/plain"] == "'d2lrnn.book.classic'"
    assert executed.cells[4].outputs[0].text == f"after {path.parent.name}\n"
    assert path.read_bytes() == before


def test_a_notebook_without_failures_exits_with_0(made, tmp_path):
    output = tmp_path / "out.ipynb"
    done = command(made("1 + 1"), "--output", str(output), "--edition", "classic")
    assert done.returncode == 0, done.stderr
    assert "1 of 1 cells passed" in done.stdout
    assert output.exists()


def test_a_file_that_is_no_notebook_is_one_line(tmp_path):
    path = tmp_path / "chapter.ipynb"
    path.write_text("no notebook")
    done = command(path)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].endswith("is no notebook (NotJSONError)")


def test_a_picture_grows_below_its_cell(made, pytorch):
    animator = "a = d2l.Animator('x', legend=['y'])\nfor i in range(3): a.add(i, i)"
    path = made("from d2l import torch as d2l", animator)
    done = command(path, "--edition", "classic")
    assert done.returncode == 0, done.stdout + done.stderr
    executed = nbformat.read(path.with_suffix(".executed.ipynb"), as_version=4)
    pictures = [o for o in executed.cells[2].outputs if o.output_type == "display_data"]
    assert [set(picture.data) for picture in pictures] == [{"image/svg+xml", "text/plain"}]


@pytest.mark.parametrize(
    "content",
    [
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        b'{"nbformat": 4, "cells": 5}',
        b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [null]}',
    ],
)
def test_what_is_no_notebook_is_named(tmp_path, content):
    path = tmp_path / "chapter.ipynb"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"chapter\.ipynb is no notebook"):
        notebook.read(path)


def test_the_executed_notebook_is_replaced_and_nothing_else_is(made, tmp_path):
    path = made("1 + 1")
    (tmp_path / "notes").write_text("notes")
    for _ in range(2):
        assert command(path).returncode == 0
    for other, words in [(path, "the notebook itself"), (tmp_path / "notes", "is no notebook")]:
        before = other.read_bytes()
        result = command(path, "--output", str(other))
        assert result.returncode == 1
        assert words in result.stderr
        assert other.read_bytes() == before
