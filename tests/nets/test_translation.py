"""Decoders, and encoders with decoders: gradients, teacher forcing, search, BLEU."""

import itertools

import numpy as np
import pytest
from bounds import AGREED, SAME, TRAINED

from d2lrnn import backends
from d2lrnn.data import padding
from d2lrnn.measure import agreement
from d2lrnn.nets.bleu import bleu

X = [[0, 3, 1, 2, 2], [2, 2], [1, 0, 2]]
Y = [[1, 2, 3, 4], [2, 4], [0, 4]]
END = 4
CASES = [("rnn", 1), ("gru", 1), ("lstm", 2)]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def case(request):
    cell, num_layers = request.param
    return {"cell": cell, "num_layers": num_layers}


def translator(rnn, **settings):
    settings = {"cell": "gru", "seed": 0, "dtype": "float64", **settings}
    encoder = rnn.EncoderScratch(4, 6, **settings)
    return rnn.EncoderDecoderScratch(encoder, rnn.DecoderScratch(5, 6, 6, **settings))


def drawer(rnn, **settings):
    settings = {"seed": 0, "dtype": "float64", **settings}
    return rnn.DecoderScratch(5, 6, 2, loss="sigmoid", **settings)


def pictures():
    rng = np.random.default_rng(0)
    return rng.standard_normal((3, 2)), rng.random((3, 4, 5))


def close(found, expected):
    bound = agreement.bound("gradients", "float64", 100)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=bound * max(abs(other).max(), 1e-3))


def test_the_gradients_of_a_translator_equal_those_of_the_reference(rnn, case):
    nets = [translator(b, **case) for b in (rnn, backends.load("numpy"))]
    (loss, found), (reference, expected) = (net.gradients(X, Y) for net in nets)
    assert loss == pytest.approx(reference, rel=SAME)
    close(found, expected)


def test_the_gradients_of_a_decoder_equal_those_of_the_reference(rnn, case):
    nets = [drawer(b, **case) for b in (rnn, backends.load("numpy"))]
    (_, found), (_, expected) = (net.gradients(*pictures()) for net in nets)
    close(found, expected)


@pytest.mark.parametrize("make", [translator, drawer])
def test_the_reference_s_gradients_equal_finite_differences(case, make):
    net = make(backends.load("numpy"), **case)
    batch = (X, Y) if make is translator else pictures()
    _, gradients = net.gradients(*batch)
    arrays = net.arrays()
    for array, gradient in zip(arrays, gradients, strict=True):
        index = np.unravel_index(abs(gradient).argmax(), gradient.shape)
        ends = []
        for nudge in (1e-6, -1e-6):
            array[index] += nudge
            net.load_arrays(arrays)
            ends.append(net.gradients(*batch)[0])
            array[index] -= nudge
        assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(gradient[index], rel=1e-5, abs=1e-8)


def test_a_padded_batch_has_the_loss_of_one_pair_at_a_time(rnn, case):
    net = translator(rnn, **case)
    losses = [net.gradients([x], [y])[0] for x, y in zip(X, Y, strict=True)]
    expected = np.average(losses, weights=[len(y) for y in Y])
    assert net.gradients(X, Y)[0] == pytest.approx(expected, rel=SAME)


@pytest.mark.parametrize("junk", [np.nan, -np.inf])
def test_nan_in_the_padding_of_a_source_changes_nothing(rnn, case, junk):
    net, lengths = translator(rnn, **case), np.array([len(x) for x in X])
    rows = np.full((3, 6, 4), junk)
    for row, ids in zip(rows, X, strict=True):
        row[: len(ids)] = np.eye(4)[ids]
    for one, other in zip(net.encoder(rows, lengths), net.encoder(X), strict=True):
        np.testing.assert_allclose(rnn.to_numpy(one), rnn.to_numpy(other), rtol=SAME)
    loss, found = net.gradients(rows, Y, lengths)
    expected_loss, expected = net.gradients(X, Y)
    assert loss == pytest.approx(expected_loss, rel=SAME)
    close(found, expected)


@pytest.mark.parametrize("junk", [np.nan, -np.inf])
def test_nan_beyond_a_picture_s_valid_part_changes_nothing(rnn, case, junk):
    net, (context, rows), lengths = drawer(rnn, **case), pictures(), np.array([4, 1, 2])
    spoiled, clean = rows.copy(), rows.copy()
    for one, other, length in zip(spoiled, clean, lengths, strict=True):
        one[length:], other[length:] = junk, 0.5
    loss, found = net.gradients(context, spoiled, lengths)
    expected_loss, expected = net.gradients(context, clean, lengths)
    assert loss == pytest.approx(expected_loss, rel=SAME)
    close(found, expected)


def test_a_hundred_steps_have_the_losses_of_the_reference(rnn):
    def losses(backend):
        step = translator(backend).make_step(0.01)
        return [step(X, Y) for _ in range(100)]

    found = losses(rnn)
    np.testing.assert_allclose(found, losses(backends.load("numpy")), rtol=TRAINED)
    assert found[-1] < found[0] / 2


def test_the_decoder_starts_from_the_encoders_last_state(rnn):
    net = translator(rnn)
    state = net.encoder(X)
    context = rnn.to_numpy(state[0])
    outputs, _ = net.decoder(np.zeros((3, 1, 5)), state, context)
    scores = rnn.to_numpy(outputs)
    first = [row[0] if row else END for row in net.predict(X, end=END, num_steps=1)]
    assert scores.argmax(axis=1).tolist() == first


def test_a_decoder_called_in_two_parts_gives_the_results_of_one_call(rnn, case):
    net = drawer(rnn, **case)
    context, rows = pictures()
    whole, _ = net(rows, net.begin_state(3), context)
    first, state = net(rows[:, :1], net.begin_state(3), context)
    second, _ = net(rows[:, 1:], state, context)
    parts = np.concatenate([rnn.to_numpy(first), rnn.to_numpy(second)])
    np.testing.assert_allclose(parts, rnn.to_numpy(whole), rtol=AGREED)


@pytest.fixture(scope="module")
def reverser():
    """A network trained to reverse three letters, and its data."""
    rnn = backends.load("numpy")
    sources = [list(letters) for letters in itertools.product(range(4), repeat=3)]
    targets = [[*source[::-1], END] for source in sources]
    encoder = rnn.EncoderScratch(4, 32, seed=0)
    net = rnn.EncoderDecoderScratch(encoder, rnn.DecoderScratch(5, 32, 32, seed=1))
    step = net.make_step(0.01)
    for _ in range(150):
        step(sources, targets)
    return net, sources, targets


def test_a_translator_learns_to_write_backwards(reverser):
    net, sources, targets = reverser
    assert net.score(sources, targets) > 0.95
    assert net.predict([[0, 1, 2]], end=END, num_steps=9) == [[2, 1, 0]]


def test_a_trained_model_generates_in_another_backend(rnn, reverser):
    learned, sources, _ = reverser
    encoder = rnn.EncoderScratch(4, 32)
    net = rnn.EncoderDecoderScratch(encoder, rnn.DecoderScratch(5, 32, 32))
    net.load_arrays(learned.arrays())
    for beam_size in (1, 3):
        search = {"end": END, "num_steps": 6, "beam_size": beam_size}
        assert net.predict(sources, **search) == learned.predict(sources, **search)


def log_probability(net, source, written):
    """The log-probability of a whole sequence, by its loss."""
    return -net.gradients([source], [written])[0] * len(written)


def test_a_beam_is_never_worse_than_greedy(reverser):
    net, sources, _ = reverser
    for source in sources[::7]:
        scores = []
        for beam_size in (1, 4):
            (row,) = net.predict([source], end=END, num_steps=3, beam_size=beam_size)
            row = row if len(row) == 3 else [*row, END]
            scores.append(log_probability(net, source, row) / len(row) ** 0.75)
        assert scores[1] >= scores[0] - 1e-6


def test_generate_writes_rows_of_probabilities_or_draws(rnn):
    net, (context, _) = drawer(rnn), pictures()
    rows = net.generate(context, 4)
    assert rows.shape == (3, 4, 5)
    assert rows.min() > 0
    assert rows.max() < 1
    np.testing.assert_array_equal(rows, net.generate(context, 4))
    drawn = net.generate(context, 4, seed=1)
    np.testing.assert_array_equal(drawn, net.generate(context, 4, seed=1))
    np.testing.assert_array_equal(drawn[:, 0], rows[:, 0])  # before anything was drawn
    assert abs(drawn - rows).max() > 0


def test_bleu_is_100_for_the_truth_and_less_for_less():
    truth = ["the clock listens to the tide at night", "she waits for the old captain"]
    assert bleu(truth, truth) == pytest.approx(100)
    worse = [truth[0], "she waits for the old clock"]
    assert 0 < bleu(worse, truth) < 95
    assert bleu(["", ""], truth) == 0


MISTAKES = {
    "other cells": (
        lambda rnn: rnn.EncoderDecoderScratch(
            rnn.EncoderScratch(4, 6, cell="gru"), rnn.DecoderScratch(5, 6, 6, cell="rnn")
        ),
        "expected the same for both, and 6 context features",
    ),
    "another context": (
        lambda rnn: rnn.EncoderDecoderScratch(
            rnn.EncoderScratch(4, 6), rnn.DecoderScratch(5, 6, 3)
        ),
        "with 3 context features; expected the same for both, and 6 context features",
    ),
    "no vector": (
        lambda rnn: drawer(rnn).make_step(0.1)(np.zeros((2, 3)), np.zeros((2, 4, 5))),
        "the context has shape (2, 3); expected (2, 2)",
    ),
    "rows beyond 1": (
        lambda rnn: drawer(rnn).make_step(0.1)(np.zeros((2, 2)), np.full((2, 4, 5), 1.5)),
        "the rows reach from 1.5 to 1.5; expected 0 to 1",
    ),
    "no targets": (
        lambda rnn: translator(rnn).make_step(0.1)(X, [[], [], []]),
        "the targets are empty",
    ),
    "an encoder alone": (
        lambda rnn: rnn.EncoderScratch(4, 6).make_step(0.1)(X, Y),
        "an encoder does not have targets; train an EncoderDecoderScratch",
    ),
    "an end that is no token": (
        lambda rnn: translator(rnn).predict(X, end=5, num_steps=3),
        "token id 5 is outside 0..4",
    ),
    "tokens to generate": (
        lambda rnn: translator(rnn).decoder.generate(np.zeros((1, 6)), 3),
        "generate needs a decoder with loss='sigmoid'",
    ),
    "no beam": (
        lambda rnn: translator(rnn).predict(X, end=END, num_steps=3, beam_size=0),
        "beam_size is 0; expected an integer, 1 or above",
    ),
    "several ends": (
        lambda rnn: translator(rnn).score(X, [[1, 2], [2, 4], [0, 4]]),
        "the sequences of Y end in [2, 4]; expected one end token",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_has_the_same_message_in_every_backend(rnn, mistake):
    call, words = MISTAKES[mistake]
    with pytest.raises(ValueError) as error:
        call(rnn)
    assert words in str(error.value)


def test_shorter_sequences_are_padded_at_the_end():
    np.testing.assert_array_equal(padding.rectangle([[1], [2, 3]]), [[1, 0], [2, 3]])
