"""Networks that compute numbers, labels that do not count, and scans in networks over sequences."""

import numpy as np
import pytest

from d2lrnn.data import memory_tasks
from d2lrnn.measure import agreement
from d2lrnn.nets import losses

SEQUENCES = [np.random.default_rng(n).standard_normal((n, 4)) for n in (5, 2, 3)]
NUMBERS = np.array([[0.5, -1.0], [2.0, 0.25], [-0.75, 3.0]])
SETTINGS = {"seed": 0, "dtype": "float64"}
LINEAR = ["mingru", "minlstm", "s4d", "mamba"]


def assert_close(results, expected, dtype="float64"):
    bound = agreement.bound("gradients", dtype, 100)
    for one, other in zip(results, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=bound * max(abs(other).max(), 1e-3))


def test_the_loss_of_a_regressor_is_its_mean_squared_error(rnn):
    net = rnn.SequenceRegressorScratch(4, 3, 2, cell="gru", **SETTINGS)
    loss, _ = net.gradients(SEQUENCES, NUMBERS)
    expected = ((net.evaluate(SEQUENCES) - NUMBERS) ** 2).mean()
    assert loss == pytest.approx(expected, rel=1e-12)
    assert net.mean_squared_error(SEQUENCES, NUMBERS) == pytest.approx(expected, rel=1e-12)


def test_the_gradient_of_the_squared_loss_is_a_difference_quotient():
    rng = np.random.default_rng(0)
    outputs, targets, weights = rng.random((3, 2)), rng.random((3, 2)), rng.dirichlet(np.ones(3))
    for given in (None, weights):
        _, gradient = losses.squared(outputs, targets, given)
        for index in np.ndindex(outputs.shape):
            step = np.zeros_like(outputs)
            step[index] = 1e-6
            high, low = (losses.squared(outputs + s, targets, given)[0] for s in (step, -step))
            assert gradient[index] == pytest.approx((high - low) / 2e-6, rel=1e-6)


@pytest.mark.against_reference
@pytest.mark.parametrize("cell", ["lstm", "mamba"])
def test_the_gradients_of_a_regressor_equal_those_of_numpy(rnn, reference, cell):
    both = []
    for backend in (rnn, reference):
        net = backend.SequenceRegressorScratch(4, 3, 2, cell=cell, num_layers=2, **SETTINGS)
        both.append(net.gradients(SEQUENCES, NUMBERS)[1])
    assert_close(*both)


def test_one_number_may_be_given_as_a_vector(rnn):
    net = rnn.SequenceRegressorScratch(4, 3, 1, **SETTINGS)
    first, second = (net.gradients(SEQUENCES, y)[0] for y in (NUMBERS[:, 0], NUMBERS[:, :1]))
    assert first == second
    assert net.predict(SEQUENCES).shape == (3,)


def test_the_score_of_a_regressor_is_1_for_the_truth_and_0_for_the_mean(reference):
    net = reference.SequenceRegressorScratch(4, 3, 2, **SETTINGS)
    assert net.score(SEQUENCES, net.predict(SEQUENCES)) == 1
    arrays = net.arrays()
    net.load_arrays([*(np.zeros_like(array) for array in arrays[:-1]), NUMBERS.mean(axis=0)])
    assert net.score(SEQUENCES, NUMBERS) == pytest.approx(0, abs=1e-12)
    assert net.score(SEQUENCES, np.ones((3, 2))) == 0


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (NUMBERS[:, 0], r"the targets have shape \(3,\); expected \(3, 2\)"),
        (NUMBERS[:2], r"the targets have shape \(2, 2\); expected \(3, 2\)"),
        (NUMBERS * np.nan, "expected finite numbers"),
        (NUMBERS.astype(str), "expected finite numbers"),
    ],
)
def test_targets_that_a_regressor_cannot_use_are_refused(rnn, targets, message):
    net = rnn.SequenceRegressorScratch(4, 3, 2, **SETTINGS)
    with pytest.raises(ValueError, match=message):
        net.make_step(0.1)(SEQUENCES, targets)


def test_a_step_with_the_label_minus_1_does_not_count(rnn):
    net = rnn.SequenceTaggerScratch(4, 3, 3, **SETTINGS)
    tags = [[0, 1, -1, -1, 2], [-1, 2], [1, -1, -1]]
    loss, _ = net.gradients(SEQUENCES, tags)
    log_probs = losses.log_probabilities(net.evaluate(SEQUENCES)).reshape(5, 3, 3)
    labelled = [
        (t, row, tag) for row, ys in enumerate(tags) for t, tag in enumerate(ys) if tag >= 0
    ]
    assert loss == pytest.approx(-np.mean([log_probs[i] for i in labelled]), rel=1e-12)
    predicted = net.predict(SEQUENCES)
    right = [predicted[row, t] == tag for t, row, tag in labelled]
    assert net.score(SEQUENCES, tags) == np.mean(right)


@pytest.mark.parametrize("tags", [[[-2, 0]], [[0, 3]]])
def test_other_labels_out_of_range_are_refused(rnn, tags):
    net = rnn.SequenceTaggerScratch(4, 3, 3, **SETTINGS)
    with pytest.raises(ValueError, match="expected integers from 0 to 2"):
        net.gradients([np.ones((2, 4))], tags)


def test_a_minibatch_without_any_label_is_refused(rnn):
    net = rnn.SequenceTaggerScratch(4, 3, 3, **SETTINGS)
    with pytest.raises(ValueError, match="expected at least one True"):
        net.gradients([np.ones((2, 4))], [[-1, -1]])


@pytest.mark.parametrize("cell", LINEAR)
def test_a_network_over_sequences_computes_the_same_by_a_scan(rnn, cell):
    X, Y = memory_tasks.selective_copy(3, 5, 2)
    nets = [
        rnn.SequenceTaggerScratch(6, 3, 6, cell=cell, num_layers=2, fused=fused, **SETTINGS)
        for fused in (False, True)
    ]
    assert [net.network.scan for net in nets] == [False, True]
    (loss, grads), (other_loss, others) = (net.gradients(X, Y) for net in nets)
    assert loss == pytest.approx(other_loss, rel=1e-12)
    assert_close(others, grads)


def test_a_classifier_of_both_directions_computes_the_same_by_a_scan(rnn):
    X = memory_tasks.parity(3, 5)[0]
    settings = {"cell": "mingru", "bidirectional": True, **SETTINGS}
    results = [
        rnn.SequenceClassifierScratch(2, 3, 2, fused=fused, **settings).gradients(X, [0, 1, 1])
        for fused in (False, True)
    ]
    assert_close(results[1][1], results[0][1])


def test_padding_is_refused_by_a_network_that_computes_by_a_scan(rnn):
    net = rnn.SequenceTaggerScratch(4, 3, 3, cell="mingru", fused=True, **SETTINGS)
    with pytest.raises(ValueError, match="padding; with fused=True, expected sequences of one"):
        net.evaluate(SEQUENCES)
