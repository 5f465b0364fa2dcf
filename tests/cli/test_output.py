"""If output cannot be printed, trained models and measurements are not lost."""

import contextlib
import json
import os
import shlex
import subprocess
import sys

import pytest
from pictures import colours

from d2lrnn.files import tensor_file

COMMAND = f"{shlex.quote(sys.executable)} -m d2lrnn"
SMALL = "--hiddens 8 --steps 10 --batch-size 8 --max-tokens 1000 --sample-every 1"
TEXT = "Grüße an 漢字 😀\n"
TERMINALS = {
    "the C locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "ascii and surrogates": {"PYTHONIOENCODING": "ascii:surrogateescape"},
    "latin-1": {"PYTHONIOENCODING": "latin-1:strict"},
}
pytestmark = pytest.mark.skipif(os.name == "nt", reason="a shell of Unix")


def shell(command, folder, **environment):
    """Run a command line in a folder, with Python's output buffered as it is by default."""
    settings = {"shell": True, "cwd": folder, "capture_output": True, "timeout": 120}
    inherited = {name: os.environ[name] for name in os.environ.keys() - {"PYTHONUNBUFFERED"}}
    return subprocess.run(command, env={**inherited, **environment}, **settings)


@pytest.fixture(params=TERMINALS.values(), ids=TERMINALS)
def terminal(request):
    """The environment of a terminal that cannot display most characters."""
    return request.param


@pytest.fixture
def text(tmp_path):
    """A text of characters that few terminals can display."""
    (tmp_path / "text").write_text(TEXT * 60, encoding="utf-8")
    return tmp_path / "text"


def test_a_text_that_the_terminal_cannot_display_is_trained_on_and_saved(
    backend, tmp_path, text, terminal
):
    train = f"{COMMAND} train --backend {backend} {SMALL} --text text --epochs 3 --out m"
    done = shell(train, tmp_path, **terminal, D2LRNN_PROGRESS="1")
    assert done.returncode == 0, done.stderr
    assert b"epoch 3, perplexity" in done.stdout
    assert (tmp_path / "m").exists()


def test_an_unusual_text_is_trained_on_and_saved_without_progress(tmp_path, text, terminal):
    train = f"{COMMAND} train {SMALL} --text text --epochs 3 --out m"
    done = shell(train, tmp_path, **terminal, D2LRNN_PROGRESS="0")
    assert done.returncode == 0, done.stderr
    assert b"epoch 3, perplexity" in done.stdout
    assert (tmp_path / "m").exists()


def test_the_printed_output_can_be_redirected_to_files(tmp_path, text, terminal):
    train = f"{COMMAND} train {SMALL} --text text --epochs 3 --out m > printed 2> errors"
    done = shell(train, tmp_path, **terminal)
    assert done.returncode == 0, (tmp_path / "errors").read_bytes()
    lines = (tmp_path / "printed").read_bytes().splitlines()
    assert lines[0].startswith(b"model: rnn, 8 hidden units")
    assert lines[-1].startswith(b"to generate text, run: ")
    done = shell(f"{COMMAND} generate no > printed 2> errors", tmp_path, **terminal)
    assert done.returncode == 1
    assert (tmp_path / "errors").read_bytes().startswith(b"Error: MODEL no: ")


@pytest.fixture(scope="module")
def folder_with_model(tmp_path_factory):
    """A folder with a model of that text, in the file m."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "text").write_text(TEXT * 60, encoding="utf-8")
    shell(f"{COMMAND} train {SMALL} --text text --epochs 1 --out m", folder)
    return folder


def test_a_model_of_an_unusual_text_generates(backend, folder_with_model, terminal):
    generate = f"{COMMAND} generate m --backend {backend} --num-preds 5 --prefix Gr"
    done = shell(generate, folder_with_model, **terminal)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"Gr")


def test_the_recipe_learns_an_unusual_text_too(tmp_path, text, terminal):
    train = f"{COMMAND} train --recipe min-char --text text --iterations 2 --out m"
    done = shell(train, tmp_path, **terminal)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "m").exists()


def test_file_names_that_the_terminal_cannot_display_are_not_an_error(tmp_path, terminal):
    done = shell(f"{COMMAND} train {SMALL} --epochs 1 --out Grüße", tmp_path, **terminal)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["Grüße"]
    done = shell(f"{COMMAND} generate 漢字", tmp_path, **terminal)
    assert done.returncode == 1
    assert b"there is no such file" in done.stderr
    assert b"Traceback" not in done.stderr


LOSSES = ["| head -n 1", "> /dev/full", ">&-", "2>&-", ">&- 2>&-", "> /dev/full 2> /dev/full"]


@pytest.fixture(params=LOSSES)
def loss(request):
    """Return the exit of a command that can no longer print."""
    return request.param


def test_a_run_that_writes_a_model_continues_to_its_end(tmp_path, loss):
    train = f"({COMMAND} train {SMALL} --epochs 40 --out m; echo $? > status)"
    done = shell(f"{train} {loss}", tmp_path)
    assert (tmp_path / "status").read_text() == "0\n", done.stderr
    settings = json.loads(tensor_file.unpack(tmp_path / "m")[1]["settings"])
    assert settings["epochs"] == 40
    assert b"Traceback" not in done.stderr
    assert b"interrupted" not in done.stderr


def test_a_saving_run_with_closed_output_continues_to_its_end(tmp_path, loss):
    done = shell(f"{COMMAND} train {SMALL} --epochs 40 --checkpoint run {loss}", tmp_path)
    about = json.loads(tensor_file.unpack(tmp_path / "run")[1]["training"])
    assert about["epoch"]["number"] == 41, done.stderr


@pytest.mark.parametrize("loss", ["| head -n 1", "> /dev/full"])
def test_a_run_that_writes_nothing_ends(tmp_path, loss):
    done = shell(f"({COMMAND} train {SMALL} --epochs 100000; echo $? > s) {loss}", tmp_path)
    assert (tmp_path / "s").read_text() in ("1\n", "129\n")
    assert b"can be printed" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["generate m --num-preds 1", "doctor", "--help"])
@pytest.mark.parametrize("closed", [">&-", "> /dev/full"])
def test_a_command_that_only_prints_ends_with_one_line(tmp_path, command, closed):
    shell(f"{COMMAND} train {SMALL} --epochs 0 --out m", tmp_path)
    done = shell(f"{COMMAND} {command} {closed}", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(b"Error: nothing can be printed (")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        ("task sentiment --epochs 2 --plot p.png", "p.png"),
        ("task xor --epochs 2 --plot p.png", "p.png"),
        ("compare --backend numpy --cell rnn --plot p.png", "p.png"),
        ("bench --size tiny --cell rnn --rounds 1 --plot p.png", "p.png"),
        ("bench --size tiny --cell rnn --rounds 1 --json j", "j"),
        ("notebooks n", "n/01-hidden-states.ipynb"),
        ("train --recipe min-char --corpus builtin --iterations 2 --out m", "m"),
    ],
)
def test_every_command_writes_its_files_where_nothing_can_be_printed(tmp_path, arguments, file):
    done = shell(f"{COMMAND} {arguments} > /dev/full", tmp_path)
    content = (tmp_path / file).read_bytes()
    assert (colours(tmp_path / file) > 10) if file == "p.png" else content, done.stderr
    assert done.returncode == 0, done.stderr


def test_a_pipe_that_is_temporarily_full_does_not_end_the_command(tmp_path):
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writes, bytes(1000))
    command = [*shlex.split(COMMAND), "train", *SMALL.split(), "--epochs", "40"]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    pipes = {"stdout": writes, "stderr": subprocess.PIPE, "env": buffered}
    done = subprocess.run(command, timeout=120, **pipes)
    os.close(reads)
    os.close(writes)
    assert done.returncode in (0, 120), done.stderr  # 120: Python's, of what could not be flushed
    assert b"can be printed" not in done.stderr


def test_output_for_a_closed_stream_is_not_written_into_a_file(tmp_path):
    program = """
import os, sys
from d2lrnn import cli
from d2lrnn.files import tensor_file
write = tensor_file.write
def printing(file, *args):
    write(file, *args)
    for number in (1, 2):  # as libraries of C do
        os.write(number, b"a word from a framework")
tensor_file.write = printing
cli.main(sys.argv[1:])
"""
    (tmp_path / "program.py").write_text(program)
    train = f"{shlex.quote(sys.executable)} program.py train {SMALL} --epochs 1 --out m"
    shell(f"{train} <&- >&- 2>&-", tmp_path)
    done = shell(f"{COMMAND} generate m --num-preds 1", tmp_path)
    assert done.returncode == 0, done.stderr
