"""Modules of the frameworks are trained as the page on custom cells shows."""

import pathlib
import re

import numpy as np
import pytest

from d2lrnn.training import language

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "how-to" / "own-cell.md"
BLOCKS = re.findall("^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
pytestmark = pytest.mark.frameworks  # NumPy has no modules


@pytest.fixture(scope="module")
def example(backend):
    """The names that the page's example for a framework defines, after one epoch of training."""
    (block,) = [b for b in BLOCKS if f"d2lrnn import {backend} as rnn" in b and "class My" in b]
    names = {}
    short = block.replace("num_epochs=50", "num_epochs=1, progress=False")
    exec(short.replace("num_steps=35, seed=0)", "num_steps=35, seed=0, max_tokens=3000)"), names)
    return names


def test_the_example_of_the_page_for_a_module_learns(example):
    net, data, vocab = (example[name] for name in ("net", "train_iter", "vocab"))
    history = language.train_ch8(net, data, vocab, 1, 3, progress=False)
    assert history.perplexity[-1] < example["history"].perplexity[0] < 70
    assert example["rnn"].predict_ch8("the ", 3, net, vocab).startswith("the ")


def test_the_gradients_of_a_module_agree_with_differences(example):
    rnn, vocab = example["rnn"], example["vocab"]
    net = example["net"]
    X, Y = [[1, 2, 3]], [[2, 3, 4]]
    _, gradients = net.gradients(X, Y, net.begin_state(1))
    assert len(gradients) == len(net.params)
    arrays = net.arrays()
    place = np.unravel_index(np.abs(gradients[-1]).argmax(), gradients[-1].shape)
    losses = []
    for change in (0.1, -0.2):
        arrays[-1][place] += change
        net.load_arrays(arrays)
        losses.append(net.gradients(X, Y, net.begin_state(1))[0])
    expected = (losses[0] - losses[1]) / 0.2
    assert gradients[-1][place] == pytest.approx(expected, rel=0.02)
    assert rnn.predict_ch8("the ", 3, net, vocab).startswith("the ")


def test_a_module_s_net_is_saved_and_loaded_with_its_functions(example, tmp_path):
    rnn, net, vocab = (example[name] for name in ("rnn", "net", "vocab"))
    rnn.save_model(tmp_path / "model", net, vocab)
    functions = example["get_params"], rnn.init_gru_state, example["my_forward"]
    expected = net.arrays()
    loaded, _ = rnn.load_model(tmp_path / "model", cell=functions)
    for one, other in zip(loaded.arrays(), expected, strict=True):
        np.testing.assert_array_equal(one, other)
