"""Shapes that are unknown while tf.function traces a function: numbers of steps and of rows."""

import tensorflow as tf

MISMATCH = (
    "state is for another batch_size than the minibatch has; "
    "call net.begin_state(batch_size) for the same batch_size"
)


def size(tensor, axis):
    """Return the size of an axis: an integer, or a tensor if it is unknown."""
    static = tensor.shape[axis]
    return tf.shape(tensor)[axis] if static is None else static


def shape_of(tensor):
    """Return the sizes of all axes of a tensor, each an integer, or a tensor if it is unknown."""
    return [size(tensor, axis) for axis in range(len(tensor.shape))]


def aligned(inputs, state):
    """Return a state (n, ...) with a static n, if it is known; check an unknown n at run time.

    inputs are rows (T, n, d) or ids (T, n).
    """
    sizes = [inputs.shape[1], *(part.shape[0] for part in state)]
    if None not in sizes:
        return state
    rows = tf.shape(inputs)[1]
    checks = [tf.debugging.assert_equal(tf.shape(part)[0], rows, MISMATCH) for part in state]
    with tf.control_dependencies([check for check in checks if check is not None]):
        state = tuple(map(tf.identity, state))
    n = next((number for number in sizes if number is not None), None)
    return tuple(tf.ensure_shape(part, (n, *part.shape[1:])) for part in state)


def like(new, old):
    """Return new with the static shape of old, which must not change in a tf.while_loop."""
    return new if new.shape.is_fully_defined() else tf.ensure_shape(new, old.shape)


def stacked(array, num_steps, shape):
    """Return the content of a TensorArray as a tensor (T, ...); T may be 0.

    shape is the shape of one step: integers, or tensors for unknown sizes.
    """
    zeros = tf.zeros((0, *shape), array.dtype)
    if isinstance(num_steps, int):
        return array.stack() if num_steps else zeros
    return tf.cond(num_steps > 0, array.stack, lambda: zeros)
