"""Linear recurrences h_t = a_t h_{t-1} + b_t in TensorFlow.

XLA compiles the loop once for any number of time steps, but computes its gradient in a time that
grows with the square of their number. So the gradient is a second loop, in the reverse direction.
"""

import math

import tensorflow as tf

from d2lrnn.nets import scan
from d2lrnn.tensorflow import sizes


def loop(a, b, state):
    """Return h for all time steps, one after the other."""
    num_steps = sizes.size(b, 0)
    h = tf.TensorArray(b.dtype, num_steps, element_shape=state.shape)

    def step(t, state, h):
        state = sizes.like(a[t] * state + b[t], state)
        return t + 1, state, h.write(t, state)

    start, bound = (tf.constant(0), state, h), {"maximum_iterations": num_steps}
    *_, h = tf.while_loop(lambda t, *_: t < num_steps, step, start, **bound)
    return sizes.stacked(h, num_steps, sizes.shape_of(state))


def known(shape):
    """Return a shape with -1 for a size that is unknown."""
    return [-1 if size is None else size for size in shape]


OPERATIONS = scan.Operations(
    backend="tensorflow",
    loop=loop,
    concat=lambda tensors: tf.concat(tensors, axis=0),
    broadcast_to=tf.broadcast_to,
    size=sizes.size,
    reshape=lambda tensor, shape: tf.reshape(tensor, known(shape)),
    swapped=lambda tensor: tf.transpose(tensor, [1, 0, *range(2, len(tensor.shape))]),
    flipped=lambda tensor: tf.reverse(tensor, axis=[0]),
    total=lambda tensor, axes: tf.reduce_sum(tensor, axes, keepdims=True),
    zeros_like=tf.zeros_like,
    ones_like=tf.ones_like,
    is_narrow=lambda b: None not in b.shape and math.prod(b.shape[1:]) <= scan.WIDE,
)


@tf.custom_gradient
def differentiable(a, b, state):
    """Return h for all time steps; the backward pass is a scan, which can be differentiated."""
    h = scan.in_blocks(OPERATIONS, a, b, state)
    return h, lambda g: reverse(a, h, state, g)


def reverse(a, h, state, g):
    """Return the gradients of a, b and the state."""
    return scan.gradient(OPERATIONS, a, h, state, g)


def sequential_scan(a, b, state=None):
    """Return h for all time steps, one after the other."""
    a, b, state = scan.arguments(OPERATIONS, a, b, state)
    return loop(a, b, state) if b.shape[0] != 0 else b


def associative_scan(a, b, state=None):
    """Return h for all time steps, computed in blocks."""
    a, b, state = scan.arguments(OPERATIONS, a, b, state)
    return differentiable(a, b, state) if b.shape[0] != 0 else b
