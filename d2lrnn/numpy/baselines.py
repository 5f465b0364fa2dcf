"""What the benchmark measures against in NumPy: the step of the book, and products alone."""

import numpy as np

from d2lrnn.numpy.gradients import grad_clipping, value_and_grad


def book_step(net, lr, theta):
    """Return step(X, Y, state): the textbook's loop and gradients by hand, one call at a time."""
    from d2lrnn.nets.networks import Recurrent  # here: importing d2lrnn takes no time for it

    compute = value_and_grad(Recurrent(net.forward_fn), "softmax")

    def step(X, Y, state):
        inputs = net.inputs(X, state), state
        loss, state, grads = compute(net.params, inputs, Y.T.reshape(-1))
        grads, _ = grad_clipping(grads, theta)
        for param, grad in zip(net.params, grads):
            param -= lr * grad
        return loss, state

    return step


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
