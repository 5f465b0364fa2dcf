"""Attention of edition 1.0, for every framework with that of 0.17 (sections 11.3 and 11.4)."""

from __future__ import annotations

from . import coders
from .attention import DotProductAttention as Attention
from .translation import Decoder


class DotProductAttention(Attention):
    """Attention whose scores are products of queries and keys over the root of their size."""

    def __init__(self, dropout: float) -> None:
        """Store the share of the weights that is left out in training."""
        super().__init__(dropout)


class AttentionDecoder(Decoder):
    """The base class of decoders with attention, which have ``attention_weights``."""

    def __init__(self) -> None:
        """Make a decoder without layers."""
        super().__init__()

    attention_weights = coders.AttentionDecoder.attention_weights
