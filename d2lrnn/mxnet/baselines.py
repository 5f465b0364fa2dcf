"""The baselines of the benchmark in MXNet: the training step of the book, and bare products."""

import functools

from d2lrnn.mxnet.framework import np, npx
from d2lrnn.mxnet.step import sgd_step
from d2lrnn.mxnet.tensors import from_numpy


def book_step(net, lr, theta):
    """Return step(X, Y, state), which trains with the code of the book."""
    return functools.partial(sgd_step, net, lr=lr, theta=theta)


def multiply(pairs, device=None):
    """Return a function that computes all products of pairs (lefts, right).

    Each pair consists of an array of left matrices (times, ...) and a right matrix.
    """
    place = functools.partial(from_numpy, device=device)
    pairs = [([place(left) for left in lefts], place(right)) for lefts, right in pairs]
    outs = [np.empty((len(lefts[0]), right.shape[1]), ctx=right.ctx) for lefts, right in pairs]

    def run():
        for (lefts, right), out in zip(pairs, outs):
            for left in lefts:
                np.dot(left, right, out=out)
        for out in outs:
            out.wait_to_read()
        return outs[-1][0, 0].item()

    return run


def compile_function(function):
    """Return the function unchanged: MXNet runs it eagerly."""
    return function


def wait_for(params):
    """Wait until parameters are computed: MXNet computes asynchronously."""
    npx.waitall()


def card(device):
    """Return the name of a device that try_gpu returned."""
    return f"{device}"
