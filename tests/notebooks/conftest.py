"""Which notebooks run on which backends: ``--notebooks=sample`` or ``--notebooks=all``.

These tests need Jupyter (the extra "notebooks") and the frameworks, and fail where one is absent.
The ordinary suite does not collect them: pytest tests/notebooks.
"""

import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
sys.path.insert(0, str(FOLDER))  # build.py, grid.py and student.py are no package

import grid


def pytest_addoption(parser):
    which = "what .ci/run tries, or every notebook on every backend that its topic allows"
    parser.addoption("--notebooks", choices=["sample", "all"], default="sample", help=which)
    full = "run them in full, not in fast mode"
    parser.addoption("--full", action="store_true", help=full)
    timed = "fail where one takes longer than it should; on a machine that does nothing else"
    parser.addoption("--timed", action="store_true", help=timed)
    parser.addoption("--only", metavar="NAME", help="one notebook, such as 03-rnn-from-scratch")


def pytest_generate_tests(metafunc):
    only = metafunc.config.getoption("--only")
    if only and only not in grid.names():
        raise pytest.UsageError(f"--only={only}: expected one of {', '.join(grid.names())}")
    names = [only] if only else grid.names()
    if "on" in metafunc.fixturenames:
        everything = metafunc.config.getoption("--notebooks") == "all"
        choice = grid.backends_of if everything else grid.SAMPLE.__getitem__
        pairs = [(name, backend) for name in names for backend in choice(name)]
        ids = [f"{name}-{backend}" for name, backend in pairs]
        metafunc.parametrize(("name", "on"), pairs, ids=ids)
    elif "name" in metafunc.fixturenames:
        metafunc.parametrize("name", names)
