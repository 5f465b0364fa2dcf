"""Attention in MXNet, for both editions (sections 10.3 of 0.17 and 11.3 of 1.0)."""

from .weighting import AdditiveAttention as AdditiveAttention
from .weighting import DotProductAttention as DotProductAttention
from .weighting import masked_softmax as masked_softmax
