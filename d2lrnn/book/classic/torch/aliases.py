"""PyTorch's functions and devices under the names that the book uses in every framework."""

import torch
from torch import nn

from .methods import *  # noqa: F403
from .methods import method

nn_Module = nn.Module
ones, zeros, eye, rand, normal = torch.ones, torch.zeros, torch.eye, torch.rand, torch.normal
tensor, arange, linspace, meshgrid = torch.tensor, torch.arange, torch.linspace, torch.meshgrid
sin, sinh, cos, cosh, tanh = torch.sin, torch.sinh, torch.cos, torch.cosh, torch.tanh
exp, log, abs = torch.exp, torch.log, torch.abs
matmul, concat, stack = torch.matmul, torch.cat, torch.stack
int32, float32 = torch.int32, torch.float32
size, to, astype, transpose = method("numel"), method("to"), method("type"), method("t")
ones_like, zeros_like, randn = torch.ones_like, torch.zeros_like, torch.randn
sigmoid, batch_matmul, int64 = torch.sigmoid, torch.bmm, torch.int64
expand_dims = method("unsqueeze")


def numpy(x, *args, **kwargs):
    """Return a tensor as a NumPy array; its memory is shared where it is on the CPU."""
    return x.detach().cpu().numpy(*args, **kwargs)


def cpu():
    """Return the CPU."""
    return torch.device("cpu")


def gpu(i=0):
    """Return the i-th CUDA device, whether or not it exists."""
    return torch.device(f"cuda:{i}")


def num_gpus():
    """Return the number of CUDA devices."""
    return torch.cuda.device_count()
