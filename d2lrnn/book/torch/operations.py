"""What the shared code of edition 1.0 needs from PyTorch."""

import sys

from torch import nn
from torch.nn import functional as F

from .basics import load_array as load_array

d2l = sys.modules[__package__]
CALLED = "forward"  # the method that an encoder or a decoder defines
TRAINING: dict[str, bool] = {}  # arguments of their calls
EVALUATION: dict[str, bool] = {}


def weight(rows, columns, sigma):
    """Return a trainable matrix from N(0, sigma²)."""
    return nn.Parameter(d2l.randn(rows, columns) * sigma)


def bias(size):
    """Return a trainable vector of zeros."""
    return nn.Parameter(d2l.zeros(size))


def normals(n, size):
    """Return numbers from N(0, 1) in the shapes (n, size) and (n, 1)."""
    return d2l.randn(n, size), d2l.randn(n, 1)


def random_input(shape):
    """Return numbers from N(0, 1)."""
    return d2l.randn(*shape)


def cross_entropy(rows, labels, averaged):
    """Return the mean cross-entropy of scores (n, q) for labels (n,), or each row's."""
    return F.cross_entropy(rows, labels, reduction="mean" if averaged else "none")


def exchange_axes(x):
    """Return a tensor with its first two axes exchanged."""
    return x.swapaxes(0, 1)


def id_tensor(index, device):
    """Return a token id as a tensor (1, 1)."""
    return d2l.tensor([[index]], device=device)


def to_device(x, device):
    """Return a tensor on a device."""
    return d2l.to(x, device)
