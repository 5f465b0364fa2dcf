"""The commands of CONTRIBUTING.md: each command that can run here is run."""

import configparser
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner

from d2lrnn import backends, cli

ROOT = pathlib.Path(__file__).parent.parent
# Names that stand for what a reader adds, and what stands for them here.
STANDING_FOR = {"tinyml": "numpy", "torch": "numpy", "all": "numpy", "mgu": "gru"}


def commands():
    """Every line of the page's blocks of shell, without its remark."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").replace("\\\n", " ")
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [line.partition("   #")[0].strip() for block in blocks for line in block.splitlines()]


def beginning_with(*words):
    return [line for line in commands() if line.split()[0].rpartition("/")[2] in words]


def available(line):
    for name, another in STANDING_FOR.items():
        line = re.sub(rf"(--backend[= ]){name}\b", rf"\1{another}", line).replace("mgu", "gru")
    return shlex.split(line)[1:]


def test_every_command_of_the_page_is_tested():
    kinds = {line.split()[0].rpartition("/")[2] for line in commands()}
    assert kinds == {"python3", "pytest", "tox", "cp", "sed", "d2lrnn"}


@pytest.mark.parametrize("line", dict.fromkeys(beginning_with("pytest")))
def test_a_pytest_command_on_a_page_selects_tests(reference, line):
    arguments = [word for word in available(line) if word not in ("-m", "pair")]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *arguments]
    command += [] if "tests/" in line else ["tests/nets/test_cells.py"]  # not all of them
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("line", dict.fromkeys(beginning_with("d2lrnn")))
def test_a_command_of_the_package_runs(reference, line):
    result = CliRunner().invoke(cli.main, [*available(line), "--cell", "rnn"])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("line", dict.fromkeys(beginning_with("tox")))
def test_the_environment_that_a_command_names_exists(line):
    environments = configparser.ConfigParser(interpolation=None)
    environments.read(ROOT / "tox.ini", encoding="utf-8")
    _, _, name = line.split()
    assert f"testenv:{name}" in environments


def test_the_installed_extras_are_importable():
    (line,) = beginning_with("python3")
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    asked = re.search(r"\[([\w,]+)\]", line).group(1).split(",")
    assert set(asked) <= set(settings["options.extras_require"])
    assert (ROOT / re.search(r"-c (\S+)", line).group(1)).exists()


# What the copy says of itself, and whether it trains.
TRY = """
from d2lrnn import tinyml as rnn
from d2lrnn.data import loaders
loader, vocab = rnn.load_data_builtin(4, 8, max_tokens=240, seed=0)
net = rnn.RNNModelScratch(len(vocab), 8, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
rnn.train_ch8(net, loader, vocab, 0.1, 1, progress=False, checkpoint="run")
print(net.ops.name, type(net).__module__)
"""


def test_a_copied_backend_works_after_it_is_registered(backend, tmp_path):
    shutil.copytree(ROOT / "d2lrnn", tmp_path / "d2lrnn", ignore=shutil.ignore_patterns("__pyc*"))
    copying = [line.replace("torch", backend) for line in beginning_with("cp", "sed")]
    subprocess.run(["bash", "-ec", "\n".join(copying)], check=True, cwd=tmp_path)
    modules = ", ".join(map(repr, backends.BACKENDS[backend].layers))
    known = f'Framework("tinyml", "TinyML", ("{backend}",)'
    known += f", layers=({modules},)" if modules else ""
    path = tmp_path / "d2lrnn" / "backends.py"
    text = path.read_text(encoding="utf-8")
    first = "    for backend in (\n"
    assert first in text
    path.write_text(text.replace(first, f"{first}        {known}),\n"), encoding="utf-8")
    command = [sys.executable, "-W", "ignore", "-c", TRY]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["tinyml", "d2lrnn.tinyml.model"]
