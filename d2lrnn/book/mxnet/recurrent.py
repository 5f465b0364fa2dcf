"""Recurrent networks and language models in MXNet (sections 9.5, 9.6 and 10.3)."""

import sys

from d2lrnn.book.mxnet import language_models
from d2lrnn.book.mxnet.design import Module
from d2lrnn.book.mxnet.tensors import nn, np, npx, rnn

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


class RNNLMScratch(language_models.RNNLMScratch):
    """A language model with a recurrent network, from scratch.

    Args:
        rnn: takes (inputs, state) and returns (outputs, state); has ``num_hiddens``, ``sigma``.
        vocab_size: the number of tokens.
        lr: the learning rate.
    """

    def init_params(self):
        """Draw the weights of the output layer from N(0, sigma²); the bias is zero."""
        super().init_params()
        for param in self.get_scratch_params():
            param.attach_grad()

    def one_hot(self, X):
        """Return token ids (n, num_steps) as one-hot rows (num_steps, n, vocab_size)."""
        return npx.one_hot(X.T, self.vocab_size)


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


class RNNLM(RNNLMScratch):
    """A language model with a recurrent network and Gluon's own output layer."""

    def init_params(self):
        """Make the output layer, and draw all weights with Gluon's initializer."""
        self.linear = nn.Dense(self.vocab_size, flatten=False)
        self.initialize()

    def output_layer(self, hiddens):
        """Return the scores (n, num_steps, vocab_size) of states (num_steps, n, num_hiddens)."""
        return d2l.swapaxes(self.linear(hiddens), 0, 1)


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
