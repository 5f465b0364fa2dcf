"""The bridge between NumPy arrays and JAX arrays, and the search for a GPU."""

import copyreg

import jax
import jax.numpy as jnp
import numpy as np

from d2lrnn import checks
from d2lrnn.nets import kinds

# A device pickles by its name, and so does a net that is on one.
copyreg.pickle(jax.Device, lambda device: (device_of, (f"{device.platform}:{device.id}",)))


def try_gpu(i=0):
    """Return the i-th GPU if there is one, else the CPU."""
    checks.count(i=i)
    gpus = [device for device in jax.local_devices() if device.platform != "cpu"]
    return gpus[i] if i < len(gpus) else jax.local_devices(backend="cpu")[0]


def is_gpu(device):
    """Return whether a device, as try_gpu returns it, is a GPU."""
    return device.platform != "cpu"


def device_of(device):
    """Return the device that is named, such as "cpu" or "gpu:1", None as it is."""
    return checks.device(device, working)


def working(device):
    """Return a device, or what says how an array is shared out over several."""
    if isinstance(device, (jax.Device, jax.sharding.Sharding)):
        return device
    platform, _, number = device.partition(":")
    if not platform:
        raise ValueError(device)
    return jax.local_devices(backend=platform)[int(number or 0)]


def from_numpy(array, *, dtype=None, device=None):
    """Return a copy of a NumPy array as a JAX array.

    Without its 64-bit mode JAX has neither int64 nor float64. Integers then become int32, if they
    fit; float64 is refused.
    """
    array = checks.numbers(array, dtype)
    if not jax.config.jax_enable_x64 and array.dtype.kind in "iuf" and array.dtype.itemsize == 8:
        array = _narrowed(array)
    return jax.device_put(array, device_of(device))


def to_numpy(tensor):
    """Return a copy of a tensor as a NumPy array."""
    return np.array(tensor)


def trainable(arrays, *, dtype="float32", device=None):
    """Return NumPy arrays as parameters to train."""
    dtype = checks.floating(dtype)
    return [from_numpy(array, dtype=dtype, device=device) for array in arrays]


def one_hot(tokens, vocab_size, *, dtype="float32", device=None):
    """Return token ids of any shape S as one-hot rows of shape S + (vocab_size,).

    Under jit there are no values to check; check the ids before, as RNNModelScratch does.
    """
    if not isinstance(tokens, jax.core.Tracer):
        ids = to_numpy(tokens)
        checks.tokens(ids, vocab_size)
        tokens = from_numpy(ids.astype("int32"), device=device)
        from_numpy(np.zeros(0, checks.floating(dtype)))  # refuses float64 where JAX has none
    return jax.nn.one_hot(tokens, vocab_size, dtype=checks.floating(dtype))


def _narrowed(array):
    if array.dtype.kind == "f":
        raise ValueError(
            "JAX has no float64 unless told so; before anything else run "
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
    kinds.own("jax", table=[table])
    ids = to_numpy(tokens)
    checks.axes("table", table.shape, "(vocab_size, num_features)")
    checks.tokens(ids, table.shape[0])
    return jnp.take(table, from_numpy(ids, dtype="int32"), axis=0)


def concat(tensors):
    """Return tensors joined along their last axis, the features."""
    return jnp.concatenate(tensors, axis=-1)


def flip(tensor):
    """Return a tensor (T, n, d) with its time steps in reverse."""
    return jnp.flip(tensor, axis=0)


def flat(A):
    """Return A (T, n, q) as (T * n, q)."""
    return A.reshape(-1, A.shape[2])


def tanh(A):
    """Return the hyperbolic tangent of each element."""
    return jnp.tanh(A)
