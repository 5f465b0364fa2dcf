"""look_inside: states, gates and predictions of a network."""

import numpy as np
import pytest
from bounds import AGREED
from matplotlib import pyplot

from d2lrnn import backends, plot
from d2lrnn.data.text import Vocab
from d2lrnn.measure import inside
from d2lrnn.nets import build, cells
from d2lrnn.numpy.bptt import sigmoid

CELLS = list(cells.CELLS)
TEXT = "a cab, a bad cab"
VOCAB = Vocab(list(TEXT))


def make(rnn, cell, dtype="float64", **settings):
    sizes = len(VOCAB), 8
    net = build.new_net(rnn, cells.Architecture(cell), *sizes, seed=0, dtype=dtype, **settings)
    rng = np.random.default_rng(0)
    net.load_arrays([array + 0.5 * rng.standard_normal(array.shape) for array in net.arrays()])
    return net


def series_of(seen):
    candidates = {} if seen.candidates is None else {"candidates": seen.candidates}
    return {**seen.series(), **candidates, "probabilities": seen.probabilities}


@pytest.mark.parametrize("cell", CELLS)
def test_look_inside_equals_the_reference_in_every_backend(rnn, cell):
    found = series_of(rnn.look_inside(make(rnn, cell), VOCAB, TEXT))
    expected = series_of(inside.look_inside(make(backends.load("numpy"), cell), VOCAB, TEXT))
    assert list(found) == list(expected)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], atol=AGREED, err_msg=name)


@pytest.mark.parametrize("cell", CELLS)
def test_states_and_probabilities_equal_those_of_one_call_with_the_whole_text(rnn, cell):
    net = make(rnn, cell)
    seen = rnn.look_inside(net, VOCAB, TEXT)
    outputs, state = net.evaluate(np.array([VOCAB[list(TEXT)]]), net.begin_state(1))
    last = [rnn.to_numpy(tensor)[0] for tensor in state][: 2 if cell == "lstm" else 1]
    found = [seen.states[-1], *([] if seen.memory is None else [seen.memory[-1]])]
    np.testing.assert_allclose(found, last, atol=AGREED)
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    expected = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(seen.probabilities, expected, atol=AGREED)
    assert seen.tokens == list(TEXT)


@pytest.mark.parametrize("letter", "ZR")
def test_the_gates_of_a_gru_are_its_equations(rnn, letter):
    net = make(rnn, "gru")
    named = dict(zip(net.architecture.parameters, net.arrays()))
    W_x, W_h, b = (named[kind + letter.lower()] for kind in ("W_x", "W_h", "b_"))
    seen = rnn.look_inside(net, VOCAB, TEXT)
    before = np.vstack([np.zeros(8), seen.states[:-1]])
    expected = sigmoid(W_x[VOCAB[list(TEXT)]] + before @ W_h + b)
    np.testing.assert_allclose(seen.gates[letter], expected, atol=AGREED)


@pytest.mark.parametrize("cell", ["gru", "gru_reset_after"])
def test_gates_and_candidates_of_a_gru_make_its_states(rnn, cell):
    seen = rnn.look_inside(make(rnn, cell), VOCAB, TEXT)
    before, Z = np.vstack([np.zeros(8), seen.states[:-1]]), seen.gates["Z"]
    expected = Z * before + (1 - Z) * seen.candidates
    np.testing.assert_allclose(seen.states, expected, atol=AGREED)


def test_gates_and_candidates_of_an_lstm_make_its_memory_and_states(rnn):
    seen = rnn.look_inside(make(rnn, "lstm"), VOCAB, TEXT)
    before, gates = np.vstack([np.zeros(8), seen.memory[:-1]]), seen.gates
    expected = gates["F"] * before + gates["I"] * seen.candidates
    np.testing.assert_allclose(seen.memory, expected, atol=AGREED)
    np.testing.assert_allclose(seen.states, gates["O"] * np.tanh(seen.memory), atol=AGREED)


@pytest.mark.parametrize("distance", [1, 30])
def test_an_lstm_with_its_forget_gate_open_and_its_input_gate_shut_keeps_its_memory(rnn, distance):
    net = build.new_net(rnn, cells.Architecture("lstm"), len(VOCAB), 1, dtype="float64")
    named = dict(zip(net.architecture.parameters, [np.zeros_like(a) for a in net.arrays()]))
    named["W_xi"][:] = -20.0
    named["W_xf"][:] = 20.0
    named["W_xi"][VOCAB["a"]], named["W_xc"][VOCAB["a"]] = 20.0, 20.0  # write 1 at an a
    net.load_arrays(list(named.values()))
    seen = rnn.look_inside(net, VOCAB, "a" + distance * "b")
    np.testing.assert_allclose(seen.memory[:, 0], 1.0, atol=1e-6)


@pytest.mark.parametrize("cell", build.FUSED)
def test_look_inside_shows_the_same_for_a_fused_net_in_float32(rnn, cell):
    found = series_of(rnn.look_inside(make(rnn, cell, "float32", fused=True), VOCAB, TEXT))
    expected = series_of(inside.look_inside(make(backends.load("numpy"), cell), VOCAB, TEXT))
    share = 1e-4 if cell == "mamba" else 1e-5  # a block has many products in sequence
    for name in expected:
        limit = share * max(1, abs(expected[name]).max())
        np.testing.assert_allclose(found[name], expected[name], atol=limit, err_msg=name)


def test_the_most_probable_next_token_is_generated(rnn):
    net = make(rnn, "lstm")
    seen = rnn.look_inside(net, VOCAB, TEXT)
    likeliest = VOCAB.to_tokens(seen.probabilities[-1].argmax())
    assert rnn.predict_ch8(TEXT, 1, net, VOCAB) == TEXT + likeliest


def test_a_high_temperature_makes_probabilities_equal_and_a_low_one_selects_the_largest(rnn):
    net = make(rnn, "rnn")
    hot = rnn.look_inside(net, VOCAB, TEXT, temperature=1e6).probabilities
    np.testing.assert_allclose(hot, np.full(hot.shape, 1 / len(VOCAB)), atol=1e-4)
    cold = rnn.look_inside(net, VOCAB, TEXT, temperature=1e-3).probabilities
    np.testing.assert_allclose(cold.max(axis=1), 1, atol=1e-2)


def test_a_deep_net_is_refused(rnn):
    net = build.new_net(rnn, cells.Architecture("rnn", 2), len(VOCAB), 8)
    with pytest.raises(ValueError, match="look_inside needs one layer and one direction"):
        rnn.look_inside(net, VOCAB, TEXT)


def test_an_object_that_is_not_a_scratch_model_is_refused(rnn, make_concise):
    with pytest.raises(ValueError, match="the net is an RNNModel; look_inside needs an RNNModelS"):
        rnn.look_inside(make_concise("rnn"), VOCAB, TEXT)


def test_an_empty_text_is_refused(rnn):
    with pytest.raises(ValueError, match="prefix '' does not contain any tokens"):
        rnn.look_inside(make(rnn, "rnn"), VOCAB, "")


def test_a_text_is_drawn_in_the_colours_of_one_unit():
    seen = inside.look_inside(make(backends.load("numpy"), "lstm"), VOCAB, TEXT)
    ax = plot.coloured_text(seen.tokens, seen.states[:, 3], width=10)
    drawn = [text.get_text() for text in ax.texts]
    assert drawn == list(TEXT)
    cells_of = {(round(x), round(y)) for x, y in (text.get_position() for text in ax.texts)}
    assert len(cells_of) == len(TEXT)  # each at a place of its own
    assert max(x for x, _ in cells_of) == 9
    ax.figure.canvas.draw()  # which is when matplotlib finds the colours
    faces = ax.collections[0].get_facecolor()
    strongest, weakest = seen.states[:, 3].argmax(), seen.states[:, 3].argmin()
    assert tuple(faces[strongest]) != tuple(faces[weakest])
    pyplot.close(ax.figure)


def test_a_gate_is_drawn_from_0_to_1():
    ax = plot.coloured_text("ab", [0.0, 1.0], limits=(0, 1))
    assert ax.collections[0].get_clim() == (0, 1)
    pyplot.close(ax.figure)
