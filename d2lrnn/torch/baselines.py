"""The baselines of the benchmark in PyTorch: the training step of the book, and bare products."""

import functools

import torch

from d2lrnn.torch.step import sgd_step
from d2lrnn.torch.tensors import from_numpy


def book_step(net, lr, theta):
    """Return step(X, Y, state), which trains with the code of the book."""
    return functools.partial(sgd_step, net, lr=lr, theta=theta)


def multiply(pairs, device=None):
    """Return a function that computes all products of pairs (lefts, right).

    Each pair consists of an array of left matrices (times, ...) and a right matrix.
    """
    place = functools.partial(from_numpy, device=device)
    pairs = [(place(lefts).unbind(), place(right)) for lefts, right in pairs]
    outs = [lefts[0].new_empty(len(lefts[0]), right.shape[1]) for lefts, right in pairs]

    def run():
        for (lefts, right), out in zip(pairs, outs):
            for left in lefts:
                torch.mm(left, right, out=out)
        return float(outs[-1][0, 0])

    return run


def compile_function(function):
    """Return the function unchanged: PyTorch runs it eagerly."""
    return function


def wait_for(params):
    """Wait until parameters are computed: a GPU computes asynchronously."""
    if params[0].is_cuda:
        torch.cuda.synchronize()


def card(device):
    """Return the name of a device that try_gpu returned."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{device}"
