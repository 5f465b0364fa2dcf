"""The book's names for what JAX does to arrays, devices and random keys included (its appendix)."""

import random
import sys

import jax
import numpy as np
from flax import linen as nn
from jax import numpy as jnp

d2l = sys.modules[__package__]
nn_Module = nn.Module
to = jax.device_put
numpy = np.asarray
sigmoid = jax.nn.sigmoid

ones_like = jnp.ones_like
ones = jnp.ones
zeros_like = jnp.zeros_like
zeros = jnp.zeros
arange = jnp.arange
meshgrid = jnp.meshgrid
sin = jnp.sin
sinh = jnp.sinh
cos = jnp.cos
cosh = jnp.cosh
tanh = jnp.tanh
linspace = jnp.linspace
exp = jnp.exp
log = jnp.log
tensor = jnp.array
expand_dims = jnp.expand_dims
matmul = jnp.matmul
int32 = jnp.int32
int64 = jnp.int64
float32 = jnp.float32
concat = jnp.concatenate
stack = jnp.stack
abs = jnp.abs
eye = jnp.eye


def get_seed():
    """Return a seed that Python's ``random`` draws, from 0 to 1,000,000."""
    return random.randint(0, 10**6)


def get_key():
    """Return a new random key; after ``random.seed`` the keys repeat."""
    return jax.random.PRNGKey(d2l.get_seed())


def transpose(a):
    """Return an array with its axes in reverse."""
    return a.T


class One(np.ndarray):
    """A NumPy array of one axis and one element, which int and float take as they take a number.

    JAX's own arrays of one axis are no longer taken; the book's cells rely on it.
    """

    def __int__(self):
        """Return the element as an int."""
        return int(self.item())

    def __float__(self):
        """Return the element as a float."""
        return float(self.item())


def reshape(x, *args, **kwargs):
    """Return x in another shape; in the shape 1, outside of compiled code, as One."""
    if args == (1,) and not kwargs and not isinstance(x, jax.core.Tracer):
        return np.asarray(x).reshape(1).view(One)
    return x.reshape(*args, **kwargs)


def reduce_sum(x, *args, **kwargs):
    """Return the sum, of all elements or along an axis."""
    return x.sum(*args, **kwargs)


def argmax(x, *args, **kwargs):
    """Return where the largest element is, of all or along an axis."""
    return x.argmax(*args, **kwargs)


def astype(x, *args, **kwargs):
    """Return x as another type of numbers."""
    return x.astype(*args, **kwargs)


def reduce_mean(x, *args, **kwargs):
    """Return the mean, of all elements or along an axis."""
    return x.mean(*args, **kwargs)


def swapaxes(x, *args, **kwargs):
    """Return x with two axes in each other's place."""
    return x.swapaxes(*args, **kwargs)


def repeat(x, *args, **kwargs):
    """Return x with its elements repeated."""
    return x.repeat(*args, **kwargs)


def cpu():
    """Return the CPU."""
    return jax.devices("cpu")[0]


def gpu(i=0):
    """Return the i-th GPU; RuntimeError where there is none."""
    return jax.devices("gpu")[i]


def num_gpus():
    """Return the number of GPUs."""
    try:
        return jax.device_count("gpu")
    except RuntimeError:  # JAX was installed without a GPU's code
        return 0


def try_gpu(i=0):
    """Return the i-th GPU if there is one, otherwise the CPU."""
    return d2l.gpu(i) if d2l.num_gpus() > i else d2l.cpu()


def try_all_gpus():
    """Return all GPUs."""
    return [d2l.gpu(i) for i in range(d2l.num_gpus())]
