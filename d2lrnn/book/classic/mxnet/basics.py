"""Devices, minibatches, the update and what a net is worth, in MXNet."""

import sys

from d2lrnn.mxnet.framework import mxnet, npx
from d2lrnn.mxnet.tensors import try_gpu

__all__ = ["try_gpu"]

d2l = sys.modules[__package__]
gluon = mxnet.gluon


def try_all_gpus():
    """Return all GPUs, or the CPU in a list."""
    return [npx.gpu(i) for i in range(npx.num_gpus())] or [npx.cpu()]


def load_array(data_arrays, batch_size, is_train=True):
    """Return a DataLoader over minibatches of arrays of the same length, shuffled to train."""
    dataset = gluon.data.ArrayDataset(*data_arrays)
    return gluon.data.DataLoader(dataset, batch_size, shuffle=is_train)


def linreg(X, w, b):
    """Return X w + b."""
    return d2l.matmul(X, w) + b


def squared_loss(y_hat, y):
    """Return half the squared errors."""
    return (y_hat - d2l.reshape(y, y_hat.shape)) ** 2 / 2


def synthetic_data(w, b, num_examples):
    """Return X drawn from N(0, 1), and y = X w + b + noise of 0.01 (section 3.3)."""
    X = d2l.normal(0, 1, (num_examples, len(w)))
    y = d2l.matmul(X, w) + b
    return X, d2l.reshape(y + d2l.normal(0, 0.01, y.shape), (-1, 1))


def sgd(params, lr, batch_size):
    """Move parameters against their gradients."""
    for param in params:
        param[:] = param - (lr / batch_size) * param.grad


def accuracy(y_hat, y):
    """Return how many predictions are right: labels, or rows of scores."""
    if y_hat.ndim > 1 and y_hat.shape[1] > 1:
        y_hat = d2l.argmax(y_hat, axis=1)
    is_right = d2l.astype(y_hat, y.dtype) == y
    return float(d2l.reduce_sum(d2l.astype(is_right, y.dtype)))


def evaluate_accuracy(net, data_iter):
    """Return the share of right predictions over (X, y) in data_iter."""
    metric = d2l.Accumulator(2)
    for X, y in data_iter:
        metric.add(d2l.accuracy(net(X), y), d2l.size(y))
    return metric[0] / metric[1]


def evaluate_loss(net, data_iter, loss):
    """Return the mean of loss(net(X), y) over (X, y) in data_iter."""
    metric = d2l.Accumulator(2)
    for X, y in data_iter:
        losses = loss(net(X), y)
        metric.add(d2l.reduce_sum(losses), d2l.size(losses))
    return metric[0] / metric[1]
