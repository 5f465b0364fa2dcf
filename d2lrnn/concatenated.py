"""From the summed form X W_x + H W_h to the concatenated form [H, X] W, and back.

The concatenated parameters are [W_?, b_? for each gate, then W_hq, b_q]: W_? is W_h? on top of W_x?
(order "HX") or W_x? on top of W_h? ("XH").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.model import Array

ORDERS = ("HX", "XH")


def concat_arrays(params: Sequence[Array], order: str = "HX") -> list[Array]:
    """Return summed parameters in the concatenated form."""
    checks.choice(order, "order", ORDERS)
    *weights, W_hq, b_q = params
    arrays = []
    for W_x, W_h, b in zip(*(weights[i::3] for i in range(3)), strict=True):
        arrays += [np.concatenate([W_h, W_x] if order == "HX" else [W_x, W_h]), b]
    return [*arrays, W_hq, b_q]


def split_arrays(params: Sequence[Array], order: str = "HX") -> list[Array]:
    """Return concatenated parameters in the summed form."""
    checks.choice(order, "order", ORDERS)
    *weights, W_hq, b_q = params
    arrays = []
    for W, b in zip(weights[0::2], weights[1::2], strict=True):
        if order == "HX":
            W_h, W_x = np.split(W, [len(b)])
        else:
            W_x, W_h = np.split(W, [len(W) - len(b)])
        arrays += [W_x, W_h, b]
    return [*arrays, W_hq, b_q]


def check(
    inputs: Sequence[int], state: Any, weight: Sequence[int], order: str, num_states: int
) -> None:
    """Check what a concatenated cell is called with; weight is the shape of a gate's matrix."""
    checks.choice(order, "order", ORDERS)
    height, num_hiddens = weight
    checks.recurrent(inputs, state, (height - num_hiddens, num_hiddens), num_states)


def for_backend(
    from_numpy: Callable[..., Any], to_numpy: Callable[[Any], Array]
) -> tuple[Callable[..., list[Any]], Callable[..., list[Any]]]:
    """Return concat_params and split_params as a backend has them."""

    def concat_params(params: Sequence[Any], *, order: str = "HX") -> list[Any]:
        """Return the parameters of rnn, gru or lstm as concat_rnn, ... take them."""
        return [from_numpy(array) for array in concat_arrays(list(map(to_numpy, params)), order)]

    def split_params(params: Sequence[Any], *, order: str = "HX") -> list[Any]:
        """Return the parameters of concat_rnn, ... as rnn, gru or lstm take them."""
        return [from_numpy(array) for array in split_arrays(list(map(to_numpy, params)), order)]

    return concat_params, split_params
