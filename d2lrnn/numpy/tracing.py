"""Record a custom function on the tape, and compute gradients from it.

``trace`` calls a function with the Traced arrays of tape.py, and ``gradients`` goes through the
recorded operations in reverse. ``apply`` records one of this package's cells as a single operation,
with its own backward pass.
"""

import numpy as np

from d2lrnn.numpy.tape import Traced, array_of, traced_only


def apply(trace, inputs, state, params):
    """Return a cell's outputs and state, traced, with the cell's own backward pass.

    trace(inputs, state, params) returns outputs, the last state and back(d_outputs, d_state).
    """
    given = [inputs, *state, *params]
    arrays, number = list(map(array_of, given)), 1 + len(state)
    outputs, last, pull_back = trace(arrays[0], arrays[1:number], arrays[number:])
    results = [outputs, *last]
    ends = np.cumsum([result.size for result in results])[:-1]

    def back(gradient):
        parts = np.split(gradient, ends)
        d_outputs, *d_state = (part.reshape(r.shape) for part, r in zip(parts, results))
        d_inputs, d_first, d_params = pull_back(d_outputs, d_state)
        return traced_only(given, [d_inputs, *d_first, *d_params])

    vector = np.concatenate([result.ravel() for result in results])
    parts = np.split(Traced(vector, traced_only(given, given), back), ends)
    outputs, *last = (part.reshape(result.shape) for part, result in zip(parts, results))
    return outputs, tuple(last)


def gradients(results, d_results, leaves):
    """Return the gradient of each leaf, or None if the results do not depend on it.

    d_results may be shorter than results; the other results do not contribute.
    """
    nodes, arrived = {}, {}
    pairs = list(zip(results, d_results))
    ends = [result for result, _ in pairs]
    waiting = traced_only(ends, ends)
    while waiting:
        node = waiting.pop()
        if node.number not in nodes:
            nodes[node.number] = node
            waiting += node.sources
    for node in [None, *(nodes[number] for number in sorted(nodes, reverse=True))]:
        if node is not None:  # its gradient is complete: all that depends on it is processed
            pairs = zip(node.sources, node.back(arrived[node.number]) if node.sources else ())
        for source, gradient in pairs:
            if isinstance(source, Traced):
                before = arrived.get(source.number)
                gradient = gradient if before is None else before + gradient
                arrived[source.number] = np.asarray(gradient, source.dtype)
    gradients = [arrived.get(leaf.number) for leaf in leaves]
    return [None if gradient is None else gradient.copy() for gradient in gradients]  # no views


def trace(function, *arguments):
    """Return the results of function(*arguments) as arrays, and back(d_results) -> gradients.

    The function returns outputs and a state: the results are a list of all their arrays. The
    arguments may be arrays or lists of arrays; back returns a flat list with one gradient per
    array, None for arrays of integers and for arrays that the results do not depend on.
    """
    leaves = []

    def leaf(value):
        if isinstance(value, (list, tuple)):
            return type(value)(map(leaf, value))
        leaves.append(Traced(value))
        return leaves[-1] if leaves[-1].dtype.kind == "f" else value

    outputs, last = function(*map(leaf, arguments))
    results = [outputs, *last]
    return list(map(array_of, results)), lambda d_results: gradients(results, d_results, leaves)
