"""d2lrnn check FILE.py:FUNCTION: the report of check_cell, and the exit status."""

import pytest
from click.testing import CliRunner

from d2lrnn import cli

MY_RNN = """
import numpy as np

def my_rnn(inputs, state, params):
    W_xh, W_hh, b_h, W_hq, b_q = params
    (H,), outputs = state, []
    for X in inputs:
        H = np.tanh(X @ W_xh + H @ W_hh + b_h)
        outputs.append(H @ W_hq + b_q)
    return np.concatenate(outputs), (H,)

def wrong(inputs, state, params):
    return my_rnn(inputs, state, [*params[:2], 0 * params[2], *params[3:]])

def cell(rnn):
    def step(X, H, p):
        return rnn.tanh(X @ p.W_xh + H @ p.W_hh + p.b_h)
    return rnn.new_cell(step, {"W_xh": ("d", "h"), "W_hh": ("h", "h"), "b_h": ("h",)}, name="mine")

def three(rnn):
    return rnn.get_params, rnn.init_rnn_state, my_rnn

def failing(rnn):
    return 1 / 0

def no_function(rnn):
    return 3

def one_step(X, H):
    return H

number = 3
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my_rnn.py"
    path.write_text(MY_RNN)
    return str(path)


def check(*arguments):
    return CliRunner().invoke(cli.main, ["check", *arguments])


@pytest.mark.parametrize("name", ["my_rnn", "cell", "three"])
def test_a_right_function_ends_with_status_0(reference, file, name):
    result = check(f"{file}:{name}", "--reference", "rnn")
    assert result.exit_code == 0
    assert " (numpy) agrees with rnn: outputs, last state H, 7 gradients, in " in result.output


def test_a_wrong_function_ends_with_status_1_and_the_report(reference, file):
    result = check(f"{file}:wrong", "--reference", "rnn")
    assert result.exit_code == 1
    assert result.output.startswith("wrong (numpy) differs from rnn\nfirst difference: outputs at ")
    assert "\nprobable cause: b_h is not used\n" in result.output


def test_without_a_reference_gradients_are_compared_with_finite_differences(reference, file):
    result = check(f"{file}:my_rnn", "--hiddens", "2", "--steps", "3")
    assert result.exit_code == 0
    assert result.output.startswith("my_rnn (numpy) agrees with finite differences: ")


def test_gradients_can_be_left_out_of_the_command(reference, file):
    result = check(f"{file}:my_rnn", "--reference", "rnn", "--no-gradients")
    assert "agrees with rnn: outputs, last state H, in float64 and float32" in result.output


def test_the_backend_is_the_one_that_the_file_imports(pytorch, file, tmp_path):
    text = MY_RNN.replace("import numpy as np", "import torch")
    (tmp_path / "other.py").write_text(
        text.replace("np.concatenate", "torch.cat").replace("np.", "torch.")
    )
    other = f"{tmp_path / 'other.py'}:my_rnn"
    result = check(other, "--reference", f"{file}:my_rnn")
    assert result.output.startswith("my_rnn (torch) agrees with my_rnn (numpy): ")
    result = check(f"{file}:cell", "--backend", "torch", "--reference", f"{file}:cell")
    assert result.output.startswith("mine (torch) agrees with mine (numpy): ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["my_rnn.py"], "FILE.py:FUNCTION is 'my_rnn.py'; expected FILE.py:FUNCTION, such as "),
        (["absent.py:f"], "FILE.py:FUNCTION absent.py: there is no such file; check its name"),
        (["{}:absent"], "my_rnn.py has no function 'absent'; expected forward(inputs, state, "),
        (["{}:number"], "forward is an int; expected a function forward(inputs, state, params), "),
        (["{}:no_function"], "forward is an int; expected a function forward(inputs, state, param"),
        (["{}:failing"], "failing(rnn) fails in line 24: ZeroDivisionError: division by zero; "),
        (["{}:one_step"], "one_step(X, H) cannot be called with (inputs, state, params): inputs "),
        (["{}:my_rnn", "--reference", "gur"], "reference is 'gur'; expected one of rnn, gru, "),
        (["{}:my_rnn", "--reference", "lstm"], "my_rnn fails in line 5: ValueError: too many val"),
        (["{}:my_rnn", "--no-gradients"], "nothing can be compared: without a reference, only "),
        (["{}:my_rnn", "--reference-backend", "numpy"], "the backend of the reference is 'numpy',"),
        (["{}:my_rnn", "--seed", "-1"], "seed is -1; expected None or an integer, 0 or above"),
        (["{}:my_rnn", "--reference", "x.py:f"], "--reference x.py: there is no such file; check"),
    ],
)
def test_a_wrong_argument_is_one_line(reference, file, arguments, message):
    result = check(*(argument.format(file) for argument in arguments))
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert message in result.output
    assert result.output.count("\n") == 1
