"""TensorFlow's functions under the names that the book uses in every framework."""

from d2lrnn.book.classic.tensorflow.framework import tf

nn_Module = tf.keras.Model
ones, zeros, eye, rand, normal = tf.ones, tf.zeros, tf.eye, tf.random.uniform, tf.random.normal
tensor, arange, linspace, meshgrid = tf.constant, tf.range, tf.linspace, tf.meshgrid
sin, sinh, cos, cosh, tanh = tf.sin, tf.sinh, tf.cos, tf.cosh, tf.tanh
exp, abs, matmul, concat, stack = tf.exp, tf.abs, tf.matmul, tf.concat, tf.stack
reshape, transpose, reduce_sum, argmax = tf.reshape, tf.transpose, tf.reduce_sum, tf.argmax
astype, int32, float32 = tf.cast, tf.int32, tf.float32


def numpy(x, *args, **kwargs):
    """Return a tensor as a NumPy array."""
    return x.numpy(*args, **kwargs)


def size(a):
    """Return the number of elements."""
    return tf.size(a).numpy()
