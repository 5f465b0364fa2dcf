"""``d2lrnn book`` runs a notebook without changes."""

import json
import os
import subprocess
import sys

import nbformat
import pytest

from d2lrnn.book import notebook, notebook_file

CELL = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
CELL_3 = {"cell_type": "code", "language": "python", "input": ["x = 1\n", "x"], "outputs": []}


def with_cells(*cells):
    """Return a notebook as a JSON object."""
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}


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
    """Run the command in another process."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    line = [sys.executable, "-m", "d2lrnn", "book", str(path), *options]
    return subprocess.run(line, capture_output=True, text=True, env=environment, timeout=300)


def test_a_notebook_runs_and_its_failures_are_reported(made):
    path = made(
        "!pip install d2l==0.17.6\nimport os",
        "import d2l\nd2l.package",
        "1 / 0\n",
        "print('after', os.path.basename(os.getcwd()))",
    )
    before = path.read_bytes()
    done = command(path)
    assert done.returncode == 1, done.stderr
    assert "cell 1: skipped !pip install d2l==0.17.6\n" in done.stdout
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


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        (
            "d2l = 1  # train_ch8",
            "edition 1.0, by default: no name in the cells distinguishes d2l 1.0",
        ),
        ("'d2l.x' if 1 else d2l.train_ch8", "edition classic: the cells use d2l.train_ch8"),
    ],
)
def test_the_edition_is_printed_with_the_names_that_decided(made, cell, line):
    done = command(made(cell))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(line)


HINT = (
    "edition 1.0 was chosen automatically, and the cells may be of d2l 0.17: try --edition classic"
)


@pytest.mark.parametrize(
    ("cell", "options", "hinted"),
    [
        ("().permute(1)", [], True),
        ("len(1)", [], True),
        ("from math import nothing", [], True),
        ("().permute(1)", ["--edition", "1.0"], False),
        ("'d2l.x' if 1 else d2l.Trainer; ().permute(1)", [], False),
        ("1 / 0", [], False),
        ("'x'", [], False),
    ],
)
def test_the_other_edition_is_named_if_cells_may_fail_because_of_it(made, cell, options, hinted):
    assert (f"\n{HINT}\n" in command(made(cell), *options).stdout) is hinted


def test_a_notebook_of_2026_is_refused_unless_an_edition_is_given(made):
    path = made("'d2l.x' if 1 else d2l.BPETokenizer")
    done = command(path)
    assert done.returncode == 1
    assert done.stdout == "edition 2026: the cells use d2l.BPETokenizer\n"
    assert "of the book's edition of 2026, which d2lrnn does not support yet" in done.stderr
    assert not path.with_suffix(".executed.ipynb").exists()
    assert command(path, "--edition", "1.0").returncode == 0


def test_a_file_that_is_not_a_notebook_is_an_error_of_one_line(tmp_path):
    path = tmp_path / "chapter.ipynb"
    path.write_text("no notebook")
    done = command(path)
    assert done.returncode == 1
    assert (
        done.stderr.strip()
        .splitlines()[-1]
        .endswith("is not a notebook (NotJSONError); open a notebook in Jupyter and save it again")
    )


def test_a_figure_is_updated_below_its_cell(made, pytorch):
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
def test_a_file_that_is_not_a_notebook_is_named(tmp_path, content):
    path = tmp_path / "chapter.ipynb"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"chapter\.ipynb is not a notebook"):
        notebook.read(path)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "the file is empty"),
        (b"[]", r"expected a JSON object, got \[\]\); open a notebook in Jupyter"),
        (b"null", r"expected a JSON object, got null\); open a notebook in Jupyter"),
        (b'{"nbformat": 4, "cells": 5}', r"cells must be a list, got 5\); open a notebook"),
        (
            b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": ["x = 1"]}',
            'cell 1 must be a JSON object, got "x = 1"',
        ),
        (
            b'{"nbformat": 4, "nbformat_minor": 5, "metadata": 5, "cells": []}',
            "its JSON does not have the structure of a notebook",
        ),
        (
            b'{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": ["x"]}',
            "its JSON does not have the structure of a notebook",
        ),
        (b"\xef\xbb\xbf\n", "the file is empty"),
        ("{}".encode("utf-16"), "not encoded as UTF-8"),
        (b'{"nbformat": 5, "metadata": {}, "cells": []}', "Unsupported nbformat version 5"),
    ],
)
def test_the_error_says_why_a_file_is_not_a_notebook(tmp_path, content, why):
    path = tmp_path / "chapter.ipynb"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"chapter\.ipynb is not a notebook \(.*{why}"):
        notebook.read(path)


@pytest.mark.parametrize("source", [5, None, {"text": "x"}, ["x = 1\n", 5], [None]])
@pytest.mark.parametrize("kind", ["code", "markdown"])
def test_a_cell_whose_source_is_not_text_is_named(tmp_path, kind, source):
    path, cell = tmp_path / "chapter.ipynb", {"cell_type": kind, "metadata": {}, "source": source}
    path.write_text(json.dumps(with_cells({**CELL, "source": "x"}, cell)))
    with pytest.raises(ValueError, match="the source of cell 2 must be text or a list of lines"):
        notebook.read(path)


@pytest.mark.parametrize("name", ["/dev/zero", "fifo"])
def test_a_notebook_that_is_not_a_file_is_not_read(tmp_path, name):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ValueError, match="is not a notebook"):
        notebook.read(tmp_path / name)


@pytest.mark.parametrize(
    "data",
    [
        with_cells({**CELL, "source": ["x = 1\n", "x"]}),
        with_cells({**CELL, "source": "x = 1\nx", "id": "a"}, {**CELL, "source": [], "id": "a"}),
        {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": [CELL_3]}]},
    ],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_every_legal_notebook_is_read(tmp_path, data, mark):
    path = tmp_path / "chapter.ipynb"
    path.write_bytes(mark + json.dumps(data).encode())
    assert notebook.code_of(notebook.read(path))[0]["source"] == "x = 1\nx"


def test_a_notebook_with_a_byte_order_mark_runs(made):
    path = made("1 + 1")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    done = command(path)
    assert done.returncode == 0, done.stderr


def test_text_that_utf_8_cannot_encode_is_written_and_read_again(made, tmp_path):
    notebook_ = notebook.read(made("x"))
    output = {"output_type": "stream", "name": "stdout", "text": "\ud800"}
    notebook_["cells"][1]["outputs"] = [nbformat.from_dict(output)]
    notebook_file.write(notebook_, tmp_path / "out.ipynb")
    assert notebook.read(tmp_path / "out.ipynb")["cells"][1]["outputs"][0]["text"] == "\ud800"


def test_only_files_of_this_command_are_replaced_without_force(made, tmp_path):
    path = made("1 + 1")
    (tmp_path / "notes").write_text("notes")
    other = tmp_path / "other.ipynb"
    other.write_bytes(path.read_bytes())
    for _ in range(2):
        assert command(path).returncode == 0
    for file, words in [
        (path, "the notebook itself"),
        (tmp_path / "notes", "is not a notebook"),
        (other, "was not written by d2lrnn book"),
    ]:
        before = file.read_bytes()
        result = command(path, "--output", str(file))
        assert result.returncode == 1
        assert words in result.stderr
        assert file.read_bytes() == before
    assert command(path, "--output", str(other), "--force").returncode == 0
    assert b"d2lrnn" in other.read_bytes()
    assert command(path, "--output", str(path), "--force").returncode == 1


@pytest.mark.parametrize(
    ("change", "ours"),
    [
        (lambda book: None, True),
        (lambda book: book["metadata"].update(authors=[]), True),
        (lambda book: book["cells"][1].update(source="2"), False),
        (lambda book: book["cells"][1].update(outputs=[]), False),
        (lambda book: book["cells"].pop(0), False),
        (lambda book: book["metadata"].update(d2lrnn=None), False),
    ],
)
def test_a_changed_executed_notebook_is_not_overwritten(made, tmp_path, change, ours):
    executed = notebook.read(made("'text'"))
    result = {"output_type": "stream", "name": "stdout", "text": "a\nb\n"}
    executed["cells"][1]["outputs"] = [nbformat.from_dict(result)]
    notebook_file.write(executed, tmp_path / "out.ipynb")
    book = notebook.read(tmp_path / "out.ipynb")
    change(book)
    nbformat.write(book, tmp_path / "out.ipynb")
    assert notebook_file.was_written_here(notebook.read(tmp_path / "out.ipynb")) is ours
