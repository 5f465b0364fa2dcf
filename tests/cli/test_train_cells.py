"""Custom cells and embeddings in d2lrnn train, and the models that it saves of them."""

import shlex

import numpy as np
import pytest
from click.testing import CliRunner

from d2lrnn import cli
from d2lrnn import numpy as rnn

SMALL = ["--steps", 5, "--batch-size", 4, "--max-tokens", 400, "--hiddens", 8, "--epochs", 1]
CELL = """
def mgu(rnn):
    def step(X, H, p):
        F = rnn.sigmoid(X @ p.W_xf + H @ p.W_hf + p.b_f)
        return F * H + (1 - F) * rnn.tanh(X @ p.W_xh + (F * H) @ p.W_hh + p.b_h)

    axes = {"W_x": ("d", "h"), "W_h": ("h", "h"), "b_": ("h",)}
    params = {f"{kind}{gate}": axes[kind] for gate in "fh" for kind in axes}
    return rnn.new_cell(step, params, name="mgu")

def broken(rnn):
    return 3
"""


def d2lrnn(*arguments):
    return CliRunner().invoke(cli.main, [*map(str, arguments)])


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "cells.py"
    path.write_text(CELL)
    return path


@pytest.mark.parametrize("more", [[], ["--embedding", 3, "--layers", 2]])
def test_a_custom_cell_is_trained_saved_and_generates_text(tmp_path, file, more):
    path, name = tmp_path / "m.safetensors", f"{file}:mgu"
    result = d2lrnn("train", *SMALL, "--cell", name, *more, "--out", path)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("model: mgu, ")
    words = result.output.splitlines()[-1].removeprefix("to generate text, run: d2lrnn ")
    text = d2lrnn(*shlex.split(words), "--length", 5)
    assert text.exit_code == 0, text.output
    assert text.output.startswith("Listen")


def test_an_embedding_of_the_requested_size_is_trained(tmp_path):
    path = tmp_path / "m.safetensors"
    result = d2lrnn("train", *SMALL, "--cell", "gru", "--embedding", 3, "--out", path)
    assert result.output.startswith("model: gru, embedding of 3, 8 hidden units, "), result.output
    net, vocab = rnn.load_model(path)
    assert net.arrays()[0].shape == (len(vocab), 3)
    first = rnn.RNNModelScratch(
        len(vocab), 8, rnn.get_gru_params, rnn.init_gru_state, rnn.gru, seed=0, embedding=3
    )
    assert abs(net.arrays()[0] - first.arrays()[0]).max() > 0
    assert np.isfinite(net.arrays()[0]).all()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--cell", "{file}:broken"], "broken returns an int; expected a custom cell"),
        (["--cell", "{file}:absent"], "has no function 'absent'"),
        (["--cell", "{file}"], "names a file without a function"),
        (["--cell", "{file}:mgu", "--forward", "rnn_fused"], "is not for the custom cell mgu"),
        (["--embedding", 0], "0 is not in the range x>=1"),
    ],
)
def test_a_wrong_cell_is_refused(file, words, message):
    result = d2lrnn("train", *SMALL, *[str(word).format(file=file) for word in words])
    assert result.exit_code != 0
    assert message in result.output


CONCISE = [
    (["--embedding", 3], "a framework's own layer takes one-hot rows"),
    (["--cell", "mingru"], "the frameworks do not have a layer of the cell mingru"),
    (["--cell", "{file}:mgu"], "the frameworks do not have a layer of the cell mgu"),
]


@pytest.mark.frameworks
@pytest.mark.parametrize(("words", "message"), CONCISE)
def test_a_framework_s_own_layer_is_refused_for_other_cells(backend, file, words, message):
    words = [str(word).format(file=file) for word in words]
    result = d2lrnn("train", *SMALL, "--backend", backend, "--concise", *words)
    assert result.exit_code != 0
    assert message in result.output
