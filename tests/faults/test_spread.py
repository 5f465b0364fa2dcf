"""NaN and infinity spread as in the reference and do not change other rows of a batch."""

import numpy as np
import pytest
from anything import NUMPY, H, V

from d2lrnn.nets.cells import Architecture
from d2lrnn.nets.layers import functions

CELLS = ["rnn", "gru", "gru_reset_after", "lstm"]
FORMS = [
    *((cell, "plain") for cell in CELLS),
    *((cell, "fused") for cell in CELLS),
    *((cell, "concatenated") for cell in ("rnn", "gru", "lstm")),
    *((cell, "deep") for cell in ("gru", "lstm")),
]


def forward_fn(rnn, cell, form):
    """Return the forward function of a form of a cell, and its architecture."""
    architecture = Architecture(cell, 2 if form == "deep" else 1)
    forward = functions(rnn.RNNModelScratch.ops, architecture, fused=form == "fused")[2]
    return getattr(rnn, f"concat_{cell}") if form == "concatenated" else forward, architecture


def odd_forward(rnn, cell, form, odd, row=1):
    """Return outputs (T, n, q) and states where one number of one row is odd, in float64."""
    forward, architecture = forward_fn(rnn, cell, form)
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in architecture.shapes(V, H)]
    params = rnn.trainable(arrays, dtype="float64")
    inputs = rng.normal(size=(6, 3, V))
    inputs[2, row, 3] = odd
    state = tuple(rnn.from_numpy(np.zeros((3, H))) for _ in range(architecture.num_states))
    if form == "concatenated":
        params = rnn.concat_params(params)
    with np.errstate(invalid="ignore", over="ignore"):  # NumPy tells of it, as it is set to
        outputs, state = forward(rnn.from_numpy(inputs), state, params)
    return [rnn.to_numpy(outputs).reshape(6, 3, V), *(rnn.to_numpy(H)[None] for H in state)]


@pytest.mark.parametrize(("cell", "form"), FORMS)
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 1e300])
def test_nan_spreads_as_in_the_reference(rnn, cell, form, odd):
    for found, expected in zip(
        odd_forward(rnn, cell, form, odd), odd_forward(NUMPY, cell, form, odd)
    ):
        np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
        np.testing.assert_array_equal(np.isinf(found), np.isinf(expected))


@pytest.mark.parametrize(("cell", "form"), FORMS)
@pytest.mark.parametrize("odd", [np.nan, np.inf, 1e300])
def test_an_odd_input_does_not_change_other_rows_of_the_batch(rnn, cell, form, odd):
    for found, plain in zip(odd_forward(rnn, cell, form, odd), odd_forward(rnn, cell, form, 0.5)):
        np.testing.assert_array_equal(found[:, [0, 2]], plain[:, [0, 2]])


@pytest.mark.parametrize(("cell", "form"), FORMS)
def test_outputs_before_an_odd_input_do_not_change(rnn, cell, form):
    outputs, plain = odd_forward(rnn, cell, form, np.nan)[0], odd_forward(rnn, cell, form, 0.5)[0]
    np.testing.assert_array_equal(outputs[:2], plain[:2])
    assert np.isnan(outputs[2:, 1]).all()


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 1e200])
@pytest.mark.parametrize("clip", ["norm", "value"])
def test_nan_spreads_in_clipping_as_in_the_reference(rnn, odd, clip):
    def clipped(backend):
        grads = [backend.from_numpy(np.array(part)) for part in ([0.5, odd], [[2.0, 0.0]])]
        with np.errstate(invalid="ignore", over="ignore"):
            found, norm = backend.grad_clipping(grads, 1.0, clip=clip)
        return [backend.to_numpy(array) for array in (*found, norm)]

    for found, expected in zip(clipped(rnn), clipped(NUMPY)):
        np.testing.assert_array_equal(found, expected)
