"""MXNet's functions and devices under the names that the book uses in every framework."""

from d2lrnn.mxnet.framework import follow_numpy, np, npx

from .framework import Layer
from .methods import *  # noqa: F403
from .methods import method

nn_Module = Layer
USE_MXNET, USE_PYTORCH, USE_TENSORFLOW = True, False, False
ones, zeros, eye, rand, normal = np.ones, np.zeros, np.eye, np.random.rand, np.random.normal
arange, linspace, meshgrid = np.arange, np.linspace, np.meshgrid
sin, sinh, cos, cosh, tanh = np.sin, np.sinh, np.cos, np.cosh, np.tanh
exp, log, abs, matmul = np.exp, np.log, np.abs, np.dot
concat, stack, int32, float32 = np.concatenate, np.stack, np.int32, np.float32
numpy, to, astype = method("asnumpy"), method("as_in_context"), method("astype")
ones_like, zeros_like, randn = np.ones_like, np.zeros_like, np.random.randn
sigmoid, batch_matmul, int64 = npx.sigmoid, npx.batch_dot, np.int64
expand_dims = np.expand_dims


def tensor(*args, **kwargs):
    """Return numbers as an array, float32 by default, in any thread."""
    follow_numpy()
    return np.array(*args, **kwargs)


def size(a):
    """Return the number of elements."""
    return a.size


def transpose(a):
    """Return an array with its axes in reverse."""
    return a.T


def cpu():
    """Return the CPU."""
    return npx.cpu()


def gpu(i=0):
    """Return the i-th GPU, whether or not it exists."""
    return npx.gpu(i)


def num_gpus():
    """Return the number of GPUs."""
    return npx.num_gpus()
