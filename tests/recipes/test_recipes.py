"""The minimal character model and exclusive or."""

import numpy as np
import pytest
from bounds import TRAINED

from d2lrnn import backends
from d2lrnn.data import corpora
from d2lrnn.nets import build, cells
from d2lrnn.numpy import xor
from d2lrnn.recipes import min_char
from d2lrnn.training.history import SmoothLoss


def train(rnn, lines, num_iterations, report_every=100, **settings):
    corpus, vocab = min_char.character_corpus(lines)
    architecture = cells.Architecture("rnn")
    net = build.new_net(rnn, architecture, len(vocab), min_char.NUM_HIDDENS, seed=0, **settings)
    reports = {"report_every": report_every, "progress": False, "seed": 0}
    seen = min_char.train_min_char(net, corpus, vocab, num_iterations, **reports)
    return net, seen


@pytest.fixture
def shakespeare(data_folder):
    return corpora.read_tiny_shakespeare()


def test_shakespeare_has_65_characters_and_begins_at_25_ln_65(reference, shakespeare):
    corpus, vocab = min_char.character_corpus(shakespeare)
    assert (len(corpus), len(vocab)) == (1_115_394, 65)
    assert "".join(vocab.to_tokens(corpus)) == "".join(shakespeare)
    _, seen = train(reference, shakespeare, 0)
    assert seen.values == pytest.approx([104.4], abs=0.05)


def test_the_smooth_loss_falls_below_55_on_the_way(reference, shakespeare):
    net, seen = train(reference, shakespeare, 12_000)
    assert seen.values[-1] < 55
    assert [iteration for iteration, _ in seen.samples] == [10_000, 12_000]
    assert all(len(sample) == 201 for _, sample in seen.samples)
    assert [array.shape for array in net.arrays()[:2]] == [(65, 100), (100, 100)]


def test_the_recipe_learns_in_every_backend(rnn):
    _, seen = train(rnn, corpora.read_builtin(), 300)
    assert seen.iterations == [0, 100, 200, 300]
    assert seen.values[1] > seen.values[2] > seen.values[3]  # the first steps jump about


def test_the_recipe_s_first_losses_are_those_of_the_reference(rnn):
    """Only the first: Adagrad's first steps are 0.1 whatever the gradient, and near a network of
    zeros they multiply a rounding error a hundredfold each, in every backend."""
    _, found = train(rnn, corpora.read_builtin(), 4, dtype="float64", report_every=1)
    _, expected = train(
        backends.load("numpy"), corpora.read_builtin(), 4, dtype="float64", report_every=1
    )
    np.testing.assert_allclose(found.values, expected.values, rtol=TRAINED)


def test_the_recipe_is_adagrad_on_sums_clipped_by_value(reference):
    """One iteration against the recipe written out: the loss is a sum, clipped to -5..5."""
    corpus, vocab = min_char.character_corpus(corpora.read_builtin())
    architecture = cells.Architecture("rnn")
    net = build.new_net(reference, architecture, len(vocab), 100, seed=0, dtype="float64")
    net.load_arrays([30 * array for array in net.arrays()])  # so large that 5 is reached
    before, X, Y = net.arrays(), np.array([corpus[:25]]), np.array([corpus[1:26]])
    _, gradients = net.gradients(X, Y, net.begin_state(1))
    sums = [25 * gradient for gradient in gradients]
    assert max(abs(gradient).max() for gradient in sums) > 5
    min_char.train_min_char(net, corpus, vocab, 1, progress=False)
    for old, new, gradient in zip(before, net.arrays(), sums, strict=True):
        clipped = np.clip(gradient, -5, 5)
        expected = old - 0.1 * clipped / np.sqrt(clipped**2 + 1e-8)
        moved = abs(gradient) > 1e-2
        np.testing.assert_allclose(new[moved], expected[moved], atol=1e-5)


def test_samples_continue_from_the_state_of_the_text(reference):
    lines = corpora.read_builtin()
    corpus, vocab = min_char.character_corpus(lines)
    net, seen = train(reference, lines, 40)
    _, before = train(reference, lines, 39)
    prefix, draw = vocab.to_tokens(corpus[39 * 25]), {"temperature": 1.0, "seed": 0}
    (_, sample) = seen.samples[-1]
    said = {
        state: reference.predict_ch8(prefix, 200, net, vocab, state=given, **draw)
        for state, given in (("carried", before.state), ("zeros", None))
    }
    assert sample == said["carried"] != said["zeros"]


def test_the_text_is_read_in_sequences_and_then_from_the_start():
    pieces = list(min_char._pieces(list(range(60)), 3))
    starts = [(int(X[0, 0]), int(Y[0, -1]), first) for X, Y, first in pieces]
    assert starts == [(0, 25, True), (25, 50, False), (0, 25, True)]


def test_an_unknown_character_is_read_as_the_most_frequent_one():
    _corpus, vocab = min_char.character_corpus(["a bb  b b"])
    assert len(vocab) == 3
    assert vocab["z"] == vocab[" "]


def test_a_text_that_is_too_short_for_a_sequence_is_refused(reference):
    with pytest.raises(ValueError, match="the corpus has 3 tokens; expected 26 or more"):
        train(reference, ["abc"], 1)


def test_a_text_without_a_character_is_refused():
    with pytest.raises(
        ValueError, match="the text does not contain a character; expected at least one"
    ):
        min_char.character_corpus([""])


def test_the_smooth_loss_is_drawn():
    ax = SmoothLoss([0, 100], [104.4, 80.0]).plot(label="numpy")
    assert list(ax.lines[0].get_ydata()) == [104.4, 80.0]


def test_two_layers_of_sigmoids_learn_exclusive_or(reference):
    lines = []
    params, errors = xor.learn_xor(report=lines.append)
    assert [param.shape for param in params] == [(2, 2), (2,), (2, 1), (1,)]
    _, outputs = xor.xor(xor.X, params)
    assert outputs.round().tolist() == xor.Y.tolist()
    assert errors[0] > 0.4
    assert errors[-1] < 0.02
    assert len(lines) == 6
    assert lines[-1] == f"epoch 60,000: mean absolute error {errors[-1]:.4f}"


def test_the_gradients_of_exclusive_or_equal_finite_differences(reference):
    params, _ = xor.learn_xor(5, report=lambda line: None)
    _, gradients = xor.xor_gradients(xor.X, xor.Y, params)
    for param, gradient in zip(params, gradients, strict=True):
        for index in np.ndindex(param.shape):
            ends = []
            for nudge in (1e-6, -1e-6):
                param[index] += nudge
                ends.append(0.5 * ((xor.xor(xor.X, params)[1] - xor.Y) ** 2).sum())
                param[index] -= nudge
            assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(gradient[index], abs=1e-8)
