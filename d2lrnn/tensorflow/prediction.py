"""Token by token in TensorFlow: one compiled loop says many of them."""

import functools

import tensorflow as tf

from d2lrnn.nets.prediction import filled_up
from d2lrnn.tensorflow import contexts
from d2lrnn.tensorflow.tensors import to_numpy


def say(net, index, state, given, noise):
    """Do as Model.say does; given and noise fill up to AT_ONCE rows, so that shapes stay alike."""
    contexts.check_graph(*net.params)
    count = len(given)
    given, noise = filled_up(given), filled_up(noise)
    numbers = tf.constant(index, tf.int32), tf.constant(count, tf.int32)
    given, noise = tf.constant(given, tf.int32), tf.constant(noise, net.dtype)
    params = [tf.convert_to_tensor(param) for param in net.params]
    said, state = compiled(net.speaker)(params, tuple(state), given, noise, *numbers)
    return to_numpy(said)[:count], state


@functools.cache
def compiled(network):
    """Return the loop, (params, state, given, noise, index, count) -> ids and the last state."""

    @functools.partial(contexts.unrecorded, jit_compile=True)
    def loop(params, state, given, noise, index, count):
        def step(t, index, state, said):
            rows = tf.one_hot(index, noise.shape[2], dtype=noise.dtype)  # (n, vocab_size)
            scores, state = network(params, rows[None], None, state)
            chosen = tf.argmax(scores + noise[t], axis=1, output_type=tf.int32)
            index = tf.where(given[t] >= 0, given[t], chosen)
            said = tf.tensor_scatter_nd_update(said, [[t]], [index])
            return t + 1, index, tuple(state), said

        first = tf.constant(0), index, state, tf.zeros_like(given)
        *_, state, said = tf.while_loop(lambda t, *_: t < count, step, first)
        return said, state

    return loop
