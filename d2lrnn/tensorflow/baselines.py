"""The baselines of the benchmark in TensorFlow: the book's training step, and bare products."""

import functools

import tensorflow as tf

from d2lrnn.tensorflow.step import sgd_step
from d2lrnn.tensorflow.tensors import from_numpy


def book_step(net, lr, theta):
    """Return step(X, Y, state), which trains with the code of the book."""
    return functools.partial(sgd_step, net, lr=lr, theta=theta)


def multiply(pairs, device=None):
    """Return a function that computes all products of pairs (lefts, right).

    Each pair consists of an array of left matrices (times, ...) and a right matrix.
    """
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


def compile_function(function):
    """Return the function compiled by XLA."""
    return tf.function(function, jit_compile=True, autograph=False)


def wait_for(params):
    """Wait until parameters are computed: a GPU computes asynchronously."""
    tf.convert_to_tensor(params[-1]).numpy()  # the last one to be assigned, and a small one


def card(device):
    """Return the name of the device that try_gpu returned."""
    number = tf.DeviceSpec.from_string(device).device_index or 0
    cards = tf.config.list_physical_devices("GPU")[number:]
    details = tf.config.experimental.get_device_details(cards[0]) if cards else {}
    return details.get("device_name", device)
