"""The check of the arguments of sgd_step, the training step that each backend writes out."""

from __future__ import annotations

from typing import Any

from d2lrnn import checks
from d2lrnn.nets.language_model import RNNModelScratch
from d2lrnn.nets.model import State


def step_arguments(
    net: Any, X: Any, Y: Any, state: Any, lr: float, theta: float
) -> tuple[Any, State, float, float]:
    """Check the arguments of sgd_step; return the targets (T * n,), the state, lr and theta.

    Raises:
        ValueError: the net is not an RNNModelScratch, lr or theta is not positive, the minibatch is
            empty or not valid, or the state does not fit.
    """
    if not isinstance(net, RNNModelScratch):
        raise ValueError(
            f"net is a {type(net).__name__}; expected an RNNModelScratch; use make_step for "
            "RNNModel, and train_sequences for networks over sequences"
        )
    net.check_call()
    targets = net.targets(X, Y)
    net.check_state(state, len(X))
    return targets, net.as_tensors(state), checks.positive(lr=lr), checks.positive(theta=theta)
