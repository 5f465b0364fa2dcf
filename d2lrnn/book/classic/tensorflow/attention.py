"""Attention in TensorFlow, for both editions (sections 10.3 of 0.17 and 11.3 of 1.0)."""

import sys

from d2lrnn.book import attention

from . import weighting
from .framework import tf
from .weighting import DotProductAttention as DotProductAttention

d2l = sys.modules[__package__]


def masked_softmax(X, valid_lens):
    """Return the softmax of scores X (n, queries, keys) over the keys; those not valid get 0.

    Args:
        X: the scores.
        valid_lens: the number of valid keys, (n,) or for each query (n, queries); None for all.
    """
    if valid_lens is None:
        return tf.nn.softmax(X, axis=-1)
    attention.check_valid_lens(X.shape, valid_lens.shape)
    n, queries, keys = tf.unstack(tf.shape(X))
    if len(valid_lens.shape) == 1:
        valid_lens = tf.repeat(valid_lens, queries)
    rows = tf.reshape(X, (n * queries, keys))
    masked = d2l.sequence_mask(rows, tf.reshape(valid_lens, (-1,)), value=attention.MASKED)
    return tf.nn.softmax(tf.reshape(masked, tf.shape(X)), axis=-1)


class AdditiveAttention(weighting.AdditiveAttention):
    """Attention with the scores w_v tanh(W_q q + W_k k), for queries q and keys k."""

    def __init__(self, key_size, query_size, num_hiddens, dropout, **kwargs):
        """Make the layers; Keras does not need key_size and query_size."""
        super().__init__(dropout, **kwargs)
        self.W_k = tf.keras.layers.Dense(num_hiddens, use_bias=False)
        self.W_q = tf.keras.layers.Dense(num_hiddens, use_bias=False)
        self.w_v = tf.keras.layers.Dense(1, use_bias=False)
