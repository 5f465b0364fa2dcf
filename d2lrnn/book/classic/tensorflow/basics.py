"""Devices, minibatches and the update in TensorFlow."""

import sys

from d2lrnn.book import objects

from .aliases import num_gpus
from .framework import tf
from .measures import *  # noqa: F403 - the names that need nothing from TensorFlow

d2l = sys.modules[__package__]


def try_gpu(i=0):
    """Return the i-th GPU if there is one, otherwise the CPU, for use in ``with``."""
    return tf.device(f"/GPU:{i}" if i < num_gpus() else "/CPU:0")


def try_all_gpus():
    """Return a list of all GPUs, or of the CPU if there are none."""
    return [try_gpu(i) for i in range(max(num_gpus(), 1))]


def load_array(data_arrays, batch_size, is_train=True):
    """Return a Dataset of minibatches of tensors of the same length, shuffled for training."""
    dataset = tf.data.Dataset.from_tensor_slices(data_arrays)
    if is_train:
        dataset = dataset.shuffle(buffer_size=1000)
    return dataset.batch(batch_size)


def synthetic_data(w, b, num_examples):
    """Return X (num_examples, len(w)) from N(0, 1), and y = X w + b + noise of 0.01 (n, 1)."""
    X = tf.random.normal((num_examples, w.shape[0]))
    y = tf.matmul(X, tf.reshape(w, (-1, 1))) + b
    return X, y + tf.random.normal(y.shape, stddev=0.01)


def sgd(params, grads, lr, batch_size):
    """Update variables by gradient descent."""
    for param, grad in zip(params, grads):
        param.assign_sub(lr * grad / batch_size)


class Updater:
    """Gradient descent as a function: updater(batch_size, grads) updates the parameters."""

    def __init__(self, params, lr):
        """Store the parameters and the learning rate."""
        self.params, self.lr = params, lr

    def __call__(self, batch_size, grads):
        """Update the parameters by their gradients."""
        d2l.sgd(self.params, grads, self.lr, batch_size)


def grad_clipping(grads, theta):
    """Return gradients scaled to a joint norm of at most theta."""
    objects.check_gradients(grads)
    dense = [tf.convert_to_tensor(grad) for grad in grads]
    norm = tf.linalg.global_norm(dense)
    scale = theta / tf.maximum(norm, theta)
    return [grad * scale for grad in dense]
