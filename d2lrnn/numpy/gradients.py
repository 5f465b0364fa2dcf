"""Gradients, clipping and the update, in NumPy (the book's section 9.5)."""

import numpy as np

from d2lrnn import checks
from d2lrnn.nets import forward, kinds, optimizers
from d2lrnn.nets.losses import LOSSES
from d2lrnn.nets.steps import Update


def vjp(forward_fn, inputs, state, params, d_outputs, d_state):
    """Return (d_inputs, d_state, d_params) of <d_outputs, outputs> + <d_state, state>."""
    from d2lrnn.numpy import bptt_networks  # imported here, so that importing d2lrnn stays fast

    checks.differentiable(inputs, state, params)
    kinds.check_backend("numpy", d_outputs=[d_outputs], d_state=d_state)
    outputs, last, back = bptt_networks.trace_cell(forward_fn, inputs, state, params)
    checks.cotangents(d_outputs, d_state, outputs, last)
    d_inputs, d_state, d_params = back(d_outputs, d_state)
    d_params = all_reached(forward_fn, d_params, params, inputs)
    return np.ascontiguousarray(d_inputs), tuple(in_one_piece(d_state)), in_one_piece(d_params)


def in_one_piece(grads):
    """Return gradients as contiguous arrays, for any memory layout of the parameters."""
    return [np.ascontiguousarray(grad) for grad in grads]


def all_reached(network, grads, params, *inputs):
    """Return gradients with None replaced by zeros; check that only empty inputs give None."""
    names = forward.parameter_names(network)
    checks.reached([grad is not None for grad in grads], *inputs, names=names)
    return [np.zeros_like(p) if g is None else g for p, g in zip(params, grads)]


def grad_clipping(grads, theta, *, clip="norm"):
    """Return the gradients, clipped by their joint norm or value by value, and the norm before."""
    kinds.gradients("numpy", grads)
    theta, clip = checks.clipping(theta, clip)
    return optimizers.clip_arrays(grads, theta, clip)


def value_and_grad(network, loss):
    """Return compute(params, inputs, targets, weights=None) -> (mean loss, last state, gradients).

    loss is "softmax", "sigmoid" or "squared"; weights (m,) add up to 1. The forward pass is a
    version of the network that stores the intermediate results for the backward pass; a test
    compares the two.
    """
    from d2lrnn.numpy import bptt_networks

    checks.choice(loss, "loss", tuple(LOSSES))
    loss_and_gradient = LOSSES[loss]

    def compute(params, inputs, targets, weights=None):
        outputs, state, pull_back = bptt_networks.trace(network, params, *inputs)
        checks.targets(targets, weights, outputs, loss)
        value, d_outputs = loss_and_gradient(outputs, targets, weights)
        grads = all_reached(network, pull_back(d_outputs), params, *inputs)
        return value, state, in_one_piece(grads)

    return compute


def descend(params, grads, lr, theta):
    """Clip gradients by their joint norm, and return the parameters after gradient descent.

    The clipping is part of the learning rate, so that the clipped gradients need no memory.
    """
    norm = np.sqrt(sum(np.vdot(grad, grad) for grad in grads))
    rate = lr * theta / np.maximum(norm, theta)  # NaN stays NaN
    return [w - grad.dtype.type(rate) * grad for w, grad in zip(params, grads, strict=True)]


def make_update(network, loss, lr, theta, *, optimizer="sgd", clip="norm"):
    """Return update(params, inputs, targets, weights=None) -> (mean loss, last state, params)."""
    rule = optimizers.make(optimizer, lr)
    optimizer_state = optimizers.OptimizerState(rule)
    theta, clip = checks.clipping(theta, clip)
    compute = value_and_grad(network, loss)
    at_once = clip == "norm" and isinstance(rule, optimizers.SGD) and rule.is_plain

    def update(params, inputs, targets, weights=None, lr=None):
        value, state, grads = compute(params, inputs, targets, weights)
        if at_once:
            return value, state, descend(params, grads, rule.lr if lr is None else lr, theta)
        grads, _ = grad_clipping(grads, theta, clip=clip)
        before = optimizer_state.before(params)
        params, optimizer_state.tensors = rule.update(params, grads, before, lr)
        return value, state, params

    return Update(update, optimizer_state)
