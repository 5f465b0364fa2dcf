"""TensorFlow, with Keras 2 as ``tf.keras`` where it can be had, as the book's cells call it.

Keras 3, TensorFlow's own today, has removed what the cells use: ``time_major``, states of a dtype.
The package ``tf-keras`` carries Keras 2 on, and TensorFlow takes it as ``tf.keras`` if an
environment variable says so when ``tf.keras`` is first looked at. It is set here for that moment
only. ``import keras`` is Keras 3 as before. A program that has looked at ``tf.keras`` already keeps
what it has: import this module first.
"""

import contextlib
import importlib.util
import os

CHOICE = "TF_USE_LEGACY_KERAS"


@contextlib.contextmanager
def _keras_2():
    """Let tf.keras become Keras 2 within, unless it is absent or the variable says otherwise."""
    if CHOICE in os.environ or importlib.util.find_spec("tf_keras") is None:
        yield
        return
    os.environ[CHOICE] = "1"
    try:
        yield
    finally:
        del os.environ[CHOICE]


with _keras_2():
    import tensorflow as tf

    IS_KERAS_2 = tf.keras.layers.Layer.__module__.startswith("tf_keras")

__all__ = ["IS_KERAS_2", "tf"]
