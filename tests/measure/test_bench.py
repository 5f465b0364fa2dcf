"""The benchmark: what it measures and prints; times are not tested."""

import functools
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner
from matplotlib import pyplot
from pictures import colours

from d2lrnn import cli, plot
from d2lrnn.measure import speed


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    pyplot.close("all")


@pytest.fixture(scope="module", params=[*speed.CELLS, "input"])
def row(request, backend):
    return speed.measure(backend, request.param, "tiny", rounds=2)


def test_all_contenders_are_timed_and_start_from_the_same_loss(backend, row):
    expected = {"fused", "one-hot"}
    if row.cell != "input":
        expected = {"book", "textbook", "fused", "floor"}
        expected |= {"layer"} if backend != "numpy" and row.cell != "gru" else set()
    assert set(row.seconds) == expected


def test_contenders_take_turns_and_their_medians_count(monkeypatch):
    now, order = [0.0], []

    def taking(name, *seconds):
        left = iter(seconds)

        def run():
            order.append(name)
            now[0] += next(left)

        return run

    monkeypatch.setattr(speed.time, "perf_counter", lambda: now[0])
    times = {"one": (9, 1, 2, 6), "other": (0, 5, 4, 3)}
    runs = {name: taking(name, *seconds) for name, seconds in times.items()}
    assert speed.medians(runs, 3) == {"one": 2, "other": 4}  # the first round warms up
    assert [{*pair} for pair in zip(order[::2], order[1::2])] == [{"one", "other"}] * 4


def test_each_round_has_an_order_of_its_own_and_every_time_the_same():
    order = []
    runs = {name: functools.partial(order.append, name) for name in "abcde"}
    speed.medians(runs, 7)
    first = ["".join(order[start : start + 5]) for start in range(0, 40, 5)]
    order.clear()
    speed.medians(runs, 7)
    assert "".join(order) == "".join(first)
    assert {"".join(sorted(one)) for one in first} == {"abcde"}
    assert len(set(first)) > 5
    assert len({one[one.index("c") - 1] for one in first if one[0] != "c"}) > 1  # who was before


def test_contenders_that_disagree_are_refused():
    losses = {"book": 3.0, "fused": 3.1, "floor": 0.0}
    with pytest.raises(ValueError, match="the first losses of the contenders differ"):
        speed.check_losses("rnn", losses)
    speed.check_losses("rnn", {"book": 3.0, "fused": 3.0, "layer": 3.0, "floor": 0.0})


@pytest.mark.parametrize("cell", speed.CELLS)
def test_the_products_of_a_step_have_the_multiplications_of_the_equations(cell):
    size = speed.SIZES["h256"]
    V, h, rows = size.vocab_size, size.num_hiddens, size.batch_size * size.num_steps
    gates = {"rnn": 1, "gru": 3, "gru_reset_after": 3, "lstm": 4}[cell]
    count = sum(times * m * k * n for (m, k), (_, n), times in speed.products(cell, size))
    assert count == 3 * gates * rows * h * h + 3 * rows * h * V  # forward, back, weights


def test_the_table_shows_ratios_to_fused():
    seconds = {"fused": 2.0, "book": 5.0, "floor": 1.0}
    text = speed.table([speed.Timing("torch", "rnn", "h256", seconds, 3, 2)])
    assert text.splitlines()[2].split() == ["torch", "rnn", "h256", "2.50x", "-", "-", "-", "50%"]


def test_the_bars_of_each_backend_and_size_have_axes_of_their_own():
    def row(backend, size, book):
        return speed.Timing(backend, "rnn", size, {"fused": 2.0, "book": book, "floor": 1.0}, 3, 2)

    axes = plot.bench(
        [row("torch", "h256", 5.0), row("torch", "long", 1.0), row("jax", "h256", 2.0)]
    )
    assert axes.shape == (2, 2)
    assert axes[0, 1].get_title() == "torch, long"
    heights = [[bar.get_height() for bar in ax.patches] for ax in axes.flat]
    assert heights == [[1.5], [-0.5], [0.0], []]  # from 1, where the fused step is


def test_the_command_prints_a_table_writes_json_and_draws(backend, tmp_path):
    file, picture = tmp_path / "rows.json", tmp_path / "bars.png"
    command = ["bench", "--backend", backend, "--size", "tiny", "--cell", "rnn", "--rounds", "2"]
    result = CliRunner().invoke(cli.main, [*command, "--json", str(file), "--plot", str(picture)])
    assert result.exit_code == 0, result.output
    assert "medians of 2 rounds" in result.output
    assert re.search(r"\d threads?, ", result.output)
    (found,) = json.loads(file.read_text())
    assert found["backend"] == backend
    assert found["shape"] == {"vocab_size": 5, "num_hiddens": 8, "batch_size": 4, "num_steps": 6}
    assert found["ratios"]["book"] == found["seconds"]["book"] / found["seconds"]["fused"]
    assert colours(picture) > 10


ONLY_SOME = {"--all": "SIGTERM SIGHUP SIGINT SIGKILL", "processes 1": "SIGTERM SIGHUP SIGINT"}
ENDS = [(words, name) for words, names in ONLY_SOME.items() for name in names.split()]
ENDS += [(words, "SIGTERM") for words in ("memory", "growth", "generation")]


@pytest.mark.parametrize(("words", "name"), ENDS)
def test_no_measuring_process_is_left_behind(words, name):
    command = [sys.executable, "-m", "d2lrnn", "bench", *words.split()]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        (measures,) = wait_for(lambda: children_of(process.pid))
        process.send_signal(getattr(signal, name))
        said = process.communicate(timeout=60)[1]
        wait_for(lambda: measures not in running())
    number = getattr(signal, name)
    assert process.returncode == (-number if name == "SIGKILL" else 128 + number)
    assert "Traceback" not in said
    assert said.count("interrupted") == (name == "SIGINT")


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def running():
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def wait_for(happened):
    """Wait until a function returns something true, and return it."""
    for _ in range(1200):
        if found := happened():
            return found
        time.sleep(0.05)
    raise AssertionError("it has not happened")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"cell": "cnn"}, "cell is 'cnn'; expected one of 'rnn', 'gru', 'gru_reset_after', 'lstm'"),
        ({"size": "huge"}, "size is 'huge'; expected one of 'h256'"),
        ({"rounds": 0}, "rounds is 0; expected an integer, 1 or above"),
    ],
)
def test_wrong_arguments_are_refused(arguments, words):
    arguments = {"name": "numpy", "cell": "rnn", "size": "tiny", "rounds": 1, **arguments}
    with pytest.raises(ValueError, match=words):
        speed.measure(**arguments)
