"""Rows of a table by token id, and their gradient."""

import numpy as np
import pytest

from d2lrnn.measure import agreement

IDS = np.array([[0, 2, 2], [1, 2, 0]])


def table_and_weights(dtype):
    rng = np.random.default_rng(0)
    return rng.standard_normal((4, 3)).astype(dtype), rng.standard_normal((2, 3, 3)).astype(dtype)


@pytest.mark.parametrize("dtype", agreement.DTYPES)
def test_looked_up_rows_equal_one_hot_products(rnn, dtype):
    table, _ = table_and_weights(dtype)
    found = rnn.to_numpy(rnn.embedding(rnn.from_numpy(IDS), rnn.from_numpy(table)))
    assert found.dtype.name == dtype
    np.testing.assert_array_equal(found, np.eye(4, dtype=dtype)[IDS] @ table)


def gradient_by_hand(d_rows, vocab_size):
    """The gradient (V, d) of a table from that of the rows looked up: rows of one id add up."""
    d_table = np.zeros((vocab_size, d_rows.shape[-1]), d_rows.dtype)
    np.add.at(d_table, IDS, d_rows)
    return d_table


def test_the_gradient_by_hand_equals_a_finite_difference():
    table, weights = table_and_weights("float64")
    expected = np.zeros_like(table)
    for index in np.ndindex(table.shape):
        nudge = np.zeros_like(table)
        nudge[index] = 1e-6
        ends = [((table + sign * nudge)[IDS] * weights).sum() for sign in (1, -1)]
        expected[index] = (ends[0] - ends[1]) / 2e-6
    np.testing.assert_allclose(gradient_by_hand(weights, 4), expected, atol=1e-9)


@pytest.mark.frameworks  # NumPy has no differentiation of its own
def test_a_framework_s_gradient_equals_that_by_hand(rnn):
    table, weights = table_and_weights("float64")
    expected = gradient_by_hand(weights, 4)

    def look_up(inputs, state, params):
        return rnn.embedding(IDS, params[0]), state

    state = (rnn.from_numpy(np.zeros((1, 1))),)
    arguments = rnn.from_numpy(np.zeros((1, 1, 1))), state, [rnn.from_numpy(table)]
    _, _, (found,) = rnn.vjp(look_up, *arguments, rnn.from_numpy(weights), state)
    np.testing.assert_allclose(rnn.to_numpy(found), expected, rtol=1e-14)


@pytest.mark.parametrize(("ids", "words"), [([4], "token id 4 is outside 0..3"), ([0.5], "dtype")])
def test_values_that_are_not_ids_are_refused(rnn, ids, words):
    table, _ = table_and_weights("float32")
    with pytest.raises(ValueError, match=words):
        rnn.embedding(np.array(ids), rnn.from_numpy(table))
