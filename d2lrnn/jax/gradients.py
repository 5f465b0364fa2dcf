"""Gradients, clipping and the update, in JAX (the book's section 9.5)."""

import functools

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

from d2lrnn import checks
from d2lrnn.jax.tensors import has_values
from d2lrnn.nets import forward, kinds, networks, optimizers, values_read
from d2lrnn.nets.steps import Update


def vjp(forward_fn, inputs, state, params, d_outputs, d_state):
    """Return (d_inputs, d_state, d_params) of <d_outputs, outputs> + <d_state, state>."""
    checks.differentiable(inputs, state, params)
    kinds.check_backend("jax", d_outputs=[d_outputs], d_state=d_state)
    arguments = inputs, tuple(state), list(params)
    return compiled_vjp(forward_fn)(arguments, (d_outputs, tuple(d_state)))


@functools.lru_cache(32)
def compiled_vjp(forward_fn):
    """Return pull_back of a forward function, compiled once for each function and shapes."""

    def make():
        return jax.jit(functools.partial(pull_back, forward_fn))

    return values_read.compile_code(forward.user_code(forward_fn), make)


def pull_back(forward_fn, arguments, d_results):
    """Return the gradients of the arguments of a forward function."""
    reached = set()

    def watched(inputs, state, params):
        return forward.call(forward_fn, inputs, state, noting(params, reached))

    results, vjp_of = jax.vjp(watched, *arguments)
    checks.cotangents(*d_results, *results)
    grads = vjp_of(d_results)
    inputs, _, params = arguments
    names = forward.parameter_names(forward_fn)
    checks.reached([number in reached for number in range(len(params))], inputs, names=names)
    return grads


def noting(params, reached):
    """Return the parameters, wrapped to record in the set reached which ones receive a gradient.

    The backward pass adds the index of each such parameter. JAX returns zeros for unused
    parameters, so that they cannot be recognized by their gradients.
    """

    def noted(number):
        @jax.custom_vjp
        def same(param):
            return param

        def back(_, gradient):
            if isinstance(gradient, SymbolicZero):
                return (None,)
            reached.add(number)
            return (gradient,)

        same.defvjp(lambda param: (param.value, None), back, symbolic_zeros=True)
        return same

    return [noted(number)(param) for number, param in enumerate(params)]


def grad_clipping(grads, theta, *, clip="norm"):
    """Return the gradients, clipped by their joint norm or value by value, and the norm before."""
    kinds.gradients("jax", grads)
    theta, clip = checks.clipping(theta, clip)
    norm = jnp.sqrt(sum((grad**2).sum() for grad in grads))
    if clip == "value":
        return [jnp.clip(grad, -theta, theta) for grad in grads], norm
    scale = theta / jnp.maximum(norm, theta)
    return [grad * scale for grad in grads], norm


def softmax_loss(outputs, targets):
    """Return -log softmax(outputs)[target] for each row of outputs (m, q) and its target id."""
    log_probs = jax.nn.log_softmax(outputs)
    return -jnp.take_along_axis(log_probs, targets[:, None], axis=1)[:, 0]


def sigmoid_loss(outputs, targets):
    """Return, for each row, the mean of -y log p - (1 - y) log(1 - p) with p = sigmoid(outputs)."""
    log_p, log_q = jax.nn.log_sigmoid(outputs), jax.nn.log_sigmoid(-outputs)
    return -(targets * log_p + (1 - targets) * log_q).mean(axis=1)


def squared_loss(outputs, targets):
    """Return the mean of (o - y)^2 for each row of outputs (m, q) and of targets (m, q)."""
    return ((outputs - targets) ** 2).mean(axis=1)


LOSSES = {"softmax": softmax_loss, "sigmoid": sigmoid_loss, "squared": squared_loss}


def value_and_grad(network, loss):
    """Return compute(params, inputs, targets, weights=None) -> (mean loss, last state, gradients).

    loss is "softmax", "sigmoid" or "squared"; weights (m,) add up to 1.
    """
    checks.choice(loss, "loss", tuple(LOSSES))
    build = differentiated.__wrapped__ if networks.user_code(network) else differentiated
    return build(network, loss)


@functools.lru_cache(32)
def differentiated(network, loss):
    """Return compute, as value_and_grad; networks that compute the same share the compiled code."""
    losses_of = LOSSES[loss]

    def loss_fn(params, inputs, targets, weights, reached):
        outputs, state = network(noting(params, reached), *inputs)
        checks.targets(targets, weights, outputs, loss)
        losses = losses_of(outputs, targets)
        return losses.mean() if weights is None else (losses * weights).sum(), state

    @jax.jit
    def compute(params, inputs, targets, weights=None):
        reached = set()
        watched = functools.partial(loss_fn, reached=reached)
        value_and_grad_of = jax.value_and_grad(watched, has_aux=True)
        (value, state), grads = value_and_grad_of(params, inputs, targets, weights)
        names = forward.parameter_names(network)
        checks.reached([number in reached for number in range(len(params))], *inputs, names=names)
        return value, state, grads

    return compute


@functools.lru_cache(32)
def build_update(network, loss, rule, theta, clip):
    """Return pure(params, optimizer_state, inputs, targets, weights, lr=None).

    It is one training step, and returns the mean loss, the last state, the new parameters and the
    new state of the optimizer. jit compiles all of it. Networks that compute the same share the
    compiled code.
    """
    compute = value_and_grad(network, loss)

    @jax.jit
    def pure(params, optimizer_state, inputs, targets, weights, lr=None):
        value, state, grads = compute(params, inputs, targets, weights)
        grads, _ = grad_clipping(grads, theta, clip=clip)
        params, optimizer_state = rule.update(params, grads, optimizer_state, lr)
        return value, state, params, optimizer_state

    return pure


def make_update(network, loss, lr, theta, *, optimizer="sgd", clip="norm"):
    """Return update(params, inputs, targets, weights=None) -> (mean loss, last state, params)."""
    rule = optimizers.make(optimizer, lr)
    optimizer_state = optimizers.OptimizerState(rule)
    checks.choice(loss, "loss", tuple(LOSSES))
    build = build_update.__wrapped__ if networks.user_code(network) else build_update
    arguments = network, loss, rule, *checks.clipping(theta, clip)
    pure = networks.compile_network(network, functools.partial(build, *arguments))

    def update(params, inputs, targets, weights=None, lr=None):
        before = optimizer_state.before(params)
        value, state, params, after = pure(params, before, inputs, targets, weights, lr)
        checks.values(not after or has_values(value))  # a traced state cannot be stored
        optimizer_state.tensors = after
        return value, state, params

    return Update(update, optimizer_state)
