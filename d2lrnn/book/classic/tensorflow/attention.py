"""Attention in TensorFlow, for both editions (sections 10.3 of 0.17 and 11.3 of 1.0)."""

import sys

from d2lrnn.book import attention

from .framework import tf

d2l = sys.modules[__package__]


def masked_softmax(X, valid_lens):
    """Return the softmax of scores (n, queries, keys) over the keys, 0 beyond the valid lengths.

    Args:
        X: the scores.
        valid_lens: how many keys are valid, (n,) or for each query (n, queries); None for all.
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


class Attention(tf.keras.layers.Layer):
    """What kinds of attention share: weights of the values, kept as ``attention_weights``."""

    def __init__(self, dropout, **kwargs):
        """Take the share of the weights that is left out in training."""
        super().__init__(**kwargs)
        self.dropout = tf.keras.layers.Dropout(dropout)

    def weigh(self, scores, values, valid_lens, **kwargs):
        """Return the sums (n, queries, v) of values (n, keys, v), by the softmax of the scores."""
        self.attention_weights = d2l.masked_softmax(scores, valid_lens)
        return tf.matmul(self.dropout(self.attention_weights, **kwargs), values)


class DotProductAttention(Attention):
    """Attention whose scores are products of queries and keys over the root of their size."""

    def __init__(self, dropout, **kwargs):
        """Take the share of the weights that is left out in training."""
        super().__init__(dropout, **kwargs)

    def call(self, queries, keys, values, valid_lens, **kwargs):
        """Return (n, queries, v) for queries (n, queries, d), keys (n, keys, d), values."""
        root = tf.math.sqrt(tf.cast(queries.shape[-1], queries.dtype))
        scores = tf.matmul(queries, keys, transpose_b=True) / root
        return self.weigh(scores, values, valid_lens, **kwargs)


class AdditiveAttention(Attention):
    """Attention whose scores a small network computes: w_v tanh(W_q q + W_k k)."""

    def __init__(self, key_size, query_size, num_hiddens, dropout, **kwargs):
        """Make the layers; Keras finds key_size and query_size out by itself."""
        super().__init__(dropout, **kwargs)
        self.W_k = tf.keras.layers.Dense(num_hiddens, use_bias=False)
        self.W_q = tf.keras.layers.Dense(num_hiddens, use_bias=False)
        self.w_v = tf.keras.layers.Dense(1, use_bias=False)

    def call(self, queries, keys, values, valid_lens, **kwargs):
        """Return (n, queries, v) for queries (n, queries, q), keys (n, keys, k), values."""
        hidden = self.W_q(queries)[:, :, None] + self.W_k(keys)[:, None]
        scores = self.w_v(tf.nn.tanh(hidden))[..., 0]  # (n, queries, keys)
        return self.weigh(scores, values, valid_lens, **kwargs)
