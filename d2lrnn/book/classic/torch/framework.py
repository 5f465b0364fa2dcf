"""The classes of PyTorch from which the classes of every framework's module are derived."""

from torch import nn

Layer = Model = nn.Module
