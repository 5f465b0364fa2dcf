"""Sizes beyond the classroom's: many words, many tokens in one minibatch."""

import numpy as np
import pytest

from d2lrnn.measure import agreement
from d2lrnn.nets import cells

MANY = 2**20  # words: a square of that size would be 4 TiB
# Beyond 2**15, 2**16 and 2**17 tokens: an integer of more bits than float32 holds exactly in a
# smaller type makes float64 of float32 in NumPy 1.
NUM_ROWS = [2**14 + 1, 2**15 + 1, 2**16 + 1]
SEED = 0
FEW = np.random.default_rng(SEED).integers(5, size=(2, 1, 2))  # X and Y of one row and two steps


def test_a_one_hot_row_takes_the_memory_of_a_row(rnn):
    ids = np.array([[0, MANY - 1], [7, 7]])
    rows = rnn.to_numpy(rnn.one_hot(ids, MANY))
    assert rows.shape == (2, 2, MANY)
    np.testing.assert_array_equal(rows.argmax(axis=2), ids)
    assert rows.sum() == 4


def test_a_model_of_a_million_words_says_one(rnn):
    net = cells.new_net(rnn, cells.Architecture("rnn"), MANY, 1, seed=0)
    scores, _ = net.next_scores(MANY - 1, net.begin_state(1))
    assert scores.shape == (MANY,)


def test_ids_of_a_million_words_are_read_and_written(rnn):
    encoder = rnn.EncoderScratch(MANY, 1, cell="rnn", seed=0)
    net = rnn.EncoderDecoderScratch(encoder, rnn.DecoderScratch(MANY, 1, 1, cell="rnn", seed=0))
    (written,) = net.predict([[0, MANY - 1]], end=0, num_steps=2)
    assert all(0 < word < MANY for word in written)


def trained(net, batch, **settings):
    """The loss of a step, and the parameters after it."""
    loss = net.make_step(0.5, **settings)(*batch)
    return loss[0] if isinstance(loss, tuple) else loss, net.arrays()


def assert_same_step(found, expected):
    """Many equal rows teach what one does, but for rounding."""
    assert found[0] == pytest.approx(expected[0], rel=1e-5)
    for one, other in zip(found[1], expected[1], strict=True):
        assert one.dtype == np.float32
        assert agreement.difference(one, other) <= 1e-5


@pytest.mark.parametrize("num_rows", NUM_ROWS)
@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam"])
@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("cell", cells.FUSED)
def test_a_minibatch_may_be_of_many_rows(rnn, cell, fused, optimizer, num_rows):
    results = []
    for number in (1, num_rows):
        net = cells.new_net(rnn, cells.Architecture(cell), 5, 3, fused=fused, seed=0)
        X, Y = FEW.repeat(number, axis=1)
        batch = X, Y, net.begin_state(number)
        results.append(trained(net, batch, optimizer=optimizer))
    assert_same_step(*results)


@pytest.mark.parametrize("num_rows", NUM_ROWS)
def test_a_framework_s_own_layer_takes_many_rows(rnn, make_concise, num_rows):
    results = []
    for number in (1, num_rows):
        net = make_concise("lstm")
        X, Y = FEW.repeat(number, axis=1)
        results.append(trained(net, (X, Y, net.begin_state(number))))
    assert_same_step(*results)


@pytest.mark.parametrize("num_rows", NUM_ROWS)
def test_a_network_over_sequences_takes_many_rows(rnn, num_rows):
    results = []
    for number in (1, num_rows):
        net = rnn.SequenceTaggerScratch(5, 3, 5, seed=0)
        results.append(trained(net, FEW.repeat(number, axis=1)))
    assert_same_step(*results)


@pytest.mark.parametrize("num_outputs", NUM_ROWS)
def test_a_row_may_be_of_many_numbers(rnn, num_outputs):
    net = rnn.DecoderScratch(num_outputs, 1, 1, loss="sigmoid", seed=0)
    loss, arrays = trained(net, (np.ones((1, 1)), np.full((1, 2, num_outputs), 0.5)))
    assert loss == pytest.approx(np.log(2), rel=1e-4)
    assert {array.dtype.name for array in arrays} == {"float32"}
