"""Attention in PyTorch, for both editions (sections 10.3 of 0.17 and 11.3 of 1.0)."""

import sys

import torch
from torch import nn

from d2lrnn.book import attention

from . import weighting
from .weighting import Attention as Attention
from .weighting import DotProductAttention as DotProductAttention

d2l = sys.modules[__package__]


def masked_softmax(X, valid_lens):
    """Return the softmax of scores X (n, queries, keys) over the keys; those not valid get 0.

    Args:
        X: the scores.
        valid_lens: the number of valid keys, (n,) or for each query (n, queries); None for all.
    """
    if valid_lens is None:
        return torch.softmax(X, dim=-1)
    attention.check_valid_lens(X.shape, valid_lens.shape)
    if valid_lens.dim() == 1:
        valid_lens = valid_lens.repeat_interleave(X.shape[1])
    rows = X.flatten(0, 1).clone()  # (n * queries, keys); sequence_mask changes them in place
    masked = d2l.sequence_mask(rows, valid_lens.reshape(-1), value=attention.MASKED)
    return torch.softmax(masked.reshape(X.shape), dim=-1)


class AdditiveAttention(weighting.AdditiveAttention):
    """Attention with the scores w_v tanh(W_q q + W_k k), for queries q and keys k."""

    def __init__(self, key_size, query_size, num_hiddens, dropout, **kwargs):
        """Make the layers."""
        super().__init__(dropout, **kwargs)
        self.W_k = nn.Linear(key_size, num_hiddens, bias=False)
        self.W_q = nn.Linear(query_size, num_hiddens, bias=False)
        self.w_v = nn.Linear(num_hiddens, 1, bias=False)
