"""Attention in MXNet, for both editions (sections 10.3 of 0.17 and 11.3 of 1.0)."""

from d2lrnn.book import attention
from d2lrnn.mxnet.framework import mxnet, npx

from . import weighting
from .weighting import DotProductAttention as DotProductAttention


def masked_softmax(X, valid_lens):
    """Return the softmax of scores X (n, queries, keys) over the keys; those not valid get 0.

    Args:
        X: the scores.
        valid_lens: the number of valid keys, (n,) or for each query (n, queries); None for all.
    """
    if valid_lens is None:
        return npx.softmax(X)
    attention.check_valid_lens(X.shape, valid_lens.shape)
    if valid_lens.ndim == 1:
        valid_lens = valid_lens.repeat(X.shape[1])
    rows = X.reshape(-1, X.shape[-1])  # (n * queries, keys)
    masked = npx.sequence_mask(rows, valid_lens.reshape(-1), True, value=attention.MASKED, axis=1)
    return npx.softmax(masked).reshape(X.shape)


class AdditiveAttention(weighting.AdditiveAttention):
    """Attention with the scores w_v tanh(W_q q + W_k k), for queries q and keys k."""

    def __init__(self, num_hiddens, dropout, **kwargs):
        """Make the layers; Gluon infers their input sizes."""
        super().__init__(dropout, **kwargs)
        self.W_k = mxnet.gluon.nn.Dense(num_hiddens, use_bias=False, flatten=False)
        self.W_q = mxnet.gluon.nn.Dense(num_hiddens, use_bias=False, flatten=False)
        self.w_v = mxnet.gluon.nn.Dense(1, use_bias=False, flatten=False)
