"""Recurrent networks and language models that contain their parameters (9.5 and 9.6)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from . import generation, operations
from .design import Module
from .models import Classifier

d2l = sys.modules[__package__]


class RNNScratch(Module):
    """A recurrent network from scratch.

    Args:
        num_inputs, num_hiddens: the sizes of the inputs and of the state.
        sigma: the standard deviation of the weights.
    """

    def __init__(self, num_inputs: int, num_hiddens: int, sigma: float = 0.01) -> None:
        """Draw the weights from N(0, sigma²); the bias is zero."""
        super().__init__()
        self.save_hyperparameters()
        self.W_xh = operations.weight(num_inputs, num_hiddens, sigma)
        self.W_hh = operations.weight(num_hiddens, num_hiddens, sigma)
        self.b_h = operations.bias(num_hiddens)

    def forward(self, inputs: Any, state: Any = None) -> tuple[list[Any], Any]:
        """Return the state after each step, as a list, and the last state (n, num_hiddens).

        Args:
            inputs: (num_steps, n, num_inputs).
            state: a sequence of one state, (1, n, num_hiddens) or a tuple; None begins with zeros.
        """
        inputs = operations.time_steps(inputs)
        H = operations.first_state(self, inputs, state)
        outputs = []
        for X in operations.input_products(inputs, self.W_xh, self.b_h):
            H = d2l.tanh(X + d2l.matmul(H, self.W_hh))
            outputs.append(H)
        return outputs, H


class RNNLMScratch(Classifier):
    """A language model with a recurrent network, from scratch.

    Args:
        rnn: takes (inputs, state) and returns (outputs, state); has ``num_hiddens``, ``sigma``.
        vocab_size: the number of tokens.
        lr: the learning rate.
    """

    def __init__(self, rnn: Any, vocab_size: int, lr: float = 0.01) -> None:
        """Store the network, and draw the weights of the output layer."""
        super().__init__()
        self.save_hyperparameters()
        self.init_params()

    def init_params(self) -> None:
        """Draw the weights of the output layer from N(0, sigma²); the bias is zero."""
        self.W_hq = operations.weight(self.rnn.num_hiddens, self.vocab_size, self.rnn.sigma)
        self.b_q = operations.bias(self.vocab_size)
        operations.prepare_arrays(self)

    def training_step(self, batch: Any) -> Any:
        """Return the loss of a minibatch, and plot its perplexity."""
        l = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("ppl", d2l.exp(l), train=True)
        return l

    def validation_step(self, batch: Any) -> None:
        """Plot the perplexity of a validation minibatch."""
        l = self.loss(self(*batch[:-1]), batch[-1])
        self.plot("ppl", d2l.exp(l), train=False)

    def one_hot(self, X: Any) -> Any:
        """Return token ids (n, num_steps) as one-hot rows (num_steps, n, vocab_size)."""
        return operations.one_hot(X, self.vocab_size)

    def output_layer(self, rnn_outputs: Any) -> Any:
        """Return the scores (n, num_steps, vocab_size) for the outputs of the steps."""
        if not hasattr(rnn_outputs, "shape"):
            rnn_outputs = d2l.stack(list(rnn_outputs))
        return d2l.matmul(operations.exchange_axes(rnn_outputs), self.W_hq) + self.b_q

    def forward(self, X: Any, state: Any = None) -> Any:
        """Return the scores (n, num_steps, vocab_size) of the token that follows each of X."""
        rnn_outputs, _ = self.rnn(self.one_hot(X), state)
        return self.output_layer(rnn_outputs)

    @operations.without_gradients
    def predict(self, prefix: Sequence[str], num_preds: int, vocab: Any, device: Any = None) -> str:
        """Return prefix and the num_preds most probable tokens after it, as a string."""

        def step(index: int, state: Any) -> Any:
            return self.rnn(self.one_hot(operations.id_tensor(index, device)), state)

        def choose(outputs: Any) -> Any:
            return generation.most_probable(self.output_layer(outputs))

        return generation.generate(prefix, num_preds, vocab, step, choose)


class RNNLM(RNNLMScratch):
    """A language model with a recurrent network and the framework's own output layer."""

    def init_params(self) -> None:
        """Make the output layer."""
        self.linear = operations.linear(self.vocab_size)
        operations.prepare_layers(self)

    def output_layer(self, hiddens: Any) -> Any:
        """Return the scores (n, num_steps, vocab_size) of states (num_steps, n, num_hiddens)."""
        return operations.exchange_axes(self.linear(hiddens))
