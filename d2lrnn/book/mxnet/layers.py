"""Recurrent networks with MXNet's own layers (sections 9.6 and 10.3)."""

import sys

from .design import Module
from .operations import rnn

d2l = sys.modules[__package__]


class RNN(Module):
    """A recurrent network with Gluon's own layer.

    Args:
        num_hiddens: the size of the state.
    """

    def __init__(self, num_hiddens):
        """Make the layer."""
        super().__init__()
        self.save_hyperparameters()
        self.rnn = rnn.RNN(num_hiddens)

    def forward(self, inputs, H=None):
        """Return the state after each step (num_steps, n, num_hiddens), and the last state."""
        if H is None:
            (H,) = self.rnn.begin_state(inputs.shape[1], ctx=inputs.ctx)
        outputs, (H,) = self.rnn(inputs, (H,))
        return outputs, H


class GRU(RNN):
    """A deep GRU with Gluon's own layer.

    Args:
        num_hiddens, num_layers: the size of each state; the number of layers.
        dropout: the share of the states between layers that is left out in training.
    """

    def __init__(self, num_hiddens, num_layers, dropout=0):
        """Make the layers."""
        d2l.Module.__init__(self)
        self.save_hyperparameters()
        self.rnn = rnn.GRU(num_hiddens, num_layers, dropout=dropout)
