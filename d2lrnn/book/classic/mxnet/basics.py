"""Devices, minibatches and the update in MXNet."""

import math

from d2lrnn.book import objects
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
    """Update arrays in place by the gradients of the summed loss of a minibatch."""
    for param in params:
        param[:] = param - lr * param.grad / batch_size


def clip(params, theta):
    """Scale the gradients of arrays, in place, to a joint norm of at most theta."""
    grads = objects.gradients_of(params)
    norm = math.sqrt(sum(float((grad**2).sum()) for grad in grads))
    if norm > theta:
        for grad in grads:
            grad[:] *= theta / norm


def grad_clipping(net, theta):
    """Scale the gradients of a network, in place, to a joint norm of at most theta."""
    block = isinstance(net, gluon.Block)
    clip([p.data() for p in net.collect_params().values()] if block else net.params, theta)
