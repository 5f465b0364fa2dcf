"""From the summed form X W_x + H W_h to the concatenated form [H, X] W, and back.

The concatenated parameters are [W_?, b_? for each gate, then W_hq, b_q]: W_? is W_h? on top of W_x?
(order "HX") or W_x? on top of W_h? ("XH").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from d2lrnn import checks
from d2lrnn.nets import cells
from d2lrnn.nets.first_values import Array
from d2lrnn.nets.ops import Ops

ORDERS = ("HX", "XH")
# Whose parameters they are, by their number.
SUMMED = {5: "rnn", 11: "gru", 14: "lstm"}
JOINED = {4: "rnn", 8: "gru", 10: "lstm"}


def concat_arrays(params: Sequence[Array], order: str = "HX") -> list[Array]:
    """Return summed parameters in the concatenated form."""
    checks.choice(order, "order", ORDERS)
    *weights, W_hq, b_q = params
    arrays = []
    for W_x, W_h, b in cells.chunks(weights, 3):
        arrays += [np.concatenate([W_h, W_x] if order == "HX" else [W_x, W_h]), b]
    return [*arrays, W_hq, b_q]


def split_arrays(params: Sequence[Array], order: str = "HX") -> list[Array]:
    """Return concatenated parameters in the summed form."""
    checks.choice(order, "order", ORDERS)
    *weights, W_hq, b_q = params
    arrays = []
    for W, b in cells.chunks(weights, 2):
        if order == "HX":
            W_h, W_x = np.split(W, [len(b)])
        else:
            W_x, W_h = np.split(W, [len(W) - len(b)])
        arrays += [W_x, W_h, b]
    return [*arrays, W_hq, b_q]


def check(cell: str, inputs: Any, state: Any, params: Sequence[Any], order: str) -> None:
    """Check what a concatenated cell is called with."""
    checks.choice(order, "order", ORDERS)
    height, h = check_params(cell, params)
    checks.recurrent(inputs.shape, state, (height - h, h), len(cells.CELLS[cell].states))
    checks.same_dtype(params[0], inputs=[inputs], state=state)


def check_params(cell: str, params: Sequence[Any]) -> tuple[int, int]:
    """Check that the shapes of concatenated parameters go together; return that of the first."""
    gates = cells.CELLS[cell].gates
    names = [*(name for gate in gates for name in (f"W_{gate}", f"b_{gate}")), "W_hq", "b_q"]
    checks.num_params(len(params), names)
    checks.axes(names[0], params[0].shape, "(num_hiddens + num_inputs, num_hiddens)")
    height, h = params[0].shape
    q = params[-1].shape[-1] if params[-1].shape else 0
    checks.parameters(params, names, [*[(height, h), (h,)] * len(gates), (h, q), (q,)])
    if height < h:
        raise ValueError(f"{names[0]} has {height} rows and {h} columns; expected as many or more")
    return height, h


class Convert(Protocol):
    """How concat_params and split_params are called."""

    def __call__(self, params: Sequence[Any], *, order: str = "HX") -> list[Any]: ...  # noqa: D102


class Converters(NamedTuple):
    """What of returns, by the names that a backend hands on."""

    concat_params: Convert
    split_params: Convert


def of(ops: Ops) -> Converters:
    """Return concat_params and split_params as the backend with that record has them."""
    from_numpy, to_numpy = ops.tensors.from_numpy, ops.tensors.to_numpy

    def concat_params(params: Sequence[Any], *, order: str = "HX") -> list[Any]:
        """Return the parameters of rnn, gru or lstm as concat_rnn, ... take them."""
        cells.PLAIN[checks.gates(params, SUMMED)].check_params(params)
        return [from_numpy(array) for array in concat_arrays(list(map(to_numpy, params)), order)]

    def split_params(params: Sequence[Any], *, order: str = "HX") -> list[Any]:
        """Return the parameters of concat_rnn, ... as rnn, gru or lstm take them."""
        check_params(checks.gates(params, JOINED), params)
        return [from_numpy(array) for array in split_arrays(list(map(to_numpy, params)), order)]

    return Converters(concat_params=concat_params, split_params=split_params)
