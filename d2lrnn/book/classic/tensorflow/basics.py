"""Devices, minibatches, the update and what a net is worth, in TensorFlow."""

import sys

from .framework import tf

d2l = sys.modules[__package__]


def try_gpu(i=0):
    """Return the i-th GPU if there is one, else the CPU; to be used in ``with``."""
    return tf.device(f"/GPU:{i}" if i < num_gpus() else "/CPU:0")


def try_all_gpus():
    """Return all GPUs, or the CPU in a list."""
    return [try_gpu(i) for i in range(max(num_gpus(), 1))]


def num_gpus():
    """Return how many GPUs there are."""
    return len(tf.config.list_physical_devices("GPU"))


def load_array(data_arrays, batch_size, is_train=True):
    """Return a Dataset of minibatches of tensors of the same length, shuffled to train."""
    dataset = tf.data.Dataset.from_tensor_slices(data_arrays)
    if is_train:
        dataset = dataset.shuffle(buffer_size=1000)
    return dataset.batch(batch_size)


def linreg(X, w, b):
    """Return X w + b."""
    return d2l.matmul(X, w) + b


def squared_loss(y_hat, y):
    """Return half the squared errors."""
    return (y_hat - d2l.reshape(y, y_hat.shape)) ** 2 / 2


def synthetic_data(w, b, num_examples):
    """Return X drawn from N(0, 1), and y = X w + b + noise of 0.01 (section 3.3)."""
    X = tf.random.normal((num_examples, w.shape[0]))
    y = tf.matmul(X, tf.reshape(w, (-1, 1))) + b
    return X, y + tf.random.normal(y.shape, stddev=0.01)


def sgd(params, grads, lr, batch_size):
    """Move parameters against their gradients."""
    for param, grad in zip(params, grads):
        param.assign_sub(lr * grad / batch_size)


class Updater:
    """What updates parameters by gradient descent: updater(batch_size, grads)."""

    def __init__(self, params, lr):
        """Keep the parameters and the learning rate."""
        self.params, self.lr = params, lr

    def __call__(self, batch_size, grads):
        """Move the parameters."""
        d2l.sgd(self.params, grads, self.lr, batch_size)


def accuracy(y_hat, y):
    """Return how many predictions are right: labels, or rows of scores."""
    if len(y_hat.shape) > 1 and y_hat.shape[1] > 1:
        y_hat = d2l.argmax(y_hat, axis=1)
    is_right = d2l.astype(y_hat, y.dtype) == y
    return float(d2l.reduce_sum(d2l.astype(is_right, y.dtype)))


def evaluate_accuracy(net, data_iter):
    """Return the share of right predictions over (X, y) in data_iter."""
    metric = d2l.Accumulator(2)
    for X, y in data_iter:
        metric.add(d2l.accuracy(net(X), y), d2l.size(y))
    return metric[0] / metric[1]


def evaluate_loss(net, data_iter, loss):
    """Return the mean of loss(net(X), y), in this order, over (X, y) in data_iter."""
    metric = d2l.Accumulator(2)
    for X, y in data_iter:
        losses = loss(net(X), y)
        metric.add(d2l.reduce_sum(losses), d2l.size(losses))
    return metric[0] / metric[1]
