"""The checks for divergence that every loop over epochs makes."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from d2lrnn.training.history import DivergenceError, perplexity_of


@contextlib.contextmanager
def with_facts(**facts: Any) -> Iterator[None]:
    """Add facts, such as the epoch and the history, to a DivergenceError from the block."""
    try:
        yield
    except DivergenceError as error:
        raise error.replace(**facts) from None


def check_loss(mean_loss: float, epoch: int = 1, history: Any = None) -> None:
    """Check that a mean loss, in nats, and its exponential are finite.

    Raises:
        DivergenceError: one of them is not.
    """
    if not math.isfinite(perplexity_of(mean_loss)):
        raise DivergenceError(mean_loss, epoch, history)


def check_parameters(net: Any, epoch: int, history: Any) -> None:
    """Check that the parameters of a net are finite after the last update.

    No loss is computed after that update, so the parameters themselves are checked. A net without
    the method ``arrays`` is not checked.

    Raises:
        DivergenceError: a parameter is NaN or infinite.
    """
    arrays = net.arrays() if hasattr(net, "arrays") else []
    if not all(np.isfinite(array).all() for array in arrays):
        raise DivergenceError(None, epoch, history)
