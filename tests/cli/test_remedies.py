"""Errors and notes of the command name its options and a remedy."""

import io
import os
import shlex
import subprocess
import sys
import warnings

import pytest
from click.testing import CliRunner

from d2lrnn import backends, checks, cli
from d2lrnn.checks import surroundings
from d2lrnn.cli import launch, output, starters
from d2lrnn.nets import cells
from d2lrnn.training import run

SMALL = ["--hiddens", "8", "--steps", "10", "--batch-size", "8", "--max-tokens", "1000"]
COMMAND = f"{shlex.quote(sys.executable)} -m d2lrnn"
NO_FILE = "there is no such file; check its name and folder"


def d2lrnn(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture
def save(tmp_path):
    """A function that saves an untrained model of some tokens, and returns its file."""

    def save(tokens):
        rnn = backends.load("numpy")
        vocab = rnn.Vocab(tokens)
        functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn
        net = rnn.RNNModelScratch(len(vocab), 4, *functions, seed=0)
        rnn.save_model(tmp_path / "m", net, vocab)
        return tmp_path / "m"

    return save


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["generate", "no"], f"MODEL no: {NO_FILE}, or train one: d2lrnn train --out FILE"),
        (["generate", "."], "MODEL . is a folder; give the name of a file"),
        (["export", "no", "--onnx"], f"MODEL no: {NO_FILE}, or train one"),
        (["export", ".", "--onnx"], "MODEL . is a folder; give the name of a file"),
        (["train", "--text", "no.txt"], f"--text no.txt: {NO_FILE}"),
        (["train", "--text", "."], "--text . is a folder; give the name of a file"),
        (["train", "--resume"], "--resume continues a saved run; name its file with"),
        (["train", "--iterations", 9], "--iterations needs a recipe; add --recipe min-char"),
        (["train", "--iterations", 100_000], "--iterations needs a recipe"),
        (["train", "--every", 5], "--every needs a checkpoint; add --checkpoint FILE"),
        (["train", "--max-tokens", -1], "--max-tokens is -1; expected 0, for all tokens, or an"),
        (["compare", "--backends", ""], "backend is ''; expected one of numpy, torch"),
        (["task", "xor", "--seed", -1], "seed is -1; expected None or an integer, 0 or above"),
        (["task", "xor", "--cell", "lstm"], "xor has no recurrent cell; leave out --cell"),
        (["bench", "--memory", "--growth"], "--memory and --growth are both given; choose one"),
        (
            ["bench", "--quick"],
            "--quick is an option of growth; write: d2lrnn bench growth --quick",
        ),
        (["bench", "--memory", "--json", "f"], "--memory only prints; leave out --json"),
        (["bench", "--generation", "--plot", "f"], "--generation only prints; leave out --plot"),
        (["launch", "--processes", 99_999, "train"], "--processes is 99999; expected 256 or fewer"),
        (["launch", "--port", 65_535, "train"], "--port is 65535, for 2 processes; expected 1 to"),
        (["launch", "--hosts", "a,,b", "train"], "--hosts is 'a,,b'; expected names with commas"),
    ],
)
def test_an_error_names_the_option_and_says_what_helps(arguments, words):
    result = d2lrnn(*arguments)
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert result.output.startswith(f"Error: {words}")


@pytest.fixture
def no_folder(tmp_path, monkeypatch):
    """A working folder that has been removed."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()


@pytest.mark.skipif(os.name == "nt", reason="Windows does not remove a working folder")
@pytest.mark.parametrize(
    "arguments", [["train", "--out", "m"], ["notebooks", "n"], ["task", "xor", "--plot", "p.png"]]
)
def test_a_working_folder_that_has_been_removed_is_one_line(no_folder, arguments):
    result = d2lrnn(*arguments)
    assert result.exit_code == 1
    assert result.output == (
        "Error: the working folder does not exist any more; change to another one, with cd\n"
    )


@pytest.mark.parametrize("name", ["-x.st", "my model"])
def test_the_command_that_is_suggested_for_a_model_reads_its_file(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    printed = d2lrnn("train", *SMALL, "--epochs", 0, f"--out={name}").output
    command = (
        printed.splitlines()[-1]
        .removeprefix("to generate text, run: d2lrnn ")
        .removesuffix(" --prefix ...")
    )
    assert d2lrnn(*shlex.split(command), "--num-preds", 1).exit_code == 0


def test_resuming_with_another_seed_is_refused(tmp_path):
    command = ["train", *SMALL, "--epochs", 1, "--checkpoint", tmp_path / "run", "--resume"]
    assert d2lrnn(*command, "--seed", 0).exit_code == 0
    result = d2lrnn(*command, "--seed", 1)
    assert result.exit_code == 1
    assert result.output.endswith(
        "run belongs to another run: seed is 0 there, 1 here; use the arguments of that run, or "
        "save this run in another file\n"
    )


def test_resuming_in_another_backend_is_a_warning_of_one_line(tmp_path, monkeypatch):
    command = ["train", *SMALL, "--epochs", 1, "--checkpoint", tmp_path / "run", "--resume"]
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    d2lrnn(*command)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setattr(run.Run, "backend", backends.BACKENDS["torch"])
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        result = d2lrnn(*command)
    assert result.stderr == (
        f"Warning: {tmp_path / 'run'} was written under other conditions (backend NumPy there, "
        "PyTorch here; threads 1 there, 2 here): the parameters may differ in their last bits "
        "from those of an uninterrupted run\n"
    )


def test_the_error_for_an_unreadable_file_is_a_sentence(monkeypatch, save):
    def refuse(path, **_):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(backends.load("numpy"), "load_model", refuse)
    path = save("abc")
    said = f"Error: {path}: you are not allowed to do this; check the file's permissions\n"
    assert d2lrnn("generate", path).output == said


def test_a_prefix_with_unknown_characters_is_reported_and_read_as_unknown(save):
    result = d2lrnn("generate", save("abc"), "--prefix", "a~ü~", "--num-preds", 1)
    assert result.exit_code == 0
    assert result.stderr == (
        "Note: these characters of the prefix are not in the vocabulary: '~', 'ü'; "
        "the network reads '<unk>' instead\n"
    )
    assert result.stdout.startswith("a~ü~")


def test_a_prefix_of_known_tokens_causes_no_note(save):
    assert d2lrnn("generate", save("abc"), "--prefix", "cab", "--num-preds", 1).stderr == ""


def test_training_reports_a_prefix_with_unknown_characters_too():
    result = d2lrnn("train", *SMALL, "--epochs", 0, "--prefix", "Tick ~")
    assert "these characters of the prefix are not in the vocabulary: '~'" in result.stderr


@pytest.mark.parametrize("name", starters.STARTERS)
def test_commands_for_several_machines_are_quoted_for_a_shell(name):
    hosts, command = "a b;rm,c", ["train", "--backend", name, "--text", "my file.txt"]
    lines = d2lrnn("launch", "--hosts", hosts, "--", *command).output.splitlines()
    words = [word for line in lines for word in shlex.split(line.partition(": ")[2])]
    assert "my file.txt" in words
    assert any("a b;rm" in word for word in words)
    assert not {"b;rm", "my"} & set(words)


def test_more_processes_than_a_machine_can_start_are_refused():
    launch.check_number(launch.MOST, None)
    with pytest.raises(ValueError, match="use fewer processes, or several machines with --hosts"):
        launch.check_number(launch.MOST + 1, None)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_control_characters_are_printed_as_escapes_on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert output.harmless("é\x1b[2Ja\r\n\tb\x9b\0\x7f") == "é\\x1b[2Ja\\r\n\tb\\x9b\\x00\\x7f"


def test_text_is_written_unchanged_to_a_file_or_a_pipe(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert output.harmless("a\x1b[2J") == "a\x1b[2J"


@pytest.mark.skipif(os.name == "nt", reason="a terminal of Unix")
def test_generate_sends_no_control_characters_of_a_model_to_a_terminal(save):
    import pty

    ours, theirs = pty.openpty()
    command = f"{COMMAND} generate {save(chr(27))} --num-preds 1 --prefix"
    subprocess.run([*shlex.split(command), "\x1b[2J"], stdout=theirs, check=True, timeout=60)
    assert os.read(ours, 100).startswith(b"\\x1b[2J")
    os.close(ours)
    os.close(theirs)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
@pytest.mark.parametrize(
    "arguments", ["--help", "train --help", "--version", "task xor --epochs 1"]
)
def test_a_full_disk_ends_a_command_in_one_line(arguments):
    command = f"{COMMAND} {arguments} > /dev/full"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "Error: nothing can be printed (No space left on device)\n"


@pytest.mark.parametrize(
    ("option", "value", "number"),
    [("--layers", 10**6, "131,327,962,679"), ("--hiddens", 10**6, "1,000,111,000,055")],
)
def test_a_net_beyond_the_memory_is_refused_with_what_it_would_need(option, value, number):
    result = d2lrnn("train", option, value)
    assert result.exit_code == 1
    assert f"Error: the net would have {number} parameters" in result.stderr
    assert "take fewer --layers or --hiddens" in result.stderr


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_net_is_refused_where_weights_and_gradients_exceed_the_memory(monkeypatch, dtype):
    num_weights, size = 1000, int(dtype[-2:]) // 8
    monkeypatch.setattr(surroundings, "memory_of_this_machine", lambda: 2 * num_weights * size)
    checks.memory(num_weights, dtype, "")
    with pytest.raises(ValueError, match="the net would have 1,001 parameters"):
        checks.memory(num_weights + 1, dtype, "")


@pytest.mark.parametrize("num_layers", [1, 2, 5])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_weights_are_counted_without_listing_the_layers(reference, num_layers, bidirectional):
    architecture = cells.Architecture("lstm", num_layers, bidirectional)
    arrays = architecture.arrays(7, 3, seed=0)
    assert architecture.num_weights(7, 3) == sum(array.size for array in arrays)
