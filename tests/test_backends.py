"""Names, availability, and what importing does and does not do."""

import configparser
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from d2lrnn import backends


def run(code):
    code = textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


def test_importing_d2lrnn_loads_no_framework():
    modules = "d2lrnn, d2lrnn.cli, d2lrnn.measure.agreement, d2lrnn.interface"
    result = run(f"import sys, {modules}; print(*sys.modules)")
    assert result.returncode == 0, result.stderr
    assert set(backends.BACKENDS) & set(result.stdout.split()) == {"numpy"}


LATE = {"pooch", "tqdm", "matplotlib", "importlib.metadata", "asyncio", "requests"}


@pytest.mark.parametrize("module", ["d2lrnn.numpy", "d2lrnn.cli"])
def test_rarely_used_modules_are_imported_on_first_use(module):
    result = run(f"import sys, {module}; print(*sys.modules)")
    assert result.returncode == 0, result.stderr
    assert not LATE & set(result.stdout.split())


def test_importing_the_numpy_backend_imports_only_the_modules_of_a_net():
    folders = (
        "data.text",
        "files",
        "training",
        "measure",
        "teaching",
        "nets.classifiers",
        "nets.sequence_net",
        "nets.networks",
    )
    result = run("import sys; from d2lrnn import numpy; print(*sys.modules)")
    assert result.returncode == 0, result.stderr
    assert {f"d2lrnn.{folder}" for folder in folders} & set(result.stdout.split()) == set()


@pytest.mark.frameworks  # NumPy is always there
def test_a_backend_that_is_not_installed_names_the_pip_command(backend):
    result = run(f"""
        import sys
        sys.modules[{backend!r}] = None  # as if absent
        try:
            from d2lrnn import {backend}
        except ImportError as error:
            print(error)
    """)
    framework = backends.BACKENDS[backend].title
    assert result.stdout.strip() == (
        f"d2lrnn.{backend} needs {framework}, and {backend} is not installed; "
        f"run: {backends.BACKENDS[backend].install}"
    )


@pytest.mark.frameworks
def test_the_pip_command_installs_what_the_extra_of_that_name_does(backend):
    settings = configparser.ConfigParser()
    settings.read(Path(__file__).parent.parent / "setup.cfg", encoding="utf-8")
    extra = settings["options.extras_require"][backend].split("\n")
    wanted = {re.split("[<>=;]", line)[0] for line in extra if line} - {"setuptools"}
    brought = {"keras"}  # by TensorFlow
    command = backends.BACKENDS[backend].install.removeprefix("pip install ")
    assert set(command.split()) - brought == wanted


def test_importing_a_backend_leaves_numpy_as_it_was(backend):
    result = run(f"""
        import numpy
        before = set(dir(numpy))
        import d2lrnn.{backend}
        added = {{name for name in set(dir(numpy)) - before if not name.startswith("_")}}
        print(sorted(name for name in added if type(getattr(numpy, name)).__name__ != "module"))
    """)
    assert result.stdout.strip() == "[]", result.stderr


def test_a_prepared_program_imports_without_output(backend):
    result = run(f"""
        from d2lrnn import backends
        backends.prepare()
        backends.load({backend!r})
        import os
        os.write(2, b"heard again")
    """)
    assert (result.returncode, result.stderr) == (0, "heard again")


def test_an_unknown_backend_is_refused_by_name():
    with pytest.raises(ValueError) as error:
        backends.load("keras")
    expected = "backend is 'keras'; expected one of numpy, torch, tensorflow, jax, mxnet"
    assert str(error.value) == expected


def test_numpy_is_always_available():
    assert "numpy" in backends.available()


def test_the_version_is_that_of_the_installed_package():
    assert backends.BACKENDS["numpy"].version == np.__version__


def test_a_module_missing_within_a_framework_is_reported_as_it_is():
    with pytest.raises(ModuleNotFoundError, match="lost"), backends.requires("numpy"):
        raise ModuleNotFoundError("lost", name="numpy.lost")
