"""PyTorch's functions and devices under the names that edition 1.0 adds (its appendix)."""

import sys

import torch
from torch import nn

from d2lrnn.book import objects

d2l = sys.modules[__package__]

ones_like, zeros_like, randn = torch.ones_like, torch.zeros_like, torch.randn
sigmoid, batch_matmul, int64 = torch.sigmoid, torch.bmm, torch.int64


def expand_dims(x, *args, **kwargs):
    """Return a tensor with one more axis, of length 1."""
    return x.unsqueeze(*args, **kwargs)


def cpu():
    """Return the CPU."""
    return torch.device("cpu")


def gpu(i=0):
    """Return the i-th CUDA device, whether or not it exists."""
    return torch.device(f"cuda:{i}")


def num_gpus():
    """Return the number of CUDA devices."""
    return torch.cuda.device_count()


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
