"""Attention layers (sections 10.3 of 0.17 and 11.3 of 1.0)."""

import math
import sys

from d2lrnn.book import attention

from .framework import Dropout, Layer, batch_dot, dense, mask_keys, softmax

d2l = sys.modules[__package__]


def masked_softmax(X, valid_lens):
    """Return the softmax of scores X (n, queries, keys) over the keys; those not valid get 0.

    Args:
        X: the scores.
        valid_lens: the number of valid keys, (n,) or for each query (n, queries); None for all.
    """
    if valid_lens is None:
        return softmax(X)
    attention.check_valid_lens(X.shape, valid_lens.shape)
    return softmax(mask_keys(X, valid_lens, attention.MASKED))


class Attention(Layer):
    """The base class of attention layers, which keep their weights as ``attention_weights``."""

    def __init__(self, dropout, **kwargs):
        """Take the share of the weights that dropout sets to zero in training, from 0 to 1."""
        super().__init__(**kwargs)
        self.dropout = Dropout(dropout)

    def weigh(self, scores, values, valid_lens, **kwargs):
        """Return the sums (n, queries, v) of values (n, keys, v), by the softmax of the scores."""
        self.attention_weights = d2l.masked_softmax(scores, valid_lens)
        return batch_dot(self.dropout(self.attention_weights, **kwargs), values)


class DotProductAttention(Attention):
    """Attention with the scores q k / sqrt(d), for queries q and keys k of size d."""

    def forward(self, queries, keys, values, valid_lens=None, **kwargs):
        """Return (n, queries, v) for queries (n, queries, d), keys (n, keys, d), values."""
        scores = batch_dot(queries, keys, transpose_b=True) / math.sqrt(queries.shape[-1])
        return self.weigh(scores, values, valid_lens, **kwargs)


class AdditiveAttention(Attention):
    """Attention with the scores w_v tanh(W_q q + W_k k), for queries q and keys k."""

    def __init__(self, num_hiddens, dropout, **kwargs):
        """Make the layers, whose inputs get the sizes of the first queries and keys."""
        super().__init__(dropout, **kwargs)
        self.W_k, self.W_q, self.w_v = dense(num_hiddens), dense(num_hiddens), dense(1)

    def forward(self, queries, keys, values, valid_lens, **kwargs):
        """Return (n, queries, v) for queries (n, queries, q), keys (n, keys, k), values."""
        hidden = self.W_q(queries)[:, :, None] + self.W_k(keys)[:, None]
        scores = self.w_v(d2l.tanh(hidden))[..., 0]  # (n, queries, keys)
        return self.weigh(scores, values, valid_lens, **kwargs)


class AdditiveAttentionOfSizes(AdditiveAttention):
    """Attention with the scores w_v tanh(W_q q + W_k k), for queries q and keys k."""

    def __init__(self, key_size, query_size, num_hiddens, dropout, **kwargs):
        """Make the layers; only PyTorch uses key_size and query_size."""
        Attention.__init__(self, dropout, **kwargs)
        self.W_k = dense(num_hiddens, key_size)
        self.W_q = dense(num_hiddens, query_size)
        self.w_v = dense(1, num_hiddens)
