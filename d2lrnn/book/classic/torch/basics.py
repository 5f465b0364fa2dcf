"""Devices, minibatches, the update and the evaluation of a network in PyTorch."""

import sys

import torch
from torch import nn
from torch.utils import data

from d2lrnn.book import objects
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
    """Update tensors in place by the gradients of a summed loss, and set these to zero."""
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()


def clip(params, theta):
    """Scale the gradients of tensors, in place, to a joint norm of at most theta."""
    grads = objects.gradients_of(params)
    norm = torch.sqrt(sum((grad**2).sum() for grad in grads))
    if norm > theta:
        for grad in grads:
            grad *= theta / norm


def grad_clipping(net, theta):
    """Scale the gradients of a network, in place, to a joint norm of at most theta."""
    if isinstance(net, nn.Module):
        clip([p for p in net.parameters() if p.requires_grad], theta)
    else:
        clip(net.params, theta)


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
