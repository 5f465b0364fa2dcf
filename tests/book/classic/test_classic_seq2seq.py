"""The book's encoder and decoder, their loss, training and translations."""

import numpy as np
import pytest

from d2lrnn.training.history import DivergenceError


@pytest.fixture
def pairs(d2l, texts):
    return d2l.load_data_nmt(batch_size=8, num_steps=6)


def test_an_encoder_returns_outputs_and_one_state_per_layer(d2l, backend):
    encoder = d2l.Seq2SeqEncoder(vocab_size=10, embed_size=8, num_hiddens=16, num_layers=2)
    if backend == "mxnet":
        encoder.initialize()
    outputs, state = encoder(d2l.astype(d2l.zeros((4, 7)), d2l.int32))
    shapes = {"tensorflow": (4, 7, 16)}
    assert tuple(outputs.shape) == shapes.get(backend, (7, 4, 16))
    if backend == "tensorflow":
        assert [tuple(layer.shape) for layer in state] == [(4, 16)] * 2
    else:
        assert tuple((state if backend == "torch" else state[0]).shape) == (2, 4, 16)


def test_training_lowers_the_loss_and_reports_it(d2l, pairs, make_pair, capsys):
    data_iter, source, target = pairs
    d2l.train_seq2seq(make_pair(source, target), data_iter, 0.02, 30, target, d2l.try_gpu())
    said = capsys.readouterr().out
    assert said.startswith("loss ")
    assert float(said.split()[1].rstrip(",")) < np.log(len(target)) / 2


@pytest.mark.parametrize("words", ["a dictionary with the keys 'X', 'Y'", "a tuple of 3 parts"])
def test_a_loader_of_something_else_than_pairs_is_refused(d2l, pairs, make_pair, words):
    data_iter, source, target = pairs
    X, X_valid_len, Y, _ = next(iter(data_iter))
    batch = {"X": X, "Y": Y} if "dictionary" in words else (X, X_valid_len, Y)
    words = rf"^data_iter yields {words}; expected a tuple \(X, X_valid_len, Y, Y_valid_len\)"
    with pytest.raises(ValueError, match=words):
        d2l.train_seq2seq(make_pair(source, target), [batch], 0.1, 1, target, d2l.try_gpu())


@pytest.mark.parametrize("lr", [1e10, 1e30])
def test_training_that_diverges_is_reported(d2l, pairs, make_pair, lr):
    data_iter, source, target = pairs
    words = r"training diverged; try a smaller learning rate \(lr\)"
    with np.errstate(all="ignore"), pytest.raises(DivergenceError, match=words):
        d2l.train_seq2seq(make_pair(source, target), data_iter, lr, 5, target, d2l.try_gpu())


def test_a_translation_ends_and_contains_known_words(d2l, backend, pairs, make_pair):
    data_iter, source, target = pairs
    net, device = make_pair(source, target), d2l.try_gpu()
    d2l.train_seq2seq(net, data_iter, 0.05, 60, target, device)
    arguments = () if backend == "tensorflow" else (device,)
    said, weights = d2l.predict_seq2seq(net, "i lost .", source, target, 6, *arguments)
    assert said == "j'ai perdu ."
    assert weights == []


@pytest.mark.parametrize("num_steps", [-1, 0])
def test_a_translation_of_no_steps_is_an_error(d2l, backend, pairs, make_pair, num_steps):
    _, source, target = pairs
    net = make_pair(source, target)
    arguments = () if backend == "tensorflow" else (d2l.try_gpu(),)
    with pytest.raises(ValueError, match=f"num_steps is {num_steps}; expected an integer, 1 or"):
        d2l.predict_seq2seq(net, "go .", source, target, num_steps, *arguments)


def test_the_loss_counts_only_valid_steps(d2l, backend):
    scores, label = d2l.ones((3, 4, 10)), d2l.astype(d2l.ones((3, 4)), d2l.int32)
    if backend == "torch":
        label = label.long()
    valid_len = d2l.tensor([4, 2, 0])
    if backend == "tensorflow":
        losses = d2l.MaskedSoftmaxCELoss(valid_len)(label, scores)
    else:
        losses = d2l.MaskedSoftmaxCELoss()(scores, label, valid_len)
    expected = np.log(10) * np.array([1, 0.5, 0])
    np.testing.assert_allclose(d2l.numpy(losses), expected, rtol=1e-5)


@pytest.mark.parametrize("value", [0, -1])
def test_steps_after_the_valid_length_are_masked(d2l, backend, value):
    if backend == "mxnet":
        with pytest.raises(AttributeError):
            d2l.sequence_mask  # noqa: B018  # the book uses npx.sequence_mask there
        return
    masked = d2l.sequence_mask(d2l.ones((2, 3, 4)), d2l.tensor([1, 2]), value=value)
    expected = np.full((2, 3, 4), value, "float32")
    expected[0, :1], expected[1, :2] = 1, 1
    np.testing.assert_array_equal(d2l.numpy(masked), expected)


def test_a_method_of_the_books_interfaces_must_be_implemented(d2l):
    with pytest.raises(NotImplementedError):
        d2l.Decoder().init_state(None)
