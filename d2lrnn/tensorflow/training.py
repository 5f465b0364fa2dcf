"""Gradients, clipping and the update, in TensorFlow 2 (the book's section 9.5)."""

import tensorflow as tf

from d2lrnn import checks
from d2lrnn.tensorflow.tensors import from_numpy, to_numpy


def vjp(forward_fn, inputs, state, params, d_outputs, d_state):
    """Return (d_inputs, d_state, d_params) of <d_outputs, outputs> + <d_state, state>."""
    sources = [inputs, tuple(state), list(params)]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        outputs, new_state = forward_fn(inputs, state, params)
    return tape.gradient(
        [outputs, *new_state],
        sources,
        output_gradients=[d_outputs, *d_state],
        unconnected_gradients=tf.UnconnectedGradients.ZERO,
    )


def grad_clipping(grads, theta):
    """Return the gradients scaled to a joint norm of at most theta, and the norm before."""
    checks.positive(theta=theta)
    norm = tf.sqrt(sum(tf.reduce_sum(grad**2) for grad in grads))
    scale = tf.where(norm > theta, theta / norm, tf.ones_like(norm))
    return [grad * scale for grad in grads], norm


def make_step(net, lr, theta=1.0):
    """Return step(X, Y, state) -> (mean loss, state), which trains net on one minibatch.

    ``tf.function`` turns update into a graph when a minibatch of new shape arrives, and XLA
    compiles it.
    """
    checks.positive(lr=lr, theta=theta)

    @tf.function(jit_compile=True, autograph=False)
    def update(inputs, targets, state):
        with tf.GradientTape() as tape:
            outputs, state = net.forward_fn(inputs, state, net.params)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, outputs)
            loss = tf.reduce_mean(losses)
        grads, _ = grad_clipping(tape.gradient(loss, net.params), theta)
        for param, grad in zip(net.params, grads):
            param.assign_sub(lr * grad)
        return loss, state

    def step(X, Y, state):
        X, Y = to_numpy(X), to_numpy(Y)
        checks.minibatch(X, Y, net.vocab_size)
        targets = from_numpy(Y.T.reshape(-1), dtype="int64", device=net.device)  # time-major
        loss, state = update(net.inputs(X, state), targets, state)
        return float(loss), state

    return step
