"""The speed of generation: what is measured and printed; times are not tested."""

import itertools

import pytest
from click.testing import CliRunner

from d2lrnn import cli
from d2lrnn.measure import generation

SMALL = {"rounds": 1, "num_preds": 3, "num_prefixes": 2, "num_hiddens": 4}


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_one_prefix_and_many_are_timed(backend, cell):
    speed = generation.measure(backend, cell, **SMALL)
    assert (speed.backend, speed.cell, speed.num_prefixes) == (backend, cell, 2)
    assert min(speed.one, speed.many) > 0


def test_all_characters_of_a_batch_count(monkeypatch):
    seconds = itertools.count(step=4.0)
    monkeypatch.setattr(generation.time, "perf_counter", lambda: next(seconds))
    speed = generation.measure("numpy", "rnn", **SMALL)
    assert (speed.one, speed.many, speed.gain) == (3 / 4, 2 * 3 / 4, 2)


def test_each_kind_of_net_has_a_process_of_its_own(backend):
    told = []
    speeds = generation.survey([backend], ["rnn", "gru"], progress=lambda: told.append(1), **SMALL)
    assert [(s.backend, s.cell) for s in speeds] == [(backend, "rnn"), (backend, "gru")]
    assert told == [1, 1]


def test_the_table_has_characters_a_second_and_their_ratio():
    lines = generation.table([generation.Speed("jax", "lstm", 2000.0, 50000.0, 64)]).splitlines()
    assert lines[0].split() == ["backend", "cell", "one", "many", "many/one"]
    assert lines[1].split() == ["jax", "lstm", "2,000", "50,000", "25.0x"]


def test_the_command_prints_the_table():
    command = ["bench", "generation", "--cell", "rnn", "--rounds", "1"]
    result = CliRunner().invoke(cli.main, command)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1].split()[:2] == ["numpy", "rnn"]
    assert "after each of 64 prefixes in one batch" in result.output


@pytest.mark.parametrize("name", ["rounds", "num_preds", "num_prefixes"])
def test_a_size_must_be_above_zero(name):
    with pytest.raises(ValueError, match=f"{name} is 0"):
        generation.measure("numpy", "rnn", **{**SMALL, name: 0})
