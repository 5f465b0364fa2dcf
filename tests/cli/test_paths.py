"""Paths that are not files are refused before a command does anything."""

import os
import pathlib
import subprocess
import sys
import tempfile

import pytest
from click.testing import CliRunner
from not_files import NO_TEXTS

from d2lrnn import backends, cli
from d2lrnn.data import reading
from d2lrnn.files import model_file

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="files of Unix"),
    pytest.mark.usefixtures("in_time"),
]
SMALL = ["--hiddens", "8", "--steps", "10", "--batch-size", "8", "--max-tokens", "1000"]
TEXT = "the clock ticks and tocks\n" * 60


@pytest.fixture
def trained(monkeypatch):
    """A list that is empty until something is computed."""
    loaded, load = [], backends.load
    monkeypatch.setattr(backends, "load", lambda name: loaded.append(name) or load(name))
    return loaded


def d2lrnn(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


OUTPUTS = [
    ("train --out", "m"),
    ("train --checkpoint", "run"),
    ("train --resume --checkpoint", "run"),
    ("train --plot", "p.png"),
    ("train --log", "l.csv"),
    ("train --recipe min-char --corpus builtin --iterations 2 --out", "m"),
    ("task xor --epochs 2 --plot", "p.png"),
    ("compare --backend numpy --cell rnn --plot", "p.png"),
    ("bench --size tiny --cell rnn --rounds 1 --plot", "p.png"),
    ("bench --size tiny --cell rnn --rounds 1 --json", "j.json"),
    ("bench processes --json", "j.json"),
    ("export model --onnx --out", "m.onnx"),
]


@pytest.mark.parametrize(("command", "name"), OUTPUTS)
def test_a_path_that_is_not_a_file_is_not_written_to(
    tmp_path, monkeypatch, trained, not_a_file, command, name
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").write_bytes(b"")
    path, words = not_a_file(tmp_path / name)
    result = d2lrnn(*command.split(), path)
    assert result.exit_code == 1, result.output
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    assert words in result.output
    assert str(path) in result.output
    assert trained == []


@pytest.mark.parametrize(("command", "name"), OUTPUTS)
def test_a_path_that_ends_with_a_slash_is_not_written_to(
    tmp_path, monkeypatch, trained, command, name
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").write_bytes(b"")
    (tmp_path / name).write_text("content")
    result = d2lrnn(*command.split(), f"{tmp_path / name}/")
    assert result.exit_code == 1
    assert "it is a folder; give the name of a file" in result.output
    assert (tmp_path / name).read_text() == "content"
    assert trained == []


@pytest.mark.parametrize(
    "command",
    ["generate", "export --onnx", "train --resume --checkpoint", "book --output x.ipynb"],
)
def test_a_path_that_is_not_a_file_is_not_read(tmp_path, monkeypatch, trained, not_a_file, command):
    monkeypatch.chdir(tmp_path)
    path, _ = not_a_file(tmp_path / "m.ipynb")
    result = d2lrnn(*command.split(), path)
    assert result.exit_code in (1, 2), result.output
    assert "Error: " in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("not_a_file", NO_TEXTS.values(), ids=NO_TEXTS, indirect=True)
@pytest.mark.parametrize("command", ["train --text", "train --recipe min-char --text"])
def test_a_text_is_a_file_or_a_pipe(tmp_path, trained, not_a_file, command):
    path, words = not_a_file(tmp_path / "text")
    result = d2lrnn(*command.split(), path)
    assert result.exit_code == 1, result.output
    assert result.output.count("\n") == 1
    assert words in result.output
    assert str(path) in result.output


def shell(command, **settings):
    """Run a command line of bash in which DO is replaced by the command d2lrnn."""
    command = command.replace("DO", f"{sys.executable} -m d2lrnn")
    settings = {"capture_output": True, "text": True, "timeout": 60, **settings}
    return subprocess.run(["bash", "-c", command], **settings)


@pytest.mark.parametrize(
    "source",
    ["--text <(cat text)", "--text /dev/stdin < text", "--text /dev/stdin < <(cat text)"],
)
@pytest.mark.parametrize("more", ["--epochs 1", "--recipe min-char --iterations 2"])
def test_a_text_can_be_read_from_a_pipe(tmp_path, source, more):
    (tmp_path / "text").write_text(TEXT)
    sizes = "" if "recipe" in more else " ".join(SMALL)
    done = shell(f"DO train {sizes} {more} {source}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"{min(len(TEXT), 10_000 if 'recipe' in more else 1000):,}" in done.stdout


def test_an_endless_text_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MAX_PIPED", 100_000)
    reads, writes = os.pipe()
    with subprocess.Popen(["yes"], stdout=writes) as process:
        os.close(writes)
        result = d2lrnn("train", *SMALL, "--text", f"/dev/fd/{reads}")
        process.kill()
    os.close(reads)
    assert result.exit_code == 1
    assert f"/dev/fd/{reads} yields more than 100,000 bytes without an end" in result.output


@pytest.fixture
def folder():
    """A folder that users other than root can reach, as those of pytest are not."""
    with tempfile.TemporaryDirectory() as name:
        yield pathlib.Path(name)
        os.chmod(name, 0o755)


@pytest.fixture
def as_nobody(folder):
    """Run the command d2lrnn in that folder as a user who is not root."""
    run = (  # imported first: this user may not read the package
        "import os, sys, click._textwrap; from d2lrnn import cli, plot;"
        "from d2lrnn.book import notebook_file;"
        "os.geteuid() or os.setuid(65534); cli.main(sys.argv[1:])"
    )

    def do(*arguments):
        command = [sys.executable, "-c", run, *map(str, arguments)]
        environment = {**os.environ, "HOME": "/nonexistent", "MPLCONFIGDIR": "/nonexistent"}
        settings = {"capture_output": True, "text": True, "timeout": 60, "env": environment}
        return subprocess.run(command, cwd=folder, **settings)

    return do


@pytest.mark.parametrize("option", ["--out", "--checkpoint", "--plot", "--log"])
def test_a_file_that_is_write_protected_is_not_replaced(folder, as_nobody, option):
    folder.chmod(0o777)
    (folder / "p.png").write_bytes(b"")
    (folder / "p.png").chmod(0o444)
    done = as_nobody("train", *SMALL, option, "p.png")
    assert done.returncode == 1
    assert done.stderr == (
        "Error: cannot write p.png: the file is write-protected; give another name, or make it "
        "writable\n"
    )
    assert (folder / "p.png").read_bytes() == b""


@pytest.mark.parametrize("option", ["--out", "--checkpoint", "--plot", "--log"])
def test_a_folder_that_is_write_protected_is_an_error_before_training(folder, as_nobody, option):
    folder.chmod(0o555)
    done = as_nobody("train", *SMALL, option, "p.png")
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: cannot write p.png: the folder {folder} is missing or read-only\n"
    )


@pytest.mark.parametrize("command", ["train --text f", "generate f", "export --onnx f", "book f"])
def test_a_file_that_may_not_be_read_is_an_error_of_one_line(folder, as_nobody, command):
    folder.chmod(0o755)
    (folder / "f").write_text(TEXT)
    (folder / "f").chmod(0)
    done = as_nobody(*command.split())
    assert done.returncode in (1, 2)
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr


def test_the_model_is_saved_if_the_checkpoint_cannot_be_written(tmp_path, monkeypatch):
    write = model_file.write

    def fail(path, *packed):
        if str(path).endswith("run"):
            raise OSError(28, "No space left on device", str(path))
        write(path, *packed)

    monkeypatch.setattr(model_file, "write", fail)
    kept = ["--checkpoint", tmp_path / "run", "--out", tmp_path / "m", "--every", 2]
    result = d2lrnn("train", *SMALL, "--epochs", 1, *kept)
    assert result.exit_code == 1
    assert f"saved the model to {tmp_path / 'm'}" in result.output
    assert f"Error: {tmp_path / 'run'}: No space left on device" in result.output
    assert d2lrnn("generate", tmp_path / "m", "--num-preds", 1).exit_code == 0
