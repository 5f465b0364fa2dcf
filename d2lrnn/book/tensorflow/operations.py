"""What the shared code of edition 1.0 needs from TensorFlow."""

import sys

from d2lrnn.book.tensorflow.framework import tf

d2l = sys.modules[__package__]
CALLED = "call"  # the method that an encoder or a decoder defines
TRAINING, EVALUATION = {"training": True}, {"training": False}  # arguments of their calls


def load_array(data_arrays, batch_size, is_train=True):
    """Return a Dataset of minibatches of the rows of the tensors; shuffled for training."""
    tensors = tuple(tf.convert_to_tensor(array) for array in data_arrays)
    rows = tf.data.Dataset.range(int(tensors[0].shape[0]))
    rows = rows.shuffle(len(rows)) if is_train else rows
    # The rows of a minibatch are taken at once, which is much faster than one by one.
    return rows.batch(batch_size).map(lambda ids: tuple(tf.gather(t, ids) for t in tensors))


def weight(rows, columns, sigma):
    """Return a variable matrix from N(0, sigma²)."""
    return tf.Variable(d2l.normal((rows, columns)) * sigma)


def bias(size):
    """Return a variable vector of zeros."""
    return tf.Variable(d2l.zeros(size))


def normals(n, size):
    """Return numbers from N(0, 1) in the shapes (n, size) and (n, 1)."""
    return tf.random.normal((n, size)), tf.random.normal((n, 1))


def random_input(shape):
    """Return numbers from N(0, 1)."""
    return d2l.normal(shape)


def cross_entropy(rows, labels, averaged):
    """Return the mean cross-entropy of scores (n, q) for labels (n,), or each row's."""
    labels = tf.cast(labels, tf.int64)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, rows)
    return tf.reduce_mean(losses) if averaged else losses


def exchange_axes(x):
    """Return a tensor of three axes with its first two exchanged."""
    return tf.transpose(x, (1, 0, 2))


def id_tensor(index, device):
    """Return a token id as a tensor (1, 1); its device is that of a ``with`` block."""
    return d2l.tensor([[index]])


def to_device(x, device):
    """Return the tensor itself; its device is that of a ``with`` block."""
    return x
