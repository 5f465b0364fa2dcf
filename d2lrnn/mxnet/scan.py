"""Linear recurrences h_t = a_t h_{t-1} + b_t in MXNet."""

import itertools
import math

from d2lrnn.mxnet.framework import autograd, np
from d2lrnn.mxnet.fused import Recurrence
from d2lrnn.mxnet.products import modern, old
from d2lrnn.nets import scan


def loop(a, b, state):
    """Return h for all time steps, one after the other."""
    h = []
    for a_t, b_t in zip(a, b):
        state = a_t * state + b_t
        h.append(state)
    return np.stack(h) if h else b


OPERATIONS = scan.Operations(
    backend="mxnet",
    loop=loop,
    concat=np.concatenate,
    broadcast_to=np.broadcast_to,
    reshape=np.reshape,
    swapped=lambda tensor: np.swapaxes(tensor, 0, 1),
    flipped=lambda tensor: np.flip(tensor, 0),
    total=lambda tensor, axes: tensor.sum(axes, keepdims=True),
    zeros_like=np.zeros_like,
    ones_like=np.ones_like,
)


class Scan(Recurrence):
    """h for all time steps, of one vector that holds a, b and the state.

    In MXNet 1.9.1, arguments of a Function after one that does not need a gradient do not get a
    gradient either: a vector needs one if one of its parts does.
    """

    def __init__(self, *shapes):
        """Store the shapes of a, b and the state."""
        super().__init__()
        self.shapes = shapes

    def forward(self, vector):
        """Return h."""
        ends = list(itertools.accumulate(map(math.prod, self.shapes)))[:-1]
        parts = np.split(*modern([vector]), ends)
        a, b, state = (part.reshape(shape) for part, shape in zip(parts, self.shapes))
        h = scan.in_blocks(OPERATIONS, a, b, state)
        self.keep(a, state, h)
        return h

    def backward(self, g):
        """Return the gradient of the vector."""
        a, state, h = self.give_up()
        grads = scan.gradient(OPERATIONS, a, h, state, *modern([g]))
        return old(np.concatenate([gradient.reshape(-1) for gradient in grads]))[0]


def sequential_scan(a, b, state=None):
    """Return h for all time steps, one after the other."""
    return loop(*scan.arguments(OPERATIONS, a, b, state))


def associative_scan(a, b, state=None):
    """Return h for all time steps, computed in blocks."""
    given = scan.arguments(OPERATIONS, a, b, state)
    if given[1].size == 0:
        return given[1]
    if not autograd.is_recording():
        return scan.in_blocks(OPERATIONS, *given)
    shapes = [tensor.shape for tensor in given]
    return Scan(*shapes)(np.concatenate([tensor.reshape(-1) for tensor in given]))
