"""Attention layers of edition 0.17 (section 10.3), from which those of 1.0 are derived."""

import math
import sys

from .framework import Dropout, Layer, batch_dot

d2l = sys.modules[__package__]


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

    def forward(self, queries, keys, values, valid_lens, **kwargs):
        """Return (n, queries, v) for queries (n, queries, q), keys (n, keys, k), values."""
        hidden = self.W_q(queries)[:, :, None] + self.W_k(keys)[:, None]
        scores = self.w_v(d2l.tanh(hidden))[..., 0]  # (n, queries, keys)
        return self.weigh(scores, values, valid_lens, **kwargs)
