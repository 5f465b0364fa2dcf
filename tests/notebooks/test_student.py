"""The student's version: blanks in place of solutions."""

import subprocess
import sys

import nbformat
import pytest

import grid
import student


def test_a_name_that_a_solution_assigns_becomes_a_blank():
    source = "x = 1\n### BEGIN SOLUTION\na, b = 2, 3\nc = d = a\na = 4\n### END SOLUTION\ny = 5\n"
    assert student.without_solutions(source) == (
        "x = 1\na = ...  # your answer\nb = ...  # your answer\n"
        "c = ...  # your answer\nd = ...  # your answer\ny = 5\n"
    )


def test_a_function_s_body_becomes_a_blank_and_its_docstring_stays():
    source = (
        'def f(x):\n    """Say."""\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION\n'
    )
    blank = student.without_solutions(source)
    assert blank == 'def f(x):\n    """Say."""\n    ...  # your code\n'


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("### BEGIN SOLUTION\nx = 1\n", "does not end"),
        ("### END SOLUTION\n", "line 1 is '### END SOLUTION'"),
        ("### BEGIN SOLUTION\n### BEGIN SOLUTION\n", "line 2 is '### BEGIN SOLUTION'"),
        ("### BEGIN SOLUTION\nprint(1)\n### END SOLUTION\n", "assigns no name"),
    ],
)
def test_a_solution_that_is_not_marked_well_is_refused(source, words):
    with pytest.raises(ValueError, match=words):
        student.without_solutions(source)


def test_the_command_writes_notebooks_without_solutions_and_outputs(tmp_path):
    name = grid.names()[0]
    command = [sys.executable, grid.FOLDER / "student.py", "--to", tmp_path, name]
    subprocess.run(command, check=True, timeout=120)
    notebook = nbformat.read(tmp_path / f"{name}.ipynb", as_version=4)
    assert "...  # your" in str(notebook)
    assert "SOLUTION" not in str(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)


def test_a_mutant_whose_line_does_not_occur_once_is_refused():
    with pytest.raises(ValueError, match="expected one line"):
        grid.on_backend("import torch\n", "jax")
    with pytest.raises(ValueError, match="expected one line"):
        grid.on_backend(f"{grid.LINE}\nfrom d2lrnn import numpy as rnn\n", "jax")
