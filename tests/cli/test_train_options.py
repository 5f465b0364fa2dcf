"""Options of d2lrnn train for validation, regularization and several runs."""

import csv
import os
import re
import signal

import numpy as np
import pytest
from click.testing import CliRunner

from d2lrnn import backends, cli, plot
from d2lrnn.cli import summary
from d2lrnn.training import language
from d2lrnn.training.history import DivergenceError, History

SMALL = ["--steps", "5", "--batch-size", "4", "--max-tokens", "400", "--sample-every", "99"]


def train(*arguments):
    words = ["train", *SMALL, *map(str, arguments)]
    return CliRunner().invoke(cli.main, words)


def trained(*arguments):
    result = train(*arguments)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_a_table_shows_both_perplexities_and_the_best_epoch(tmp_path):
    log = tmp_path / "run.csv"
    lines = trained("--hiddens", 8, "--epochs", 3, "--validation", 0.2, "--log", log)
    assert "320 tokens" in lines[1]
    assert lines[1].endswith(", 80 more for validation")
    heading, row = lines[-5:-3]
    assert heading.split() == ["run", "epochs", "train", "validation", "best", "epoch", "lowest"]
    rows = rows_of(log)
    values = [float(row["validation"]) for row in rows]
    best = int(np.argmin(values))
    expected = [float(rows[-1]["perplexity"]), values[-1], values[best]]
    name, number, *others, epoch, lowest = row.split()
    assert (name, number, epoch) == ("numpy", "3", str(best + 1))
    assert [*others, lowest] == [f"{value:.2f}" for value in expected]
    assert lines[-2] == f"saved the log to {log}"


def test_training_stops_early_and_reports_it():
    options = ["--hiddens", 8, "--validation", 0.2, "--lr", 8, "--epochs", 200]
    lines = trained(*options, "--patience", 2)
    assert any(line.startswith("stopped early: 2 epochs without a lower") for line in lines)
    (row,) = (line.split() for line in lines if line.startswith("numpy "))
    assert int(row[1]) < 200
    assert int(row[1]) == int(row[4]) + 2


def test_the_best_parameters_are_saved(tmp_path, reference):
    out, options = tmp_path / "m.safetensors", ["--hiddens", 8, "--validation", 0.2, "--lr", 4]
    lines = trained(*options, "--epochs", 8, "--best", "--out", out)
    (row,) = (line.split() for line in lines if line.startswith("numpy "))
    assert f"the network has the parameters of epoch {row[4]}" in lines
    net, vocab = reference.load_model(out)
    sizes = {"batch_size": 4, "num_steps": 5, "max_tokens": 400}
    _, valid_iter, _ = reference.load_data_builtin(**sizes, validation=0.2)
    assert f"{reference.evaluate(net, valid_iter, vocab).perplexity:.2f}" == row[5]


@pytest.mark.parametrize(
    "options",
    [
        ["--dropout", 0.3],
        ["--momentum", 0.9],
        ["--weight-decay", 0.1],
        ["--schedule", "cosine"],
    ],
    ids=lambda options: options[0],
)
def test_each_option_changes_what_is_learned(tmp_path, options):
    logs = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for log, more in zip(logs, ([], options), strict=True):
        trained("--hiddens", 8, "--epochs", 2, "--log", log, *more)
    one, other = (rows_of(log)[-1]["perplexity"] for log in logs)
    assert one != other


def test_several_seeds_and_sizes_make_one_table_one_log_and_one_picture(tmp_path, monkeypatch):
    drawn, draw = [], plot.perplexity
    monkeypatch.setattr(plot, "perplexity", lambda runs, ax=None: drawn.append(runs) or draw(runs))
    files = ["--plot", tmp_path / "runs.png", "--log", tmp_path / "runs.csv"]
    several = ["--seed", 0, "--seed", 1, "--hiddens", 4, "--hiddens", 8]
    lines = trained(*several, "--epochs", 2, *files)
    names = [f"seed {seed}, {size} hidden units" for seed in (0, 1) for size in (4, 8)]
    table = lines[-7:-2]
    assert [line.partition("  ")[0] for line in table] == ["run", *names]
    assert [f"run {i} of 4: {name}" for i, name in enumerate(names, 1)] == [
        line for line in lines if " of 4: " in line
    ]
    assert [list(runs) for runs in drawn] == [names]
    assert (tmp_path / "runs.png").read_bytes().startswith(b"\x89PNG")
    rows = rows_of(tmp_path / "runs.csv")
    runs = [(row["seed"], row["hiddens"], row["epoch"]) for row in rows]
    assert runs == [(s, h, e) for s in "01" for h in "48" for e in "12"]
    alone = tmp_path / "alone.csv"
    trained("--seed", 1, "--hiddens", 4, "--epochs", 2, "--log", alone)
    assert [row["perplexity"] for row in rows_of(alone)] == [r["perplexity"] for r in rows[4:6]]


SEVERAL = ["--seed", 0, "--seed", 1, "--hiddens", 4, "--hiddens", 8, "--epochs", 2]
INTERRUPTED = "interrupted in epoch 2, after 2 of its minibatches; the run was not saved"


@pytest.fixture
def interrupt(monkeypatch):
    """Return a function that sends a signal to a given run when some of its epochs have ended."""
    train_ch8 = backends.load("numpy").train_ch8

    def interrupt(run, signum=signal.SIGINT, after=1):
        started = []

        class Signal:
            def after_step(self, training):
                if len(training.history.perplexity) == after and len(started) == run:
                    signal.raise_signal(signum)

        def train_with_signal(*arguments, **options):
            started.append(1)
            return train_ch8(*arguments, **options, callbacks=[Signal()])

        monkeypatch.setattr(backends.load("numpy"), "train_ch8", train_with_signal)

    return interrupt


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("run", [2, 3])
def test_an_interrupt_keeps_the_results_of_the_runs_that_finished(tmp_path, interrupt, run, signum):
    interrupt(run, signum)
    files = ["--plot", tmp_path / "runs.png", "--log", tmp_path / "runs.csv"]
    result = train(*SEVERAL, *files)
    assert result.exit_code == 128 + signum
    rows = rows_of(tmp_path / "runs.csv")
    runs = [(row["seed"], row["hiddens"], row["epoch"]) for row in rows]
    expected = [(s, h, e) for s in "01" for h in "48" for e in "12"]
    assert runs == expected[: 2 * (run - 1) + 1]  # with the epoch of the interrupted run
    assert (tmp_path / "runs.png").read_bytes().startswith(b"\x89PNG")
    lines = result.stdout.splitlines()
    heading = next(i for i, line in enumerate(lines) if "best epoch" in line)
    names = [line.partition("  ")[0] for line in lines[heading + 1 : -2]]
    assert names == [f"seed {s}, {size} hidden units" for s in (0, 1) for size in (4, 8)][:run]
    note = f"the results are those of the {run - 1} of 4 runs that finished, and of epoch 1 of run "
    note += f"{run}"
    assert "minibatches; the run was not saved" in result.stderr
    assert result.stderr.splitlines()[-1] == note
    assert "--out" not in result.output


def test_an_interrupt_of_the_first_of_several_runs_keeps_the_epochs_that_ended(tmp_path, interrupt):
    interrupt(1)
    files = ["--plot", tmp_path / "runs.png", "--log", tmp_path / "runs.csv"]
    result = train(*SEVERAL, *files)
    assert result.exit_code == 130
    note = "none of the 4 runs has finished; the results are those of epoch 1 of run 1\n"
    assert result.stderr.endswith(note)
    (row,) = rows_of(tmp_path / "runs.csv")
    assert (row["seed"], row["hiddens"], row["epoch"]) == ("0", "4", "1")
    assert (tmp_path / "runs.png").read_bytes().startswith(b"\x89PNG")


def test_an_interrupt_before_the_end_of_an_epoch_says_that_nothing_was_saved(tmp_path, interrupt):
    interrupt(1, after=0)
    result = train(*SEVERAL, "--log", tmp_path / "runs.csv")
    assert result.exit_code == 130
    assert result.stderr.endswith("none of the 4 runs has finished; nothing was saved\n")
    assert not (tmp_path / "runs.csv").exists()


@pytest.mark.parametrize("ends", ["an interrupt", "divergence"])
def test_the_best_parameters_are_saved_when_training_ends_early(
    tmp_path, reference, interrupt, monkeypatch, ends
):
    out, options = tmp_path / "m.safetensors", ["--hiddens", 8, "--validation", 0.2, "--lr", 4]
    if ends == "an interrupt":
        interrupt(1, after=6)
    else:
        diverge_after(6, monkeypatch)
    files = ["--out", out, "--log", tmp_path / "run.csv"]
    result = train(*options, "--epochs", 99, "--best", "--patience", 50, *files)
    assert result.exit_code == (130 if ends == "an interrupt" else 1)
    lines = result.stdout.splitlines()
    (row,) = (line.split() for line in lines if line.startswith("numpy "))
    assert row[1] == "6"
    assert len(rows_of(tmp_path / "run.csv")) == 6
    assert f"the network has the parameters of epoch {row[4]}" in lines
    assert "stopped early" not in result.output
    net, vocab = reference.load_model(out)
    sizes = {"batch_size": 4, "num_steps": 5, "max_tokens": 400}
    _, valid_iter, _ = reference.load_data_builtin(**sizes, validation=0.2)
    assert f"{reference.evaluate(net, valid_iter, vocab).perplexity:.2f}" == row[5]


def diverge_after(num_epochs, monkeypatch):
    validate = language.validation_perplexity
    found = []

    def validation_perplexity(*arguments, **options):
        found.append(validate(*arguments, **options))
        if len(found) > num_epochs:
            raise DivergenceError(float("nan"))
        return found[-1]

    monkeypatch.setattr(language, "validation_perplexity", validation_perplexity)


def test_an_interrupted_run_saves_its_log_and_its_plot(tmp_path, interrupt):
    interrupt(1)
    files = ["--plot", tmp_path / "run.png", "--log", tmp_path / "run.csv"]
    result = train("--hiddens", 4, "--epochs", 9, *files)
    assert result.exit_code == 130
    assert [row["epoch"] for row in rows_of(tmp_path / "run.csv")] == ["1"]
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
    assert result.stderr.splitlines()[-2:] == [
        INTERRUPTED,
        "the model was not saved; use --out or --checkpoint",
    ]


def test_a_run_that_diverges_saves_its_log_and_that_of_the_runs_before(tmp_path, monkeypatch):
    monkeypatch.setattr("d2lrnn.training.divergence.check_parameters", diverge_in_larger_net)
    files = ["--epochs", 1, "--log", tmp_path / "runs.csv"]
    result = train("--hiddens", 4, "--hiddens", 8, *files)
    assert result.exit_code == 1
    assert "training diverged" in result.stderr
    assert [row["hiddens"] for row in rows_of(tmp_path / "runs.csv")] == ["4", "8"]
    assert train("--hiddens", 8, "--epochs", 1, "--log", tmp_path / "run.csv").exit_code == 1
    assert [row["epoch"] for row in rows_of(tmp_path / "run.csv")] == ["1"]


def diverge_in_larger_net(net, epoch, history):
    if net.num_hiddens == 8:
        raise DivergenceError(None, epoch, history)


def test_a_value_that_is_given_twice_is_one_run():
    lines = trained("--seed", 3, "--seed", 3, "--hiddens", 4, "--epochs", 1)
    assert not any(line.startswith("run ") for line in lines)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--patience", 3], "--patience needs a validation part; add --validation 0.1"),
        (["--best"], "--best needs a validation part; add --validation 0.1"),
        (["--validation", 1.5], "validation is 1.5; expected a number between 0 and 1"),
        (["--seed", 0, "--seed", 1, "--out", "m"], "--out is for one run, and --seed and --hid"),
        (["--hiddens", 4, "--hiddens", 5, "--checkpoint", "r"], "--checkpoint is for one run"),
        (["--log", "run.txt"], "--log run.txt is a table of numbers; give a name that ends in"),
        (["--log", "a.csv", "--out", "a.csv"], "--out a.csv and --log a.csv are the same file"),
        (["--momentum", 0.9, "--optimizer", "adam"], "momentum is 0.9, and optimizer is 'adam'"),
        (["--dropout", 1], "dropout is 1.0; expected a number, 0 or above and below 1"),
        (["--dropout", -1], "dropout is -1.0; expected a number, 0 or above and below 1"),
        (["--momentum", -1], "momentum is -1.0; expected a number, 0 or above and below 1"),
    ],
    ids=lambda value: " ".join(map(str, value))[:20] if isinstance(value, list) else "",
)
def test_options_that_do_not_go_together_are_refused(tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    result = train("--epochs", 1, *options)
    assert result.exit_code == 1
    assert message in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("schedule", ["step", "cosine", "warmup", "warmup-cosine"])
def test_resuming_a_schedule_with_other_epochs_names_the_option(tmp_path, schedule):
    words = ["--hiddens", 4, "--schedule", schedule, "--checkpoint", tmp_path / "run"]
    trained(*words, "--epochs", 2)
    result = train(*words, "--epochs", 30, "--resume")
    assert result.exit_code == 1
    assert "schedule is " in result.output
    assert "with num_epochs (--epochs) as before if the schedule is given by name" in result.output


def test_a_schedule_without_epochs_names_the_option():
    result = train("--hiddens", 4, "--schedule", "cosine", "--epochs", 0)
    assert result.exit_code == 1
    assert "no training steps; give num_epochs (--epochs) 1 or above" in result.output
    assert "CosineSchedule" not in result.output


def test_a_recipe_and_a_pipe_are_for_one_run(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for option in (["--recipe", "min-char"], ["--text", tmp_path / "pipe"]):
        words = ["train", "--seed", 0, "--seed", 1, *option]
        result = CliRunner().invoke(cli.main, [str(word) for word in words])
        assert result.exit_code == 1
        assert " and --seed and --hiddens request 2" in result.output


def test_a_table_without_an_epoch_or_a_validation_part_has_dashes():
    table = summary.table({"a": History(), "b": History([3.0, 2.0], [1.0, 1.0])})
    heading, first, second = table.splitlines()
    assert first.split() == ["a", "0", "-", "-", "-", "-"]
    assert second.split() == ["b", "2", "2.00", "-", "2", "2.00"]
    assert len(heading) == len(first) == len(second)


def test_byte_pair_tokens_are_learned_and_their_bits_per_byte_printed():
    sizes = ["--hiddens", 4, "--epochs", 1, "--max-tokens", 2000]
    lines = trained("--token", "bpe", "--vocab-size", 280, "--validation", 0.2, *sizes)
    assert "280 in the vocabulary" in lines[1]
    assert re.fullmatch(r"validation part: \d\.\d{3} bits per byte, comparable.*", lines[-2])


def test_each_of_several_runs_prints_its_bits_per_byte(tmp_path):
    options = ["--validation", 0.2, "--epochs", 2]
    both = trained("--hiddens", 4, "--hiddens", 8, *options)
    alone = [trained("--hiddens", size, *options) for size in (4, 8)]
    bits = [[line for line in lines if " bits per byte" in line] for lines in (both, *alone)]
    assert bits[0] == [bits[1][0], bits[2][0]]
    assert bits[1] != bits[2]
    assert both[-3].startswith("run ")  # the table is the end


def test_sampling_options_are_refused_with_a_bidirectional_network():
    result = train("--bidirectional", "--top-k", 3, "--min-p", 0.1)
    assert result.exit_code == 1
    words = "a bidirectional network cannot generate samples; leave out --top-k, --min-p, or --bi"
    assert words in result.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--vocab-size", 300], "--vocab-size is for --token bpe, and --token is char; leave out"),
        (["--token", "bpe", "--vocab-size", 30], "vocab_size is 30; expected at least 256"),
        (["--token", "bpe", "--vocab-size", 0], "vocab_size is 0; expected at least 256"),
        (["--token", "bpe", "--vocab-size", -5], "vocab_size is -5; expected at least 256"),
        (["--token", "bpe", "--corpus", "grammar"], "token is 'bpe'; expected one of 'word'"),
    ],
)
def test_byte_pair_tokens_that_cannot_be_learned_are_refused(words, message):
    result = train(*words)
    assert result.exit_code == 1
    assert message in result.output
