"""What ``d2lrnn bench cells`` measures and how it is shown; never how fast anything is."""

import functools
import json

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib import pyplot

from d2lrnn import cli, plot
from d2lrnn.measure import lengths

SMALL = {"num_hiddens": 4, "batch_size": 2, "rounds": 1}
LOOP = lengths.Line("torch", "mingru", "loop", [8, 32, 128], [0.1, 0.4, None], [1.0, 4.0, None])
FAST = lengths.Line("torch", "mingru", "fast", [8, 32, 128], [0.2, 0.1, 0.2], [1, 2, 8], 4000.0)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    pyplot.close("all")


def bench(*words):
    return CliRunner().invoke(cli.main, ["bench", "cells", *map(str, words)])


def test_every_form_of_a_cell_is_timed(backend):
    lines = lengths.measure(backend, ["gru_reset_after", "mingru"], [4, 2], memory=False, **SMALL)
    names = ["gru_reset_after", "gru_reset_after_fused", "GRU layer", "mingru", "mingru_scan"]
    if backend == "numpy":
        names.remove("GRU layer")
    assert [line.name for line in lines] == names
    for line in lines:
        assert line.steps == [2, 4]
        assert all(seconds > 0 for seconds in line.seconds)
        assert (line.generation is None) == (line.form == "loop")


def test_the_memory_of_each_number_of_steps_is_measured():
    (line, _) = lengths.measure("numpy", ["rnn"], [8, 4000], **SMALL)
    assert line.mebibytes[1] > line.mebibytes[0] >= 0


def test_a_form_that_would_take_too_long_is_left_out_from_there_on():
    line, runs = lengths.Line("torch", "rnn", "loop", seconds=[0.1]), []
    contender = lengths.Contender(line, None, None)
    for num_steps in (10, 1000, 20):
        run = functools.partial(runs.append, num_steps)
        contender.first(np.zeros((1, num_steps)), run, 5.0)
        contender.first_runs = {10: 2.0}
    assert runs == [10]
    expected = "a step with 1,000 time steps would take about 12 s, and the limit is 5 s"
    assert line.reason == expected


def test_the_time_to_compile_counts_as_it_grows():
    line = lengths.Line("jax", "rnn", "loop", seconds=[0.1, 0.4])
    contender = lengths.Contender(line, None, None, {10: 2.0})
    contender.line.seconds = [0.1]
    assert contender.predicted(40) == pytest.approx(2.3)  # compiled in the same time
    contender.first_runs[40] = 8.0
    assert contender.predicted(140) == pytest.approx(28.0)  # a fifth of a second per step


def test_forms_with_different_losses_are_an_error():
    lengths.check_losses([(LOOP, 3.0), (FAST, 3.0001)])
    with pytest.raises(ValueError, match="the losses of the forms of mingru differ"):
        lengths.check_losses([(LOOP, 3.0), (FAST, 3.1)])


def test_the_table_shows_times_slopes_memory_and_generation():
    lines = [line.split() for line in lengths.table([LOOP, FAST]).splitlines()]
    assert lines[1] == ["torch", "mingru", "100", "400", "-", "1.00", "1.00", "4", "-"]
    assert lines[2] == [
        "torch",
        "mingru_scan",
        *["200", "100", "200", "0.50", "1.00", "8", "4,000"],
    ]


def test_the_ratios_are_those_to_the_faster_form():
    lines = [line.split() for line in lengths.ratios([LOOP, FAST]).splitlines()]
    assert lines[1:] == [["torch", "mingru", "/", "mingru_scan", "0.50", "4.00", "-"]]


def test_the_plot_has_a_line_for_each_form():
    axes = plot.lengths([LOOP, FAST])
    (ax,) = axes.flat
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert [list(line.get_ydata()) for line in ax.get_lines()][1] == [0.2, 0.1, 0.2]
    assert np.isnan(ax.get_lines()[0].get_ydata()[-1])


def test_the_command_accepts_several_numbers_of_steps_and_writes_files(tmp_path):
    file, picture = tmp_path / "rows.json", tmp_path / "lines.png"
    words = "--steps", 2, 4, "--cell", "s4d", "--hiddens", 4, "--rounds", 1, "--no-memory"
    for _ in range(2):  # measurements may be replaced
        result = bench(*words, "--json", file, "--plot", picture)
        assert result.exit_code == 0, result.output
    rows = json.loads(file.read_text())
    assert [row["steps"] for row in rows] == [[2, 4], [2, 4]]
    assert [row["form"] for row in rows] == ["loop", "fast"]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_command_shows_why_a_time_is_missing():
    words = "--steps", 2, "--steps", 400, "--cell", "rnn", "--rounds", 1, "--limit", 1e-6
    result = bench(*words, "--no-memory")
    assert result.exit_code == 0, result.output
    assert "- of numpy rnn: a step with 400 time steps would take about" in result.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--steps", "0"], "0 is not in the range x>=1"),
        (["--steps", "2", "ten"], "unexpected extra argument"),
        (["--limit", "0", "--steps", "2"], "limit is 0.0; expected a finite number above 0"),
        (["--rounds", "0", "--steps", "2"], "rounds is 0; expected an integer, 1 or above"),
    ],
)
def test_options_out_of_range_are_errors(words, message):
    result = bench(*words)
    assert result.exit_code != 0
    assert message in result.output
