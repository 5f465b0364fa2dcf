"""TensorFlow's functions and devices under the names that the book uses in every framework."""

from .framework import tf
from .methods import method

nn_Module = tf.keras.Model
ones, zeros, eye, rand, normal = tf.ones, tf.zeros, tf.eye, tf.random.uniform, tf.random.normal
tensor, arange, linspace, meshgrid = tf.constant, tf.range, tf.linspace, tf.meshgrid
sin, sinh, cos, cosh, tanh = tf.sin, tf.sinh, tf.cos, tf.cosh, tf.tanh
exp, abs, matmul, concat, stack = tf.exp, tf.abs, tf.matmul, tf.concat, tf.stack
reshape, transpose, reduce_sum, argmax = tf.reshape, tf.transpose, tf.reduce_sum, tf.argmax
astype, int32, float32, numpy = tf.cast, tf.int32, tf.float32, method("numpy")
ones_like, zeros_like, int64 = tf.ones_like, tf.zeros_like, tf.int64
log, sigmoid, batch_matmul = tf.math.log, tf.sigmoid, tf.matmul
reduce_mean, expand_dims, repeat = tf.reduce_mean, tf.expand_dims, tf.repeat


def size(a):
    """Return the number of elements."""
    return tf.size(a).numpy()


def cpu():
    """Return a context that places the tensors of a ``with`` block on the CPU."""
    return tf.device("/CPU:0")


def gpu(i=0):
    """Return a context that places the tensors of a ``with`` block on the i-th GPU."""
    return tf.device(f"/GPU:{i}")


def num_gpus():
    """Return the number of GPUs."""
    return len(tf.config.list_physical_devices("GPU"))
