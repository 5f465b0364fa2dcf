"""Conversion between NumPy arrays and TensorFlow tensors, and the choice of a GPU."""

import functools

import numpy as np
import tensorflow as tf

from d2lrnn import checks
from d2lrnn.nets import kinds
from d2lrnn.tensorflow import contexts


def try_gpu(i=0):
    """Return the name of the i-th GPU if there is one, otherwise that of the CPU."""
    checks.count(i=i)
    return f"/GPU:{i}" if i < len(tf.config.list_physical_devices("GPU")) else "/CPU:0"


def is_gpu(device):
    """Return whether a device, as try_gpu returns it, is a GPU."""
    return tf.DeviceSpec.from_string(device).device_type == "GPU"


def device_of(device):
    """Check the name of a device, such as "cpu" or "/GPU:1", and return it; None for None."""
    return checks.device(device, working)


@functools.cache
def working(device):
    """Check that a device exists, and return its name; TensorFlow itself would use the CPU."""
    spec = tf.DeviceSpec.from_string(device)
    devices = tf.config.list_logical_devices(spec.device_type) if spec.device_type else []
    return devices[spec.device_index or 0] and device


def is_tensor(value):
    """Return whether a value is a TensorFlow tensor or variable."""
    return isinstance(value, (tf.Tensor, tf.Variable))


def from_numpy(array, *, dtype=None, device=None):
    """Return a copy of a NumPy array as a TensorFlow tensor."""
    if is_tensor(array) and checks.stays_floating(array, dtype):
        with tf.device(device_of(device)):  # gradients flow through it
            return tf.identity(tf.cast(array, array.dtype if dtype is None else dtype))
    checks.values(has_values(array))
    array = checks.numbers(array, dtype)
    with tf.device(device_of(device)):
        return tf.constant(array)


def state_tensors(state):
    """Return a state as tensors, with NumPy arrays converted."""
    return tuple(map(tf.convert_to_tensor, state))


def has_values(tensor):
    """Return whether a tensor holds numbers, unlike symbolic tensors within tf.function."""
    if isinstance(tensor, tf.Variable):
        return tf.executing_eagerly()
    return not tf.is_symbolic_tensor(tensor)


def to_numpy(tensor):
    """Return a copy of a tensor as a NumPy array."""
    checks.values(has_values(tensor))
    return np.array(tensor)


def trainable(arrays, *, dtype="float32", device=None):
    """Convert NumPy arrays to trainable parameters."""
    checks.several(arrays=arrays)
    dtype = checks.floating(dtype)
    contexts.check_alone()
    with tf.device(device_of(device)):
        return [tf.Variable(checks.numbers(array, dtype)) for array in arrays]


def is_trainable(param):
    """Return whether a parameter can be trained without conversion."""
    return isinstance(param, tf.Variable) and param.trainable


def one_hot(tokens, vocab_size, *, dtype="float32", device=None):
    """Return token ids of any shape S as one-hot rows of shape S + (vocab_size,).

    Inside tf.function the ids are checked when the function runs. With jit_compile=True an id
    outside the vocabulary makes all rows NaN.
    """
    dtype = checks.floating(dtype)
    if not has_values(tokens):
        checks.token_dtype(tokens, vocab_size)
        tokens, zero = contexts.traced_ids(tokens, vocab_size, dtype)
        return tf.one_hot(tokens, vocab_size, dtype=dtype) + zero
    ids = to_numpy(tokens)
    checks.tokens(ids, vocab_size)
    tokens = from_numpy(ids, dtype="int64", device=device)
    return tf.one_hot(tokens, vocab_size, dtype=dtype)


def embedding(tokens, table):
    """Return the row of table (V, d) for each token id of any shape S, as S + (d,)."""
    kinds.check_backend("tensorflow", table=[table])
    checks.axes("table", table.shape, "(vocab_size, num_features)")
    if not has_values(tokens):
        checks.token_dtype(tokens, table.shape[0])
        tokens, zero = contexts.traced_ids(tokens, table.shape[0], table.dtype)
        return tf.gather(table, tokens) + zero
    ids = to_numpy(tokens)
    checks.tokens(ids, table.shape[0])
    return tf.gather(table, from_numpy(ids, dtype="int64"))


def concat(tensors, axis=-1):
    """Return tensors joined along an axis, by default the last, the features."""
    return tf.concat(tensors, axis=axis)


def time_major(X):
    """Return a tensor X (n, T, ...) as (T, n, ...)."""
    return tf.transpose(X, [1, 0, *range(2, len(X.shape))])


def masked(rows, mask):
    """Return rows (T, n, d) with 0 where a NumPy mask (T, n, 1) of booleans is False."""
    return tf.where(mask, rows, tf.zeros_like(rows))


def flip(tensor):
    """Return a tensor (T, n, d) with its time steps in reverse."""
    return tf.reverse(tensor, axis=[0])


def merge_time(A):
    """Return A (T, n, q) as (T * n, q)."""
    return tf.reshape(A, (-1, A.shape[2]))


def tanh(A):
    """Return the hyperbolic tangent of each element."""
    return tf.tanh(A)


def sigmoid(A):
    """Return 1 / (1 + exp(-a)) of each element a."""
    return tf.sigmoid(A)
