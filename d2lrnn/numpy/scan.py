"""Linear recurrences h_t = a_t h_{t-1} + b_t in NumPy, with their gradient written by hand."""

import numpy as np

from d2lrnn.nets import scan
from d2lrnn.numpy import tape


def loop(a, b, state):
    """Return h for all time steps, one after the other."""
    h = np.empty_like(b)
    for t in range(len(b)):
        h[t] = state = a[t] * state + b[t]
    return h


OPERATIONS = scan.Operations(
    backend="numpy",
    loop=loop,
    concat=np.concatenate,
    broadcast_to=np.broadcast_to,
    reshape=np.reshape,
    swapped=lambda tensor: tensor.swapaxes(0, 1),
    flipped=lambda tensor: tensor[::-1],
    total=lambda tensor, axes: tensor.sum(axes, keepdims=True),
    zeros_like=np.zeros_like,
    ones_like=np.ones_like,
)


def sequential_scan(a, b, state=None):
    """Return h for all time steps, one after the other."""
    a, b, state = scan.arguments(OPERATIONS, a, b, state)
    if not tape.is_traced(a, b, state):
        return loop(a, b, state)
    h = []
    for a_t, b_t in zip(a, b):
        state = a_t * state + b_t
        h.append(state)
    return np.stack(h) if h else b


def associative_scan(a, b, state=None):
    """Return h for all time steps, computed in blocks."""
    given = scan.arguments(OPERATIONS, a, b, state)
    a, b, state = map(tape.array_of, given)
    if not len(b):
        return given[1]
    h = scan.in_blocks(OPERATIONS, a, b, state)
    if not tape.is_traced(*given):
        return h

    def back(g):
        return tape.traced_only(given, scan.gradient(OPERATIONS, a, h, state, g))

    return tape.Traced(h, tape.traced_only(given, given), back)
