"""Large sizes: many words, many tokens in one minibatch."""

import numpy as np
import pytest

from d2lrnn import backends
from d2lrnn.measure import agreement
from d2lrnn.nets import build, cells

MANY = 2**20  # words: a square of that size would be 4 TiB
NUM_ROWS = 2**15 + 1  # of two tokens each: by 65,536 NumPy 1 divides float32 in float64
FEW = np.random.default_rng(0).integers(5, size=(2, 1, 2))  # X and Y of one row and two steps


def test_one_hot_rows_take_no_more_memory_than_their_elements(rnn):
    ids = np.array([[0, MANY - 1], [7, 7]])
    rows = rnn.to_numpy(rnn.one_hot(ids, MANY))
    assert rows.shape == (2, 2, MANY)
    np.testing.assert_array_equal(rows.argmax(axis=2), ids)
    assert rows.sum() == 4


def test_a_model_of_a_million_words_generates_a_word(rnn):
    net = build.new_net(rnn, cells.Architecture("rnn"), MANY, 1, seed=0)
    scores, _ = net.next_scores(np.array([MANY - 1]), net.begin_state(1))
    assert scores.shape == (1, MANY)


def test_ids_of_a_million_words_are_read_and_written(rnn):
    encoder = rnn.EncoderScratch(MANY, 1, cell="rnn", seed=0)
    net = rnn.EncoderDecoderScratch(encoder, rnn.DecoderScratch(MANY, 1, 1, cell="rnn", seed=0))
    (written,) = net.predict([[0, MANY - 1]], end=0, num_steps=2)
    assert all(0 < word < MANY for word in written)


def trained(net, batch, **settings):
    """The loss of a step, and the parameters after it."""
    loss = net.make_step(0.5, **settings)(*batch)
    assert {array.dtype.name for array in net.arrays()} == {"float32"}
    return loss[0] if isinstance(loss, tuple) else loss, net.arrays()


def assert_same_step(found, expected):
    """Many equal rows give the update of one row, up to the rounding of the sum."""
    assert found[0] == pytest.approx(expected[0], rel=1e-5)
    limit = agreement.bound("gradients", "float32", 2 * NUM_ROWS)
    for one, other in zip(found[1], expected[1], strict=True):
        assert agreement.difference(one, other) <= limit


@pytest.mark.parametrize(("cell", "fused"), [("rnn", False), ("gru", True), ("lstm", True)])
def test_a_minibatch_can_have_many_rows(rnn, cell, fused):
    results = []
    for backend, number in ((rnn, NUM_ROWS), (backends.load("numpy"), 1)):
        net = build.new_net(backend, cells.Architecture(cell), 5, 3, fused=fused, seed=0)
        X, Y = FEW.repeat(number, axis=1)
        results.append(trained(net, (X, Y, net.begin_state(number)), optimizer="sgd"))
    assert_same_step(*results)


@pytest.mark.parametrize("optimizer", ["adagrad", "adam"])
def test_every_optimizer_accepts_many_rows(make_net, optimizer):
    net, (X, Y) = make_net(), FEW.repeat(NUM_ROWS, axis=1)
    loss, _ = trained(net, (X, Y, net.begin_state(len(X))), optimizer=optimizer)
    assert loss == pytest.approx(np.log(5), rel=0.01)


def test_a_framework_s_own_layer_accepts_many_rows(make_concise):
    results = []
    for number in (NUM_ROWS, 1):  # its two biases learn twice as much as one from scratch
        net, (X, Y) = make_concise("lstm"), FEW.repeat(number, axis=1)
        results.append(trained(net, (X, Y, net.begin_state(number)), optimizer="sgd"))
    assert_same_step(*results)


def test_a_network_over_sequences_accepts_many_rows(rnn):
    results = []
    for backend, number in ((rnn, NUM_ROWS), (backends.load("numpy"), 1)):
        net = backend.SequenceTaggerScratch(5, 3, 5, seed=0)
        results.append(trained(net, FEW.repeat(number, axis=1), optimizer="sgd"))
    assert_same_step(*results)


def test_a_row_can_have_many_numbers(rnn):
    num_outputs = 2**16 + 1
    net = rnn.DecoderScratch(num_outputs, 1, 1, loss="sigmoid", seed=0)
    loss, _ = trained(net, (np.ones((1, 1)), np.full((1, 2, num_outputs), 0.5)))
    assert loss == pytest.approx(np.log(2), rel=1e-4)
