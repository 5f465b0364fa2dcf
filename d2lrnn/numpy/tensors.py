"""Conversion between NumPy arrays and this backend's tensors, which are NumPy arrays too."""

import numpy as np

from d2lrnn import checks
from d2lrnn.data import padding
from d2lrnn.nets import kinds
from d2lrnn.numpy import tape


def try_gpu(i=0):
    """Return the CPU: NumPy does not support GPUs."""
    checks.count(i=i)
    return "cpu"


def is_gpu(device):
    """Return whether a device, as try_gpu returns it, is a GPU."""
    return False


def device_of(device):
    """Check a device name; return "cpu", or None for None. NumPy does not support GPUs."""
    return checks.device(device, {"cpu": "cpu", "cpu:0": "cpu"}.__getitem__)


def from_numpy(array, *, dtype=None, device=None):
    """Return a copy of a NumPy array as this backend's tensor."""
    device_of(device)
    return converted(array, dtype) if is_tensor(array) else checks.numbers(array, dtype)


def is_tensor(value):
    """Return whether a value is a Traced array, which custom forward functions are called with."""
    return tape.is_traced(value)


def converted(tensor, dtype):
    """Return a Traced array converted to a dtype, or unchanged if the dtype is None."""
    return tensor if dtype is None else tensor.astype(dtype)


def has_values(tensor):
    """Return whether a tensor holds numbers: always true in NumPy."""
    return True


def to_numpy(tensor):
    """Return a copy of a tensor as a NumPy array."""
    return np.array(tensor)


def trainable(arrays, *, dtype="float32", device=None):
    """Convert NumPy arrays to trainable parameters."""
    checks.several(arrays=arrays)
    dtype = checks.floating(dtype)
    return [from_numpy(array, dtype=dtype, device=device) for array in arrays]


def is_trainable(param):
    """Return whether a parameter can be trained without conversion."""
    return True


def one_hot(tokens, vocab_size, *, dtype="float32", device=None):
    """Return token ids of any shape S as one-hot rows of shape S + (vocab_size,)."""
    ids = to_numpy(tokens)
    checks.tokens(ids, vocab_size)
    device_of(device)
    return padding.one_hot(ids, vocab_size, checks.floating(dtype))


def embedding(tokens, table):
    """Return the row of table (V, d) for each token id of any shape S, as S + (d,)."""
    kinds.check_backend("numpy", table=[table])
    ids = to_numpy(tokens)
    checks.axes("table", table.shape, "(vocab_size, num_features)")
    checks.tokens(ids, table.shape[0])
    return table[ids]


def concat(tensors, axis=-1):
    """Return tensors joined along an axis, by default the last, the features."""
    return np.concatenate(tensors, axis=axis)


def time_major(X):
    """Return a tensor X (n, T, ...) as (T, n, ...)."""
    return np.swapaxes(X, 0, 1)


def masked(rows, mask):
    """Return rows (T, n, d) with 0 where a NumPy mask (T, n, 1) of booleans is False."""
    return np.where(mask, rows, 0.0)


def flip(tensor):
    """Return a tensor (T, n, d) with its time steps in reverse."""
    return tensor[::-1]


def merge_time(A):
    """Return A (T, n, q) as (T * n, q)."""
    return A.reshape(-1, A.shape[2])


def tanh(A):
    """Return the hyperbolic tangent of each element."""
    return np.tanh(A)


def sigmoid(A):
    """Return 1 / (1 + exp(-A)), in a form that cannot overflow."""
    return 0.5 * (np.tanh(0.5 * A) + 1)
