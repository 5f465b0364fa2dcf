"""Run each command and snippet of the pages in a new environment.

The ordinary suite does not collect them, since they install packages: pytest tests/readme, or
tox -e readme. What would take hours, or gigabytes, is made smaller, and said so here.
"""

import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = [path for part in ("*.md", "how-to/*.md") for path in sorted((ROOT / "docs").glob(part))]
PAGES = [ROOT / "README.md", *DOCS, ROOT / "notebooks/README.md"]
MY_BOOK = "It was a dark night. " * 400
ADDRESS = "git+https://github.com/d2lrnn/d2lrnn"
SETTINGS = {
    **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
    "D2LRNN_PROGRESS": "0",
    "MPLBACKEND": "agg",
}
# Training is shortened, on NumPy; the last option of a name is the one that counts.
SHORT = {
    "train": ["--backend", "numpy", "--epochs", "2", "--iterations", "50", "--max-tokens", "2000"],
    "task": ["--backend", "numpy", "--epochs", "1"],
    "generate": ["--backend", "numpy"],
    "compare": ["--backend", "numpy", "--cell", "rnn"],
    "bench": ["--backend", "numpy", "--size", "tiny", "--rounds", "1"],
}
# What does not end, or needs a notebook, a checkout, onnx or an MPI: these have tests of their own.
ELSEWHERE = ("d2lrnn demo", "d2lrnn book", "d2lrnn notebooks", "d2lrnn export", "d2lrnn launch")
BY_MPI = "bench processes"  # tests/distributed


def blocks(page, language):
    """The blocks of code in a language on a page."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def commands(word, inline=True):
    """The commands of all pages that begin with a word, in blocks and in the text."""
    text = "\n".join(block for page in PAGES for block in blocks(page, "sh"))
    if inline:
        pages = [page.read_text(encoding="utf-8") for page in PAGES]
        text += "\n" + "\n".join(
            code for page in pages for code in re.findall(r"`([^`\n]+)`", page)
        )
    found = (part.partition("#")[0].strip() for part in re.split(r"\n| && ", text))
    return list(dict.fromkeys(part for part in found if part.startswith(f"{word} ")))


def heads_of(text):
    """The beginnings of lines that say something of the training, without the numbers measured."""
    lines = [line for line in text.splitlines() if re.match(r"numpy:|epoch|best", line)]
    return [re.sub(r"\d+\.\d+|[\d,]+ tokens/s|in epoch \d+", "N", line)[:24] for line in lines]


def run(command, folder, **settings):
    """Return the output of a command; raise an AssertionError if it fails."""
    env = {**SETTINGS, **settings}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """A copy of the checkout, including changes that are not committed."""
    folder = tmp_path_factory.mktemp("checkout")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    for command in ("init -q", "add -A", "-c user.name=x -c user.email=x commit -q -m all"):
        subprocess.run(["git", *command.split()], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="session")
def bare(checkout, tmp_path_factory):
    """The folder of programs of an environment with the package and what it needs, no more."""
    folder = tmp_path_factory.mktemp("bare")
    run([sys.executable, "-m", "venv", folder], checkout)
    run([folder / "bin/pip", "install", "-q", "-c", "constraints.txt", "."], checkout)
    return folder / "bin"


@pytest.fixture(scope="session")
def rich(checkout, tmp_path_factory):
    """The same with what draws and what tasks need, and a folder in which a reader has a text."""
    folder = tmp_path_factory.mktemp("rich")
    run([sys.executable, "-m", "venv", folder], checkout)
    run([folder / "bin/pip", "install", "-q", "-c", "constraints.txt", ".[plot,tasks]"], checkout)
    (folder / "my_book.txt").write_text(MY_BOOK, encoding="utf-8")
    (folder / "my_cell.py").write_text(MY_CELL, encoding="utf-8")
    return folder / "bin"


def test_the_first_command_of_the_readme_prints_the_shown_output(checkout):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command = blocks(ROOT / "README.md", "sh")[0]
    expected = re.search(r"^```text\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)[1]
    printed = run(["bash", "-euo", "pipefail", "-c", command], checkout)
    heads = [heads_of(text) for text in (expected, printed)]  # what is learned differs by rounding
    assert [head for head in heads[0] if head not in heads[1]] == []


def test_the_snippet_runs_with_numpy_only(bare, tmp_path):
    """With two epochs."""
    snippet = blocks(ROOT / "README.md", "python")[0].replace("=100", "=2")
    printed = run([bare / "python", "-c", snippet], tmp_path)
    assert "epoch 2: perplexity" in printed
    assert "\nListen, " in printed


MY_CELL = blocks(ROOT / "docs/how-to/own-cell.md", "python")[0]
SNIPPETS = [
    pytest.param(page, block, id=f"{page.name}-{number}")
    for page in PAGES
    if page.name not in ("index.md",)  # the README's
    for number, block in enumerate(blocks(page, "python"))
    if "# %%" not in block
    and "d2lrnn.book" not in block  # the book's need a framework: tests/book
    and "class MyGRU" not in block  # these too: tests/nets/test_own_modules.py
]


@pytest.mark.parametrize(("page", "snippet"), SNIPPETS)
def test_a_snippet_of_a_page_runs(rich, page, snippet):
    """In NumPy, with few epochs; those of one page in one folder, in their order."""
    folder = rich.parent / "snippets" / page.stem
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "my_book.txt").write_text(MY_BOOK, encoding="utf-8")
    (folder / "my_cell.py").write_text(MY_CELL, encoding="utf-8")
    snippet = re.sub(r"\b(torch|tensorflow|jax|mxnet) as rnn", "numpy as rnn", snippet)
    snippet = re.sub(r"num_epochs=\d+", "num_epochs=1", snippet)
    if " as rnn" not in snippet:
        snippet = f"from d2lrnn import numpy as rnn\n{snippet}"
    run([rich / "python", "-c", snippet], folder)


@pytest.mark.parametrize(
    "command",
    [
        command
        for command in commands("d2lrnn", inline=False)
        if not command.startswith(ELSEWHERE) and BY_MPI not in command
    ],
)
def test_a_command_of_a_page_runs(rich, command):
    """In NumPy, made short; in one folder, in the order of the pages, as a model is saved first."""
    words = shlex.split(command.replace("--gpu=require", "--gpu"))[1:]  # NumPy can have none
    if words[0] in SHORT:
        words = [word for word in words if word not in ("--all", "--concise")]
        names = itertools.takewhile(lambda word: not word.startswith("-"), words)
        known = run([rich / "d2lrnn", *names, "--help"], rich.parent)
        pairs = list(zip(SHORT[words[0]][::2], SHORT[words[0]][1::2]))
        fixed = ("--epochs", "--max-tokens") if "--recipe" in words else ("--iterations",)
        pairs = [pair for pair in pairs if pair[0] not in fixed and f"{pair[0]} " in known]
        words += [word for pair in pairs for word in pair]
    run([rich / "d2lrnn", *words], rich.parent)


@pytest.mark.parametrize("command", [c for c in commands("pip install") if "/d2lrnn" not in c])
def test_an_install_command_is_one_that_pip_understands(bare, checkout, command):
    """Asked without what the package needs, which is gigabytes: an unknown extra is a warning."""
    words = [word for word in shlex.split(command)[2:] if word != "-e"]
    if "d2lrnn" in command:  # by its name: once it is in an index
        words = [word.replace("d2lrnn", ".") for word in words]
    printed = run([bare / "pip", "install", "-q", "--dry-run", "--no-deps", *words], checkout)
    assert "does not provide" not in printed


@pytest.mark.parametrize("command", [c for c in commands("pip install") if "/d2lrnn" in c])
def test_an_install_command_with_a_git_address_installs_it(checkout, tmp_path, command):
    """As it stands; git is told to find the public address in a checkout here."""
    assert ADDRESS in command
    run([sys.executable, "-m", "venv", tmp_path], checkout)
    instead = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.file://{checkout}.insteadOf"}
    instead["GIT_CONFIG_VALUE_0"] = ADDRESS.removeprefix("git+")
    pip = [tmp_path / "bin/pip", "install", "-q", "--no-deps"]
    run([*pip, *shlex.split(command)[2:]], tmp_path, **instead)
    run([tmp_path / "bin/python", "-c", "import d2lrnn"], tmp_path)
