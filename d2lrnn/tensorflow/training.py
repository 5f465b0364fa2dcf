"""Gradients, clipping and the update, in TensorFlow 2 (the book's section 9.5)."""

import tensorflow as tf

from d2lrnn import checks, optimizers
from d2lrnn.tensorflow.tensors import from_numpy, to_numpy


def vjp(forward_fn, inputs, state, params, d_outputs, d_state):
    """Return (d_inputs, d_state, d_params) of <d_outputs, outputs> + <d_state, state>."""
    sources = [inputs, tuple(state), list(params)]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        outputs, new_state = forward_fn(inputs, state, params)
    grads = tape.gradient(
        [outputs, *new_state],
        sources,
        output_gradients=[d_outputs, *d_state],
        unconnected_gradients=tf.UnconnectedGradients.ZERO,
    )
    return tf.nest.map_structure(tf.convert_to_tensor, grads)  # a look-up's are sparse


def grad_clipping(grads, theta):
    """Return the gradients scaled to a joint norm of at most theta, and the norm before."""
    theta = checks.positive(theta=theta)
    norm = tf.sqrt(sum(tf.reduce_sum(grad**2) for grad in grads))
    scale = theta / tf.maximum(norm, tf.cast(theta, norm.dtype))
    return [grad * scale for grad in grads], norm


def make_step(net, lr, theta=1.0, *, optimizer="sgd"):
    """Return step(X, Y, state) -> (mean loss, state), which trains net on one minibatch.

    ``tf.function`` turns update into a graph when a minibatch of new shape arrives, and XLA
    compiles it.
    """
    rule, memory = optimizers.make(optimizer, lr), None
    theta = checks.positive(theta=theta)

    @tf.function(jit_compile=True, autograph=False)
    def update(params, inputs, targets, state, memory):
        with tf.GradientTape() as tape:
            outputs, state = net.forward_fn(inputs, state, params)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, outputs)
            loss = tf.reduce_mean(losses)
        grads, _ = grad_clipping(tape.gradient(loss, params), theta)
        updated, memory = rule.update(params, grads, memory)
        for param, value in zip(params, updated):
            param.assign(value)
        return loss, state, memory

    def step(X, Y, state):
        nonlocal memory
        X, Y = to_numpy(X), to_numpy(Y)
        checks.minibatch(X, Y, net.vocab_size)
        targets = from_numpy(Y.T.reshape(-1), dtype="int64", device=net.device)  # time-major
        memory = memory or rule.begin(net.params)
        inputs = net.inputs(X, state)
        loss, state, memory = update(net.params, inputs, targets, state, memory)
        return float(loss), state

    return step
