"""Recurrent networks and language models in PyTorch (sections 9.5, 9.6 and 10.3)."""

import sys

import torch
from torch import nn

from . import language_models
from .design import Module
from .language_models import RNNLM as RNNLM
from .language_models import RNNLMScratch as RNNLMScratch

d2l = sys.modules[__package__]


class RNNScratch(language_models.RNNScratch):
    """A recurrent network from scratch.

    Args:
        num_inputs, num_hiddens: the sizes of the inputs and of the state.
        sigma: the standard deviation of the weights.
    """

    def forward(self, inputs, state=None):
        """Return the state after each step, as a list, and the last state (n, num_hiddens).

        Args:
            inputs: (num_steps, n, num_inputs).
            state: a sequence of one state, (1, n, num_hiddens) or a tuple; None begins with zeros.
        """
        if not isinstance(inputs, torch.Tensor):
            inputs = torch.stack(tuple(inputs))
        if state is None:
            like = {"dtype": self.W_hh.dtype, "device": inputs.device}
            H = d2l.zeros((inputs.shape[1], self.num_hiddens), **like)
        else:
            (H,) = state
        outputs = []
        for X in d2l.matmul(inputs, self.W_xh) + self.b_h:  # the products of all steps at once
            H = d2l.tanh(X + d2l.matmul(H, self.W_hh))
            outputs.append(H)
        return outputs, H


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
