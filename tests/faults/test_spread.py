"""What is no number spreads as in the reference, and leaves the other rows of a batch alone."""

import numpy as np
import pytest
from anything import NUMPY, H, V

from d2lrnn.cells import Architecture, new_net

CELLS = ["rnn", "gru", "gru_reset_after", "lstm"]


def odd_forward(rnn, cell, odd, row=1):
    """Return outputs (T, n, q) and states where one number of one row is odd, in float64."""
    rng = np.random.default_rng(0)
    net = new_net(rnn, Architecture(cell), V, H, seed=0, dtype="float64")
    net.load_arrays([rng.normal(size=array.shape) for array in net.arrays()])
    inputs = rng.normal(size=(6, 3, V))
    inputs[2, row, 3] = odd
    state = tuple(rnn.from_numpy(np.zeros((3, H))) for _ in net.begin_state(3))
    with np.errstate(invalid="ignore"):  # NumPy tells of it, as it is set to, and goes on
        outputs, state = net.forward_fn(rnn.from_numpy(inputs), state, net.params)
    return [rnn.to_numpy(outputs).reshape(6, 3, V), *(rnn.to_numpy(H)[None] for H in state)]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 1e300])
def test_what_is_no_number_spreads_as_in_the_reference(rnn, cell, odd):
    for found, expected in zip(odd_forward(rnn, cell, odd), odd_forward(NUMPY, cell, odd)):
        np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
        np.testing.assert_array_equal(np.isinf(found), np.isinf(expected))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("odd", [np.nan, np.inf, 1e300])
def test_the_other_rows_of_a_batch_are_untouched_by_it(rnn, cell, odd):
    for found, plain in zip(odd_forward(rnn, cell, odd), odd_forward(rnn, cell, 0.5)):
        np.testing.assert_array_equal(found[:, [0, 2]], plain[:, [0, 2]])


@pytest.mark.parametrize("cell", CELLS)
def test_before_it_comes_a_row_is_what_it_was(rnn, cell):
    outputs, plain = odd_forward(rnn, cell, np.nan)[0], odd_forward(rnn, cell, 0.5)[0]
    np.testing.assert_array_equal(outputs[:2], plain[:2])
    assert np.isnan(outputs[2:, 1]).all()
