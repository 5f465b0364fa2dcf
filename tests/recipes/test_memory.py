"""Which of the cells learn selective_copy, recall, parity and adding; language models of a size."""

import re

import pytest
from click.testing import CliRunner

from d2lrnn import cli
from d2lrnn.nets import cells
from d2lrnn.recipes import characters, memory


def d2lrnn(*arguments):
    return CliRunner().invoke(cli.main, list(map(str, arguments)))


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_a_cell_with_a_nonlinear_state_learns_parity_of_any_length(reference, cell):
    outcome = memory.parity(reference, 2, cell=cell, seed=0, progress=False)
    assert outcome.scores.score[-1] > 0.99
    assert float(re.search(r"([\d.]+)% in sequences of 48", outcome.lines[-1])[1]) > 99


def test_a_task_gives_the_same_numbers_by_the_scan_and_by_the_loop(reference):
    settings = {"cell": "s4d", "seed": 0, "num_layers": 1, "progress": False}
    one, other = (
        memory.adding(reference, 1, fused=fused, **settings).scores.loss for fused in (True, False)
    )
    assert one == pytest.approx(other, rel=1e-3)


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("selective_copy", "held-out sequences are correct; a random guess has 25.00%"),
        ("recall", "held-out sequences are correct; a random guess has 41.67%"),
        ("parity", "in sequences of 48 steps; those of the training have 12"),
        ("adding", "held-out sequences; always answering 1 has 0.1667"),
    ],
)
def test_the_command_states_the_score_beside_that_of_a_guess(task, words):
    result = d2lrnn("task", task, "--epochs", 0, "--cell", "mingru")
    assert result.exit_code == 0, result.output
    assert words in " ".join(result.output.split())


def test_the_table_has_a_row_for_each_cell(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "NUM_TEST", 8)
    picture = tmp_path / "table.png"
    result = d2lrnn("task", "cells", "--epochs", 0, "--plot", picture)
    assert result.exit_code == 0, result.output
    rows = [line.split(" | ") for line in result.output.splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows] == ["| cell", "| ---", *(f"| {cell}" for cell in memory.CELLS)]
    assert {len(row) for row in rows} == {6}
    assert picture.stat().st_size > 1000


def test_the_table_shows_the_scores_that_the_tasks_print(reference):
    lines = []
    settings = {"cell": "mingru", "seed": 0, "progress": False}
    rows = memory.learned(reference, 0, report=lines.append, **settings)
    outcomes = [task(reference, 0, **settings) for task in memory.TASKS.values()]
    text = " ".join(line for outcome in outcomes for line in outcome.lines)
    *shares, error = rows["mingru"]
    assert all(f"{share:.2%}" in text for share in shares)
    assert f"mean squared error {error:.4f}" in text
    assert lines[-1].endswith(f"| {error:.4f} |")


@pytest.mark.parametrize("table", ["cells", "characters"])
def test_a_number_of_epochs_below_zero_is_refused_before_the_table_begins(table):
    result = d2lrnn("task", table, "--epochs", -1)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: num_epochs is -1; expected an integer, 0 or above\n"


@pytest.mark.parametrize("cell", memory.CELLS)
def test_the_language_models_have_equally_many_parameters_within_2_percent(cell):
    num_hiddens = characters.num_hiddens_for(cell, 28, characters.NUM_WEIGHTS)
    count = cells.Architecture(cell).num_weights(28, num_hiddens)
    assert count == pytest.approx(characters.NUM_WEIGHTS, rel=0.02)


@pytest.mark.parametrize("num_weights", [1, 100, 5000])
def test_no_other_size_is_nearer_to_a_number_of_parameters(num_weights):
    architecture = cells.Architecture("lstm")
    num_hiddens = characters.num_hiddens_for("lstm", 5, num_weights)
    distances = {h: abs(architecture.num_weights(5, h) - num_weights) for h in range(1, 60)}
    assert distances[num_hiddens] == min(distances.values())


@pytest.mark.against_reference
@pytest.mark.parametrize("cell", ["lstm", "mamba"])
def test_the_language_models_learn_as_in_numpy(rnn, reference, cell):
    settings = {"report": lambda line: None, "max_tokens": 1400, "cell": cell, "progress": False}
    found, expected = (
        characters.language_models(backend, 1, **settings)[cell] for backend in (rnn, reference)
    )
    assert found[:2] == expected[:2]
    assert found.history.perplexity == pytest.approx(expected.history.perplexity, rel=1e-4)
    assert found.history.validation == pytest.approx(expected.history.validation, rel=1e-4)
