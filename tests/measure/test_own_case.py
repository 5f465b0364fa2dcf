"""A custom cell is compared in two backends as built-in cells are."""

import re

import numpy as np
import pytest
from click.testing import CliRunner

from d2lrnn import cli
from d2lrnn.measure import agreement, comparison

FILE = """
def leaky(rnn):
    def step(X, H, S, p):
        S = 0.5 * S + H[:, None, :] * (X @ p.W_xs)[:, :, None]
        return rnn.tanh(X @ p.W_xh + H @ p.W_hh + S[:, 0]), S

    params = {"W_xh": ("d", "h"), "W_hh": ("h", "h"), "W_xs": ("d", 2)}
    return rnn.new_cell(step, params, {"H": ("h",), "S": (2, "h")}, name="leaky")


def other(rnn):
    cell = leaky(rnn)
    return cell if rnn.__name__.endswith("numpy") else rnn.new_cell(
        lambda X, H, p: rnn.tanh(X @ p.W), {"W": ("d", "h")}, name="leaky"
    )


def wrong(rnn):
    return rnn.get_params


def nothing(rnn):
    pass


def plain(inputs, state, params):
    return inputs, state


def none():
    return 1


def fails(rnn):
    return 1 / 0


def divides(rnn):
    def step(X, H, p):
        return rnn.tanh(X @ p.W_xh) * (1 / 0)

    return rnn.new_cell(step, {"W_xh": ("d", "h")})


def of_other_sizes(rnn):
    def step(X, H, p):
        return rnn.tanh(X @ p.W_xh + X)

    return rnn.new_cell(step, {"W_xh": ("d", "h")})
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my_cell.py"
    path.write_text(FILE, encoding="utf-8")
    return path


@pytest.fixture
def make(file):
    """The function leaky of the file."""
    names = {}
    exec(FILE, names)
    return names


def test_a_custom_cell_agrees_with_numpy_within_the_bounds(rnn, backend, make):
    rows = comparison.compare([backend], [agreement.OwnCase("leaky", make["leaky"])])
    assert {row.quantity for row in rows} == {"forward", "gradients", "losses"}
    assert [row for row in rows if not row.holds] == []
    assert {row.case for row in rows} == {"leaky"}


@pytest.mark.frameworks
def test_a_custom_cell_that_computes_something_else_is_beyond_the_bound(rnn, backend, make):
    def scaled(rnn):
        cell = make["leaky"](rnn)
        if rnn.__name__.endswith("numpy"):
            return cell
        step = lambda X, H, S, p: tuple(1.01 * part for part in cell.kind.step.step(X, H, S, p))  # noqa: E731
        states = {"H": ("h",), "S": (2, "h")}
        return rnn.new_cell(step, cell.kind.parameters, states, name="leaky")

    rows = comparison.compare_part([backend], agreement.OwnCase("scaled", scaled), "float64", print)
    assert [row.quantity for row in rows if row.holds] == []


def test_a_test_problem_has_states_of_the_shapes_of_the_cell(make):
    problem = agreement.make_problem(agreement.OwnCase("leaky", make["leaky"]))
    assert [part.shape for part in problem.state] == [(8, 32), (8, 2, 32)]


@pytest.mark.frameworks
def test_cells_of_different_parameters_are_one_clear_error(rnn, make):
    case = agreement.OwnCase("other", make["other"])
    with pytest.raises(ValueError, match="expected the same parameters and states in each backend"):
        agreement.in_backend(agreement.make_problem(case), case, rnn)


def compare(*arguments):
    return CliRunner().invoke(cli.main, ["compare", "--backend", "numpy", *arguments])


def test_the_command_compares_a_cell_of_a_file(file, monkeypatch):
    monkeypatch.setattr(agreement, "train", lambda rnn, case, dtype: np.ones(3))
    result = compare("--cell", f"{file}:leaky")
    assert result.exit_code == 0, result.output
    assert "\nleaky " in result.output
    assert "within tolerance" in result.output


def test_the_command_generates_with_a_cell_of_a_file(rnn, backend, file, make, tmp_path):
    net = rnn.RNNModelScratch(5, 4, *make["leaky"](rnn), seed=0)
    rnn.save_model(tmp_path / "model", net, rnn.Vocab("abcd"))
    command = ["generate", str(tmp_path / "model"), "--backend", backend, "--prefix", "ab"]
    result = CliRunner().invoke(cli.main, [*command, "--length", "3", "--cell", f"{file}:leaky"])
    assert result.output == rnn.predict_ch8("ab", 3, net, rnn.Vocab("abcd")) + "\n"
    result = CliRunner().invoke(cli.main, command)
    assert result.exit_code == 1
    assert "holds the custom cell leaky (parameters: " in result.output


def test_the_benchmark_times_a_cell_of_a_file(backend, file):
    arguments = ["--backend", backend, "--size", "tiny", "--rounds", "1"]
    result = CliRunner().invoke(cli.main, ["bench", *arguments, "--cell", f"{file}:leaky"])
    assert result.exit_code == 0, result.output
    assert re.search(rf"^{backend} +leaky +tiny +\S+x +\S+x +- +- +-$", result.output, re.MULTILINE)


COMMANDS = ["compare --backend numpy", "bench --size tiny --rounds 1", "generate MODEL"]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("name", "message"),
    [
        (":no", "has no function 'no'; expected --cell FILE.py:FUNCTION, where FUNCTION(rnn)"),
        (":nothing", "nothing returns a NoneType; expected a custom cell, the result of rnn.new_c"),
        (":plain", "plain has the arguments (inputs, state, params); expected --cell FILE.py:FUN"),
        (":none", "none has the arguments (); expected --cell FILE.py:FUNCTION, where FUNCTION(rn"),
        (":fails", "fails(rnn) fails in line 35: ZeroDivisionError: division by zero; correct "),
        (":wrong", "wrong returns a function; expected a custom cell, the result of rnn.new_cell("),
    ],
)
def test_a_file_without_a_cell_is_one_clear_error(
    file, make, tmp_path, reference, command, name, message
):
    net = reference.RNNModelScratch(5, 4, *make["leaky"](reference), seed=0)
    reference.save_model(tmp_path / "model", net, reference.Vocab("abcd"))
    words = [str(tmp_path / "model") if word == "MODEL" else word for word in command.split()]
    result = CliRunner().invoke(cli.main, [*words, "--cell", f"{file}{name}"])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)  # no traceback
    assert message in result.output


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("divides", 40, "ZeroDivisionError: division by zero"),
        ("of_other_sizes", 47, ""),  # the error is the framework's
    ],
)
@pytest.mark.parametrize("command", ["compare --backend", "bench --size tiny --rounds 1 --backend"])
def test_an_error_in_a_step_names_the_file_and_the_line(
    file, command, backend, name, line, message
):
    arguments = [*command.split(), backend, "--cell", f"{file}:{name}"]
    result = CliRunner().invoke(cli.main, arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)  # no traceback
    assert f"Error: {file}, line {line}: {message}" in result.output


@pytest.mark.parametrize("command", COMMANDS[:2])
@pytest.mark.parametrize("name", ["my_cell.py", "my_cell", "my_cell:leaky"])
def test_the_form_of_a_custom_cell_is_named_where_another_is_given(command, name):
    result = CliRunner().invoke(cli.main, [*command.split(), "--cell", name])
    assert result.exit_code == 2
    assert "FILE.py:FUNCTION" in result.output


def test_a_file_that_is_not_python_is_one_clear_error(tmp_path):
    (tmp_path / "my_cell.py").write_text("def leaky(:")
    result = compare("--cell", f"{tmp_path / 'my_cell.py'}:leaky")
    assert result.exit_code == 1
    assert "my_cell.py fails: SyntaxError: " in result.output


def test_a_file_that_does_not_exist_is_one_clear_error(tmp_path):
    result = compare("--cell", f"{tmp_path / 'no.py'}:leaky")
    assert result.exit_code == 1
    assert "there is no such file" in result.output
