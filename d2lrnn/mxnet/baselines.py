"""What the benchmark measures against in MXNet: the step of the book, and products alone."""

import functools

from d2lrnn.mxnet.framework import np, npx
from d2lrnn.mxnet.step import sgd_step
from d2lrnn.mxnet.tensors import from_numpy


def book_step(net, lr, theta):
    """Return step(X, Y, state), which trains as the book does."""
    return functools.partial(sgd_step, net, lr=lr, theta=theta)


def multiply(pairs, device=None):
    """Return a function that computes all products of pairs, lefts (times, ...) and a right."""
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


def compiled(function):
    """Return the function: MXNet runs it call by call."""
    return function


def wait_for(params):
    """Wait until parameters have their values: MXNet returns before they have."""
    npx.waitall()


def card(device):
    """Return what a device, as try_gpu returns it, is called."""
    return f"{device}"
