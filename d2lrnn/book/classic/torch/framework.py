"""What the code that all frameworks share needs from PyTorch."""

import torch
from torch import nn

Layer = Model = nn.Module
Dropout = nn.Dropout


def batch_dot(a, b, transpose_b=False):
    """Return the matrix products (n, ...) of two batches of matrices."""
    return torch.bmm(a, b.transpose(1, 2) if transpose_b else b)
