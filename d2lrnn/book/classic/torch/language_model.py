"""Language models and their training, in PyTorch (the book's sections 8.5 and 8.6)."""

import sys

import torch
from torch import nn
from torch.nn import functional as F

from d2lrnn.book.classic.torch import generation, training

d2l = sys.modules[__package__]


class RNNModelScratch:
    """A language model of three functions: parameters, first state and forward computation."""

    def __init__(self, vocab_size, num_hiddens, device, get_params, init_state, forward_fn):
        """Make the parameters: get_params(vocab_size, num_hiddens, device)."""
        self.vocab_size, self.num_hiddens = vocab_size, num_hiddens
        self.params = get_params(vocab_size, num_hiddens, device)
        self.init_state, self.forward_fn = init_state, forward_fn

    def __call__(self, X, state):
        """Return the scores (T * n, V) for ids X (n, T), and the new state."""
        inputs = F.one_hot(X.T.long(), self.vocab_size).to(torch.float32)  # (T, n, V)
        return self.forward_fn(inputs, state, self.params)

    def begin_state(self, batch_size, device):
        """Return the state before the first time step."""
        return self.init_state(batch_size, self.num_hiddens, device)


class RNNModel(nn.Module):
    """A language model of one of PyTorch's recurrent layers and a linear output layer."""

    def __init__(self, rnn_layer, vocab_size, **kwargs):
        """Add the output layer, for both directions if there are two."""
        super().__init__(**kwargs)
        self.rnn, self.vocab_size = rnn_layer, vocab_size
        self.num_hiddens = rnn_layer.hidden_size
        self.num_directions = 2 if rnn_layer.bidirectional else 1
        self.linear = nn.Linear(self.num_hiddens * self.num_directions, vocab_size)

    def forward(self, inputs, state):
        """Return the scores (T * n, V) for ids (n, T), and the new state."""
        X = F.one_hot(inputs.T.long(), self.vocab_size).to(torch.float32)  # (T, n, V)
        Y, state = self.rnn(X, state)
        return self.linear(Y.reshape(-1, Y.shape[-1])), state

    def begin_state(self, device, batch_size=1):
        """Return zeros: a tensor for RNN and GRU, a pair for the LSTM."""
        shape = (self.num_directions * self.rnn.num_layers, batch_size, self.num_hiddens)
        H = torch.zeros(shape, device=device)
        return (H, torch.zeros_like(H)) if isinstance(self.rnn, nn.LSTM) else H


@torch.no_grad()
def predict_ch8(prefix, num_preds, net, vocab, device):
    """Return the prefix and num_preds predicted tokens, each the one with the highest score."""

    def step(index, state):
        return net(d2l.reshape(d2l.tensor([index], device=device), (1, 1)), state)

    state = net.begin_state(batch_size=1, device=device)
    return generation.generate(prefix, num_preds, vocab, step, generation.best, state)


def make_step(net, loss, updater, device):
    """Return a function (X, Y, state) -> (mean loss, new state), which trains on a minibatch."""

    def step(X, Y, state):
        X, y = X.to(device), Y.T.reshape(-1).to(device)  # time-major, as the scores are
        y_hat, state = net(X, training.detached(state))
        mean = loss(y_hat, y.long()).mean()
        if isinstance(updater, torch.optim.Optimizer):
            updater.zero_grad()
        mean.backward()
        d2l.grad_clipping(net, 1)
        if isinstance(updater, torch.optim.Optimizer):
            updater.step()
        else:
            updater(batch_size=1)  # the loss is a mean already
        return mean.detach(), state

    return step


def train_epoch_ch8(net, train_iter, loss, updater, device, use_random_iter):
    """Train for one epoch; return the perplexity and the tokens per second.

    updater is one of torch.optim's, or a function of batch_size.
    """
    started = training.Started(net, device=device)
    step = make_step(net, loss, updater, device)
    return training.epoch(started, train_iter, step, use_random_iter)


def train_ch8(net, train_iter, vocab, lr, num_epochs, device, use_random_iter=False):
    """Train a language model by gradient descent, clipped at 1, and print what it predicts."""
    if isinstance(net, nn.Module):
        updater = torch.optim.SGD(net.parameters(), lr)
    else:

        def updater(batch_size):
            d2l.sgd(net.params, lr, batch_size)

    arguments = net, train_iter, nn.CrossEntropyLoss(), updater, device, use_random_iter
    training.train(
        lambda: d2l.train_epoch_ch8(*arguments),
        lambda prefix: d2l.predict_ch8(prefix, 50, net, vocab, device),
        num_epochs,
        device,
    )
