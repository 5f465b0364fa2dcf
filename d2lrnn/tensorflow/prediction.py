"""Text generation in TensorFlow: one compiled loop generates many tokens."""

import functools

import tensorflow as tf

from d2lrnn.nets import networks
from d2lrnn.nets.prediction import filled_up
from d2lrnn.tensorflow import contexts
from d2lrnn.tensorflow.tensors import to_numpy


def say(net, index, state, given, noise):
    """Compute Model.say; given and noise are padded to AT_ONCE rows, to compile for one shape."""
    contexts.check_graph(*net.params)
    count = len(given)
    given, noise = filled_up(given), filled_up(noise)
    numbers = tf.constant(index, tf.int32), tf.constant(count, tf.int32)
    given, noise = tf.constant(given, tf.int32), tf.constant(noise, net.dtype)
    params = [tf.convert_to_tensor(param) for param in net.params]
    ids, state = compiled_loop(net.speaker)(params, tuple(state), given, noise, *numbers)
    return to_numpy(ids)[:count], state


@functools.cache
def compiled_loop(network):
    """Return the loop of a network."""
    return networks.compile_network(network, functools.partial(build_loop, network))


def build_loop(network):
    """Return the loop, (params, state, given, noise, index, count) -> ids and the last state."""

    @functools.partial(contexts.unrecorded, jit_compile=True)
    def loop(params, state, given, noise, index, count):
        def step(t, index, state, ids):
            rows = tf.one_hot(index, noise.shape[2], dtype=noise.dtype)  # (n, vocab_size)
            scores, state = network(params, rows[None], None, state)
            chosen = tf.argmax(scores + noise[t], axis=1, output_type=tf.int32)
            index = tf.where(given[t] >= 0, given[t], chosen)
            ids = tf.tensor_scatter_nd_update(ids, [[t]], [index])
            return t + 1, index, tuple(state), ids

        first = tf.constant(0), index, state, tf.zeros_like(given)
        *_, state, ids = tf.while_loop(lambda t, *_: t < count, step, first)
        return ids, state

    return loop
