"""What the benchmark measures against in NumPy: the step of the book, and products alone."""

import functools

import numpy as np

from d2lrnn.numpy.step import sgd_step


def book_step(net, lr, theta):
    """Return step(X, Y, state), which trains as the book does."""
    return functools.partial(sgd_step, net, lr=lr, theta=theta)


def multiply(pairs, device=None):
    """Return a function that computes all products of pairs, lefts (times, ...) and a right."""
    outs = [np.empty((lefts.shape[1], right.shape[1]), lefts.dtype) for lefts, right in pairs]

    def run():
        for (lefts, right), out in zip(pairs, outs):
            for left in lefts:
                np.matmul(left, right, out=out)
        return float(outs[-1][0, 0])

    return run


def compiled(function):
    """Return the function: NumPy compiles nothing."""
    return function


def wait_for(params):
    """Wait until parameters have their values: NumPy's always have."""


def card(device):
    """Return what a device, as try_gpu returns it, is called."""
    return f"{device}"
