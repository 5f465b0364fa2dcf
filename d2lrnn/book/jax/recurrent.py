"""Recurrent networks and language models in JAX (sections 9.5, 9.6 and 10.3)."""

import sys

import jax
from flax import linen as nn
from jax import numpy as jnp

from d2lrnn.book.jax import generation
from d2lrnn.book.jax.design import loss_and_gradients
from d2lrnn.book.jax.former import FormerCells
from d2lrnn.book.jax.models import Classifier

d2l = sys.modules[__package__]


class RNNScratch(FormerCells, nn.Module):
    """A recurrent network from scratch.

    Args:
        num_inputs, num_hiddens: the sizes of the inputs and of the state.
        sigma: the standard deviation of the weights.
    """

    num_inputs: int
    num_hiddens: int
    sigma: float = 0.01

    def setup(self):
        """Draw the weights from N(0, sigma²); the bias is zero."""
        normal, zeros = nn.initializers.normal(self.sigma), nn.initializers.zeros
        self.W_xh = self.param("W_xh", normal, (self.num_inputs, self.num_hiddens))
        self.W_hh = self.param("W_hh", normal, (self.num_hiddens, self.num_hiddens))
        self.b_h = self.param("b_h", zeros, (self.num_hiddens,))

    def __call__(self, inputs, state=None):
        """Return the state after each step (num_steps, n, num_hiddens), and the last state.

        Args:
            inputs: (num_steps, n, num_inputs).
            state: a sequence of one state, (1, n, num_hiddens) or a tuple; None begins with zeros.
        """
        if not hasattr(inputs, "shape"):
            inputs = jnp.stack(list(inputs))
        W_hh = self.W_hh
        inputs = d2l.matmul(inputs, self.W_xh) + self.b_h  # the products of all steps
        (H,) = (0,) if state is None else state
        H = jnp.broadcast_to(jnp.asarray(H, inputs.dtype), (inputs.shape[1], self.num_hiddens))

        def step(H, X):
            H = d2l.tanh(X + d2l.matmul(H, W_hh))
            return H, H

        H, outputs = jax.lax.scan(step, H, inputs)
        return outputs, H


class RNNLMScratch(Classifier):
    """A language model with a recurrent network, from scratch.

    Args:
        rnn: takes (inputs, state) and returns (outputs, state); has ``num_hiddens``, ``sigma``.
        vocab_size: the number of tokens.
        lr: the learning rate.
    """

    rnn: nn.Module
    vocab_size: int
    lr: float = 0.01

    def setup(self):
        """Draw the weights of the output layer from N(0, sigma²); the bias is zero."""
        normal, zeros = nn.initializers.normal(self.rnn.sigma), nn.initializers.zeros
        self.W_hq = self.param("W_hq", normal, (self.rnn.num_hiddens, self.vocab_size))
        self.b_q = self.param("b_q", zeros, (self.vocab_size,))

    def training_step(self, params, batch, state):
        """Return ((loss, changed variables), gradients) of a minibatch; plot the perplexity."""
        value, grads = loss_and_gradients(self, params, batch, state, has_aux=True)
        self.plot("ppl", d2l.exp(value[0]), train=True)
        return value, grads

    def validation_step(self, params, batch, state):
        """Plot the perplexity of a validation minibatch."""
        l, _ = self.loss(params, tuple(batch[:-1]), batch[-1], state)
        self.plot("ppl", d2l.exp(l), train=False)

    def one_hot(self, X):
        """Return token ids (n, num_steps) as one-hot rows (num_steps, n, vocab_size)."""
        return jax.nn.one_hot(X.T, self.vocab_size)

    def output_layer(self, rnn_outputs):
        """Return the scores (n, num_steps, vocab_size) for the outputs of the steps."""
        if not hasattr(rnn_outputs, "shape"):
            rnn_outputs = d2l.stack(list(rnn_outputs))
        return d2l.matmul(rnn_outputs.swapaxes(0, 1), self.W_hq) + self.b_q

    def forward(self, X, state=None):
        """Return the scores (n, num_steps, vocab_size) of the token that follows each of X."""
        rnn_outputs, _ = self.rnn(self.one_hot(X), state)
        return self.output_layer(rnn_outputs)

    def predict(self, prefix, num_preds, vocab, params):
        """Return prefix and the num_preds most probable tokens after it, as a string.

        Args:
            params: of the state of a trainer, ``trainer.state.params``.
        """

        def step(index, state):
            X = self.one_hot(d2l.tensor([[index]]))
            return self.rnn.apply({"params": params["rnn"]}, X, state)

        def choose(outputs):
            scores = self.apply({"params": params}, outputs, method=self.output_layer)
            return generation.most_probable(scores)

        return generation.generate(prefix, num_preds, vocab, step, choose)


class RNN(FormerCells, nn.Module):
    """A recurrent network with Flax's own cell, which the book's JAX code does not define.

    Args:
        num_hiddens: the size of the state.
    """

    num_hiddens: int

    @nn.compact
    def __call__(self, inputs, H=None, training=False):
        """Return the state after each step (num_steps, n, num_hiddens), and the last state."""
        if H is None:
            H = jnp.zeros((inputs.shape[1], self.num_hiddens), inputs.dtype)
        H, outputs = over_time(nn.SimpleCell)(self.num_hiddens)(H, inputs)
        return outputs, H


def over_time(cell):
    """Return a Flax cell as a layer that loops over the first axis."""
    return nn.scan(cell, variable_broadcast="params", split_rngs={"params": False})


class RNNLM(RNNLMScratch):
    """A language model with a recurrent network and Flax's own output layer."""

    training: bool = True

    def setup(self):
        """Make the output layer."""
        self.linear = nn.Dense(self.vocab_size)

    def output_layer(self, hiddens):
        """Return the scores (n, num_steps, vocab_size) of states (num_steps, n, num_hiddens)."""
        return d2l.swapaxes(self.linear(hiddens), 0, 1)

    def forward(self, X, state=None):
        """Return the scores (n, num_steps, vocab_size) of the token that follows each of X."""
        rnn_outputs, _ = self.rnn(self.one_hot(X), state, self.training)
        return self.output_layer(rnn_outputs)


class GRU(RNN):
    """A deep GRU with Flax's own cell.

    Args:
        num_hiddens, num_layers: the size of each state; the number of layers.
        dropout: the share of the states between layers that is left out in training.
    """

    num_hiddens: int
    num_layers: int
    dropout: float = 0

    @nn.compact
    def __call__(self, X, state=None, training=False):
        """Return the last layer's states (num_steps, n, h), and all last states (layers, n, h)."""
        if state is None:
            state = jnp.zeros((self.num_layers, X.shape[1], self.num_hiddens), X.dtype)
        new_state = []
        for i, H in enumerate(state):
            if i > 0:
                X = nn.Dropout(self.dropout, deterministic=not training)(X)
            H, X = over_time(nn.GRUCell)(self.num_hiddens)(H, X)
            new_state.append(H)
        return X, jnp.stack(new_state)
