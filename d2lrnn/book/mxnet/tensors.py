"""The book's names for what MXNet does to arrays, devices included (its appendix)."""

import math
import sys

from d2lrnn.book import objects
from d2lrnn.mxnet.framework import mxnet, np, npx

d2l = sys.modules[__package__]
autograd, context, gluon = mxnet.autograd, mxnet.context, mxnet.gluon
init, image = mxnet.init, mxnet.image
nn, rnn = gluon.nn, gluon.rnn

USE_MXNET, USE_PYTORCH, USE_TENSORFLOW = True, False, False
nn_Module = nn.Block
sigmoid = npx.sigmoid
batch_matmul = npx.batch_dot

ones_like = np.ones_like
ones = np.ones
zeros_like = np.zeros_like
zeros = np.zeros
arange = np.arange
meshgrid = np.meshgrid
sin = np.sin
sinh = np.sinh
cos = np.cos
cosh = np.cosh
tanh = np.tanh
linspace = np.linspace
exp = np.exp
log = np.log
tensor = np.array
normal = np.random.normal
randn = np.random.randn
expand_dims = np.expand_dims
rand = np.random.rand
matmul = np.dot
int32 = np.int32
int64 = np.int64
float32 = np.float32
concat = np.concatenate
stack = np.stack
abs = np.abs
eye = np.eye


def numpy(x, *args, **kwargs):
    """Return an array of MXNet's as one of NumPy's."""
    return x.asnumpy(*args, **kwargs)


def size(a):
    """Return the number of elements."""
    return a.size


def transpose(a):
    """Return an array with its axes in reverse."""
    return a.T


def reshape(x, *args, **kwargs):
    """Return x in another shape."""
    return x.reshape(*args, **kwargs)


def to(x, *args, **kwargs):
    """Return x on another device."""
    return x.as_in_context(*args, **kwargs)


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
    return npx.cpu()


def gpu(i=0):
    """Return the i-th GPU, whether there is one or not."""
    return npx.gpu(i)


def num_gpus():
    """Return the number of GPUs."""
    return npx.num_gpus()


def try_gpu(i=0):
    """Return the i-th GPU if there is one, otherwise the CPU."""
    return d2l.gpu(i) if d2l.num_gpus() > i else d2l.cpu()


def try_all_gpus():
    """Return all GPUs."""
    return [d2l.gpu(i) for i in range(d2l.num_gpus())]


def sgd(params, lr, batch_size):
    """Update arrays in place by the gradients of a minibatch's summed loss."""
    for param in params:
        param[:] = param - lr * param.grad / batch_size


def accuracy(y_hat, y):
    """Return how many rows of outputs have their largest at the target, or equal it."""
    if len(y_hat.shape) > 1 and y_hat.shape[1] > 1:
        y_hat = d2l.argmax(y_hat, axis=1)
    is_right = d2l.astype(y_hat, y.dtype) == y
    return float(d2l.reduce_sum(d2l.astype(is_right, y.dtype)))


def clip(params, theta):
    """Scale the gradients of arrays, in place, to a joint norm of theta at most."""
    grads = objects.gradients_of(params)
    norm = math.sqrt(sum(float((grad**2).sum()) for grad in grads))
    if norm > theta:
        for grad in grads:
            grad[:] *= theta / norm


def grad_clipping(net, theta):
    """Scale the gradients of a network, in place, to a joint norm of theta at most."""
    block = isinstance(net, gluon.Block)
    clip([p.data() for p in net.collect_params().values()] if block else net.params, theta)
