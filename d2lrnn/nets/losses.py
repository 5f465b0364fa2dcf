"""Losses and their gradients in NumPy: the reference for the losses of each framework.

Each function takes outputs (m, q), targets, and weights (m,) that add up to 1, or None for a plain
mean. It returns the weighted mean of the losses of the rows, and its gradient with respect to the
outputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def softmax(outputs: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
    """Return the mean of -log softmax(outputs)[target]; targets are ids (m,)."""
    log_probs = log_probabilities(outputs)
    rows = np.arange(len(targets))
    gradient = np.exp(log_probs)  # softmax - one_hot
    gradient[rows, targets] -= 1
    return _mean(-log_probs[rows, targets], gradient, weights)


def sigmoid(outputs: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
    """Return the mean of -y log p - (1 - y) log(1 - p), p = sigmoid(outputs), over all elements.

    targets are (m, q), from 0 to 1. This form cannot overflow:
    max(o, 0) - o y + log(1 + exp(-|o|)).
    """
    tail = np.exp(-np.abs(outputs))
    losses = np.maximum(outputs, 0) - outputs * targets + np.log1p(tail)
    gradient = np.where(outputs >= 0, 1, tail) / (1 + tail) - targets  # sigmoid - y
    return _mean(losses.mean(axis=1), _shared_out(gradient, outputs.shape[1]), weights)


def squared(outputs: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
    """Return the mean of (outputs - targets)^2 over all elements; targets are (m, q)."""
    differences = outputs - targets
    gradient = _shared_out(2 * differences, outputs.shape[1])
    return _mean((differences * differences).mean(axis=1), gradient, weights)


def probabilities(scores: Array) -> Array:
    """Return exp(scores) / sum(exp(scores)) of each row."""
    exps = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: Array = exps / exps.sum(axis=-1, keepdims=True)
    return shares


def log_probabilities(scores: Array) -> Array:
    """Return the logarithms of probabilities(scores), finite where the scores are."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    logs: Array = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return logs


def _mean(losses: Array, gradient: Array, weights: Array | None) -> tuple[float, Array]:
    if weights is None:
        return float(losses.mean()), _shared_out(gradient, len(losses))
    return float((losses * weights).sum()), gradient * weights[:, None]


def _shared_out(gradient: Array, number: int) -> Array:
    """Return gradient / number in the same dtype; NumPy 1 would return float64 from 65,536 on."""
    shared: Array = gradient / gradient.dtype.type(number)
    return shared


LOSSES = {"softmax": softmax, "sigmoid": sigmoid, "squared": squared}
