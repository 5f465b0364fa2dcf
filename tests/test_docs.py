"""The pages are correct: names exist, links work, measured facts are measured again."""

import importlib
import inspect
import re
import shlex
import sys
from pathlib import Path

import pytest
from contracts import BACKEND, LAYERS, SHARED

import d2lrnn
from d2lrnn import cli
from d2lrnn import numpy as numpy_backend
from d2lrnn.nets.model import Model

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / n for n in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "notebooks/README.md")]
PAGES += sorted((ROOT / "docs").rglob("*.md"))
# Pages of the site that are made of files of the root, and a folder that it copies.
MADE = ("docs/contributing.md", "docs/changelog.md", "docs/notebooks/index.md")
# Modules, tests and pages, as the text names them: `tests/nets/test_fused.py`.
FILE = re.compile(r"`([\w./-]+\.(?:py|md|cfg|txt|ini|toml|yml|png))`")
EXAMPLES = {"NN-name.py", "tests/test_file.py", "my_cell.py"}  # names that stand for others
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")


def known():
    """Every name that a backend has, with what has its signature."""
    nets = {"net": Model, **SHARED}
    methods = {
        f"{name}.{method}": getattr(net, method)
        for name, net in nets.items()
        if inspect.isclass(net)
        for method in vars(net)
        if not method.startswith("_")
    }
    return {**BACKEND, **LAYERS, **methods}


def rows_of(page):
    """The rows of a page's tables, cell by cell, without heads."""
    lines = (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
    rows = [line.strip("|").split(" | ") for line in lines if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in rows]


OURS = sorted(
    {call for _, ours, _ in rows_of("coming-from-d2l.md") for call in re.findall("`(.*?)`", ours)}
)


def test_the_page_for_readers_of_d2l_names_what_the_book_defines():
    theirs = " ".join(row[0] for row in rows_of("coming-from-d2l.md"))
    named = "RNNModelScratch train_ch8 predict_ch8 grad_clipping Vocab SeqDataLoader RNNModel"
    newer = "TimeMachine RNNScratch RNNLMScratch RNNLM GRUScratch LSTMScratch Trainer Seq2Seq"
    assert [name for name in f"{named} {newer}".split() if f"`{name}(" not in theirs] == []
    assert len(OURS) > 40


@pytest.mark.parametrize("call", OURS)
def test_the_names_on_the_page_for_readers_of_d2l_exist_with_these_arguments(call):
    name, _, arguments = call.removesuffix(")").partition("(")
    signature = inspect.signature(known()[name])
    found = {p.name: p.default for p in signature.parameters.values() if p.name != "self"}
    written = [argument.split("=") for argument in arguments.split(", ") if argument]
    assert [argument[0] for argument in written] == list(found)[: len(written)]
    for argument, *default in written:
        expected = inspect.Parameter.empty if not default else eval(default[0])
        assert found[argument] == expected or not default, argument


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_and_files_of_a_page_exist(page):
    text = page.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    links = [one or other for one, other in LINK.findall(prose)]
    targets = [link.split("#")[0] for link in links if not re.match(r"https?:|mailto:|#", link)]
    missing = [target for target in targets if target and not leads_somewhere(page.parent, target)]
    named = [name for name in FILE.findall(prose) if not is_here(page.parent, name)]
    assert (missing, named) == ([], [])


def leads_somewhere(folder, target):
    """Whether a link leads to a file, here or once the site is built."""
    path = (folder / target).resolve()
    return path.exists() or str(path.relative_to(ROOT)) in MADE


def is_here(folder, name):
    """Whether a file that a page names is here; a file of a backend is in one of three folders."""
    backends = (ROOT / "d2lrnn" / part for part in ("torch", "tensorflow", "jax"))
    places = (folder, ROOT, ROOT / "d2lrnn", *backends)
    return name in EXAMPLES or any((place / name).exists() for place in places)


def script_of_docs(name):
    """A script of docs/ as a module."""
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(ROOT / "docs"))


def measured(script, page, backend):
    """What a script of docs/ finds for a backend, and what the page says that it found."""
    module = script_of_docs(script)
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    table = text.partition(f"<!-- docs/{script}.py -->")
    lines = table[2].strip().split("\n\n")[0].splitlines()
    heads, _, *rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]
    column = heads.index(module.NAMES[backend])
    questions = {name: question for name, (question, _) in module.FACTS.items()}
    found = {questions[name]: answer for name, answer in module.measure(backend).items()}
    return found, {row[0]: row[column] for row in rows}


def test_a_framework_has_the_defaults_on_the_page(backend):
    found, written = measured("surprises", "frameworks.md", backend)
    assert found == written


@pytest.mark.frameworks  # NumPy has no layers
def test_a_framework_s_layers_have_the_defaults_on_the_page(backend):
    found, written = measured("layers", "frameworks.md", backend)
    assert found == written


def test_the_same_product_again_has_the_same_bits(backend):
    assert script_of_docs("rounding").measure(backend)[0] is True


def test_every_name_of_the_interface_is_on_a_page_of_the_reference():
    pages = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "docs/reference").glob("*.md"))
    named = re.findall(r"^::: (\S+)", pages, flags=re.MULTILINE)
    contracts = {"d2lrnn.interface.Backend", "d2lrnn.interface.Layers"}
    assert contracts | {"d2lrnn.nets.model.Model"} <= {*named}
    shown = {name.rpartition(".")[2] for name in named}
    assert [name for name in SHARED if name not in shown] == []


def test_the_changelog_and_the_citation_name_this_version():
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## \[(\d.*?)\]", changes, flags=re.MULTILINE)[0] == d2lrnn.__version__
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {d2lrnn.__version__}\n" in citation


def test_the_page_on_contributing_names_each_file_of_a_backend():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    files = {path.name for path in (ROOT / "d2lrnn" / "torch").glob("*.py")}
    assert sorted(name for name in files if f"| `{name}` |" not in page) == []


def lines_of_the_command():
    """The lines of the pages' blocks of shell that call d2lrnn, without remarks."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    parts = [part.partition("#")[0].strip() for part in re.split(r"\n| && ", blocks)]
    return sorted({part for part in parts if part.startswith("d2lrnn ")})


@pytest.mark.parametrize("line", lines_of_the_command())
def test_a_page_s_command_has_these_options(line, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rnn-scratch.ipynb").touch()
    _, name, *arguments = shlex.split(line)
    command = cli.main.commands[name]
    if arguments and arguments[0] in getattr(command, "commands", ()):
        command, name = command.commands[arguments[0]], arguments.pop(0)
    assert command.make_context(name, arguments).command is command


def names_of_the_cheat_sheet():
    """The names in front of a parenthesis, a comma or the end in the cheat sheet's code."""
    text = (ROOT / "docs" / "cheat-sheet.md").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if line.startswith("| "))
    names = re.findall(r"`([A-Za-z_0-9.]+)(?:\([^`]*)?`", lines)
    return sorted(set(names) - {"vocab.to_tokens", "net"})


@pytest.mark.parametrize("name", names_of_the_cheat_sheet())
def test_the_cheat_sheet_names_functions_that_exist(name):
    assert name in known() or hasattr(numpy_backend, name)


def test_the_cheat_sheet_has_every_cell():
    cells = [name for name in BACKEND if f"init_{name.partition('_')[0]}_state" in BACKEND]
    assert {"rnn", "gru", "lstm", "gru_reset_after", "rnn_fused"} <= {*cells}
    assert [name for name in cells if name not in names_of_the_cheat_sheet()] == []


NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.py"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_teacher_s_guide_covers_each_notebook(notebook):
    guide = (ROOT / "docs" / "teachers-guide.md").read_text(encoding="utf-8")
    sections = {one.partition("\n")[0]: one for one in guide.split("\n## ")[1:]}
    title = re.search(r"^# # (.+)$", notebook.read_text(encoding="utf-8"), re.MULTILINE)[1]
    parts = ("**Minutes**: lecture ", "**Before**", "**Aims.**", "**To ask**", "**Wrong answers")
    assert [part for part in (*parts, "**Show") if part not in sections[title]] == []
    assert len(re.findall(r"^- \*", sections[title], re.MULTILINE)) >= 4  # questions
