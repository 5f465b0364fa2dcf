"""The norm of dL/dH_t over time."""

import numpy as np
import pytest
from bounds import UPDATED
from matplotlib import pyplot

from d2lrnn import backends, plot
from d2lrnn.measure import gradient_flow
from d2lrnn.nets import build, cells

CELLS = [name for name, cell in cells.CELLS.items() if not cell.separate_output]


def make(rnn, cell, **settings):
    net = build.new_net(rnn, cells.Architecture(cell), 6, 8, seed=0, dtype="float64", **settings)
    rng = np.random.default_rng(0)
    net.load_arrays([array + 0.2 * rng.standard_normal(array.shape) for array in net.arrays()])
    return net, rng.integers(6, size=(3, 10)), rng.integers(6, size=(3, 10))


@pytest.mark.parametrize("last_only", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_every_backend_computes_the_norms_of_the_reference(rnn, cell, last_only):
    found = rnn.gradient_norms(*make(rnn, cell), last_only=last_only)
    reference = make(backends.load("numpy"), cell)
    expected = gradient_flow.gradient_norms(*reference, last_only=last_only)
    assert found.shape == (10,)
    np.testing.assert_allclose(found, expected, rtol=1e-11)


@pytest.mark.parametrize("cell", CELLS)
def test_the_norms_equal_finite_differences(cell):
    """The loss after a nudge to H_t, by running the rest of the sequence from there."""
    net, X, Y = make(backends.load("numpy"), cell)
    t = 4
    _, state = net.evaluate(X[:, :t], net.begin_state(3))
    H = state[0].copy()
    before = net.evaluate(X[:, :t], net.begin_state(3))[0].reshape(t, 3, 6)[:-1]
    W_hq, b_q = net.params[-2:]

    def loss(H):
        now = H @ W_hq + b_q
        later, _ = net.evaluate(X[:, t:], (H, *state[1:]))
        scores = np.concatenate([before.reshape(-1, 6), now, later])
        log_probs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return -log_probs[np.arange(30), Y.T.reshape(-1)].mean()

    gradient = np.zeros_like(H)
    for index in np.ndindex(H.shape):
        nudge = np.zeros_like(H)
        nudge[index] = 1e-6
        gradient[index] = (loss(H + nudge) - loss(H - nudge)) / 2e-6
    norm = gradient_flow.gradient_norms(net, X, Y)[t - 1]
    assert norm == pytest.approx(np.linalg.norm(gradient), rel=1e-6)


@pytest.mark.parametrize("cell", build.FUSED)
@pytest.mark.parametrize("fused", [False, True])
def test_the_joint_norm_is_that_of_the_gradients_and_follows_the_parameters(rnn, cell, fused):
    net, X, Y = make(rnn, cell, fused=fused)
    norm = gradient_flow.norm_of_gradients(net)
    for _ in range(2):
        state = net.begin_state(3)
        _, gradients = net.gradients(X, Y, state)
        expected = np.linalg.norm(np.concatenate([g.ravel() for g in gradients]))
        assert norm(X, Y, state) == pytest.approx(expected, rel=UPDATED)
        net.make_step(0.5)(X, Y, state)


@pytest.mark.parametrize("radius", [0.5, 1.0, 2.0])
def test_recurrent_weights_are_scaled_to_a_spectral_radius(rnn, radius):
    net, _, _ = make(rnn, "lstm")
    before = net.arrays()
    rnn.scale_recurrent(net, radius)
    for name, array, old in zip(net.architecture.parameters, net.arrays(), before):
        if name in ("W_hi", "W_hf", "W_ho", "W_hc"):
            assert gradient_flow.spectral_radius(array) == pytest.approx(radius)
        else:
            np.testing.assert_array_equal(array, old)


def test_gradients_vanish_under_a_radius_of_one_and_explode_over_it():
    norms = {}
    for radius in (0.5, 3.0):
        net = build.new_net(backends.load("numpy"), cells.Architecture("rnn"), 6, 32, seed=0)
        gradient_flow.scale_recurrent(net, radius)
        X = np.zeros((4, 30), int)
        norms[radius] = gradient_flow.gradient_norms(net, X, X, last_only=True)
    assert norms[0.5][0] < 1e-6 * norms[0.5][-1]
    assert norms[3.0][0] > 50 * norms[3.0][-1]


def test_the_survey_shows_it_for_every_cell_and_clipping_bounds_the_update():
    found = gradient_flow.survey(backends.load("numpy"), (0.5, 2.0), num_steps=40)
    assert list(found) == ["rnn", "gru", "lstm"]
    for norms in found.values():
        (_, low), (label, high) = norms.items()
        assert low[0] < 1e-4 * high[0]
        assert float(label.rpartition(" ")[2]) <= 1
    axes = plot.gradient_flow(found)
    assert [ax.get_title() for ax in axes] == list(found)
    assert all(len(ax.get_lines()) == 2 for ax in axes)
    pyplot.close(axes[0].figure)


def test_a_deep_net_is_refused(rnn):
    net = build.new_net(rnn, cells.Architecture("rnn", 2), 6, 8)
    with pytest.raises(ValueError, match="needs one layer and one direction"):
        rnn.gradient_norms(net, np.zeros((1, 2), int), np.zeros((1, 2), int))


def test_a_radius_that_is_not_positive_is_refused(rnn, make_net):
    with pytest.raises(ValueError) as error:
        rnn.scale_recurrent(make_net(), 0)
    assert str(error.value) == "radius is 0; expected a finite number above 0"


@pytest.mark.parametrize("bias", [0.0, 1.0, 4.0])
def test_gradients_of_an_lstm_shrink_by_its_forget_gate_at_each_step(reference, bias):
    """Use such small weights that only the gate affects the backward pass."""
    net = build.new_net(reference, cells.Architecture("lstm"), 6, 16, seed=0, dtype="float64")
    arrays = dict(zip(net.architecture.parameters, net.arrays()))
    arrays["b_f"] += bias
    net.load_arrays(list(arrays.values()))
    ids = np.random.default_rng(0).integers(6, size=(4, 31))
    norms = gradient_flow.gradient_norms(net, ids[:, :-1], ids[:, 1:], last_only=True)
    factors = norms[:-2] / norms[1:-1]  # the last step's own output comes on top
    np.testing.assert_allclose(factors, 1 / (1 + np.exp(-bias)), rtol=0.03)


@pytest.mark.parametrize("cell", ["s4d", "mamba"])
def test_the_norms_of_an_output_that_is_not_a_state_are_refused(rnn, cell):
    net = build.new_net(rnn, cells.Architecture(cell), 5, 4, seed=0)
    with pytest.raises(ValueError, match="whose output is not used by the next time step"):
        rnn.gradient_norms(net, [[0, 1, 2]], [[1, 2, 3]])


def test_scaling_needs_recurrent_weights(rnn):
    net = build.new_net(rnn, cells.Architecture("mingru"), 5, 4, seed=0)
    with pytest.raises(ValueError, match="mingru does not have recurrent weights"):
        rnn.scale_recurrent(net, 0.9)
