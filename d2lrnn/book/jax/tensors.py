"""The book's names for what JAX does to arrays, devices and random keys included (its appendix)."""

import functools
import random
import sys

import jax
import numpy as np
from flax import linen as nn
from jax import numpy as jnp
from jax._src.array import ArrayImpl as _ArrayImpl  # no public name, unless an array is made

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


def reshape(x, *args, **kwargs):
    """Return x in another shape."""
    return x.reshape(*args, **kwargs)


def _take_one_element():
    """Let int and float take every array of one element, whatever its number of axes.

    JAX did so when the book's cells were written; its newer versions take an array without axes
    only. This holds for the whole process: arrays that a cell makes have JAX's own type.
    """
    for convert in (int, float):
        name = f"__{convert.__name__}__"
        setattr(_ArrayImpl, name, _of_one_element(getattr(_ArrayImpl, name)))


def _of_one_element(convert):
    @functools.wraps(convert)
    def converted(x):
        return convert(x.reshape(()) if x.size == 1 else x)

    return converted


_take_one_element()


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
