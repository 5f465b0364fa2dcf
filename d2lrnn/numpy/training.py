"""Gradients, clipping and the update, in NumPy (the book's section 9.5)."""

import functools

import numpy as np

from d2lrnn import cells, checks, optimizers
from d2lrnn.concatenated import concat_arrays, split_arrays
from d2lrnn.model import cross_entropy
from d2lrnn.numpy import bptt
from d2lrnn.numpy.tensors import to_numpy


def vjp(forward_fn, inputs, state, params, d_outputs, d_state):
    """Return (d_inputs, d_state, d_params) of <d_outputs, outputs> + <d_state, state>.

    A concatenated cell goes back as its summed form does: [H, X] W is X W_x + H W_h.
    """
    function = forward_fn.func if isinstance(forward_fn, functools.partial) else forward_fn
    if function.__name__.startswith("concat_"):
        order = getattr(forward_fn, "keywords", {}).get("order", "HX")
        cell, summed = function.__name__.removeprefix("concat_"), split_arrays(params, order)
        d_inputs, d_state, grads = bptt.backward(cell, inputs, state, summed, d_outputs, d_state)
        return d_inputs, d_state, concat_arrays(grads, order)
    return bptt.backward(cell_of(forward_fn), inputs, state, params, d_outputs, d_state)


def cell_of(forward_fn):
    """Return what bptt.backward calls a forward function, or refuse one with no gradient."""
    name = getattr(forward_fn, "__name__", "")
    return "mlp" if name == "mlp" else cells.architecture_of(forward_fn)


def grad_clipping(grads, theta):
    """Return the gradients scaled to a joint norm of at most theta, and the norm before."""
    theta = checks.positive(theta=theta)
    norm = np.sqrt(sum((grad**2).sum() for grad in grads))
    scale = theta / norm if norm > theta else 1.0
    return [grad * grad.dtype.type(scale) for grad in grads], norm


def make_step(net, lr, theta=1.0, *, optimizer="sgd"):
    """Return step(X, Y, state) -> (mean loss, state), which trains net on one minibatch.

    The forward pass is that of bptt, which keeps what the way back needs; a test shows that it
    gives what net.forward_fn gives.
    """
    rule, memory = optimizers.make(optimizer, lr), None
    theta = checks.positive(theta=theta)

    def step(X, Y, state):
        nonlocal memory
        X, Y = to_numpy(X), to_numpy(Y)
        checks.minibatch(X, Y, net.vocab_size)
        inputs = net.inputs(X, state)
        outputs, new_state, tape = bptt.forward(net.architecture, inputs, state, net.params)
        loss, d_outputs = cross_entropy(outputs, Y.T.reshape(-1))  # targets, time-major
        d_state = tuple(np.zeros_like(s) for s in new_state)  # truncate BPTT at the minibatch
        _, _, grads = bptt.go_back(net.architecture, tape, net.params, d_outputs, d_state)
        grads, _ = grad_clipping(grads, theta)
        net.params, memory = rule.update(net.params, grads, memory or rule.begin(net.params))
        return loss, new_state

    return step
