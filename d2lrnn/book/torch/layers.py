"""Recurrent networks with PyTorch's own layers (sections 9.6 and 10.3)."""

import sys

from torch import nn

from .design import Module
from .weighting import AdditiveAttention as AdditiveAttention

d2l = sys.modules[__package__]


class RNN(Module):
    """A recurrent network with PyTorch's own layer.

    Args:
        num_inputs, num_hiddens: the sizes of the inputs and of the state.
    """

    def __init__(self, num_inputs, num_hiddens):
        """Make the layer, with PyTorch's initial weights."""
        super().__init__()
        self.save_hyperparameters()
        self.rnn = nn.RNN(num_inputs, num_hiddens)

    def forward(self, inputs, H=None):
        """Return the state after each step (num_steps, n, num_hiddens), and the last state."""
        return self.rnn(inputs, H)


class GRU(RNN):
    """A deep GRU with PyTorch's own layer.

    Args:
        num_inputs, num_hiddens, num_layers: the sizes of the inputs and of each state; the number
            of layers.
        dropout: the share of the states between layers that is left out in training.
    """

    def __init__(self, num_inputs, num_hiddens, num_layers, dropout=0):
        """Make the layers, with PyTorch's initial weights."""
        d2l.Module.__init__(self)
        self.save_hyperparameters()
        self.rnn = nn.GRU(num_inputs, num_hiddens, num_layers, dropout=dropout)
