"""Devices, minibatches, the update and what a net is worth, in MXNet."""

from d2lrnn.book.classic import text
from d2lrnn.book.counting import Accumulator
from d2lrnn.mxnet.framework import follow_numpy, mxnet, np, npx
from d2lrnn.mxnet.tensors import try_gpu

__all__ = ["try_gpu"]

gluon = mxnet.gluon


def numbers(array):
    """Return an array of integers as float32, as MXNet makes of Python's."""
    follow_numpy()
    return np.array(array, dtype="float32")


seq_data_iter_random, seq_data_iter_sequential, SeqDataLoader, load_data_time_machine = (
    text.for_framework(numbers)
)


def try_all_gpus():
    """Return all GPUs, or the CPU in a list."""
    return [npx.gpu(i) for i in range(npx.num_gpus())] or [npx.cpu()]


def load_array(data_arrays, batch_size, is_train=True):
    """Return a DataLoader over minibatches of arrays of the same length, shuffled to train."""
    dataset = gluon.data.ArrayDataset(*data_arrays)
    return gluon.data.DataLoader(dataset, batch_size, shuffle=is_train)


def sgd(params, lr, batch_size):
    """Move parameters against their gradients."""
    for param in params:
        param[:] = param - (lr / batch_size) * param.grad


def accuracy(y_hat, y):
    """Return how many predictions are right: labels, or rows of scores."""
    if y_hat.ndim > 1 and y_hat.shape[1] > 1:
        y_hat = y_hat.argmax(axis=1)
    return float((y_hat.astype(y.dtype) == y).sum())


def evaluate_accuracy(net, data_iter):
    """Return the share of right predictions over (X, y) in data_iter."""
    metric = Accumulator(2)
    for X, y in data_iter:
        metric.add(accuracy(net(X), y), y.size)
    return metric[0] / metric[1]


def evaluate_loss(net, data_iter, loss):
    """Return the mean of loss(net(X), y) over (X, y) in data_iter."""
    metric = Accumulator(2)
    for X, y in data_iter:
        losses = loss(net(X), y)
        metric.add(losses.sum(), losses.size)
    return metric[0] / metric[1]
