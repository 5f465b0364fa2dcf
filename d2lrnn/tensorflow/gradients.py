"""Gradients, clipping and the update, in TensorFlow 2 (the book's section 9.5)."""

import functools

import tensorflow as tf

from d2lrnn import checks
from d2lrnn.nets import forward, kinds, networks, optimizers
from d2lrnn.nets.steps import Update
from d2lrnn.tensorflow import contexts, tensors
from d2lrnn.tensorflow.tensors import has_values, state_tensors


def vjp(forward_fn, inputs, state, params, d_outputs, d_state):
    """Return (d_inputs, d_state, d_params) of <d_outputs, outputs> + <d_state, state>."""
    checks.differentiable(inputs, state, params)
    kinds.check_backend("tensorflow", d_outputs=[d_outputs], d_state=d_state)
    # Copies: if two arguments were the same tensor, each would get the sum of both gradients.
    sources = tf.nest.map_structure(tf.identity, [inputs, state_tensors(state), list(params)])
    with contexts.tape() as tape:
        tape.watch(sources)
        outputs, new_state = forward.call(forward_fn, *sources)
    checks.cotangents(d_outputs, d_state, outputs, new_state)
    grads = tape.gradient([outputs, *new_state], sources, output_gradients=[d_outputs, *d_state])
    names = forward.parameter_names(forward_fn)
    checks.reached([grad is not None for grad in grads[2]], inputs, names=names)
    return tuple(filled(*both) for both in zip(grads, sources))


def filled(grads, sources):
    """Return the gradients, with zeros for None, and with sparse ones (of lookups) made dense.

    sources is a tensor or a list of tensors, and so are the gradients.
    """
    if not isinstance(sources, (list, tuple)):
        return tf.zeros_like(sources) if grads is None else tf.convert_to_tensor(grads)
    return type(sources)(filled(*both) for both in zip(grads, sources))


def grad_clipping(grads, theta, *, clip="norm"):
    """Return the gradients, clipped by their joint norm or value by value, and the norm before."""
    kinds.gradients("tensorflow", grads)
    theta, clip = checks.clipping(theta, clip)
    norm = tf.sqrt(sum(tf.reduce_sum(grad**2) for grad in grads))
    if clip == "value":
        return [tf.clip_by_value(grad, -theta, theta) for grad in grads], norm
    scale = theta / tf.maximum(norm, tf.cast(theta, norm.dtype))
    return [grad * scale for grad in grads], norm


def softmax_loss(outputs, targets):
    """Return -log softmax(outputs)[target] for each row of outputs (m, q) and its target id."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(targets, outputs)


def sigmoid_loss(outputs, targets):
    """Return, for each row, the mean of -y log p - (1 - y) log(1 - p) with p = sigmoid(outputs)."""
    losses = tf.nn.sigmoid_cross_entropy_with_logits(targets, outputs)
    return tf.reduce_mean(losses, axis=1)


def squared_loss(outputs, targets):
    """Return the mean of (o - y)^2 for each row of outputs (m, q) and of targets (m, q)."""
    return tf.reduce_mean((outputs - targets) ** 2, axis=1)


LOSSES = {"softmax": softmax_loss, "sigmoid": sigmoid_loss, "squared": squared_loss}


def value_and_grad(network, loss):
    """Return compute(params, inputs, targets, weights=None) -> (mean loss, last state, gradients).

    loss is "softmax", "sigmoid" or "squared"; weights (m,) add up to 1.
    """
    checks.choice(loss, "loss", tuple(LOSSES))
    losses_of = LOSSES[loss]

    def compute(params, inputs, targets, weights=None):
        with contexts.tape() as tape:
            outputs, state = network(params, *inputs)
            checks.targets(targets, weights, outputs, loss)
            losses = losses_of(outputs, targets)
            value = tf.reduce_mean(losses) if weights is None else tf.reduce_sum(losses * weights)
        checks.trainable(map(tensors.is_trainable, params))
        grads = tape.gradient(value, params)
        names = forward.parameter_names(network)
        checks.reached([grad is not None for grad in grads], *inputs, names=names)
        return value, state, filled(grads, params)

    return compute


@functools.lru_cache(32)
def assigning(network, loss, rule, theta, clip):
    """Return assign(params, optimizer_state, inputs, targets, weights, lr).

    It is one training step: it changes the parameters, and returns the mean loss, the last state
    and the new state of the optimizer. Networks that compute the same share the compiled code.
    """
    compute = value_and_grad(network, loss)

    @functools.partial(contexts.unrecorded, jit_compile=True)
    def assign(params, optimizer_state, inputs, targets, weights, lr):
        value, state, grads = compute(params, inputs, targets, weights)
        grads, _ = grad_clipping(grads, theta, clip=clip)
        updated, optimizer_state = rule.update(params, grads, optimizer_state, lr)
        for param, new in zip(params, updated):
            param.assign(new)
        return value, state, optimizer_state

    return assign


def make_update(network, loss, lr, theta, *, optimizer="sgd", clip="norm"):
    """Return update(params, inputs, targets, weights=None) -> (mean loss, last state, params).

    ``tf.function`` turns assign into a graph when a minibatch of new shape arrives, and XLA
    compiles it.
    """
    rule = optimizers.make(optimizer, lr)
    optimizer_state = optimizers.OptimizerState(rule)
    checks.choice(loss, "loss", tuple(LOSSES))
    build = assigning.__wrapped__ if networks.user_code(network) else assigning
    arguments = network, loss, rule, *checks.clipping(theta, clip)
    assign = networks.compile_network(network, functools.partial(build, *arguments))

    def update(params, inputs, targets, weights=None, lr=None):
        checks.trainable(map(tensors.is_trainable, params))
        contexts.check_graph(*params)
        contexts.check_alone(params)
        before = optimizer_state.before(params)
        if lr is not None:  # a number would be a constant of the graph
            lr = tf.constant(lr, params[0].dtype)
        value, state, after = assign(params, before, inputs, targets, weights, lr)
        checks.values(not after or has_values(value))  # a traced state cannot be stored
        optimizer_state.tensors = after
        return value, state, params

    return Update(update, optimizer_state)
