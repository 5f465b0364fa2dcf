"""Devices, minibatches and the update in MXNet."""

from d2lrnn.mxnet.framework import mxnet, npx
from d2lrnn.mxnet.tensors import try_gpu as try_gpu

from .measures import *  # noqa: F403 - the names that need nothing from MXNet

gluon = mxnet.gluon


def try_all_gpus():
    """Return a list of all GPUs, or of the CPU if there are none."""
    return [npx.gpu(i) for i in range(npx.num_gpus())] or [npx.cpu()]


def load_array(data_arrays, batch_size, is_train=True):
    """Return a DataLoader of minibatches of arrays of the same length, shuffled for training."""
    dataset = gluon.data.ArrayDataset(*data_arrays)
    return gluon.data.DataLoader(dataset, batch_size, shuffle=is_train)


def sgd(params, lr, batch_size):
    """Update parameters by gradient descent."""
    for param in params:
        param[:] = param - (lr / batch_size) * param.grad
