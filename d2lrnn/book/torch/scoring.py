"""Attention of edition 1.0 in PyTorch (sections 11.3 and 11.4)."""

from .scores import AttentionDecoder as AttentionDecoder
from .scores import DotProductAttention as DotProductAttention
from .weighting import AdditiveAttention as AdditiveAttention
