"""Devices, minibatches, the update and the evaluation of a network in PyTorch."""

import sys

import torch
from torch.utils import data

from d2lrnn.torch.tensors import try_gpu as try_gpu

from . import measures
from .measures import *  # noqa: F403 - the names that need nothing from PyTorch

d2l = sys.modules[__package__]


def try_all_gpus():
    """Return a list of all CUDA devices, or of the CPU if there are none."""
    return [torch.device("cuda", i) for i in range(torch.cuda.device_count())] or [
        torch.device("cpu")
    ]


class Rows(data.TensorDataset):
    """Tensors of the same length, from which the rows of a minibatch are taken at once."""

    def __getitems__(self, indices):
        """Return the rows at these indices from each tensor."""
        return [tensor[indices] for tensor in self.tensors]


def load_array(data_arrays, batch_size, is_train=True):
    """Return a DataLoader of minibatches of tensors of the same length, shuffled for training."""
    return data.DataLoader(Rows(*data_arrays), batch_size, shuffle=is_train, collate_fn=list)


def sgd(params, lr, batch_size):
    """Update parameters by gradient descent, and set the gradients to zero."""
    with torch.no_grad():
        for param in params:
            param.sub_(param.grad, alpha=lr / batch_size)
            param.grad.zero_()


@torch.no_grad()
def evaluate_accuracy(net, data_iter):
    """Return the share of correct predictions, from 0 to 1, over the minibatches (X, y)."""
    if isinstance(net, torch.nn.Module):
        net.eval()
    return measures.evaluate_accuracy(net, data_iter)


@torch.no_grad()
def evaluate_loss(net, data_iter, loss):
    """Return the mean of loss(net(X), y) over the minibatches (X, y); y gets net(X)'s shape."""
    return measures.evaluate_loss(
        net, data_iter, lambda y_hat, y: loss(y_hat, d2l.reshape(y, y_hat.shape))
    )
