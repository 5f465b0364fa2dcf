"""TensorFlow with Keras 2, for which the book was written, and what the shared code needs of them.

The cells of both editions use features that Keras 3 does not have, such as layers whose inputs have
time as the first axis. TensorFlow uses the package tf-keras, which is Keras 2, if an environment
variable is set when ``tf.keras`` is first used; it is set here for that moment only. ``keras``
remains Keras 3.
"""

import os
import sys

from d2lrnn import backends

CHOICE = "TF_USE_LEGACY_KERAS"
OTHERS = ("initializers", "losses", "metrics", "optimizers")  # parts of Keras, as tf.losses

_before = os.environ.get(CHOICE)
os.environ.setdefault(CHOICE, "1")
try:
    import tensorflow as tf
    import tf_keras as keras

    if tf.keras.Model is not keras.Model:
        raise ImportError(
            "tf.keras is Keras 3 in this process, and the book's cells need Keras 2. Restart it, "
            "and import d2lrnn.book.tensorflow or d2lrnn.book.classic.tensorflow before anything "
            f"uses tf.keras; or set the environment variable {CHOICE} to 1"
        )
    for _name in OTHERS:
        dir(getattr(tf, _name))
except ModuleNotFoundError as error:
    if error.name != "tf_keras":
        raise
    raise ImportError(
        "the book's TensorFlow cells need Keras 2, and tf-keras is not installed; "
        f"run: {backends.install('keras2')}",
        name=error.name,
    ) from None
finally:
    if _before is None:
        del os.environ[CHOICE]

d2l = sys.modules[__package__]
CALLED = "call"  # the method that an encoder or a decoder defines
Dropout, batch_dot, softmax = tf.keras.layers.Dropout, tf.matmul, tf.nn.softmax


class Layer(tf.keras.layers.Layer):
    """A layer that is called with ``forward``, unless its class defines ``call``."""

    def __init_subclass__(cls, **kwargs):
        """Let ``call`` of a new class be its ``forward``."""
        super().__init_subclass__(**kwargs)
        if "forward" in vars(cls) and "call" not in vars(cls):
            cls.call = cls.forward


class Model(tf.keras.Model):
    """A model that is called with ``forward``, unless its class defines ``call``."""

    def call(self, *args, **kwargs):
        """Return what ``forward`` returns."""
        return self.forward(*args, **kwargs)


def dense(num_outputs, num_inputs=None):
    """Return a linear layer without a bias; Keras does not need the size of its inputs."""
    return tf.keras.layers.Dense(num_outputs, use_bias=False)


def mask_keys(X, valid_lens, value):
    """Return scores X (n, queries, keys) with value for the keys that are not valid."""
    n, queries, keys = tf.unstack(tf.shape(X))
    if len(valid_lens.shape) == 1:
        valid_lens = tf.repeat(valid_lens, queries)
    rows = tf.reshape(X, (n * queries, keys))
    masked = d2l.sequence_mask(rows, tf.reshape(valid_lens, (-1,)), value=value)
    return tf.reshape(masked, tf.shape(X))
