"""What the shared code of edition 1.0 needs from TensorFlow."""

import sys

from d2lrnn.book.tensorflow.framework import keras, tf

from .defaults import *  # noqa: F403

d2l = sys.modules[__package__]
TRAINING, EVALUATION = {"training": True}, {"training": False}  # arguments of their calls


def load_array(data_arrays, batch_size, is_train=True):
    """Return a Dataset of minibatches of the rows of the tensors; shuffled for training."""
    tensors = tuple(tf.convert_to_tensor(array) for array in data_arrays)
    rows = tf.data.Dataset.range(int(tensors[0].shape[0]))
    rows = rows.shuffle(len(rows)) if is_train else rows
    # The rows of a minibatch are taken at once, which is much faster than one by one.
    return rows.batch(batch_size).map(lambda ids: tuple(tf.gather(t, ids) for t in tensors))


embedding = keras.layers.Embedding


def optimizer(name, model):
    """Return the optimizer of this name for a model."""
    return getattr(keras.optimizers, name)(model.lr)


def gradient_descent(params, lr):
    """Return our own optimizer, which gets the parameters with their gradients."""
    return d2l.SGD(lr)


def linear(num_outputs, sigma=None):
    """Return a linear layer, with weights from N(0, sigma²) if sigma is given."""
    normal = None if sigma is None else keras.initializers.RandomNormal(stddev=sigma)
    return keras.layers.Dense(num_outputs, kernel_initializer=normal or "glorot_uniform")


def classification_layers(num_outputs):
    """Return layers that flatten images and compute an output for each class."""
    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(num_outputs)])


def regression_parameters(num_inputs, sigma):
    """Return weights (num_inputs, 1) from N(0, sigma²) and a bias of zero, as variables."""
    return tf.Variable(tf.random.normal((num_inputs, 1), stddev=sigma)), tf.Variable(tf.zeros(1))


def regression_loss(y_hat, y):
    """Return the mean squared error."""
    return keras.losses.MeanSquaredError()(y, y_hat)


def weight_and_bias(layer):
    """Return the weights and the bias of a linear layer, as NumPy arrays."""
    return tuple(layer.get_weights())


def one_hot(X, size):
    """Return ids (n, num_steps) as one-hot rows (num_steps, n, size)."""
    return tf.one_hot(tf.transpose(X), size)


def time_steps(inputs):
    """Return inputs (num_steps, n, d)."""
    return inputs


def first_state(rnn, inputs, state):
    """Return the only state of a sequence, or zeros (n, num_hiddens) for None."""
    if state is None:
        return d2l.zeros((inputs.shape[1], rnn.num_hiddens))
    (H,) = state
    return d2l.reshape(H, (-1, rnn.num_hiddens))


def input_products(inputs, W, b):
    """Return the products of all steps, computed at once, as a list."""
    return tf.unstack(d2l.matmul(inputs, W) + b)


def weight(rows, columns, sigma):
    """Return a variable matrix from N(0, sigma²)."""
    return tf.Variable(d2l.normal((rows, columns)) * sigma)


def bias(size):
    """Return a variable vector of zeros."""
    return tf.Variable(d2l.zeros(size))


def random_inputs(*shapes):
    """Return numbers from N(0, 1) in each of the shapes."""
    return [d2l.normal(shape) for shape in shapes]


def cross_entropy(rows, labels, averaged):
    """Return the mean cross-entropy of scores (n, q) for labels (n,), or each row's."""
    labels = tf.cast(labels, tf.int64)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, rows)
    return tf.reduce_mean(losses) if averaged else losses


def exchange_axes(x):
    """Return a tensor of three axes with its first two exchanged."""
    return d2l.transpose(x, (1, 0, 2))


def id_tensor(index, device):
    """Return a token id as a tensor (1, 1); its device is that of a ``with`` block."""
    return d2l.tensor([[index]])


def to_device(x, device):
    """Return the tensor itself; its device is that of a ``with`` block."""
    return x
