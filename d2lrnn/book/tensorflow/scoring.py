"""Attention as edition 1.0 makes it in TensorFlow (sections 11.3 and 11.4)."""

from . import attention
from .translation import Decoder


class DotProductAttention(attention.DotProductAttention):
    """Attention whose scores are products of queries and keys over the root of their size."""

    def __init__(self, dropout):
        """Take the share of the weights that is left out in training."""
        super().__init__(dropout)

    def call(self, queries, keys, values, valid_lens=None, **kwargs):
        """Return (n, queries, v) for queries (n, queries, d), keys (n, keys, d), values."""
        return super().call(queries, keys, values, valid_lens, **kwargs)


class AttentionDecoder(Decoder):
    """What a decoder with attention is: one that has ``attention_weights``."""

    def __init__(self):
        """Begin with nothing."""
        super().__init__()

    @property
    def attention_weights(self):
        """The weights of each step; each decoder has its own."""
        raise NotImplementedError(f"{type(self).__name__} needs a property attention_weights")
