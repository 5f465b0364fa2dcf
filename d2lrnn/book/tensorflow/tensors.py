"""The book's names for what TensorFlow does to tensors, devices included (its appendix)."""

import sys

from d2lrnn.book import objects
from d2lrnn.book.tensorflow.framework import keras, tf

d2l = sys.modules[__package__]
nn_Module = keras.Model

reshape = tf.reshape
ones_like = tf.ones_like
ones = tf.ones
zeros_like = tf.zeros_like
zeros = tf.zeros
meshgrid = tf.meshgrid
sin = tf.sin
sinh = tf.sinh
cos = tf.cos
cosh = tf.cosh
tanh = tf.tanh
linspace = tf.linspace
exp = tf.exp
normal = tf.random.normal
rand = tf.random.uniform
matmul = tf.matmul
reduce_sum = tf.reduce_sum
reduce_mean = tf.reduce_mean
argmax = tf.argmax
tensor = tf.constant
arange = tf.range
astype = tf.cast
int32 = tf.int32
int64 = tf.int64
float32 = tf.float32
transpose = tf.transpose
concat = tf.concat
stack = tf.stack
abs = tf.abs
eye = tf.eye
log = tf.math.log
sigmoid = tf.sigmoid
expand_dims = tf.expand_dims
repeat = tf.repeat
batch_matmul = tf.matmul


def numpy(x, *args, **kwargs):
    """Return a tensor as a NumPy array."""
    return x.numpy(*args, **kwargs)


def size(a):
    """Return the number of elements."""
    return tf.size(a).numpy()


def cpu():
    """Return what puts the tensors of a ``with`` block on the CPU."""
    return tf.device("/CPU:0")


def gpu(i=0):
    """Return what puts the tensors of a ``with`` block on the i-th GPU."""
    return tf.device(f"/GPU:{i}")


def num_gpus():
    """Return the number of GPUs."""
    return len(tf.config.list_physical_devices("GPU"))


def try_gpu(i=0):
    """Return gpu(i) if there is one, otherwise cpu()."""
    return d2l.gpu(i) if d2l.num_gpus() > i else d2l.cpu()


def try_all_gpus():
    """Return gpu(i) for each GPU."""
    return [d2l.gpu(i) for i in range(d2l.num_gpus())]


def sgd(params, grads, lr, batch_size):
    """Update variables by the gradients of a minibatch's summed loss."""
    for param, grad in zip(params, grads):
        param.assign_sub(lr * grad / batch_size)


def accuracy(y_hat, y):
    """Return how many rows of outputs have their largest at the target, or equal it."""
    if len(y_hat.shape) > 1 and y_hat.shape[1] > 1:
        y_hat = d2l.argmax(y_hat, axis=1)
    is_right = d2l.astype(y_hat, y.dtype) == y
    return float(d2l.reduce_sum(d2l.astype(is_right, y.dtype)))


def grad_clipping(grads, theta):
    """Return gradients scaled to a joint norm of theta at most."""
    objects.check_gradients(grads)
    dense = [tf.convert_to_tensor(grad) for grad in grads]
    norm = tf.linalg.global_norm(dense)
    scale = theta / tf.maximum(norm, theta)
    return [grad * scale for grad in dense]


def load_array(data_arrays, batch_size, is_train=True):
    """Return a tf.data.Dataset of minibatches of the rows of the tensors; shuffled to train."""
    tensors = tuple(tf.convert_to_tensor(array) for array in data_arrays)
    rows = tf.data.Dataset.range(int(tensors[0].shape[0]))
    rows = rows.shuffle(len(rows)) if is_train else rows
    # A minibatch's rows are taken at once, which is much faster than one by one.
    return rows.batch(batch_size).map(lambda ids: tuple(tf.gather(t, ids) for t in tensors))
