"""From the summed form X W_x + H W_h to the concatenated form [H, X] W, and back.

The concatenated parameters are [W_?, b_? for each gate, then W_hq, b_q]: W_? is W_h? on top of W_x?
(order "HX") or W_x? on top of W_h? ("XH").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.nets import cells
from d2lrnn.nets.first_values import Array
from d2lrnn.nets.ops import Ops

ORDERS = ("HX", "XH")
# Whose parameters they are, by their number.
SUMMED = {5: "rnn", 11: "gru", 14: "lstm"}
JOINED = {4: "rnn", 8: "gru", 10: "lstm"}
Concat = Callable[..., Any]


def joined(params: Sequence[Any], order: str, concat: Concat) -> list[Any]:
    """Return summed parameters in the concatenated form, each a new tensor.

    concat(tensors, axis=...) joins tensors; a gradient goes back through all that is called here.
    """
    checks.choice(order, "order", ORDERS)
    *weights, W_hq, b_q = params
    tensors = []
    for W_x, W_h, b in cells.chunks(weights, 3):
        W = concat([W_h, W_x] if order == "HX" else [W_x, W_h], axis=0)
        tensors += [W, concat([b])]
    return [*tensors, concat([W_hq]), concat([b_q])]


def separated(params: Sequence[Any], order: str, concat: Concat) -> list[Any]:
    """Return concatenated parameters in the summed form; see joined."""
    checks.choice(order, "order", ORDERS)
    *weights, W_hq, b_q = params
    tensors = []
    for W, b in cells.chunks(weights, 2):
        h, height = b.shape[0], W.shape[0]
        if order == "HX":
            W_h, W_x = W[:h], W[h:]
        else:
            W_x, W_h = W[: height - h], W[height - h :]
        tensors += [concat([part]) for part in (W_x, W_h, b)]
    return [*tensors, concat([W_hq]), concat([b_q])]


def concat_arrays(params: Sequence[Array], order: str = "HX") -> list[Array]:
    """Return NumPy arrays, summed parameters, in the concatenated form."""
    return joined(params, order, np.concatenate)


def split_arrays(params: Sequence[Array], order: str = "HX") -> list[Array]:
    """Return NumPy arrays, concatenated parameters, in the summed form."""
    return separated(params, order, np.concatenate)


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


def for_backend(ops: Ops) -> dict[str, Callable[..., list[Any]]]:
    """Return a backend's concat_params and split_params by name; interface.py documents them."""
    tensors = ops.tensors

    def own(params: Sequence[Any]) -> list[Any]:
        """Return parameters as tensors, whatever of them is NumPy arrays."""
        return [tensors.from_numpy(p) if isinstance(p, np.ndarray) else p for p in params]

    def concat_params(params: Sequence[Any], *, order: str = "HX") -> list[Any]:
        cells.PLAIN[checks.gates(params, SUMMED)].check_params(params)
        return joined(own(params), order, tensors.concat)

    def split_params(params: Sequence[Any], *, order: str = "HX") -> list[Any]:
        check_params(checks.gates(params, JOINED), params)
        return separated(own(params), order, tensors.concat)

    return {"concat_params": concat_params, "split_params": split_params}
