"""Gradients, clipping and the update, in JAX (the book's section 9.5)."""

import jax
import jax.numpy as jnp

from d2lrnn import checks, optimizers
from d2lrnn.jax.tensors import from_numpy, to_numpy


def vjp(forward_fn, inputs, state, params, d_outputs, d_state):
    """Return (d_inputs, d_state, d_params) of <d_outputs, outputs> + <d_state, state>."""

    @jax.jit
    def pull_back(arguments, d_results):
        _, vjp_of = jax.vjp(forward_fn, *arguments)
        return vjp_of(d_results)

    return pull_back((inputs, tuple(state), list(params)), (d_outputs, tuple(d_state)))


def grad_clipping(grads, theta):
    """Return the gradients scaled to a joint norm of at most theta, and the norm before."""
    theta = checks.positive(theta=theta)
    norm = jnp.sqrt(sum((grad**2).sum() for grad in grads))
    scale = theta / jnp.maximum(norm, theta)
    return [grad * scale for grad in grads], norm


def cross_entropy(outputs, targets):
    """Return the mean of -log softmax(outputs)[target] over outputs (m, q)."""
    log_probs = jax.nn.log_softmax(outputs)
    return -jnp.take_along_axis(log_probs, targets[:, None], axis=1).mean()


def make_step(net, lr, theta=1.0, *, optimizer="sgd"):
    """Return step(X, Y, state) -> (mean loss, state), which trains net on one minibatch.

    ``update`` is a pure function: parameters go in, new ones come out, and jit compiles the whole.
    """
    rule, memory = optimizers.make(optimizer, lr), None
    theta = checks.positive(theta=theta)

    def loss_fn(params, inputs, targets, state):
        outputs, state = net.forward_fn(inputs, state, params)
        return cross_entropy(outputs, targets), state

    @jax.jit
    def update(params, inputs, targets, state, memory):
        value_and_grad = jax.value_and_grad(loss_fn, has_aux=True)
        (loss, state), grads = value_and_grad(params, inputs, targets, state)
        grads, _ = grad_clipping(grads, theta)
        params, memory = rule.update(params, grads, memory)
        return loss, state, params, memory

    def step(X, Y, state):
        nonlocal memory
        X, Y = to_numpy(X), to_numpy(Y)
        checks.minibatch(X, Y, net.vocab_size)
        targets = from_numpy(Y.T.reshape(-1), dtype="int32", device=net.device)  # time-major
        inputs, memory = net.inputs(X, state), memory or rule.begin(net.params)
        loss, state, net.params, memory = update(net.params, inputs, targets, state, memory)
        return float(loss), state

    return step
