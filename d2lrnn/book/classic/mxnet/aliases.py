"""MXNet's functions under the names that the book uses in every framework."""

from d2lrnn.mxnet.framework import follow_numpy, np

from .framework import Layer
from .methods import *  # noqa: F403

nn_Module = Layer
USE_MXNET, USE_PYTORCH, USE_TENSORFLOW = True, False, False
ones, zeros, eye, rand, normal = np.ones, np.zeros, np.eye, np.random.rand, np.random.normal
arange, linspace, meshgrid = np.arange, np.linspace, np.meshgrid
sin, sinh, cos, cosh, tanh = np.sin, np.sinh, np.cos, np.cosh, np.tanh
exp, log, abs, matmul = np.exp, np.log, np.abs, np.dot
concat, stack, int32, float32 = np.concatenate, np.stack, np.int32, np.float32


def tensor(*args, **kwargs):
    """Return numbers as an array, float32 by default, in any thread."""
    follow_numpy()
    return np.array(*args, **kwargs)


def numpy(x, *args, **kwargs):
    """Return an array as a NumPy array."""
    return x.asnumpy(*args, **kwargs)


def size(a):
    """Return the number of elements."""
    return a.size


def transpose(a):
    """Return an array with its axes in reverse."""
    return a.T


def to(x, *args, **kwargs):
    """Return an array on another device."""
    return x.as_in_context(*args, **kwargs)


def astype(x, *args, **kwargs):
    """Return an array of another dtype."""
    return x.astype(*args, **kwargs)
