"""The book's names for what PyTorch does to tensors, devices included (its appendix)."""

import sys

import torch
from torch import nn

from d2lrnn.book import objects

d2l = sys.modules[__package__]
nn_Module = nn.Module

ones_like = torch.ones_like
ones = torch.ones
zeros_like = torch.zeros_like
zeros = torch.zeros
tensor = torch.tensor
arange = torch.arange
meshgrid = torch.meshgrid
sin = torch.sin
sinh = torch.sinh
cos = torch.cos
cosh = torch.cosh
tanh = torch.tanh
linspace = torch.linspace
exp = torch.exp
log = torch.log
normal = torch.normal
rand = torch.rand
randn = torch.randn
matmul = torch.matmul
int32 = torch.int32
int64 = torch.int64
float32 = torch.float32
concat = torch.cat
stack = torch.stack
abs = torch.abs
eye = torch.eye
sigmoid = torch.sigmoid
batch_matmul = torch.bmm


def numpy(x, *args, **kwargs):
    """Return a tensor as a NumPy array."""
    return x.detach().numpy(*args, **kwargs)


def size(x, *args, **kwargs):
    """Return the number of elements."""
    return x.numel(*args, **kwargs)


def reshape(x, *args, **kwargs):
    """Return x in another shape."""
    return x.reshape(*args, **kwargs)


def to(x, *args, **kwargs):
    """Return x on another device, or of another type."""
    return x.to(*args, **kwargs)


def reduce_sum(x, *args, **kwargs):
    """Return the sum, of all elements or along an axis."""
    return x.sum(*args, **kwargs)


def argmax(x, *args, **kwargs):
    """Return where the largest element is, of all or along an axis."""
    return x.argmax(*args, **kwargs)


def astype(x, *args, **kwargs):
    """Return x as another type of numbers."""
    return x.type(*args, **kwargs)


def transpose(x, *args, **kwargs):
    """Return a matrix transposed."""
    return x.t(*args, **kwargs)


def reduce_mean(x, *args, **kwargs):
    """Return the mean, of all elements or along an axis."""
    return x.mean(*args, **kwargs)


def expand_dims(x, *args, **kwargs):
    """Return x with one more axis, of length 1."""
    return x.unsqueeze(*args, **kwargs)


def swapaxes(x, *args, **kwargs):
    """Return x with two axes in each other's place."""
    return x.swapaxes(*args, **kwargs)


def repeat(x, *args, **kwargs):
    """Return x several times along each axis."""
    return x.repeat(*args, **kwargs)


def cpu():
    """Return the CPU."""
    return torch.device("cpu")


def gpu(i=0):
    """Return the i-th CUDA device, whether there is one or not."""
    return torch.device(f"cuda:{i}")


def num_gpus():
    """Return the number of CUDA devices."""
    return torch.cuda.device_count()


def try_gpu(i=0):
    """Return the i-th CUDA device if there is one, otherwise the CPU."""
    return d2l.gpu(i) if d2l.num_gpus() > i else d2l.cpu()


def try_all_gpus():
    """Return all CUDA devices."""
    return [d2l.gpu(i) for i in range(d2l.num_gpus())]


def sgd(params, lr, batch_size):
    """Update tensors in place by the gradients of a minibatch's summed loss, and clear those."""
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()


def accuracy(y_hat, y):
    """Return how many rows of outputs have their largest at the target, or equal it."""
    if len(y_hat.shape) > 1 and y_hat.shape[1] > 1:
        y_hat = d2l.argmax(y_hat, axis=1)
    is_right = d2l.astype(y_hat, y.dtype) == y
    return float(d2l.reduce_sum(d2l.astype(is_right, y.dtype)))


def grad_clipping(net, theta):
    """Scale the gradients of a network, in place, to a joint norm of theta at most."""
    if isinstance(net, nn.Module):
        params = [p for p in net.parameters() if p.requires_grad]
    else:
        params = net.params
    grads = objects.gradients_of(params)
    norm = torch.sqrt(sum((grad**2).sum() for grad in grads))
    if norm > theta:
        for grad in grads:
            grad *= theta / norm
