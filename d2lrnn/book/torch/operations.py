"""What the shared code of edition 1.0 needs from PyTorch."""

import sys

import torch
from torch import nn
from torch.nn import functional as F

from .basics import load_array as load_array
from .defaults import *  # noqa: F403
from .framework import init_seq2seq as init_seq2seq

d2l = sys.modules[__package__]
WITH_INPUT_SIZES = True  # recurrent layers take the size of their inputs
without_gradients = torch.no_grad()
embedding, regression_loss = nn.Embedding, F.mse_loss


def optimizer(name, model):
    """Return the optimizer of this name for a model."""
    return getattr(torch.optim, name)(model.parameters(), lr=model.lr)


def linear(num_outputs, sigma=None):
    """Return a linear layer with PyTorch's initial weights; sigma is ignored."""
    return nn.LazyLinear(num_outputs)


def classification_layers(num_outputs):
    """Return layers that flatten images and compute an output for each class."""
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(num_outputs))


def regression_parameters(num_inputs, sigma):
    """Return weights (num_inputs, 1) from N(0, sigma²) and a bias of zero."""
    w = d2l.normal(0, sigma, (num_inputs, 1), requires_grad=True)
    return w, d2l.zeros(1, requires_grad=True)


def weight_and_bias(layer):
    """Return the weights and the bias of a linear layer."""
    return layer.weight.data, layer.bias.data


def one_hot(X, size):
    """Return ids (n, num_steps) as one-hot rows (num_steps, n, size)."""
    return F.one_hot(X.T, size).type(torch.float32)


def initialize_encoder(encoder):
    """Initialize the weights of the GRU."""
    encoder.apply(d2l.init_seq2seq)


def time_major(X):
    """Return ids (n, num_steps) as (num_steps, n), int64."""
    return d2l.astype(d2l.transpose(X), d2l.int64)


def time_steps(inputs):
    """Return inputs, a tensor or a sequence of tensors, as a tensor (num_steps, n, d)."""
    return inputs if isinstance(inputs, torch.Tensor) else torch.stack(tuple(inputs))


def first_state(rnn, inputs, state):
    """Return the only state of a sequence, or zeros (n, num_hiddens) for None."""
    if state is None:
        like = {"dtype": rnn.W_hh.dtype, "device": inputs.device}
        return d2l.zeros((inputs.shape[1], rnn.num_hiddens), **like)
    (H,) = state
    return H


def input_products(inputs, W, b):
    """Return the products of all steps, computed at once, for a loop over them."""
    return d2l.matmul(inputs, W) + b


def weight(rows, columns, sigma):
    """Return a trainable matrix from N(0, sigma²)."""
    return nn.Parameter(d2l.randn(rows, columns) * sigma)


def bias(size):
    """Return a trainable vector of zeros."""
    return nn.Parameter(d2l.zeros(size))


def cross_entropy(rows, labels, averaged):
    """Return the mean cross-entropy of scores (n, q) for labels (n,), or each row's."""
    return F.cross_entropy(rows, labels, reduction="mean" if averaged else "none")


def id_tensor(index, device):
    """Return a token id as a tensor (1, 1)."""
    return d2l.tensor([[index]], device=device)
