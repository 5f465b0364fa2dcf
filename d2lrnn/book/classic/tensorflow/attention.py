"""Attention in TensorFlow (the book's section 10.3)."""

from . import weighting


class AdditiveAttention(weighting.AdditiveAttentionOfSizes):
    """Attention with the scores w_v tanh(W_q q + W_k k), for queries q and keys k."""
