"""``from d2l import torch`` imports d2lrnn's module only if d2l is not installed."""

import subprocess
import sys

import pytest

from d2lrnn.book import hook


def python(code, folder, check=True):
    """Run code in a new Python process in that folder, and return its last line of output."""
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
def test_all_ways_to_import_a_framework_give_the_same_module(tmp_path, imports):
    stands = "from d2lrnn import backends; backends.BACKENDS = {'own': 0}; import sys; "
    stands += "from d2lrnn.book import hook; sys.path.insert(0, '.'); "
    stands += "hook.install('package'); "
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "own.py").write_text("x = 1\n")
    check = "; import package.own; print(own is package.own, own.__spec__.name)"
    assert python(stands + imports + check, tmp_path) == "True package.own"


@pytest.mark.parametrize("module", ["d2lrnn.book.d2l", "d2lrnn.book.classic.d2l"])
def test_an_installed_d2l_is_not_shadowed(tmp_path, module):
    (tmp_path / "d2l").mkdir()
    (tmp_path / "d2l" / "__init__.py").write_text("mine = 1\n")
    code = f"import sys; sys.path.insert(0, '.'); import {module} as hook; import d2l; "
    assert python(code + "print(hook.standing_in, d2l.mine)", tmp_path) == "False 1"


@pytest.mark.parametrize("module", ["d2lrnn.book.d2l", "d2lrnn.book.classic.d2l"])
def test_the_substitute_module_identifies_itself(tmp_path, module):
    assert python(f"import {module} as hook; print(hook.standing_in)", tmp_path) == "True"


def test_one_process_has_one_edition(tmp_path):
    said = python("import d2lrnn.book.d2l, d2lrnn.book.classic.d2l", tmp_path)
    assert "start a new one for d2lrnn.book.classic" in said


def test_a_framework_that_the_edition_does_not_support_is_an_import_error(tmp_path):
    said = python("import d2lrnn.book.classic.d2l; from d2l import numpy", tmp_path)
    assert said.startswith("ImportError: cannot import name 'numpy' from 'd2l'")


def test_other_modules_are_found_as_before():
    finder = hook.Finder("d2lrnn.book.classic")
    assert finder.find_spec("json.decoder") is None
    assert finder.find_spec("d2l.hub") is None


EDITIONS = [("d2lrnn.book.classic", "0.17.6"), ("d2lrnn.book", "1.0.3")]


@pytest.mark.parametrize(("package", "version"), EDITIONS)
@pytest.mark.parametrize(
    "expression",
    [
        "d2l.__version__",
        "importlib.metadata.version('d2l')",
        "importlib.metadata.distribution('D2L').version",
        "importlib.reload(d2l).__version__",
    ],
)
def test_d2l_has_the_version_whose_names_it_has(tmp_path, package, version, expression):
    code = f"import importlib.metadata, {package}.d2l, d2l; print({expression})"
    assert python(code, tmp_path) == version


@pytest.mark.parametrize(("package", "_"), EDITIONS)
def test_d2l_has_a_file_and_a_spec(tmp_path, package, _):
    code = f"import importlib.util, pathlib, {package}, {package}.d2l, d2l; "
    code += f"print(d2l.__file__ == {package}.__file__, pathlib.Path(d2l.__file__).exists(), "
    code += "importlib.util.find_spec('d2l') is d2l.__spec__)"
    assert python(code, tmp_path) == "True True True"


def test_other_distributions_are_found_as_before(tmp_path):
    code = "import importlib.metadata as m, d2lrnn.book.d2l; m.version('numpy'); "
    code += "print(sum(d.metadata['Name'] == 'd2l' for d in m.distributions()))"
    assert python(code, tmp_path) == "1"


def test_d2l_can_be_reloaded_and_stays_the_same(tmp_path):
    code = "import importlib, d2lrnn.book.d2l, d2l; d2l.mine = 1; "
    code += "again = importlib.reload(d2l); print(again is d2l, d2l.mine)"
    assert python(code, tmp_path) == "True 1"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "import d2l; d2l.train_ch8",
            "d2l.train_ch8 is in d2l.mxnet, d2l.torch and d2l.tensorflow",
        ),
        (
            "from d2l import Vocab",
            "cannot import name 'Vocab' from 'd2l': d2l.Vocab is in d2l.",
        ),
        ("import d2l; d2l.Trainer", "d2l.Trainer is in d2l.mxnet, d2l.torch, d2l.tensorflow and "),
        ("import d2l; d2l.nothing", "module 'd2l' has no attribute 'nothing'"),
    ],
)
def test_a_notebook_of_the_package_of_2019_has_a_special_message(tmp_path, code, words):
    said = python(f"import d2lrnn.book.classic.d2l; {code}", tmp_path)
    assert words in said
    assert '"import d2l" alone is how the flat package of 2019 was used' in said
    assert 'write "from d2l import mxnet as d2l"' in said


def test_the_error_for_jax_in_0_17_names_the_edition_that_has_it(tmp_path):
    said = python("import d2lrnn.book.classic.d2l; from d2l import jax", tmp_path)
    assert "d2l 0.17 does not have d2l.jax, and d2l 1.0 does: import d2lrnn.book.d2l" in said


@pytest.mark.parametrize("package", ["d2lrnn.book", "d2lrnn.book.classic"])
def test_paddle_is_not_supported(tmp_path, package):
    said = python(f"import {package}.d2l; from d2l import paddle", tmp_path)
    assert "d2lrnn does not support d2l.paddle" in said


def test_asking_whether_d2l_has_a_name_is_not_an_error(tmp_path):
    code = "import d2lrnn.book.d2l, d2l; print(hasattr(d2l, 'plot'), hasattr(d2l, '__all__'))"
    assert python(code, tmp_path) == "False False"
