"""Attention in JAX (the book's section 11.3)."""

import math
import sys

from flax import linen as nn
from jax import numpy as jnp

from d2lrnn.book import attention

d2l = sys.modules[__package__]


def masked_softmax(X, valid_lens):
    """Return the softmax of scores (n, queries, keys) over the keys, 0 beyond the valid lengths.

    Args:
        X: the scores.
        valid_lens: how many keys are valid, (n,) or for each query (n, queries); None for all.
    """
    if valid_lens is None:
        return nn.softmax(X, axis=-1)
    attention.check_valid_lens(X.shape, valid_lens.shape)
    valid_lens = valid_lens.reshape(*valid_lens.shape, *[1] * (3 - valid_lens.ndim))
    is_valid = jnp.arange(X.shape[-1]) < valid_lens  # (n, 1 or queries, keys)
    return nn.softmax(jnp.where(is_valid, X, attention.MASKED), axis=-1)


class DotProductAttention(nn.Module):
    """Attention whose scores are products of queries and keys over the root of their size.

    Args:
        dropout: the share of the weights that is left out in training.
    """

    dropout: float

    def setup(self):
        """Make the layer that leaves weights out."""
        self.left_out = nn.Dropout(self.dropout)

    def __call__(self, queries, keys, values, valid_lens=None, training=False):
        """Return sums (n, queries, v) of values (n, keys, v), and weights (n, queries, keys)."""
        scores = queries @ keys.swapaxes(1, 2) / math.sqrt(queries.shape[-1])
        weights = d2l.masked_softmax(scores, valid_lens)
        return self.left_out(weights, deterministic=not training) @ values, weights


class AdditiveAttention(nn.Module):
    """Attention whose scores a small network computes: w_v tanh(W_q q + W_k k).

    Args:
        num_hiddens: size of the hidden layer.
        dropout: the share of the weights that is left out in training.
    """

    num_hiddens: int
    dropout: float

    def setup(self):
        """Make the layers."""
        self.W_k = nn.Dense(self.num_hiddens, use_bias=False)
        self.W_q = nn.Dense(self.num_hiddens, use_bias=False)
        self.w_v = nn.Dense(1, use_bias=False)
        self.left_out = nn.Dropout(self.dropout)

    def __call__(self, queries, keys, values, valid_lens, training=False):
        """Return sums (n, queries, v) of values (n, keys, v), and weights (n, queries, keys)."""
        hidden = jnp.tanh(self.W_q(queries)[:, :, None] + self.W_k(keys)[:, None])
        scores = self.w_v(hidden).squeeze(-1)  # (n, queries, keys)
        weights = d2l.masked_softmax(scores, valid_lens)
        return self.left_out(weights, deterministic=not training) @ values, weights
