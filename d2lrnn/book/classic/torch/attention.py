"""Attention in PyTorch, for both editions (sections 10.3 of 0.17 and 11.3 of 1.0)."""

import math
import sys

import torch
from torch import nn

from d2lrnn.book import attention

d2l = sys.modules[__package__]


def masked_softmax(X, valid_lens):
    """Return the softmax of scores (n, queries, keys) over the keys, 0 beyond the valid lengths.

    Args:
        X: the scores.
        valid_lens: how many keys are valid, (n,) or for each query (n, queries); None for all.
    """
    if valid_lens is None:
        return torch.softmax(X, dim=-1)
    attention.check_valid_lens(X.shape, valid_lens.shape)
    if valid_lens.dim() == 1:
        valid_lens = valid_lens.repeat_interleave(X.shape[1])
    rows = X.flatten(0, 1).clone()  # (n * queries, keys); sequence_mask changes them in place
    masked = d2l.sequence_mask(rows, valid_lens.reshape(-1), value=attention.MASKED)
    return torch.softmax(masked.reshape(X.shape), dim=-1)


class Attention(nn.Module):
    """What kinds of attention share: weights of the values, kept as ``attention_weights``."""

    def __init__(self, dropout, **kwargs):
        """Take the share of the weights that is left out in training."""
        super().__init__(**kwargs)
        self.dropout = nn.Dropout(dropout)

    def weigh(self, scores, values, valid_lens):
        """Return the sums (n, queries, v) of values (n, keys, v), by the softmax of the scores."""
        self.attention_weights = d2l.masked_softmax(scores, valid_lens)
        return torch.bmm(self.dropout(self.attention_weights), values)


class DotProductAttention(Attention):
    """Attention whose scores are products of queries and keys over the root of their size."""

    def __init__(self, dropout, **kwargs):
        """Take the share of the weights that is left out in training."""
        super().__init__(dropout, **kwargs)

    def forward(self, queries, keys, values, valid_lens=None):
        """Return (n, queries, v) for queries (n, queries, d), keys (n, keys, d), values."""
        scores = torch.bmm(queries, keys.transpose(1, 2)) / math.sqrt(queries.shape[-1])
        return self.weigh(scores, values, valid_lens)


class AdditiveAttention(Attention):
    """Attention whose scores a small network computes: w_v tanh(W_q q + W_k k)."""

    def __init__(self, key_size, query_size, num_hiddens, dropout, **kwargs):
        """Make the layers."""
        super().__init__(dropout, **kwargs)
        self.W_k = nn.Linear(key_size, num_hiddens, bias=False)
        self.W_q = nn.Linear(query_size, num_hiddens, bias=False)
        self.w_v = nn.Linear(num_hiddens, 1, bias=False)

    def forward(self, queries, keys, values, valid_lens):
        """Return (n, queries, v) for queries (n, queries, q), keys (n, keys, k), values."""
        hidden = self.W_q(queries).unsqueeze(2) + self.W_k(keys).unsqueeze(1)
        scores = self.w_v(torch.tanh(hidden)).squeeze(-1)  # (n, queries, keys)
        return self.weigh(scores, values, valid_lens)
