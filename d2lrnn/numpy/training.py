"""Gradients, clipping and the update, in NumPy (the book's section 9.5)."""

import numpy as np

from d2lrnn import checks
from d2lrnn.numpy import bptt
from d2lrnn.numpy.tensors import to_numpy


def vjp(forward_fn, inputs, state, params, d_outputs, d_state):
    """Return (d_inputs, d_state, d_params) of <d_outputs, outputs> + <d_state, state>."""
    return bptt.backward(forward_fn.__name__, inputs, state, params, d_outputs, d_state)


def grad_clipping(grads, theta):
    """Return the gradients scaled to a joint norm of at most theta, and the norm before."""
    checks.positive(theta=theta)
    norm = np.sqrt(sum((grad**2).sum() for grad in grads))
    scale = theta / norm if norm > theta else 1.0
    return [grad * grad.dtype.type(scale) for grad in grads], norm


def cross_entropy(outputs, targets):
    """Return the mean of -log softmax(outputs)[target] and its gradient for outputs (m, q)."""
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    log_probs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(targets))
    d_outputs = np.exp(log_probs)  # softmax - one_hot, over the number of targets
    d_outputs[rows, targets] -= 1
    return -log_probs[rows, targets].mean(), d_outputs / len(targets)


def make_step(net, lr, theta=1.0):
    """Return step(X, Y, state) -> (mean loss, state), which trains net on one minibatch."""
    checks.positive(lr=lr, theta=theta)

    def step(X, Y, state):
        X, Y = to_numpy(X), to_numpy(Y)
        checks.minibatch(X, Y, net.vocab_size)
        inputs = net.inputs(X, state)
        outputs, new_state = net.forward_fn(inputs, state, net.params)
        loss, d_outputs = cross_entropy(outputs, Y.T.reshape(-1))  # targets, time-major
        d_state = tuple(np.zeros_like(s) for s in new_state)  # truncate BPTT at the minibatch
        _, _, grads = vjp(net.forward_fn, inputs, state, net.params, d_outputs, d_state)
        grads, _ = grad_clipping(grads, theta)
        net.params = [param - lr * grad for param, grad in zip(net.params, grads)]
        return float(loss), new_state

    return step
