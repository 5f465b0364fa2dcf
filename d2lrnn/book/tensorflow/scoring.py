"""Attention of edition 1.0 in TensorFlow (sections 11.3 and 11.4)."""

from . import scores
from .scores import AttentionDecoder as AttentionDecoder


class DotProductAttention(scores.DotProductAttention):
    """Attention whose scores are products of queries and keys over the root of their size."""

    def call(self, queries, keys, values, valid_lens=None, **kwargs):
        """Return (n, queries, v) for queries (n, queries, d), keys (n, keys, d), values."""
        return super().call(queries, keys, values, valid_lens, **kwargs)
