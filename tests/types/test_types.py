"""What an editor says of the README's snippet and of the notebooks: nothing but names and types.

The ordinary suite does not collect them, since they need pyright: pytest tests/types, or
tox -e lint.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from d2lrnn import backends

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SNIPPET = re.search(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)[1]
KNOWN = {
    "train_iter": "SeqDataLoader",
    "vocab": "Vocab",
    "net": "RNNModelScratch",
    "history": "History",
    "rnn.get_lstm_params(28, 256)": "list[Any]",
    "rnn.init_lstm_state(2, 3)": "tuple[Any, ...]",
    "rnn.SequenceClassifierScratch(5, 3, 1)": "SequenceClassifierScratch",
    'rnn.load_model("model.safetensors")': "tuple[ScratchModel, Vocab]",
}


def pyright(*paths):
    """What pyright says of files: pairs of how bad and what."""
    command = [sys.executable, "-m", "pyright", "--outputjson", "--project", ROOT, *paths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    said = json.loads(done.stdout[done.stdout.index("{") :])
    return [(each["severity"], each["message"]) for each in said["generalDiagnostics"]]


@pytest.fixture(params=list(backends.BACKENDS))
def snippet(request, tmp_path):
    """The README's snippet on a backend, and after it a question for each thing."""
    code = SNIPPET.replace("import torch", f"import {request.param}")
    assert f"import {request.param} as rnn" in code
    questions = "".join(f"reveal_type({thing})\n" for thing in KNOWN)
    path = tmp_path / "snippet.py"
    path.write_text(code + questions, encoding="utf-8")
    return path


def test_pyright_knows_what_each_thing_of_the_snippet_is(snippet):
    revealed = [f'Type of "{thing}" is "{kind}"' for thing, kind in KNOWN.items()]
    assert pyright(snippet) == [("information", line) for line in revealed]


def test_mypy_knows_it_too(snippet, tmp_path):
    options = ["--config-file=", "--ignore-missing-imports", f"--cache-dir={tmp_path}"]
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", *options]
    done = subprocess.run([*command, snippet], cwd=ROOT, capture_output=True, text=True)
    told = re.findall(r'note: Revealed type is "(.*)"', done.stdout)
    short = [re.sub(r"\b(?:[a-z]\w*\.)+(?=\w)", "", kind).removesuffix("?") for kind in told]
    assert ("error" in done.stdout, short) == (False, list(KNOWN.values()))


def test_pyright_has_nothing_to_say_of_the_notebooks():
    assert pyright(*sorted((ROOT / "notebooks").glob("[0-9]*.py"))) == []
