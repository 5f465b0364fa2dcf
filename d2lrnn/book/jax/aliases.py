"""JAX's functions, devices and random keys under the book's names (its appendix)."""

import functools
import random
import sys

import jax
import numpy as np
from flax import linen as nn
from jax import numpy as jnp
from jax._src.array import ArrayImpl as _ArrayImpl  # it does not have a public name

from .methods import *  # noqa: F403
from .methods import method

d2l = sys.modules[__package__]
nn_Module = nn.Module
to = jax.device_put
numpy = np.asarray
sigmoid, astype = jax.nn.sigmoid, method("astype")

ones, zeros, eye = jnp.ones, jnp.zeros, jnp.eye
ones_like, zeros_like = jnp.ones_like, jnp.zeros_like
tensor, arange, linspace, meshgrid = jnp.array, jnp.arange, jnp.linspace, jnp.meshgrid
sin, sinh, cos, cosh, tanh = jnp.sin, jnp.sinh, jnp.cos, jnp.cosh, jnp.tanh
exp, log, abs, matmul, expand_dims = jnp.exp, jnp.log, jnp.abs, jnp.matmul, jnp.expand_dims
concat, stack = jnp.concatenate, jnp.stack
int32, int64, float32 = jnp.int32, jnp.int64, jnp.float32


def get_seed():
    """Return a random seed from 0 to 1,000,000, drawn with Python's ``random``."""
    return random.randint(0, 10**6)


def get_key():
    """Return a new random key; ``random.seed`` makes the keys repeat."""
    return jax.random.PRNGKey(d2l.get_seed())


def transpose(a):
    """Return an array with its axes in reverse."""
    return a.T


def _take_one_element():
    """Let int and float take every array of one element, with any number of axes.

    JAX did so when the book's cells were written; newer versions only take an array without axes.
    This changes the whole process, because the arrays of a cell have JAX's own type.
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


def cpu():
    """Return the CPU."""
    return jax.devices("cpu")[0]


def gpu(i=0):
    """Return the i-th GPU, or raise a RuntimeError if it does not exist."""
    return jax.devices("gpu")[i]


def num_gpus():
    """Return the number of GPUs."""
    try:
        return jax.device_count("gpu")
    except RuntimeError:  # JAX was installed without support for GPUs
        return 0
