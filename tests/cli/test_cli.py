"""The command line."""

import math
import os
import re
import signal
import subprocess
import sys
import time

import matplotlib
import pytest
import tqdm.auto
from click.testing import CliRunner
from pictures import colours

from d2lrnn import backends, cli
from d2lrnn.cli import compare
from d2lrnn.files import atomic, tensor_file
from d2lrnn.measure import agreement, comparison, scaling
from d2lrnn.nets import build, cells

SMALL = ["--hiddens", "16", "--steps", "10", "--batch-size", "8", "--max-tokens", "1000"]


def d2lrnn(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture
def model(backend, tmp_path):
    """A small model, trained by the command in the backend under test, and the printed output."""
    path = tmp_path / "model.safetensors"
    result = d2lrnn("train", "--backend", backend, *SMALL, "--epochs", 3, "--out", path)
    assert result.exit_code == 0, result.output
    return path, result.output


def test_train_prints_perplexity_speed_and_a_sample_and_saves_the_model(backend, model):
    path, output = model
    assert path.exists()
    assert "text: builtin, 1,000 tokens, 55 of them different" in output
    assert re.search(r"epoch 3, perplexity \d+\.\d\d: Listen, ", output)
    last, best, saved, after = output.splitlines()[-4:]
    assert re.fullmatch(r"epoch 3: perplexity \d+\.\d\d, [\d,]+ tokens/s", last)
    assert re.fullmatch(r"best perplexity \d+\.\d\d, in epoch 3", best)
    assert saved == f"saved the model to {path}"
    assert after == f"to generate text, run: d2lrnn generate {path}"


def test_generate_continues_a_prefix(backend, model):
    result = d2lrnn(
        "generate", model[0], "--backend", backend, "--prefix", "The", "--num-preds", 20
    )
    assert result.exit_code == 0, result.output
    assert result.output.startswith("The")


def test_generate_prints_the_same_text_in_every_backend(pair, tmp_path):
    one, other = pair
    path = tmp_path / "m"
    d2lrnn("train", "--backend", one, *SMALL, "--epochs", 20, "--out", path)
    texts = [d2lrnn("generate", path, "--backend", name).output for name in (one, other)]
    assert texts[0] == texts[1]
    assert texts[0].startswith("Listen, ")


def test_a_model_of_words_is_trained_on_your_own_text_and_plotted(tmp_path):
    (tmp_path / "mine.txt").write_text("tick tock said the clock\n" * 40)
    arguments = ["--text", tmp_path / "mine.txt", "--token", "word", "--plot", tmp_path / "p.png"]
    result = d2lrnn("train", *SMALL, *arguments, "--epochs", 2, "--random", "--dtype", "float64")
    assert result.exit_code == 0, result.output
    assert "200 tokens" in result.output
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("arguments", [["--cell", "gru", "--layers", 2], ["--cell", "lstm"]])
def test_every_cell_is_trained_saved_and_read_again(backend, tmp_path, arguments):
    path = tmp_path / "m"
    result = d2lrnn("train", "--backend", backend, *SMALL, *arguments, "--epochs", 1, "--out", path)
    assert result.exit_code == 0, result.output
    result = d2lrnn("generate", path, "--backend", "numpy", "--num-preds", 5)
    assert result.output.startswith("Listen, ")


def test_a_framework_s_own_layer_is_trained_saved_and_read_by_numpy(
    backend, make_concise, tmp_path
):
    path, cell = tmp_path / "m", ["--cell", "gru", "--layers", 2, "--concise"]
    result = d2lrnn("train", "--backend", backend, *SMALL, *cell, "--epochs", 1, "--out", path)
    assert result.exit_code == 0, result.output
    result = d2lrnn("generate", path, "--backend", "numpy", "--num-preds", 5)
    assert result.output.startswith("Listen, ")


@pytest.mark.parametrize("prefix", [None, "tock"])
def test_generate_continues_the_prefix_of_training(tmp_path, prefix):
    (tmp_path / "mine.txt").write_text("tick tock said the clock\n" * 40)
    more = [] if prefix is None else ["--prefix", prefix]
    model = ["--text", tmp_path / "mine.txt", "--epochs", 1, "--out", tmp_path / "m"]
    d2lrnn("train", *SMALL, *model, *more)
    result = d2lrnn("generate", tmp_path / "m", "--length", 3)
    expected = prefix or "tick tock "
    assert result.output.startswith(expected)
    assert len(result.output) == len(expected) + 3 + 1  # and the end of the line


@pytest.mark.parametrize("prefix", [None, "tock"])
def test_generate_continues_the_same_prefix_with_a_checkpoint_as_with_a_model(tmp_path, prefix):
    (tmp_path / "mine.txt").write_text("tick tock said the clock\n" * 40)
    more = [] if prefix is None else ["--prefix", prefix]
    files = ["--out", tmp_path / "m", "--checkpoint", tmp_path / "run"]
    d2lrnn("train", *SMALL, "--text", tmp_path / "mine.txt", "--epochs", 1, *files, *more)
    results = [d2lrnn("generate", tmp_path / name, "--length", 3) for name in ("m", "run")]
    assert results[0].output == results[1].output
    assert results[1].output.startswith(prefix or "tick tock ")


def test_generate_continues_the_start_of_the_corpus_of_a_run_without_a_prefix(tmp_path, rnn):
    train_iter, vocab = rnn.load_data_builtin(8, 10, max_tokens=1000, seed=0)
    functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn
    net = rnn.RNNModelScratch(len(vocab), 4, *functions, seed=0)
    rnn.train_ch8(net, train_iter, vocab, 1, 1, checkpoint=tmp_path / "run")
    result = d2lrnn("generate", tmp_path / "run", "--length", 0)
    assert result.output == vocab.join(vocab.to_tokens(train_iter.corpus[:10])) + "\n"


def test_a_run_is_resumed_with_another_prefix(tmp_path):
    run = ["train", *SMALL, "--checkpoint", tmp_path / "run", "--resume", "--epochs"]
    d2lrnn(*run, 1, "--prefix", "The")
    result = d2lrnn(*run, 2, "--prefix", "Listen")
    assert result.exit_code == 0, result.output
    assert d2lrnn("generate", tmp_path / "run", "--length", 1).output.startswith("Listen")


def test_a_file_without_a_prefix_is_continued_from_its_first_token(tmp_path, make_net, rnn):
    rnn.save_model(tmp_path / "m", make_net(vocab_size=5), rnn.Vocab("abcd"))
    result = d2lrnn("generate", tmp_path / "m", "--num-preds", 0)
    assert result.output == "a\n"


def test_the_lowest_perplexity_of_a_grammar_is_shown():
    result = d2lrnn("train", *SMALL, "--corpus", "grammar", "--epochs", 1, "--token", "word")
    assert result.exit_code == 0, result.output
    assert "text: grammar, 1,000 tokens, 13 of them different" in result.output
    assert "the lowest perplexity that this text allows is 2.67" in result.output


@pytest.mark.parametrize("cell", build.FUSED)
def test_the_fused_cell_is_the_default_and_learns_what_the_book_s_does(backend, cell):
    arguments = ["train", "--backend", backend, *SMALL, "--cell", cell, "--epochs", 2]
    fused, book = d2lrnn(*arguments), d2lrnn(*arguments, "--forward", cell)
    assert fused.exit_code == book.exit_code == 0, fused.output + book.output
    shown = [re.findall(r"perplexity ([\d.]+)", result.output) for result in (fused, book)]
    assert len(shown[0]) >= 1
    assert [float(x) for x in shown[0]] == pytest.approx([float(x) for x in shown[1]], rel=1e-3)


def test_the_default_is_fused(monkeypatch):
    asked = []
    new_net = build.new_net
    monkeypatch.setattr(
        build, "new_net", lambda *a, fused, **kw: asked.append(fused) or new_net(*a, **kw)
    )
    for arguments in ([], ["--forward", "rnn"], ["--layers", 2], ["--cell", "gru_reset_after"]):
        d2lrnn("train", *SMALL, "--epochs", 0, *arguments)
    assert asked == [True, False, False, True]


def test_the_recipe_is_trained_shown_and_saved(backend, tmp_path):
    path, picture = tmp_path / "m", tmp_path / "loss.png"
    saved = "--out", path, "--plot", picture
    arguments = "--backend", backend, "--recipe", "min-char", "--corpus", "builtin"
    result = d2lrnn("train", *arguments, "--iterations", 20, *saved)
    assert result.exit_code == 0, result.output
    assert "text: builtin, 13,731 characters, 54 of them different" in result.output
    assert re.search(r"iteration 20: smooth loss \d+\.\d\d, initially 99\.72", result.output)
    assert colours(picture) > 10
    result = d2lrnn("generate", path, "--num-preds", 5)
    assert result.output.startswith("Listen, ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--hiddens", 50, "--lr", 1], "--recipe fixes --hiddens, --lr; leave out one"),
        (["--corpus", "grammar"], "needs a text that does not change"),
        (["--corpus", "builtin", "--text", "a"], "are both given; choose one"),
    ],
)
def test_options_that_a_recipe_fixes_are_refused(arguments, words):
    result = d2lrnn("train", "--recipe", "min-char", *arguments)
    assert result.exit_code == 1
    assert words in result.output


def test_a_task_shows_what_was_learned_and_draws_it(backend, tmp_path):
    picture = tmp_path / "scores.png"
    result = d2lrnn("task", "sentiment", "--backend", backend, "--plot", picture)
    assert result.exit_code == 0, result.output
    assert re.search(r"'movie was good': label: positive, P = 0\.99\d\d \(correct\)", result.output)
    assert colours(picture) > 10


@pytest.mark.parametrize("name", ["sentiment", "digits", "tagging"])
def test_a_task_without_training_shows_the_result_of_guessing(reference, tmp_path, name):
    picture = tmp_path / "chance.png"
    result = d2lrnn("task", name, "--epochs", 0, "--plot", picture)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("trained for 0 epochs")
    assert colours(picture) > 10


def test_exclusive_or_prints_its_error_during_training(tmp_path):
    picture = tmp_path / "errors.png"
    result = d2lrnn("task", "xor", "--epochs", 20000, "--plot", picture)
    assert result.exit_code == 0, result.output
    assert re.search(r"epoch 10,000: mean absolute error 0\.\d{4}\nepoch 20,000", result.output)
    assert re.search(r"1 xor 0 = 0\.9\d\d", result.output)
    assert colours(picture) > 10


def test_exclusive_or_runs_in_numpy_only():
    result = d2lrnn("task", "xor", "--backend", "torch")
    assert result.exit_code == 1
    assert "leave out --backend" in result.output or "not installed" in result.output


def test_numpy_does_not_have_framework_layers():
    result = d2lrnn("train", "--concise", *SMALL)
    assert result.exit_code == 1
    assert "NumPy does not have recurrent layers" in result.output


def test_a_bidirectional_network_is_trained_but_does_not_generate(tmp_path):
    path = tmp_path / "m"
    result = d2lrnn("train", *SMALL, "--bidirectional", "--epochs", 1, "--out", path)
    assert "cannot generate" in result.output
    result = d2lrnn("generate", path)
    assert result.exit_code == 1
    assert "generate with a net of one direction" in result.output


KEPT = [*SMALL, "--optimizer", "adam", "--lr", 0.01]


def test_a_run_is_saved_and_resumed_to_the_same_model(backend, tmp_path):
    train = ["train", "--backend", backend, *KEPT]
    kept = ["--checkpoint", tmp_path / "run", "--every", 3]
    assert d2lrnn(*train, "--epochs", 1, *kept).exit_code == 0
    result = d2lrnn(*train, "--epochs", 2, *kept, "--resume", "--out", tmp_path / "resumed")
    assert result.exit_code == 0, result.output
    d2lrnn(*train, "--epochs", 2, "--out", tmp_path / "at once")
    one, other = (tensor_file.unpack(tmp_path / name)[0] for name in ("resumed", "at once"))
    assert {name: array.tobytes() for name, array in one.items()} == {
        name: array.tobytes() for name, array in other.items()
    }


def test_a_run_with_a_checkpoint_ends_with_the_command_that_generates_from_it(tmp_path):
    result = d2lrnn("train", *KEPT, "--epochs", 1, "--checkpoint", tmp_path / "run")
    assert result.output.splitlines()[-2:] == [
        f"the run is saved in {tmp_path / 'run'}",
        f"to generate text, run: d2lrnn generate {tmp_path / 'run'}",
    ]
    assert d2lrnn("generate", tmp_path / "run", "--length", 5).exit_code == 0


def test_resuming_without_a_checkpoint_says_so_and_starts(tmp_path):
    result = d2lrnn("train", *KEPT, "--epochs", 1, "--checkpoint", tmp_path / "run", "--resume")
    assert (
        f"the checkpoint {tmp_path / 'run'} does not exist yet; training starts anew"
        in result.output
    )
    assert (tmp_path / "run").exists()


def test_a_checkpoint_is_not_overwritten_by_a_run_that_does_not_resume_it(tmp_path):
    train = ["train", *KEPT, "--epochs", 1, "--checkpoint", tmp_path / "run"]
    assert d2lrnn(*train).exit_code == 0
    result = d2lrnn(*train)
    assert result.exit_code == 1
    assert f"Error: {tmp_path / 'run'} already exists; continue it with" in result.output


def test_files_that_a_killed_process_left_beside_the_model_are_removed(tmp_path):
    stray = tmp_path / f"{atomic.prefix(tmp_path / 'm')}0123abcd.tmp"
    stray.write_bytes(b"half of it")
    d2lrnn("train", *SMALL, "--epochs", 1, "--out", tmp_path / "m")
    assert not stray.exists()


# A step that says when it has begun, and computes long, or for ever, without a look at signals.
SLOW = """
import hashlib, sys
from d2lrnn import backends, cli
def step(*minibatch):
    print("begun", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", {rounds})
    return 1.0, minibatch[2]
step.memory = dict
backends.load("{backend}").RNNModelScratch.make_step = lambda *_, **__: step
cli.main(sys.argv[1:])
"""


def interrupted(backend, kept, rounds, times, signum=signal.SIGINT):
    """Return how a run ends that a signal reaches so many times within a minibatch, and how soon.

    kept says what is to be kept: options of the command.
    """
    program = SLOW.format(backend=backend, rounds=rounds)
    command = [sys.executable, "-c", program, "train", *KEPT, "--backend", backend, *kept]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([str(word) for word in command], **pipes) as process:
        while "begun" not in process.stdout.readline():
            pass
        for _ in range(times):
            process.send_signal(signum)
            time.sleep(1)  # two that wait together for a busy machine are one
        start = time.perf_counter()
        _, said = process.communicate(timeout=120)
        return process.returncode, said, time.perf_counter() - start


def test_an_interrupt_saves_prints_where_and_exits_with_130(backend, tmp_path):
    kept = ["--checkpoint", tmp_path / "run"]
    status, said, _ = interrupted(backend, kept, rounds=10**6, times=1)
    assert status == 130
    assert (
        f"interrupted in epoch 1, after 1 of its minibatches; saved to {tmp_path / 'run'}" in said
    )
    assert (tmp_path / "run").exists()


def test_a_second_interrupt_exits_at_once(backend, tmp_path):
    kept = ["--checkpoint", tmp_path / "run", "--out", tmp_path / "m"]
    status, said, seconds = interrupted(backend, kept, rounds=10**9, times=2)
    assert status == 130
    assert seconds < 5
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "m").exists()


def test_an_interrupted_run_without_a_file_says_that_nothing_was_saved():
    status, said, _ = interrupted("numpy", [], rounds=10**6, times=1)
    assert status == 130
    assert said.endswith("nothing was saved; use --out or --checkpoint\n")


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_sigterm_and_sighup_save_too(tmp_path, signum):
    kept = ["--checkpoint", tmp_path / "run", "--out", tmp_path / "m"]
    status, said, _ = interrupted("numpy", kept, rounds=10**6, times=1, signum=signum)
    assert status == 128 + signum
    assert f"minibatches; saved to {tmp_path / 'run'}" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m", "run"]


def test_an_interrupt_without_a_checkpoint_saves_the_model(tmp_path):
    kept = ["--out", tmp_path / "m"]
    status, said, _ = interrupted("numpy", kept, rounds=10**6, times=1)
    assert status == 130
    assert "interrupted in epoch 1, after 1 of its minibatches; the run was not saved" in said
    assert "Traceback" not in said
    assert d2lrnn("generate", tmp_path / "m", "--num-preds", 1).exit_code == 0


def test_a_terminal_that_is_closed_loses_nothing(tmp_path):
    master, slave = os.openpty()
    own_terminal = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)"
    program = own_terminal + SLOW.format(backend="numpy", rounds=10**5)
    kept = ["--checkpoint", tmp_path / "run", "--out", tmp_path / "m"]
    command = [sys.executable, "-c", program, *map(str, ["train", *KEPT, *kept])]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), slave)
    with subprocess.Popen(command, **pipes, start_new_session=True) as process:
        os.close(slave)
        said = b""
        while b"begun\r\n" not in said:  # the whole line, or closing would break its print
            said += os.read(master, 1000)
        os.close(master)
        process.wait(120)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m", "run"]
    assert process.returncode in (128 + signal.SIGHUP, 120)  # 120: Python's, of a closed terminal


def test_an_interrupt_of_the_recipe_saves_the_model_too(tmp_path):
    kept = ["--out", tmp_path / "m", "--recipe", "min-char", "--corpus", "builtin"]
    program = SLOW.format(backend="numpy", rounds=10**6)
    command = [sys.executable, "-c", program, "train", *map(str, kept)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        while "begun" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        told, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "interrupted after iteration" in said
    assert f"saved the model to {tmp_path / 'm'}" in told
    assert (tmp_path / "m").exists()


# A run that a signal reaches when training is over: as its results are told, or saved.
LATE = """
import signal, sys
from d2lrnn import cli
from d2lrnn.cli import recipe, summary, train
def late(module, name):
    before = getattr(module, name)
    def function(*arguments, **settings):
        signal.raise_signal(int(sys.argv.pop()))
        setattr(module, name, before)
        return before(*arguments, **settings)
    setattr(module, name, function)
late({place})
cli.main(sys.argv[1:-1])
"""
PLACES = [
    "summary, 'tell'",
    "summary, 'save'",
    "recipe.TrainOptions, 'save'",
]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("place", PLACES)
def test_a_signal_after_the_last_epoch_does_not_lose_the_model(tmp_path, signum, place):
    kept = [*KEPT, "--epochs", 1, "--out", tmp_path / "m"]
    assert_saves_after_late_signal(tmp_path / "m", place, signum, kept)


def test_a_signal_after_the_last_iteration_of_the_recipe_does_not_lose_the_model(tmp_path):
    kept = ["--recipe", "min-char", "--corpus", "builtin", "--iterations", 2, "--out"]
    arguments = signal.SIGTERM, [*kept, tmp_path / "m"]
    assert_saves_after_late_signal(tmp_path / "m", "recipe.TrainOptions, 'save'", *arguments)


def assert_saves_after_late_signal(model, place, signum, options):
    program = LATE.format(place=place)
    command = [sys.executable, "-c", program, "train", *map(str, [*options, int(signum)])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 128 + signum
    assert done.stderr.endswith("\ninterrupted after the end of training; the results are saved\n")
    assert f"saved the model to {model}" in done.stdout
    assert d2lrnn("generate", model, "--num-preds", 1).exit_code == 0


# Imports that take long, and a backend's that turns what it catches into an error of its own.
SLOW_IMPORT = """
import sys, time
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            print("begun", flush=True)
            try:
                time.sleep(60)
            except BaseException as error:
                raise ImportError("a broken installation") from error
sys.meta_path.insert(0, Slow())
sys.argv = ["d2lrnn", "train", "--backend", "numpy"]
from d2lrnn.__main__ import main
main()
"""


@pytest.mark.parametrize("name", ["click", "numpy", "d2lrnn.numpy"])
def test_an_interrupt_during_the_imports_prints_one_line(name):
    command = [sys.executable, "-c", SLOW_IMPORT.format(name=name)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "\ninterrupted\n")


@pytest.mark.parametrize(
    "command", [["generate", __file__], ["compare"], ["bench"], ["task", "xor"]]
)
def test_an_interrupt_of_any_command_prints_one_line(monkeypatch, command):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    for module in ("", ".bench", ".compare", ".task"):
        monkeypatch.setattr(f"d2lrnn.cli{module}.load_backend", interrupt)
    result = d2lrnn(*command)
    assert result.exit_code == 130
    assert result.output == "\ninterrupted\n"


@pytest.mark.parametrize("kind", ["the same name", "a symbolic link", "a hard link", "a way round"])
@pytest.mark.parametrize(
    ("one", "other"), [("out", "plot"), ("checkpoint", "out"), ("text", "out"), ("text", "plot")]
)
def test_two_options_with_the_same_file_are_refused(tmp_path, kind, one, other):
    content = b"tick tock\n" * 100
    (tmp_path / "f.png").write_bytes(content)
    second = tmp_path / "link.png"
    if kind == "the same name":
        second = tmp_path / "f.png"
    elif kind == "a way round":
        (tmp_path / "folder").mkdir()
        second = tmp_path / "folder" / ".." / "f.png"
    elif kind == "a hard link":
        second.hardlink_to(tmp_path / "f.png")
    else:
        second.symlink_to(tmp_path / "f.png")
    result = d2lrnn("train", *SMALL, f"--{one}", tmp_path / "f.png", f"--{other}", second)
    assert result.exit_code == 1
    assert result.output == (
        f"Error: --{one} {tmp_path / 'f.png'} and --{other} {second} are the same file; "
        "give each option another file\n"
    )
    assert (tmp_path / "f.png").read_bytes() == content


def test_a_link_to_a_missing_file_is_recognized_as_the_same_file(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "m")
    result = d2lrnn("train", "--out", tmp_path / "m", "--checkpoint", tmp_path / "link")
    assert "are the same file" in result.output


@pytest.mark.parametrize(
    ("command", "name", "words"),
    [
        (["train", *SMALL, "--out"], "book.txt", "is not a model of d2lrnn"),
        (["train", *SMALL, "--log"], "book.csv", "is not a log of d2lrnn"),
        (["train", *SMALL, "--seed", 0, "--seed", 1, "--log"], "b.csv", "is not a log of d2lrnn"),
        (["train", *SMALL, "--plot"], "book.png", "is not a picture of that kind"),
        (["train", *SMALL, "--plot"], "book.svg", "is not a picture of that kind"),
        (["train", *SMALL, "--plot"], "book.raw", "is not a picture of that kind"),
        (["compare", "--plot"], "book.png", "is not a picture of that kind"),
        (["task", "xor", "--plot"], "book.pdf", "is not a picture of that kind"),
        (["bench", "--plot"], "book.png", "is not a picture of that kind"),
        (["bench", "--json"], "book.json", "does not hold measurements"),
        (["train", *SMALL, "--checkpoint"], "book.txt", "is not a model of d2lrnn"),
        (["train", *SMALL, "--resume", "--checkpoint"], "book.txt", "is not a model of d2lrnn"),
    ],
)
def test_a_file_of_another_kind_is_not_replaced(tmp_path, command, name, words):
    path = tmp_path / name
    path.write_text("[1, 2]")
    result = d2lrnn(*command, path)
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {path} ")
    assert words in result.output
    assert path.read_text() == "[1, 2]"


@pytest.mark.parametrize("ending", ["png", "svg", "pdf", "svgz", "eps", "jpg"])
def test_a_figure_is_replaced_by_one_of_its_kind_and_keeps_its_mode(tmp_path, ending):
    path = tmp_path / f"p.{ending}"
    for _ in range(2):
        result = d2lrnn("task", "xor", "--epochs", 10, "--plot", path)
        assert result.exit_code == 0, result.output
        path.chmod(0o600)
    assert d2lrnn("task", "xor", "--epochs", 10, "--plot", path).exit_code == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_a_figure_that_cannot_be_written_is_named_and_leaves_the_earlier_one(tmp_path):
    path = tmp_path / "p.png"
    assert d2lrnn("task", "xor", "--epochs", 10, "--plot", path).exit_code == 0
    before = path.read_bytes()
    limit = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
    program = limit + "from d2lrnn import cli; cli.main(sys.argv[1:])"
    command = [sys.executable, "-c", program, "task", "xor", "--epochs", "10", "--plot", str(path)]
    # Only the picture may meet the limit: a cache of matplotlib or Python would stay half
    # written.
    caches = {"MPLCONFIGDIR": matplotlib.get_cachedir(), "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {**os.environ, **caches}
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert result.returncode == 1
    assert f"Error: cannot write {path} (File too large): it needs" in result.stderr
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["p.png"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "--lr", "0"], "Error: lr is 0.0; expected a finite number above 0"),
        (["train", "--hiddens", "-1"], "Error: num_hiddens is -1; expected an integer"),
        (["train", "--text", "a", "--corpus", "builtin"], "are both given; choose one"),
        (
            ["train", "--forward", "gru"],
            "Error: --forward gru is not for the cell rnn; choose --cell gru, or --forward rnn or "
            "rnn_fused",
        ),
        (
            ["train", "--forward", "rnn_fused", "--cell", "gru_reset_after"],
            "Error: --forward rnn_fused is not for the cell gru_reset_after; choose --cell rnn, or "
            "--forward gru_reset_after or gru_reset_after_fused\n",
        ),
        (
            ["train", "--forward", "gru", "--cell", "gru", "--layers", "2"],
            "Error: --forward gru is for a single layer in one direction, not for gru, 2 layers; "
            "leave out --forward",
        ),
        (["train", "--out", "nowhere/model"], "Error: cannot write nowhere/model: the folder"),
        (["train", "--checkpoint", "no/run"], "Error: cannot write no/run: the folder"),
        (["train", "--out", "."], "Error: cannot write .: it is a folder; give the name of a file"),
        (["train", "--plot", "curve.xyz"], "Error: curve.xyz ends in 'xyz'; expected one of"),
        (["compare", "--plot", "nowhere/c.png"], "Error: cannot write nowhere/c.png: the folder"),
        (["train", "--steps", "20000"], "Error: the corpus has 10000 tokens"),
        (["train", "--prefix", ""], "Error: prefix '' does not contain any tokens"),
        (["compare", "--backends", "keras"], "Error: backend is 'keras'; expected one of"),
    ],
)
def test_errors_that_a_user_can_fix_are_one_line(arguments, words):
    result = d2lrnn(*arguments)
    assert result.exit_code == 1
    assert words in result.output
    assert "Traceback" not in result.output


def test_compare_finds_every_difference_within_its_bound(backend):
    result = d2lrnn("compare", "--backends", backend, "--cell", "rnn", "--all")
    assert result.exit_code == 0, result.output
    assert "rnn: losses float64" in result.output
    assert re.search(
        r"all \d+ differences are within tolerance; the largest used \d+% of its bound",
        result.output,
    )


@pytest.mark.parametrize(
    "chosen",
    [
        ["--backend", "numpy", "--backend", "numpy"],
        ["--backends", "numpy"],
        ["--backend", "numpy", "--backends", "numpy, numpy"],
    ],
)
def test_compare_accepts_backends_separately_or_in_one_option(monkeypatch, chosen):
    asked = compared(monkeypatch)
    result = d2lrnn("compare", *chosen)
    assert result.exit_code == 0, result.output
    assert {tuple(names) for names, *_ in asked} == {("numpy",)}


def compared(monkeypatch, interrupted_after=None):
    """Return the list of cases of compare; nothing is computed."""
    asked = []

    def compare_part(names, case, dtype, progress):
        if len(asked) == interrupted_after:
            raise KeyboardInterrupt
        asked.append((names, case, dtype))
        return [comparison.Gap(case, "outputs", dtype, "numpy", 0.5, 1.0)]

    monkeypatch.setattr(comparison, "compare_part", compare_part)
    return asked


def test_compare_accepts_several_cells(monkeypatch):
    asked = compared(monkeypatch)
    chosen = ["--cell", "rnn", "--cell", "lstm", "--cell", "rnn"]
    result = d2lrnn("compare", "--backend", "numpy", *chosen)
    assert result.exit_code == 0, result.output
    cases = [case for _, case, dtype in asked if dtype == "float64"]
    assert {case.split(",")[0] for case in cases} == {"rnn", "lstm"}
    assert len(cases) == len(set(cases))


@pytest.mark.parametrize("number", [0, 3])
def test_compare_shows_what_was_compared_when_it_is_interrupted(monkeypatch, number):
    compared(monkeypatch, interrupted_after=number)
    result = d2lrnn("compare", "--backend", "numpy")
    words = ["nothing has been compared yet", "the table holds the 3 differences compared so far"]
    assert result.exit_code == 130
    assert f"interrupted; {words[number > 0]}" in result.output
    assert ("difference/bound" in result.output) == (number > 0)


def test_the_progress_bar_of_compare_counts_the_cases(monkeypatch):
    made, real = [], tqdm.auto.tqdm
    monkeypatch.setattr(tqdm.auto, "tqdm", lambda **how: made.append(real(**how)) or made[-1])
    monkeypatch.setenv("D2LRNN_PROGRESS", "1")
    asked = compared(monkeypatch)
    d2lrnn("compare", "--backend", "numpy", "--cell", "rnn")
    assert [bar.total for bar in made] == [len(asked)] != [0]


@pytest.mark.parametrize(("value", "hidden"), [("0", True), ("1", None)])
def test_every_bar_of_the_command_can_be_turned_off(monkeypatch, value, hidden):
    made, real = [], tqdm.auto.tqdm
    monkeypatch.setattr(tqdm.auto, "tqdm", lambda **how: made.append(how["disable"]) or real(**how))
    monkeypatch.setenv("D2LRNN_PROGRESS", value)
    monkeypatch.setattr("d2lrnn.measure.memory.survey", lambda *_, **__: {})
    monkeypatch.setattr("d2lrnn.measure.memory.table", lambda _: "")
    for command in (["compare", "--backend", "numpy", "--cell", "rnn"], ["bench", "memory"]):
        d2lrnn(*command)
    d2lrnn("bench", "--size", "tiny", "--cell", "rnn", "--rounds", 1)
    assert made == [hidden] * 3


def test_compare_shows_the_worst_of_each_cell_over_its_bound():
    rows = [
        comparison.Gap("gru, 2 layers", "outputs", "float64", "numpy", 1e-13, 1e-12),
        comparison.Gap("gru", "losses", "float64", "numpy", 5e-13, 1e-12),
        comparison.Gap("gru", "losses", "float64", "torch", math.nan, 1e-12),
        comparison.Gap("lstm, concise", "outputs", "float64", "numpy-torch", 2e-13, 1e-12),
    ]
    assert compare.summary(rows, ["numpy", "torch"]).splitlines() == [
        "difference/bound    numpy    torch  each other",
        "gru                   0.5      nan           -",
        "lstm, own layer         -        -         0.2",
    ]


def test_compare_needs_one_line_for_each_cell_and_layer():
    cases = ("mlp", *agreement.CASES, *agreement.CONCISE)
    rows = [comparison.Gap(case, "outputs", "float64", "numpy", 0.0, 1.0) for case in cases]
    kinds = ("title", "mlp", *cells.CELLS, *build.LAYERS)
    assert len(compare.summary(rows, ["numpy"]).splitlines()) == len(kinds)


def test_compare_exits_with_1_when_a_bound_is_broken(monkeypatch):
    monkeypatch.setattr("d2lrnn.measure.agreement.bound", lambda *_: -1.0)
    result = d2lrnn("compare", "--backends", "numpy", "--cell", "rnn")
    assert result.exit_code == 1
    assert "differences are larger than their tolerance" in result.output


def test_doctor_shows_what_is_installed_and_how_to_install_the_rest(backend, monkeypatch):
    monkeypatch.setattr(
        backends.Framework, "installed", property(lambda self: self.name == backend)
    )
    result = d2lrnn("doctor")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert len(lines) == 7
    for name, line in zip(backends.BACKENDS, lines[1:]):
        missing = f"not installed; run: pip install {name}"
        assert (missing in line) is (name != backend)


def test_the_package_runs_as_a_module():
    command = [sys.executable, "-m", "d2lrnn", "--version"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.stdout.startswith("d2lrnn, version ")


@pytest.mark.parametrize("option", ["--out", "--checkpoint", "--plot", "--log"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "is empty; give a name"),
        ("n" * 256, "which is too long"),
        ("file/below.png", "is missing or read-only"),
    ],
)
def test_a_name_that_cannot_be_written_is_refused_before_training(tmp_path, option, name, words):
    (tmp_path / "file").write_text("a file, no folder")
    result = d2lrnn("train", *SMALL, option, name and tmp_path / name)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert words in result.output
    assert "epoch" not in result.output


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="Windows")
def test_a_pipe_without_a_name_is_refused_before_training():
    command = [sys.executable, "-m", "d2lrnn", "train", *SMALL, "--out", "/dev/stdout"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert result.stdout == ""
    assert "/dev/stdout: it is a pipe; give the name of a file" in result.stderr


def test_too_little_memory_is_one_line(monkeypatch):
    def new_net(*_, **__):
        raise MemoryError("Unable to allocate 40.0 TiB")

    monkeypatch.setattr(build, "new_net", new_net)
    result = d2lrnn("train", *SMALL, "--epochs", 1)
    assert result.exit_code == 1
    assert result.output == (
        "Error: the memory does not suffice (Unable to allocate 40.0 TiB); take smaller sizes\n"
    )


def test_characters_that_a_terminal_cannot_display_are_not_an_error(tmp_path):
    command = [sys.executable, "-m", "d2lrnn", "train", *SMALL, "--epochs", "1", "--prefix", "\xe9"]
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, env=ascii_only)
    assert said.returncode == 0, said.stderr
    assert "epoch 1, perplexity" in said.stdout
    assert "\\xe9" in said.stdout


def test_two_kinds_of_signal_at_once_are_one_request_to_end(tmp_path):
    """As systemd sends them when a session ends."""
    kept = ["--checkpoint", tmp_path / "run", "--out", tmp_path / "m"]
    program = SLOW.format(backend="numpy", rounds=10**6)
    command = [sys.executable, "-c", program, "train", *KEPT, *kept]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([str(word) for word in command], **pipes) as process:
        while "begun" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGHUP)
        _, said = process.communicate(timeout=120)
    assert process.returncode in (128 + signal.SIGTERM, 128 + signal.SIGHUP)
    assert "Traceback" not in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m", "run"]


def test_a_measurement_of_processes_does_not_replace_a_model(model, monkeypatch):
    path, measurements = model[0], model[0].with_name("points.json")
    point = scaling.Point("numpy", "rnn", 1, 8, 32, 0.1, 0.0, 100)
    monkeypatch.setattr("d2lrnn.cli.scaling.measured", lambda *_: [point])
    before = path.read_bytes()
    result = d2lrnn("bench", "processes", 1, "--json", path)
    assert result.exit_code == 1
    assert "does not hold measurements" in result.output
    assert path.read_bytes() == before
    for _ in range(2):
        result = d2lrnn("bench", "processes", 1, "--json", measurements)
        assert result.exit_code == 0, result.output
    assert (
        "are the same file"
        in d2lrnn("bench", "processes", 1, "--json", measurements, "--plot", measurements).output
    )
