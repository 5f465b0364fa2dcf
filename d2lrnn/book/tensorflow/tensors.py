"""TensorFlow's functions and devices under the names that edition 1.0 adds (its appendix)."""

import sys

from d2lrnn.book import objects
from d2lrnn.book.tensorflow.framework import tf

d2l = sys.modules[__package__]

ones_like, zeros_like, int64 = tf.ones_like, tf.zeros_like, tf.int64
log, sigmoid, batch_matmul = tf.math.log, tf.sigmoid, tf.matmul
reduce_mean, expand_dims, repeat = tf.reduce_mean, tf.expand_dims, tf.repeat


def cpu():
    """Return a context that places the tensors of a ``with`` block on the CPU."""
    return tf.device("/CPU:0")


def gpu(i=0):
    """Return a context that places the tensors of a ``with`` block on the i-th GPU."""
    return tf.device(f"/GPU:{i}")


def num_gpus():
    """Return the number of GPUs."""
    return len(tf.config.list_physical_devices("GPU"))


def grad_clipping(grads, theta):
    """Return gradients scaled to a joint norm of at most theta."""
    objects.check_gradients(grads)
    dense = [tf.convert_to_tensor(grad) for grad in grads]
    norm = tf.linalg.global_norm(dense)
    scale = theta / tf.maximum(norm, theta)
    return [grad * scale for grad in dense]
