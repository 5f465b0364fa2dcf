"""Training that diverges ends in an error, in every framework's Trainer."""

import numpy as np
import pytest

from d2lrnn.book import watch
from d2lrnn.training.history import DivergenceError

WORDS = (
    r"training diverged; try a smaller learning rate \(lr\), "
    r"or clip the gradients at 1 \(gradient_clip_val=1\)$"
)


@pytest.fixture(scope="module")
def data(d2l, files):
    """Four minibatches to train with, and one held out."""
    return d2l.TimeMachine(batch_size=4, num_steps=5, num_train=16, num_val=4)


def language_model(d2l, data, lr):
    rnn = d2l.RNNScratch(num_inputs=len(data.vocab), num_hiddens=8)
    return d2l.RNNLMScratch(rnn, vocab_size=len(data.vocab), lr=lr)


def fit(d2l, model, data, **settings):
    with np.errstate(all="ignore"):
        d2l.Trainer(max_epochs=3, **settings).fit(model, data)


def test_a_learning_rate_that_is_not_a_number_is_reported_in_the_first_epoch(d2l, data):
    model = language_model(d2l, data, float("nan"))
    with pytest.raises(DivergenceError, match=f"^the loss is nan in epoch 1: {WORDS}"):
        fit(d2l, model, data, gradient_clip_val=1)


def test_nan_is_not_drawn(d2l, data):
    model = language_model(d2l, data, float("nan"))
    with pytest.raises(DivergenceError):
        fit(d2l, model, data)
    points = [y for line in model.board.data.values() for _, y in line]
    assert not np.isnan(points).any()


def test_a_perplexity_that_stays_infinite_is_reported(d2l, data):
    model = language_model(d2l, data, 1e20)
    words = f"in epoch 1, and its exponential is infinite: {WORDS}"
    with pytest.raises(DivergenceError, match=words):
        fit(d2l, model, data, gradient_clip_val=1)


def test_the_loss_of_a_model_without_plots_is_checked_for_divergence(d2l, data):
    class Silent(d2l.RNNLMScratch):
        def plot(self, key, value, train):
            pass

    rnn = d2l.RNNScratch(num_inputs=len(data.vocab), num_hiddens=8)
    model = Silent(rnn, vocab_size=len(data.vocab), lr=float("nan"))
    with pytest.raises(DivergenceError, match=f"^the loss is nan in epoch 1: {WORDS}"):
        fit(d2l, model, data)


@pytest.mark.parametrize("kind", ["LinearRegression", "LinearRegressionScratch"])
def test_a_regression_that_diverges_is_reported(d2l, kind):
    data = d2l.SyntheticRegressionData(
        w=d2l.tensor([2.0, -3.4]), b=4.2, num_train=64, num_val=32, batch_size=8
    )
    sizes = (2,) if kind.endswith("Scratch") else ()
    model = getattr(d2l, kind)(*sizes, lr=1e30)
    with pytest.raises(DivergenceError, match=WORDS):
        fit(d2l, model, data)


def test_a_large_loss_of_a_regression_is_not_divergence(d2l):
    data = d2l.SyntheticRegressionData(
        w=d2l.tensor([2e4, -3e4]), b=4.2, num_train=64, num_val=32, batch_size=8
    )
    model = d2l.LinearRegression(lr=0.01)
    fit(d2l, model, data)
    assert model.board.data["train_loss"][0].y > 1e6


def noted(*values, key="ppl"):
    found = watch.Watch(2)
    for value in values:
        found.note("loss", 100.0, train=True)
        found.note(key, value, train=True)
    return found


def test_a_temporarily_infinite_perplexity_is_not_divergence():
    noted(5.0, np.inf, 6.0).finish()
    noted(np.nan, key="acc").finish()
    with pytest.raises(DivergenceError, match="the loss is 100 in epoch 2"):
        noted(5.0, np.inf).finish()
