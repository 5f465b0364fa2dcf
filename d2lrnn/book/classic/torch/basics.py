"""Devices, minibatches, the update and what a net is worth, in PyTorch."""

import sys

import torch
from torch.utils import data

from d2lrnn.torch.tensors import try_gpu

__all__ = ["try_gpu"]

d2l = sys.modules[__package__]


def try_all_gpus():
    """Return all CUDA devices, or the CPU in a list."""
    return [torch.device("cuda", i) for i in range(torch.cuda.device_count())] or [
        torch.device("cpu")
    ]


class Rows(data.TensorDataset):
    """Tensors of the same length, from which a minibatch is taken in one go, not row by row."""

    def __getitems__(self, indices):
        """Return the rows of these indices, of each tensor."""
        return [tensor[indices] for tensor in self.tensors]


def load_array(data_arrays, batch_size, is_train=True):
    """Return a DataLoader over minibatches of tensors of the same length, shuffled to train."""
    return data.DataLoader(Rows(*data_arrays), batch_size, shuffle=is_train, collate_fn=list)


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
    """Move parameters against their gradients, and set the gradients to zero."""
    with torch.no_grad():
        for param in params:
            param.sub_(param.grad, alpha=lr / batch_size)
            param.grad.zero_()


def accuracy(y_hat, y):
    """Return how many predictions are right: labels, or rows of scores."""
    if y_hat.ndim > 1 and y_hat.shape[1] > 1:
        y_hat = d2l.argmax(y_hat, dim=1)
    is_right = d2l.astype(y_hat, y.dtype) == y
    return float(d2l.reduce_sum(d2l.astype(is_right, y.dtype)))


@torch.no_grad()
def evaluate_accuracy(net, data_iter):
    """Return the share of right predictions over (X, y) in data_iter."""
    if isinstance(net, torch.nn.Module):
        net.eval()
    metric = d2l.Accumulator(2)
    for X, y in data_iter:
        metric.add(d2l.accuracy(net(X), y), d2l.size(y))
    return metric[0] / metric[1]


@torch.no_grad()
def evaluate_loss(net, data_iter, loss):
    """Return the mean of loss(net(X), y) over (X, y) in data_iter."""
    metric = d2l.Accumulator(2)
    for X, y in data_iter:
        out = net(X)
        losses = loss(out, d2l.reshape(y, out.shape))
        metric.add(d2l.reduce_sum(losses), d2l.size(losses))
    return metric[0] / metric[1]
