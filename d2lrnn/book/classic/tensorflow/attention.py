"""Attention in TensorFlow, for both editions (sections 10.3 of 0.17 and 11.3 of 1.0)."""

from . import weighting
from .weighting import DotProductAttention as DotProductAttention
from .weighting import masked_softmax as masked_softmax


class AdditiveAttention(weighting.AdditiveAttentionOfSizes):
    """Attention with the scores w_v tanh(W_q q + W_k k), for queries q and keys k."""
