"""PyTorch's functions under the names that the book uses in every framework."""

import torch
from torch import nn

from .methods import *  # noqa: F403

nn_Module = nn.Module
ones, zeros, eye, rand, normal = torch.ones, torch.zeros, torch.eye, torch.rand, torch.normal
tensor, arange, linspace, meshgrid = torch.tensor, torch.arange, torch.linspace, torch.meshgrid
sin, sinh, cos, cosh, tanh = torch.sin, torch.sinh, torch.cos, torch.cosh, torch.tanh
exp, log, abs = torch.exp, torch.log, torch.abs
matmul, concat, stack = torch.matmul, torch.cat, torch.stack
int32, float32 = torch.int32, torch.float32


def numpy(x, *args, **kwargs):
    """Return a tensor as a NumPy array; its memory is shared where it is on the CPU."""
    return x.detach().cpu().numpy(*args, **kwargs)


def size(x, *args, **kwargs):
    """Return the number of elements."""
    return x.numel(*args, **kwargs)


def to(x, *args, **kwargs):
    """Return a tensor on another device, or of another dtype."""
    return x.to(*args, **kwargs)


def astype(x, *args, **kwargs):
    """Return a tensor of another dtype."""
    return x.type(*args, **kwargs)


def transpose(x, *args, **kwargs):
    """Return a matrix with rows and columns exchanged."""
    return x.t(*args, **kwargs)
