"""``from d2l import torch`` is ours where no d2l is installed, and only there."""

import subprocess
import sys

import pytest

from d2lrnn.book import hook


def python(code, folder, check=True):
    """Run code in a fresh Python in that folder, and return what it printed last."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[-1] if lines else ""


@pytest.mark.parametrize(
    "imports",
    [
        "from d2l import own",
        "import d2l.own as own",
        "import d2l; own = d2l.own",
        "import d2l.own; own = d2l.own",
    ],
)
def test_every_way_to_import_a_framework_gives_the_very_same_module(tmp_path, imports):
    stands = "from d2lrnn import backends; backends.BACKENDS = {'own': 0}; import sys; "
    stands += "from d2lrnn.book import hook; sys.path.insert(0, '.'); "
    stands += "hook.install('package'); "
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "own.py").write_text("x = 1\n")
    check = "; import package.own; print(own is package.own, own.__spec__.name)"
    assert python(stands + imports + check, tmp_path) == "True package.own"


@pytest.mark.parametrize("module", ["d2lrnn.book.d2l", "d2lrnn.book.classic.d2l"])
def test_a_d2l_that_is_there_is_not_shadowed(tmp_path, module):
    (tmp_path / "d2l").mkdir()
    (tmp_path / "d2l" / "__init__.py").write_text("mine = 1\n")
    code = f"import sys; sys.path.insert(0, '.'); import {module} as hook; import d2l; "
    assert python(code + "print(hook.standing_in, d2l.mine)", tmp_path) == "False 1"


@pytest.mark.parametrize("module", ["d2lrnn.book.d2l", "d2lrnn.book.classic.d2l"])
def test_it_says_that_it_stands_in(tmp_path, module):
    assert python(f"import {module} as hook; print(hook.standing_in)", tmp_path) == "True"


def test_one_process_has_one_edition(tmp_path):
    said = python("import d2lrnn.book.d2l, d2lrnn.book.classic.d2l", tmp_path)
    assert "start a new one for d2lrnn.book.classic" in said


def test_a_framework_that_the_edition_has_not_is_an_import_error(tmp_path):
    said = python("import d2lrnn.book.classic.d2l; from d2l import numpy", tmp_path)
    assert said.startswith("ImportError: cannot import name 'numpy' from 'd2l'")


def test_other_modules_are_found_as_before():
    finder = hook.Finder("d2lrnn.book.classic")
    assert finder.find_spec("json.decoder") is None
    assert finder.find_spec("d2l.hub") is None
