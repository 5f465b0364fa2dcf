"""What the benchmark measures against in TensorFlow: the step of the book, and products alone."""

import functools

import tensorflow as tf

from d2lrnn.tensorflow.tensors import from_numpy


def book_step(net, lr, theta):
    """Return step(X, Y, state): forward, backward, clipping and update, each on its own, eager."""

    def step(X, Y, state):
        targets = from_numpy(Y.T.reshape(-1), dtype="int64", device=net.device)
        with tf.GradientTape() as tape:
            outputs, state = net(X, state)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, outputs)
            loss = tf.reduce_mean(losses)
        grads = tape.gradient(loss, net.params)
        norm = tf.sqrt(sum(tf.reduce_sum(grad**2) for grad in grads))
        for param, grad in zip(net.params, grads):
            param.assign_sub(lr * (grad * theta / norm if norm > theta else grad))
        return loss, state

    return step


def multiply(pairs, device=None):
    """Return a function that computes all products of pairs, lefts (times, ...) and a right."""
    place = functools.partial(from_numpy, device=device)
    pairs = [(place(lefts), place(right)) for lefts, right in pairs]

    @tf.function(jit_compile=True, autograph=False)
    def compute(pairs):
        return [repeated(lefts, right) for lefts, right in pairs]

    def repeated(lefts, right):
        times, rows, _ = lefts.shape
        begin = tf.constant(0), tf.zeros((rows, right.shape[1]))
        _, out = tf.while_loop(
            lambda t, out: t < times, lambda t, out: (t + 1, lefts[t] @ right), begin
        )
        return out

    return lambda: float(compute(pairs)[-1][0, 0])


def compiled(function):
    """Return the function as one that XLA compiles."""
    return tf.function(function, jit_compile=True, autograph=False)


def wait_for(params):
    """Wait until parameters have their values: on a GPU they may be under way."""
    tf.convert_to_tensor(params[-1]).numpy()  # the last to be assigned, and small


def card(device):
    """Return what a device, as try_gpu returns it, is called."""
    number = tf.DeviceSpec.from_string(device).device_index or 0
    cards = tf.config.list_physical_devices("GPU")[number:]
    details = tf.config.experimental.get_device_details(cards[0]) if cards else {}
    return details.get("device_name", device)
