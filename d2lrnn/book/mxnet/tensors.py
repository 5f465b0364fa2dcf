"""MXNet's functions and devices under the names that edition 1.0 adds (its appendix)."""

import math
import sys

from d2lrnn.book import objects
from d2lrnn.mxnet.framework import mxnet, np, npx

d2l = sys.modules[__package__]
autograd, context, gluon = mxnet.autograd, mxnet.context, mxnet.gluon
init, image = mxnet.init, mxnet.image
nn, rnn = gluon.nn, gluon.rnn

ones_like, zeros_like, randn = np.ones_like, np.zeros_like, np.random.randn
sigmoid, batch_matmul, int64 = npx.sigmoid, npx.batch_dot, np.int64
expand_dims = np.expand_dims


def cpu():
    """Return the CPU."""
    return npx.cpu()


def gpu(i=0):
    """Return the i-th GPU, whether or not it exists."""
    return npx.gpu(i)


def num_gpus():
    """Return the number of GPUs."""
    return npx.num_gpus()


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
