"""Recurrent networks and language models in MXNet (sections 9.5, 9.6 and 10.3)."""

import sys

from . import language_models
from .design import Module
from .language_models import RNNLM as RNNLM
from .language_models import RNNLMScratch as RNNLMScratch
from .operations import np, rnn

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
        if not isinstance(inputs, np.ndarray):
            inputs = np.stack(list(inputs))
        if state is None:
            H = d2l.zeros((inputs.shape[1], self.num_hiddens), ctx=inputs.ctx)
        else:
            (H,) = state
        outputs = []
        for X in inputs:  # all products at once would take longer in the backward pass
            Z = d2l.matmul(X, self.W_xh) + d2l.matmul(H, self.W_hh)
            H = d2l.tanh(Z + self.b_h)
            outputs.append(H)
        return outputs, H


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
