"""Networks that read sequences: masks, gradients, sentiment, terms of backpropagation."""

import numpy as np
import pytest
from bounds import EXACT, SAME, TIGHT, TRAINED

from d2lrnn import backends
from d2lrnn.data import padding
from d2lrnn.measure import agreement, gradient_flow
from d2lrnn.nets import cells
from d2lrnn.recipes import tasks

CASES = {
    "rnn": {"cell": "rnn"},
    "gru": {"cell": "gru"},
    "lstm, deep, both directions": {"cell": "lstm", "num_layers": 2, "bidirectional": True},
}
SEQUENCES = [np.random.default_rng(n).standard_normal((n, 4)) for n in (5, 2, 3)]
LABELS = np.array([0, 2, 1])
TAGS = [[0, 1, 2, 1, 0], [2, 2], [1, 0, 2]]


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def classifier(rnn, num_outputs=3, **settings):
    settings = {"seed": 0, "dtype": "float64", **settings}
    return rnn.SequenceClassifierScratch(4, 3, num_outputs, **settings)


def tagger(rnn, **settings):
    return rnn.SequenceTaggerScratch(4, 3, 3, **{"seed": 0, "dtype": "float64", **settings})


def close(found, expected, dtype="float64"):
    bound = agreement.bound("gradients", dtype, 100)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=bound * max(abs(other).max(), 1e-3))


def test_a_padded_batch_gives_the_results_of_one_sequence_at_a_time(rnn, case):
    net = classifier(rnn, **case)
    together = net.evaluate(SEQUENCES)
    alone = np.concatenate([net.evaluate([sequence]) for sequence in SEQUENCES])
    np.testing.assert_allclose(together, alone, rtol=SAME, atol=EXACT)


def test_padding_in_front_is_masked_as_well(rnn, case):
    net = classifier(rnn, **case)
    X, mask = np.full((3, 7, 4), 9.0), np.zeros((3, 7), bool)
    for row, sequence in enumerate(SEQUENCES):
        X[row, -len(sequence) :], mask[row, -len(sequence) :] = sequence, True
    np.testing.assert_allclose(net.evaluate(X, mask), net.evaluate(SEQUENCES), rtol=SAME)


def test_values_in_the_padding_do_not_change_gradients(rnn, case):
    net = tagger(rnn, **case)
    X, Y = padding.rectangle(SEQUENCES), padding.rectangle(TAGS)
    lengths, other_X, other_Y = np.array([5, 2, 3]), X.copy(), Y.copy()
    other_X[1, 2:], other_Y[1, 2:] = 7.0, 1
    loss, gradients = net.gradients(X, Y, lengths)
    other_loss, others = net.gradients(other_X, other_Y, lengths)
    assert loss == pytest.approx(other_loss, rel=TIGHT)
    close(others, gradients)


JUNK = [np.nan, -np.inf]


def with_padding(junk, shape=(3, 6, 4)):
    """The sequences with junk behind them, and what of it is no padding."""
    X, mask = np.full(shape, junk), np.zeros(shape[:2], bool)
    for row, sequence in enumerate(SEQUENCES):
        X[row, : len(sequence)], mask[row, : len(sequence)] = sequence, True
    return X, mask


@pytest.mark.parametrize("junk", JUNK)
def test_nan_in_the_padding_does_not_change_a_label(rnn, case, junk):
    net, (X, mask) = classifier(rnn, **case), with_padding(junk)
    lengths, expected = mask.sum(axis=1), net.evaluate(SEQUENCES)
    np.testing.assert_allclose(net.evaluate(X, lengths), expected, rtol=SAME)
    _, found = net.gradients(X, LABELS, lengths)
    close(found, net.gradients(SEQUENCES, LABELS)[1])


@pytest.mark.parametrize("junk", JUNK)
def test_nan_in_the_padding_does_not_change_a_tag(rnn, case, junk):
    net, (X, mask) = tagger(rnn, **case), with_padding(junk)
    Y = np.full((3, 6), -100)  # some use such a label for what does not count
    Y[:, :5] = padding.rectangle(TAGS)
    loss, found = net.gradients(X, np.where(mask, Y, -100), mask)
    expected_loss, expected = net.gradients(SEQUENCES, TAGS)
    assert loss == pytest.approx(expected_loss, rel=SAME)
    close(found, expected)
    assert net.score(X, np.where(mask, Y, -100), mask) == net.score(SEQUENCES, TAGS)


def test_nan_in_the_padding_does_not_change_bptt_terms(rnn):
    net, (X, mask) = classifier(rnn), with_padding(np.nan)
    found = gradient_flow.bptt_terms(net, X[:, :5], LABELS, mask[:, :5])
    close(found.values(), gradient_flow.bptt_terms(net, SEQUENCES, LABELS).values())


@pytest.mark.parametrize("beyond", [-1, 4, 2**40])
def test_ids_in_the_padding_need_not_be_tokens(rnn, beyond):
    net = classifier(rnn)
    ids = np.array([[0, 3, 1], [2, 2, beyond]])
    found = net.evaluate(ids, np.array([3, 2]))
    np.testing.assert_allclose(found, net.evaluate([[0, 3, 1], [2, 2]]), rtol=SAME)


def test_nan_outside_the_padding_is_not_hidden(rnn):
    X, mask = with_padding(0.0)
    X[0, 0] = np.nan
    with np.errstate(invalid="ignore"):
        scores = classifier(rnn).evaluate(X, mask)
    assert np.isnan(scores[0]).all()
    assert np.isfinite(scores[1:]).all()


def test_arrays_that_are_read_are_not_changed(rnn):
    X, mask = with_padding(np.nan)
    before = X.copy()
    classifier(rnn).evaluate(X, mask)
    np.testing.assert_array_equal(X, before)


def test_a_tagger_s_loss_is_the_mean_over_all_tokens(rnn):
    net = tagger(rnn)
    losses = [net.gradients([x], [y])[0] for x, y in zip(SEQUENCES, TAGS, strict=True)]
    expected = np.average(losses, weights=[5, 2, 3])
    assert net.gradients(SEQUENCES, TAGS)[0] == pytest.approx(expected, rel=SAME)


@pytest.mark.parametrize("num_outputs", [1, 3])
def test_the_reference_s_gradients_equal_finite_differences(case, num_outputs):
    net = classifier(backends.load("numpy"), num_outputs, **case)
    labels = LABELS % 2 if num_outputs == 1 else LABELS
    _, gradients = net.gradients(SEQUENCES, labels)
    arrays = net.arrays()
    for array, gradient in zip(arrays, gradients, strict=True):
        index = np.unravel_index(abs(gradient).argmax(), gradient.shape)
        ends = []
        for nudge in (1e-6, -1e-6):
            array[index] += nudge
            net.load_arrays(arrays)
            ends.append(net.gradients(SEQUENCES, labels)[0])
            array[index] -= nudge
        assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(gradient[index], rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("num_outputs", [1, 3])
def test_a_classifier_s_gradients_equal_those_of_the_reference(rnn, case, num_outputs):
    labels = LABELS % 2 if num_outputs == 1 else LABELS
    both = [classifier(b, num_outputs, **case) for b in (rnn, backends.load("numpy"))]
    (loss, found), (reference, expected) = (net.gradients(SEQUENCES, labels) for net in both)
    assert loss == pytest.approx(reference, rel=SAME)
    close(found, expected)


def test_a_tagger_s_gradients_equal_those_of_the_reference(rnn, case):
    both = [tagger(b, **case) for b in (rnn, backends.load("numpy"))]
    (_, found), (_, expected) = (net.gradients(SEQUENCES, TAGS) for net in both)
    close(found, expected)


def test_float32_stays_within_its_rounding(rnn):
    nets = classifier(rnn, dtype="float32"), classifier(backends.load("numpy"))
    (_, found), (_, expected) = (net.gradients(SEQUENCES, LABELS) for net in nets)
    assert {array.dtype.name for array in found} == {"float32"}
    close(found, expected, "float32")


def test_a_hundred_steps_have_the_losses_of_the_reference(rnn):
    def losses(backend):
        net = classifier(backend, cell="lstm")
        step = net.make_step(0.01)
        return [step(SEQUENCES, LABELS) for _ in range(100)]

    found = losses(rnn)
    np.testing.assert_allclose(found, losses(backends.load("numpy")), rtol=TRAINED)
    assert found[-1] < found[0] / 2


def test_token_ids_are_read_as_their_one_hot_rows(rnn):
    net, ids = classifier(rnn), [[0, 3, 1], [2, 2]]
    rows = [np.eye(4)[sequence] for sequence in ids]
    np.testing.assert_array_equal(net.evaluate(ids), net.evaluate(rows))


def test_bptt_terms_add_up_to_the_gradient_of_the_framework(rnn, backend):
    X, y = tasks.one_hot_texts(tasks.ORDERS)
    net = rnn.SequenceClassifierScratch(3, 3, 1, seed=0, dtype="float64")
    terms = rnn.bptt_terms(net, X, y)
    assert {name: term.shape for name, term in terms.items()} == {
        "W_xh": (3, 3, 3),
        "W_hh": (3, 3, 3),
        "b_h": (3, 3),
    }
    assert not terms["W_hh"][0].any()  # before the first step H is 0
    assert terms["W_hh"][1].any()
    _, gradients = net.gradients(X, y)
    close([term.sum(axis=0) for term in terms.values()], gradients[:3])


@pytest.mark.parametrize("cell", cells.CELLS)
def test_bptt_terms_equal_those_of_the_reference(rnn, cell):
    both = [classifier(b, cell=cell) for b in (rnn, backends.load("numpy"))]
    found, expected = (
        list(gradient_flow.bptt_terms(net, SEQUENCES, LABELS).values()) for net in both
    )
    close(found, expected)


def test_the_order_of_three_words_is_learned(rnn):
    X, y = tasks.one_hot_texts(tasks.ORDERS)
    net = rnn.SequenceClassifierScratch(3, 3, 1, seed=0)
    rnn.train_sequences(net, [(X, y)], 0.05, 300, progress=False)
    assert net.predict(X).tolist() == [1, 0, 1]


def test_sentiment_is_learned_to_certainty_by_31_parameters(rnn):
    outcome = tasks.sentiment(rnn, seed=0, progress=False)
    shapes = [array.shape for array in outcome.net.arrays()]
    assert shapes == [(5, 3), (3, 3), (3,), (3, 1), (1,)]
    assert sum(array.size for array in outcome.net.arrays()) == 27 + 4
    X, y = tasks.one_hot_texts(tasks.REVIEWS)
    assert [x.shape for x in X] == [(3, 5), (3, 5), (4, 5)]
    assert abs(outcome.net.probabilities(X) - y).max() < 0.01
    assert outcome.scores.score[-1] == 1.0


def test_a_network_of_keras_with_the_same_weights_has_the_same_outputs(keras):
    rnn = backends.load("tensorflow")
    net = rnn.SequenceClassifierScratch(5, 3, 1, seed=0)
    layers = [keras.layers.SimpleRNN(3), keras.layers.Dense(1, activation="sigmoid")]
    model = keras.Sequential([keras.Input((None, 5)), *layers])
    W_xh, W_hh, b_h, W_hq, b_q = net.arrays()
    model.set_weights([W_xh, W_hh, b_h, W_hq, b_q])
    assert model.count_params() == 31
    for review in tasks.one_hot_texts(tasks.REVIEWS)[0]:
        expected = model(review[None].astype("float32")).numpy()[:, 0]
        np.testing.assert_allclose(net.probabilities([review]), expected, rtol=1e-6)


MISTAKES = {
    "lengths beyond the end": (
        lambda net: net(padding.rectangle(SEQUENCES), np.array([5, 9, 1])),
        "valid holds lengths from 1 to 9; expected 0 to 5",
    ),
    "a mask of another shape": (
        lambda net: net(padding.rectangle(SEQUENCES), np.ones((3, 4), bool)),
        "valid is bool of shape (3, 4); expected lengths (3,), integers, or a mask (3, 5) of "
        "booleans",
    ),
    "labels beyond the classes": (
        lambda net: net.make_step(0.1)(SEQUENCES, np.array([0, 1, 3])),
        "the labels are int64 from 0 to 3; expected integers from 0 to 2",
    ),
    "a label too few": (
        lambda net: net.make_step(0.1)(SEQUENCES, np.array([0, 1])),
        "the labels have shape (2,); expected (3,), one for each output",
    ),
    "an empty minibatch": (
        lambda net: net.make_step(0.1)(np.zeros((0, 5, 4)), np.zeros(0, int)),
        "the minibatch is empty, of shape (0,); expected labels",
    ),
    "rows too wide": (
        lambda net: net(np.zeros((3, 5, 6))),
        "X has 6 features per row, the parameters are for 4; "
        "make the parameters for that width, or the rows for these parameters",
    ),
    "ids outside": (
        lambda net: net([[0, 4]]),
        "token id 4 is outside 0..3; use the Vocab that the model was made for",
    ),
    "steps of two shapes": (
        lambda net: net([np.zeros((2, 4)), np.zeros((2, 3))]),
        "the steps of the sequences have shapes (4,), (3,); expected one shape",
    ),
    "no such cell": (
        lambda net: type(net)(4, 3, 3, cell="transformer"),
        "cell is 'transformer'; expected one of 'rnn', 'gru', 'gru_reset_after', 'lstm', 'mingru', "
        "'minlstm', 's4d', 'mamba'",
    ),
    "no such optimizer": (
        lambda net: net.make_step(0.1, optimizer="lion"),
        "optimizer is 'lion'; expected one of 'sgd', 'adagrad', 'adam', 'adamw'",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_has_the_same_message_in_every_backend(rnn, mistake):
    call, words = MISTAKES[mistake]
    with pytest.raises(ValueError) as error:
        call(classifier(rnn, dtype="float32"))
    assert str(error.value) == words


def test_terms_of_a_deep_network_are_refused(rnn):
    with pytest.raises(ValueError, match="one layer and one direction"):
        rnn.bptt_terms(classifier(rnn, num_layers=2), SEQUENCES, LABELS)


def test_a_mask_that_lets_nothing_through_is_refused(rnn):
    with pytest.raises(ValueError, match=r"the mask \(2, 1\) is all False"):
        tagger(rnn).gradients(np.zeros((2, 1, 4)), np.zeros((2, 1), int), np.array([0, 0]))


OF_IDS = {
    "classifier": (lambda rnn: rnn.SequenceClassifierScratch(5, 3, 2, seed=0), [0, 1]),
    "tagger": (lambda rnn: rnn.SequenceTaggerScratch(5, 3, 2, seed=0), [[0, 1, 1], [1, 0, 0]]),
    "both": (
        lambda rnn: rnn.EncoderDecoderScratch(
            rnn.EncoderScratch(5, 3, seed=0), rnn.DecoderScratch(5, 3, 3, seed=0)
        ),
        [[3, 1, 2], [1, 4, 2]],
    ),
}


@pytest.mark.parametrize("kind", OF_IDS)
def test_a_net_accepts_tensors_of_the_framework_and_arrays(rnn, kind):
    make, targets = OF_IDS[kind]
    arrays = np.array([[1, 2, 3], [4, 0, 1]]), np.array(targets)
    tensors = [rnn.from_numpy(array) for array in arrays]
    assert make(rnn).make_step(0.1)(*tensors) == make(rnn).make_step(0.1)(*arrays)
    assert make(rnn).score(*tensors) == make(rnn).score(*arrays)


def test_a_decoder_accepts_tensors_of_the_framework_and_arrays(rnn):
    arrays = np.ones((2, 3), "float32"), np.array([[3, 1, 2], [1, 4, 2]])
    net = rnn.DecoderScratch(5, 3, 3, seed=0)
    loss, _ = net.gradients(*map(rnn.from_numpy, arrays))
    assert loss == net.gradients(*arrays)[0]
