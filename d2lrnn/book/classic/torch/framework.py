"""What the code that all frameworks share needs from PyTorch."""

import functools
import sys

import torch
from torch import nn

d2l = sys.modules[__package__]
Layer = Model = nn.Module
CALLED = "forward"  # the method that an encoder or a decoder defines
Dropout = nn.Dropout
softmax = functools.partial(torch.softmax, dim=-1)


def batch_dot(a, b, transpose_b=False):
    """Return the matrix products (n, ...) of two batches of matrices."""
    return torch.bmm(a, b.transpose(1, 2) if transpose_b else b)


def dense(num_outputs, num_inputs=None):
    """Return a linear layer without a bias; None takes the size of the first input."""
    if num_inputs is None:
        return nn.LazyLinear(num_outputs, bias=False)
    return nn.Linear(num_inputs, num_outputs, bias=False)


def mask_keys(X, valid_lens, value):
    """Return scores X (n, queries, keys) with value for the keys that are not valid."""
    if valid_lens.dim() == 1:
        valid_lens = valid_lens.repeat_interleave(X.shape[1])
    rows = X.flatten(0, 1).clone()  # (n * queries, keys); sequence_mask changes them in place
    return d2l.sequence_mask(rows, valid_lens.reshape(-1), value=value).reshape(X.shape)


def init_seq2seq(module):
    """Initialize the weights of a linear layer or a GRU as Glorot and Bengio (2010) do."""
    if isinstance(module, nn.Linear) and not isinstance(module, nn.LazyLinear):
        nn.init.xavier_uniform_(module.weight)
    if isinstance(module, nn.GRU):
        for name, weight in module.named_parameters():
            if "weight" in name:
                nn.init.xavier_uniform_(weight)
