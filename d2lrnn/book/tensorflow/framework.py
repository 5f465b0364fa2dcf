"""TensorFlow with the Keras that the book was written for: Keras 2, which lives on as tf-keras.

The book's cells ask ``tf.keras`` for what Keras 3 no longer has, such as layers whose inputs begin
with time. TensorFlow itself takes tf-keras for it if an environment variable says so before
``tf.keras`` is first used. Keras 3, imported as ``keras``, stays what it is.
"""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import tensorflow as tf

try:
    import tf_keras as keras
except ModuleNotFoundError as error:
    raise ImportError(
        "the book's TensorFlow cells need Keras 2, and tf-keras is not installed; "
        'run: pip install "d2lrnn[book]"',
        name=error.name,
    ) from None

if tf.keras.Model is not keras.Model:
    raise ImportError(
        "tf.keras is Keras 3 in this process, and the book's cells need Keras 2. Restart it, and "
        "import d2lrnn.book.tensorflow before anything uses tf.keras; or set the environment "
        "variable TF_USE_LEGACY_KERAS to 1"
    )
