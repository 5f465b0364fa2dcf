"""Recurrent networks with TensorFlow's own layers (sections 9.6 and 10.3)."""

import sys

from .design import Module
from .framework import keras

d2l = sys.modules[__package__]


class RNN(Module):
    """A recurrent network with Keras' own layer.

    Args:
        num_hiddens: the size of the state.
    """

    def __init__(self, num_hiddens):
        """Make the layer, with Keras' initial weights."""
        super().__init__()
        self.save_hyperparameters()
        settings = {"return_sequences": True, "return_state": True, "time_major": True}
        self.rnn = keras.layers.SimpleRNN(num_hiddens, **settings)

    def forward(self, inputs, H=None):
        """Return the state after each step (num_steps, n, num_hiddens), and the last state."""
        outputs, H = self.rnn(inputs, H)
        return outputs, H


class GRU(RNN):
    """A deep GRU with Keras' own cells.

    Args:
        num_hiddens, num_layers: the size of each state; the number of layers.
        dropout: the share of the inputs of each layer that is left out in training.
    """

    def __init__(self, num_hiddens, num_layers, dropout=0):
        """Make the layers, with Keras' initial weights."""
        d2l.Module.__init__(self)
        self.save_hyperparameters()
        cells = [keras.layers.GRUCell(num_hiddens, dropout=dropout) for _ in range(num_layers)]
        settings = {"return_sequences": True, "return_state": True, "time_major": True}
        self.rnn = keras.layers.RNN(cells, **settings)

    def forward(self, X, state=None):
        """Return the last layer's states (num_steps, n, h), and a list of all last states."""
        outputs, *state = self.rnn(X, state)
        return outputs, state
