"""Attention as edition 1.0 makes it in PyTorch (sections 11.3 and 11.4)."""

from torch import nn

from . import attention
from .translation import Decoder


class DotProductAttention(attention.DotProductAttention):
    """Attention whose scores are products of queries and keys over the root of their size."""

    def __init__(self, dropout):
        """Take the share of the weights that is left out in training."""
        super().__init__(dropout)


class AdditiveAttention(attention.Attention):
    """Attention whose scores a small network computes: w_v tanh(W_q q + W_k k)."""

    forward = attention.AdditiveAttention.forward

    def __init__(self, num_hiddens, dropout, **kwargs):
        """Make the layers, whose inputs have the sizes of the first queries and keys."""
        super().__init__(dropout, **kwargs)
        self.W_k = nn.LazyLinear(num_hiddens, bias=False)
        self.W_q = nn.LazyLinear(num_hiddens, bias=False)
        self.w_v = nn.LazyLinear(1, bias=False)


class AttentionDecoder(Decoder):
    """What a decoder with attention is: one that has ``attention_weights``."""

    def __init__(self):
        """Begin with nothing."""
        super().__init__()

    @property
    def attention_weights(self):
        """The weights of each step; each decoder has its own."""
        raise NotImplementedError(f"{type(self).__name__} needs a property attention_weights")
