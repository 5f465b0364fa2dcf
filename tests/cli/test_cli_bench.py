"""The subcommands of ``d2lrnn bench``, and their names as options of earlier versions."""

import pytest
from click.testing import CliRunner

from d2lrnn import cli

SUBCOMMANDS = cli.main.commands["bench"].commands
SAME = [  # earlier and now
    ("--memory --backend torch --cell lstm", "memory --backend torch --cell lstm"),
    ("--cell gru --growth --quick --json f", "growth --quick --cell gru --json f"),
    ("--all --generation --rounds 3", "generation --all --rounds 3"),
    ("--threads 1 --processes 1 2 --plot p.png", "processes 1 2 --plot p.png --threads 1"),
    ("--rounds 3 --processes --backend torch", "processes --rounds 3 --backend torch"),
]


def bench(*arguments):
    return CliRunner().invoke(cli.main, ["bench", *arguments])


@pytest.fixture
def calls(monkeypatch):
    """A list of called subcommands with their options; they are not run."""
    called = []
    for name, command in SUBCOMMANDS.items():
        monkeypatch.setattr(
            command, "callback", lambda name=name, **options: called.append((name, options))
        )
    monkeypatch.setattr("d2lrnn.cli.threads.library_threads", lambda number: None)
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "XLA_FLAGS"):
        monkeypatch.setenv(name, "1" if name != "XLA_FLAGS" else "")
    return called


@pytest.mark.parametrize(("earlier", "now"), SAME)
def test_an_option_of_an_earlier_version_means_the_subcommand(calls, earlier, now):
    results = [bench(*words.split()) for words in (earlier, now)]
    assert [result.output for result in results] == ["", ""]
    assert calls[0] == calls[1]
    assert calls[0][0] == now.split()[0]


def test_help_names_the_subcommands_and_not_the_options_of_earlier_versions():
    said = bench("--help").output
    options, commands = said.split("Commands:")
    assert [line.split()[0] for line in commands.strip().splitlines()] == sorted(SUBCOMMANDS)
    assert [name for name in (*SUBCOMMANDS, "quick") if f"--{name}" in options] == []


@pytest.mark.parametrize("name", SUBCOMMANDS)
@pytest.mark.parametrize("option", ["--backend=numpy", "--rounds=21", "--threads=1", "--gpu"])
def test_an_option_before_a_subcommand_is_refused(calls, name, option):
    result = bench(option, name)
    assert result.exit_code == 2
    option = option.partition("=")[0]
    assert f"{option} is given before {name}; write: d2lrnn bench {name} {option}" in result.output
    assert calls == []


def test_a_cell_without_a_state_is_timed_in_training_steps_only():
    result = bench("generation", "--cell", "input")
    assert result.exit_code == 2
    assert "'input' is not one of 'rnn', 'gru', 'lstm'" in result.output


@pytest.mark.parametrize("option", ["cell rnn", "size tiny"])
def test_a_cell_or_size_that_is_given_twice_is_measured_once(monkeypatch, option):
    asked = []
    monkeypatch.setattr(
        "d2lrnn.cli.bench._here", lambda _, sizes, kinds, *rest: asked.append((sizes, kinds)) or []
    )
    monkeypatch.setattr("d2lrnn.measure.speed.table", lambda rows: "")
    result = bench(*f"--{option} --{option}".split())
    assert result.exit_code == 0, result.output
    assert option.split()[1:] in map(list, asked[0])


def test_bench_processes_takes_one_cell(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "d2lrnn.cli.scaling.measured", lambda _, cell, *rest: asked.append(cell) or []
    )
    for cells in ("", "--cell gru", "--cell lstm --cell lstm"):
        assert bench("processes", *cells.split()).exit_code == 0
    assert asked == ["rnn", "gru", "lstm"]
    result = bench("processes", *["--cell", "gru", "--cell", "lstm"])
    assert result.exit_code == 2
    assert "'--cell': it is given 2 times (gru, lstm); choose 1" in result.output
