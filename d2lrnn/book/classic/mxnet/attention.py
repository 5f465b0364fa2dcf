"""Attention in MXNet, for both editions (sections 10.3 of 0.17 and 11.3 of 1.0)."""

import math
import sys

from d2lrnn.book import attention
from d2lrnn.mxnet.framework import mxnet, np, npx

d2l = sys.modules[__package__]
gluon = mxnet.gluon


def masked_softmax(X, valid_lens):
    """Return the softmax of scores (n, queries, keys) over the keys, 0 beyond the valid lengths.

    Args:
        X: the scores.
        valid_lens: how many keys are valid, (n,) or for each query (n, queries); None for all.
    """
    if valid_lens is None:
        return npx.softmax(X)
    attention.check_valid_lens(X.shape, valid_lens.shape)
    if valid_lens.ndim == 1:
        valid_lens = valid_lens.repeat(X.shape[1])
    rows = X.reshape(-1, X.shape[-1])  # (n * queries, keys)
    masked = npx.sequence_mask(rows, valid_lens.reshape(-1), True, value=attention.MASKED, axis=1)
    return npx.softmax(masked).reshape(X.shape)


class Attention(gluon.nn.Block):
    """What kinds of attention share: weights of the values, kept as ``attention_weights``."""

    def __init__(self, dropout, **kwargs):
        """Take the share of the weights that is left out in training."""
        super().__init__(**kwargs)
        self.dropout = gluon.nn.Dropout(dropout)

    def weigh(self, scores, values, valid_lens):
        """Return the sums (n, queries, v) of values (n, keys, v), by the softmax of the scores."""
        self.attention_weights = d2l.masked_softmax(scores, valid_lens)
        return npx.batch_dot(self.dropout(self.attention_weights), values)


class DotProductAttention(Attention):
    """Attention whose scores are products of queries and keys over the root of their size."""

    def __init__(self, dropout, **kwargs):
        """Take the share of the weights that is left out in training."""
        super().__init__(dropout, **kwargs)

    def forward(self, queries, keys, values, valid_lens=None):
        """Return (n, queries, v) for queries (n, queries, d), keys (n, keys, d), values."""
        scores = npx.batch_dot(queries, keys, transpose_b=True) / math.sqrt(queries.shape[-1])
        return self.weigh(scores, values, valid_lens)


class AdditiveAttention(Attention):
    """Attention whose scores a small network computes: w_v tanh(W_q q + W_k k)."""

    def __init__(self, num_hiddens, dropout, **kwargs):
        """Make the layers, which Gluon gives the sizes of the first queries and keys."""
        super().__init__(dropout, **kwargs)
        self.W_k = gluon.nn.Dense(num_hiddens, use_bias=False, flatten=False)
        self.W_q = gluon.nn.Dense(num_hiddens, use_bias=False, flatten=False)
        self.w_v = gluon.nn.Dense(1, use_bias=False, flatten=False)

    def forward(self, queries, keys, values, valid_lens):
        """Return (n, queries, v) for queries (n, queries, q), keys (n, keys, k), values."""
        hidden = np.expand_dims(self.W_q(queries), 2) + np.expand_dims(self.W_k(keys), 1)
        scores = np.squeeze(self.w_v(np.tanh(hidden)), axis=-1)  # (n, queries, keys)
        return self.weigh(scores, values, valid_lens)
