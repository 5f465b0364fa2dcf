"""The baselines of the benchmark in NumPy: the training step of the book, and bare products."""

import functools

import numpy as np

from d2lrnn.numpy.step import sgd_step


def book_step(net, lr, theta):
    """Return step(X, Y, state), which trains with the code of the book."""
    return functools.partial(sgd_step, net, lr=lr, theta=theta)


def multiply(pairs, device=None):
    """Return a function that computes all products of pairs (lefts, right).

    Each pair consists of an array of left matrices (times, ...) and a right matrix.
    """
    outs = [np.empty((lefts.shape[1], right.shape[1]), lefts.dtype) for lefts, right in pairs]

    def run():
        for (lefts, right), out in zip(pairs, outs):
            for left in lefts:
                np.matmul(left, right, out=out)
        return float(outs[-1][0, 0])

    return run


def compile_function(function):
    """Return the function unchanged: NumPy does not compile functions."""
    return function


def wait_for(params):
    """Return at once: NumPy computes parameters synchronously."""


def card(device):
    """Return the name of a device that try_gpu returned."""
    return f"{device}"
