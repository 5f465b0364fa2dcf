"""The notebooks: as committed, and when they run."""

import json
import os
import re
import subprocess
import sys
import time

import jupytext
import nbformat
import pytest

import build
import grid
import student
from d2lrnn import teaching
from d2lrnn.data import data_files

ADDRESS = f"git+https://github.com/{grid.REPOSITORY}"
FAST, FULL = 30, 360  # seconds, with --timed
BADGES = (
    "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
    "(https://colab.research.google.com/github/{0}/blob/main/notebooks/{1}.ipynb)\n"
    "[![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)]"
    "(https://kaggle.com/kernels/welcome?src=https://github.com/{0}/blob/main/notebooks/{1}.ipynb)"
    "\n\n# "
)


@pytest.fixture
def script(name):
    """A notebook's percent script, as text."""
    return grid.script(name).read_text(encoding="utf-8")


@pytest.fixture
def committed(name):
    """A notebook as it is committed."""
    return nbformat.read(grid.script(name).with_suffix(".ipynb"), as_version=4)


@pytest.fixture
def run(tmp_path, request):
    """A function that runs a script's text in another process and returns its output."""

    def run(source, name):
        path = tmp_path / f"{name}.py"
        path.write_text(source, encoding="utf-8")
        full = request.config.getoption("--full")
        settings = {
            teaching.FAST: "0" if full else "1",
            teaching.FIGURES: str(tmp_path / "figures"),
            "D2LRNN_PROGRESS": "0",
            "MPLBACKEND": "agg",
        }
        command = [sys.executable, "-W", "error::DeprecationWarning:__main__", path]
        start, before = time.perf_counter(), os.times()
        done = subprocess.run(
            command,
            env={**os.environ, **settings},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=10 * (FULL if full else FAST),
        )
        wall, after = time.perf_counter() - start, os.times()
        computed = sum(after[2:4]) - sum(before[2:4])
        assert done.returncode == 0, f"{name} ends with {done.returncode}:\n{done.stderr[-3000:]}"
        # On a machine that does other things too, the time on the clock is not the notebook's own.
        if request.config.getoption("--timed"):
            assert min(wall, computed) < (FULL if full else FAST)
        return done.stdout

    return run


# As it is committed


def test_every_backend_is_tried_and_every_notebook_twice():
    tried = [backend for backends in grid.SAMPLE.values() for backend in backends]
    assert all(len(set(backends)) >= 2 for backends in grid.SAMPLE.values())
    assert all(tried.count(backend) >= 4 for backend in grid.BACKENDS)
    assert all(set(grid.SAMPLE[name]) <= set(grid.backends_of(name)) for name in grid.SAMPLE)


def test_every_notebook_is_in_the_grid():
    numbered = sorted(path.stem for path in grid.FOLDER.glob("[0-9]*.*"))
    assert sorted(set(numbered)) == grid.names()
    assert all(numbered.count(name) == 2 for name in grid.names())


def test_both_halves_of_a_pair_hold_the_same_cells(name, committed):
    cells = [(cell.cell_type, cell.source) for cell in jupytext.read(grid.script(name)).cells]
    assert [(cell.cell_type, cell.source) for cell in committed.cells] == cells


def test_committed_notebooks_are_as_built(name, committed):
    assert build.complaints(committed) == []
    counts = [cell.execution_count for cell in committed.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    path = grid.script(name).with_suffix(".ipynb")
    assert path.stat().st_size < build.LARGEST
    assert build.tidy(nbformat.read(path, as_version=4)) == committed


def test_the_backend_is_chosen_by_one_line(script):
    assert grid.LINE.startswith(f"from d2lrnn import {grid.BUILT_ON} as rnn  # or ")
    assert "from d2lrnn import jax as rnn\n" in grid.on_backend(script, "jax")


def test_a_notebook_opens_in_colab_and_kaggle_and_installs_the_package(name, committed):
    first, second = committed.cells[:2]
    assert first.source.startswith(BADGES.format(grid.REPOSITORY, name))
    assert second.source == (
        "import importlib.util\n\n"
        'if importlib.util.find_spec("d2lrnn") is None:\n'
        f'    %pip install -q "d2lrnn[torch] @ {ADDRESS}"\n'
        "    importlib.invalidate_caches()"
    )


def test_figures_are_svg_and_say_what_there_is_to_see(committed):
    outputs = [output for cell in committed.cells for output in cell.get("outputs", [])]
    figures = [output.data for output in outputs if "image/svg+xml" in output.get("data", {})]
    assert figures
    assert all(figure["text/plain"].endswith(".") for figure in figures)
    assert not any("image/png" in output.get("data", {}) for output in outputs)


def test_every_test_that_a_notebook_names_exists(script):
    tests = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (grid.FOLDER.parent / "tests").rglob("test_*.py")
    )
    named = set(re.findall(r"`(test_\w+)`", script))
    assert named
    assert [name for name in named if f"def {name}(" not in tests] == []


# As it runs


def test_a_notebook_runs_and_its_solutions_are_right(run, script, name, on):
    output = run(grid.on_backend(script, on), name)
    assert output.count("Right.\n") == number_of_checks(script) >= 2
    assert "Not yet:" not in output
    assert teaching.NO_ANSWER not in output
    assert output.count("figure saved in ") == script.count("\npresent(")


def test_blanks_fail_with_their_hints_and_nothing_else_does(run, script, name):
    output = run(student.without_solutions(script), name)
    complaints = re.findall(r"^No answer yet\. Hint: .+$", output, re.MULTILINE)
    assert len(complaints) == number_of_checks(script)
    assert "Right." not in output


def test_a_notebook_runs_without_texts_and_network(run, script, monkeypatch, tmp_path):
    monkeypatch.setenv(data_files.DATA_FOLDER, str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    run(script, "offline")


def number_of_checks(script):
    return len(re.findall(r"^check\(", script, re.MULTILINE))


def test_in_a_kernel_a_notebook_shows_figures_and_source_without_warnings(monkeypatch):
    monkeypatch.setenv(teaching.FAST, "1")
    monkeypatch.setenv("D2LRNN_PROGRESS", "0")
    notebook = build.build(grid.names()[0])
    assert build.complaints(notebook) == []
    kinds = json.dumps(notebook.cells)
    assert "image/svg+xml" in kinds
    assert "```python" in kinds
