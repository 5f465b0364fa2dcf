"""Attention of edition 1.0 in PyTorch (sections 11.3 and 11.4)."""

from torch import nn

from . import attention
from .scores import AttentionDecoder as AttentionDecoder
from .scores import DotProductAttention as DotProductAttention


class AdditiveAttention(attention.Attention):
    """Attention with the scores w_v tanh(W_q q + W_k k), for queries q and keys k."""

    forward = attention.AdditiveAttention.forward

    def __init__(self, num_hiddens, dropout, **kwargs):
        """Make the layers, whose inputs get the sizes of the first queries and keys."""
        super().__init__(dropout, **kwargs)
        self.W_k = nn.LazyLinear(num_hiddens, bias=False)
        self.W_q = nn.LazyLinear(num_hiddens, bias=False)
        self.w_v = nn.LazyLinear(1, bias=False)
