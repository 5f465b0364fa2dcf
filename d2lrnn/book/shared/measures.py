"""Linear regression, and how good predictions are (the book's sections 3.2, 3.6 and 4.4)."""

import sys

d2l = sys.modules[__package__]


def linreg(X, w, b):
    """Return X w + b."""
    return d2l.matmul(X, w) + b


def squared_loss(y_hat, y):
    """Return half of the squared errors, one for each prediction."""
    return (y_hat - d2l.reshape(y, y_hat.shape)) ** 2 / 2


def synthetic_data(w, b, num_examples):
    """Return X (num_examples, len(w)) from N(0, 1), and y = X w + b + noise of 0.01 (n, 1)."""
    X = d2l.normal(0, 1, (num_examples, len(w)))
    y = d2l.matmul(X, w) + b
    return X, d2l.reshape(y + d2l.normal(0, 0.01, y.shape), (-1, 1))


def accuracy(y_hat, y):
    """Return how many predictions equal the labels y (n,).

    Args:
        y_hat: labels (n,), or scores (n, classes), whose largest is the prediction.
        y: the labels.
    """
    if len(y_hat.shape) > 1 and y_hat.shape[1] > 1:
        y_hat = d2l.argmax(y_hat, axis=1)
    is_right = d2l.astype(y_hat, y.dtype) == y
    return float(d2l.reduce_sum(d2l.astype(is_right, y.dtype)))


def evaluate_accuracy(net, data_iter):
    """Return the share of correct predictions, from 0 to 1, over the minibatches (X, y)."""
    metric = d2l.Accumulator(2)
    for X, y in data_iter:
        metric.add(d2l.accuracy(net(X), y), d2l.size(y))
    return metric[0] / metric[1]


def evaluate_loss(net, data_iter, loss):
    """Return the mean of loss(net(X), y) over the examples of the minibatches (X, y)."""
    metric = d2l.Accumulator(2)
    for X, y in data_iter:
        losses = loss(net(X), y)
        metric.add(d2l.reduce_sum(losses), d2l.size(losses))
    return metric[0] / metric[1]
