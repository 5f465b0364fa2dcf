"""Operations of edition 1.0 that are the same in most frameworks; operations.py has the others."""

import sys

d2l = sys.modules[__package__]
TRAINING: dict[str, bool] = {}  # arguments of the calls of layers
EVALUATION: dict[str, bool] = {}
WITH_INPUT_SIZES = False  # recurrent layers infer the size of their inputs


def without_gradients(function):
    """Return the function, for a framework that computes gradients of what it records only."""
    return function


def gradient_descent(params, lr):
    """Return our own optimizer of the parameters."""
    return d2l.SGD(params, lr)


def prepare(model):
    """Do nothing: the parameters of a new model are ready."""


prepare_arrays = prepare_layers = initialize_encoder = prepare


def time_major(X):
    """Return ids (n, num_steps) as (num_steps, n)."""
    return d2l.transpose(X)


def random_inputs(*shapes):
    """Return numbers from N(0, 1) in each of the shapes."""
    return [d2l.randn(*shape) for shape in shapes]


def exchange_axes(x):
    """Return a tensor with its first two axes exchanged."""
    return d2l.swapaxes(x, 0, 1)


def to_device(x, device):
    """Return a tensor on a device."""
    return d2l.to(x, device)
