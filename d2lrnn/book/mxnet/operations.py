"""What the shared code of edition 1.0 needs from MXNet."""

import sys

import numpy as host

from d2lrnn.book.mxnet.tensors import gluon, np

d2l = sys.modules[__package__]
CALLED = "forward"  # the method that an encoder or a decoder defines
TRAINING: dict[str, bool] = {}  # arguments of their calls
EVALUATION: dict[str, bool] = {}


class Loader(gluon.data.DataLoader):
    """Gluon's loader of minibatches, which takes the rows of a minibatch at once."""

    def __iter__(self):
        """Yield the minibatches, as lists of arrays."""
        arrays = self._dataset._data
        for rows in self._batch_sampler:
            rows = host.asarray(rows)
            yield [np.array(array[rows], dtype=array.dtype) for array in arrays]


def load_array(data_arrays, batch_size, is_train=True):
    """Return a loader of minibatches of the rows of the arrays; shuffled for training."""
    arrays = [a.asnumpy() if isinstance(a, np.ndarray) else a for a in data_arrays]
    return Loader(gluon.data.ArrayDataset(*arrays), batch_size, shuffle=is_train)


def weight(rows, columns, sigma):
    """Return a matrix from N(0, sigma²)."""
    return d2l.randn(rows, columns) * sigma


def bias(size):
    """Return a vector of zeros."""
    return d2l.zeros(size)


def normals(n, size):
    """Return numbers from N(0, 1) in the shapes (n, size) and (n, 1)."""
    return d2l.randn(n, size), d2l.randn(n, 1)


def random_input(shape):
    """Return numbers from N(0, 1)."""
    return d2l.randn(*shape)


def cross_entropy(rows, labels, averaged):
    """Return the mean cross-entropy of scores (n, q) for labels (n,), or each row's."""
    losses = gluon.loss.SoftmaxCrossEntropyLoss()(rows, labels)
    return losses.mean() if averaged else losses


def exchange_axes(x):
    """Return an array with its first two axes exchanged."""
    return x.swapaxes(0, 1)


def id_tensor(index, device):
    """Return a token id as an array (1, 1)."""
    return d2l.tensor([[index]], ctx=device)


def to_device(x, device):
    """Return an array on a device."""
    return d2l.to(x, device)
