"""Conversion between NumPy arrays and JAX arrays, and the choice of a GPU."""

import copyreg

import jax
import jax.numpy as jnp
import numpy as np

from d2lrnn import checks
from d2lrnn.nets import kinds

# Pickle a device by its name, so that a net on a device can be pickled.
copyreg.pickle(jax.Device, lambda device: (device_of, (f"{device.platform}:{device.id}",)))


def try_gpu(i=0):
    """Return the i-th GPU if there is one, otherwise the CPU."""
    checks.count(i=i)
    gpus = [device for device in jax.local_devices() if device.platform != "cpu"]
    return gpus[i] if i < len(gpus) else jax.local_devices(backend="cpu")[0]


def is_gpu(device):
    """Return whether a device, as try_gpu returns it, is a GPU."""
    return device.platform != "cpu"


def device_of(device):
    """Return the device with a name such as "cpu" or "gpu:1"; None for None."""
    return checks.device(device, working)


def working(device):
    """Return a device, or a Sharding, which distributes an array over several devices."""
    if isinstance(device, (jax.Device, jax.sharding.Sharding)):
        return device
    platform, _, number = device.partition(":")
    if not platform:
        raise ValueError(device)
    return jax.local_devices(backend=platform)[int(number or 0)]


def from_numpy(array, *, dtype=None, device=None):
    """Return a copy of a NumPy array as a JAX array.

    Without its 64-bit mode, JAX has neither int64 nor float64. Integers then become int32 if they
    fit; float64 raises a ValueError.
    """
    if is_tensor(array) and checks.stays_floating(array, dtype):
        array = array.astype(dtype or array.dtype)  # gradients flow through it
        return array if device is None else jax.device_put(array, device_of(device))
    checks.values(has_values(array))
    array = checks.numbers(array, dtype)
    if not jax.config.jax_enable_x64 and array.dtype.kind in "iuf" and array.dtype.itemsize == 8:
        array = _narrowed(array)
    return jax.device_put(array, device_of(device))


def is_tensor(value):
    """Return whether a value is a JAX array, or a tracer of one."""
    return isinstance(value, jax.Array)


def has_values(tensor):
    """Return whether a tensor holds numbers, unlike tracers within jit, grad and vmap."""
    return not isinstance(tensor, jax.core.Tracer)


def to_numpy(tensor):
    """Return a copy of a tensor as a NumPy array."""
    checks.values(has_values(tensor))
    return np.array(tensor)


def trainable(arrays, *, dtype="float32", device=None):
    """Convert NumPy arrays to trainable parameters."""
    checks.several(arrays=arrays)
    dtype = checks.floating(dtype)
    return [from_numpy(array, dtype=dtype, device=device) for array in arrays]


def is_trainable(param):
    """Return whether a parameter can be trained without conversion."""
    return is_tensor(param)


def one_hot(tokens, vocab_size, *, dtype="float32", device=None):
    """Return token ids of any shape S as one-hot rows of shape S + (vocab_size,).

    Within jit, the values of the ids cannot be checked; check them before, as RNNModelScratch does.
    """
    checks.floating(dtype)
    if not has_values(tokens):
        checks.token_dtype(tokens, vocab_size)
    else:
        ids = to_numpy(tokens)
        checks.tokens(ids, vocab_size)
        tokens = from_numpy(ids.astype("int32"), device=device)
        from_numpy(np.zeros(0, checks.floating(dtype)))  # float64 needs JAX's 64-bit mode
    return jax.nn.one_hot(tokens, vocab_size, dtype=checks.floating(dtype))


def _narrowed(array):
    if array.dtype.kind == "f":
        raise ValueError(
            "JAX does not have float64 by default; before anything else run "
            'jax.config.update("jax_enable_x64", True), or use dtype="float32"'
        )
    if array.size and (array.min() < -(2**31) or array.max() >= 2**31):
        raise ValueError(
            f"{array.dtype} values reach from {array.min()} to {array.max()}, beyond int32; "
            'for more run jax.config.update("jax_enable_x64", True) before anything else'
        )
    return array.astype("int32")


def embedding(tokens, table):
    """Return the row of table (V, d) for each token id of any shape S, as S + (d,)."""
    kinds.check_backend("jax", table=[table])
    checks.axes("table", table.shape, "(vocab_size, num_features)")
    if not has_values(tokens):
        checks.token_dtype(tokens, table.shape[0])
        return jnp.take(table, tokens, axis=0)
    ids = to_numpy(tokens)
    checks.tokens(ids, table.shape[0])
    return jnp.take(table, from_numpy(ids, dtype="int32"), axis=0)


def concat(tensors, axis=-1):
    """Return tensors joined along an axis, by default the last, the features."""
    return jnp.concatenate(tensors, axis=axis)


def time_major(X):
    """Return a tensor X (n, T, ...) as (T, n, ...)."""
    return jnp.swapaxes(X, 0, 1)


def masked(rows, mask):
    """Return rows (T, n, d) with 0 where a NumPy mask (T, n, 1) of booleans is False."""
    return jnp.where(mask, rows, 0)


def flip(tensor):
    """Return a tensor (T, n, d) with its time steps in reverse."""
    return jnp.flip(tensor, axis=0)


def merge_time(A):
    """Return A (T, n, q) as (T * n, q)."""
    return A.reshape(-1, A.shape[2])


def tanh(A):
    """Return the hyperbolic tangent of each element."""
    return jnp.tanh(A)


def sigmoid(A):
    """Return 1 / (1 + exp(-a)) of each element a."""
    return jax.nn.sigmoid(A)
