"""What the benchmark measures against in PyTorch: the step of the book, and products alone."""

import functools

import torch

from d2lrnn.torch.step import sgd_step
from d2lrnn.torch.tensors import from_numpy


def book_step(net, lr, theta):
    """Return step(X, Y, state), which trains as the book does."""
    return functools.partial(sgd_step, net, lr=lr, theta=theta)


def multiply(pairs, device=None):
    """Return a function that computes all products of pairs, lefts (times, ...) and a right."""
    place = functools.partial(from_numpy, device=device)
    pairs = [(place(lefts).unbind(), place(right)) for lefts, right in pairs]
    outs = [lefts[0].new_empty(len(lefts[0]), right.shape[1]) for lefts, right in pairs]

    def run():
        for (lefts, right), out in zip(pairs, outs):
            for left in lefts:
                torch.mm(left, right, out=out)
        return float(outs[-1][0, 0])

    return run


def compiled(function):
    """Return the function: eager."""
    return function


def wait_for(params):
    """Wait until parameters have their values: on a GPU they may be under way."""
    if params[0].is_cuda:
        torch.cuda.synchronize()


def card(device):
    """Return what a device, as try_gpu returns it, is called."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{device}"
