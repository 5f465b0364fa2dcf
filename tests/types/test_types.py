"""Type checkers and editors report no error for the README's snippet and the notebooks.

The ordinary suite does not collect them, since they need pyright: pytest tests/types, or
tox -e lint.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from d2lrnn import backends, exports

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.py"))
# What mypy is told of notebooks: a name may be used again for something of another type, and no
# lesson annotates an empty list.
OF_NOTEBOOKS = (
    "--allow-redefinition-new",
    "--local-partial-types",
    "--disable-error-code=var-annotated",
)
README = (ROOT / "README.md").read_text(encoding="utf-8")
LAYERS = dict.fromkeys(backends.BACKENDS, ("GRU", "LSTM", "RNN", "RNNModel")) | {"numpy": ()}
LAYERS |= {name: ("MinGRU", *LAYERS[name]) for name in ("tensorflow", "jax")}
SNIPPET = re.search(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)[1]
KNOWN = {
    "train_iter": "SeqDataLoader",
    "vocab": "Vocab",
    "net": "RNNModelScratch",
    "history": "History",
    "rnn.get_lstm_params(28, 256)": "list[Any]",
    "rnn.init_lstm_state(2, 3)": "tuple[Any, ...]",
    "rnn.SequenceClassifierScratch(5, 3, 1)": "SequenceClassifierScratch",
    'rnn.load_model("model.safetensors")': "tuple[RNNModelScratch, Vocab]",
}


def pyright(*paths):
    """Return the reports of pyright for files: pairs of severity and message."""
    command = [sys.executable, "-m", "pyright", "--outputjson", "--project", ROOT, *paths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    said = json.loads(done.stdout[done.stdout.index("{") :])
    return [(each["severity"], each["message"]) for each in said["generalDiagnostics"]]


class Editor:
    """A client of the language server protocol that requests hover texts."""

    def __init__(self, root):
        command = [sys.executable, "-m", "pyright.langserver", "--stdio"]
        self.server = subprocess.Popen(
            command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        folder = {"uri": root.as_uri(), "name": "root"}
        self.request(
            "initialize", rootUri=root.as_uri(), workspaceFolders=[folder], capabilities={}
        )
        self.send("initialized")

    def send(self, method, number=None, **params):
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        body = json.dumps(message if number is None else {**message, "id": number}).encode()
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.server.stdin.flush()

    def request(self, method, **params):
        self.send(method, number=1, **params)
        while True:
            length = 0
            while line := self.server.stdout.readline().strip():
                if line.lower().startswith(b"content-length"):
                    length = int(line.rpartition(b":")[2])
            answer = json.loads(self.server.stdout.read(length))
            if answer.get("id") == 1 and "method" not in answer:
                return answer["result"]
            if "id" in answer:  # the server asks for settings; there are none
                body = json.dumps({"jsonrpc": "2.0", "id": answer["id"], "result": [{}]}).encode()
                self.server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
                self.server.stdin.flush()

    def hover(self, path, line, character):
        document = {"uri": path.as_uri()}
        place = {"line": line, "character": character}
        result = self.request("textDocument/hover", textDocument=document, position=place)
        return result["contents"]["value"] if result else ""


@pytest.fixture
def editor():
    editor = Editor(ROOT)
    with editor.server:
        yield editor
        editor.server.kill()


@pytest.mark.parametrize("framework", backends.BACKENDS)
def test_an_editor_shows_the_full_documentation_of_every_name(editor, framework, tmp_path):
    names = [*exports.__all__, *LAYERS[framework]]
    text = f"from d2lrnn import {framework} as rnn\n" + "".join(f"rnn.{name}\n" for name in names)
    path = tmp_path / "names.py"
    path.write_text(text, encoding="utf-8")
    document = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": text}
    editor.send("textDocument/didOpen", textDocument=document)
    shown = {name: editor.hover(path, i, 5) for i, name in enumerate(names, start=1)}
    assert [name for name, text in shown.items() if "Examples:" not in text] == []


def mypy(cache, *arguments):
    """Return the output of mypy for files, without the settings of this project."""
    options = ["--config-file=", "--ignore-missing-imports", f"--cache-dir={cache}"]
    command = [sys.executable, "-m", "mypy", "--follow-imports=silent", *options, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600).stdout


@pytest.fixture(params=list(backends.BACKENDS))
def snippet(request, tmp_path):
    """The README's snippet for a backend, followed by a query for each name."""
    code = SNIPPET.replace("import numpy", f"import {request.param}")
    assert f"import {request.param} as rnn" in code
    questions = "".join(f"reveal_type({thing})\n" for thing in KNOWN)
    path = tmp_path / "snippet.py"
    path.write_text(code + questions, encoding="utf-8")
    return path


def test_pyright_knows_the_types_of_the_snippet(snippet):
    revealed = [f'Type of "{thing}" is "{kind}"' for thing, kind in KNOWN.items()]
    assert pyright(snippet) == [("information", line) for line in revealed]


def test_mypy_knows_the_types_of_the_snippet_too(snippet, tmp_path):
    said = mypy(tmp_path, "--strict", snippet)
    told = re.findall(r'note: Revealed type is "(.*)"', said)
    short = [re.sub(r"\b(?:[a-z]\w*\.)+(?=\w)", "", kind).removesuffix("?") for kind in told]
    assert ("error" in said, short) == (False, list(KNOWN.values()))


def test_pyright_reports_no_error_in_the_notebooks():
    assert pyright(*NOTEBOOKS) == []


def test_mypy_reports_no_error_in_the_notebooks(tmp_path):
    said = mypy(tmp_path, *OF_NOTEBOOKS, *NOTEBOOKS)
    assert said.splitlines() == [f"Success: no issues found in {len(NOTEBOOKS)} source files"]


def test_mypy_finds_the_mistakes_of_a_notebook(tmp_path):
    path = tmp_path / "99-wrong.py"
    path.write_text("from d2lrnn import torch as rnn\n\nrnn.Vocab('ab').to_token(1)\n")
    assert '"Vocab" has no attribute "to_token"' in mypy(tmp_path, *OF_NOTEBOOKS, path)
