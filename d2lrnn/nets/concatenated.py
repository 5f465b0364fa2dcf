"""The cells in the concatenated form [H, X] W, and conversions from and to X W_x + H W_h.

The concatenated parameters are [W_?, b_? for each gate, then W_hq, b_q]: W_? is W_h? on top of W_x?
(order "HX") or W_x? on top of W_h? ("XH").
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.nets import cells, kinds
from d2lrnn.nets.ops import Ops

ORDERS = ("HX", "XH")
# The cell by the number of its parameters: of the summed and of the concatenated form
SUMMED = {5: "rnn", 11: "gru", 14: "lstm"}
JOINED = {4: "rnn", 8: "gru", 10: "lstm"}
Concat = Callable[..., Any]
Join = Callable[[Any, Any], Any]
State = tuple[Any, ...]
Params = Sequence[Any]


def joined(params: Sequence[Any], order: str, concat: Concat) -> list[Any]:
    """Convert parameters of the form X W_x + H W_h to the concatenated form, as new tensors.

    concat(tensors, axis=...) joins tensors. All operations used here are differentiable.
    """
    checks.choice(order, "order", ORDERS)
    *weights, W_hq, b_q = params
    tensors = []
    for W_x, W_h, b in cells.chunks(weights, 3):
        W = concat([W_h, W_x] if order == "HX" else [W_x, W_h], axis=0)
        tensors += [W, concat([b])]
    return [*tensors, concat([W_hq]), concat([b_q])]


def separated(params: Sequence[Any], order: str, concat: Concat) -> list[Any]:
    """Convert concatenated parameters to the form X W_x + H W_h; the reverse of joined."""
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


def check(
    backend: str, cell: str, inputs: Any, state: Any, params: Sequence[Any], order: str
) -> None:
    """Check the arguments of a concatenated cell of a backend."""
    checks.choice(order, "order", ORDERS)
    kinds.check_backend(backend, params=params, inputs=[inputs])
    height, h = check_params(cell, params)
    checks.recurrent(inputs.shape, state, height - h, cells.CELLS[cell].state_shapes(h))
    kinds.alike_or_numpy(params[0], state=state)
    checks.same_dtype(params[0], inputs=[inputs], state=state)


def check_params(cell: str, params: Sequence[Any]) -> tuple[int, int]:
    """Check that the shapes of concatenated parameters fit together; return the first shape."""
    gates = cells.CELLS[cell].gates
    names = [*(name for gate in gates for name in (f"W_{gate}", f"b_{gate}")), "W_hq", "b_q"]
    checks.num_params(len(params), names)
    checks.axes(names[0], params[0].shape, "(num_hiddens + num_inputs, num_hiddens)")
    height, h = params[0].shape
    q = params[-1].shape[-1] if params[-1].shape else 0
    checks.parameters(params, names, [*[(height, h), (h,)] * len(gates), (h, q), (q,)])
    if height < h:
        raise ValueError(
            f"{names[0]} has {height} rows and {h} columns; expected at least {h} rows"
        )
    return height, h


class Cells:
    """The cells of a backend in the concatenated form: [H, X] W with W = [W_h; W_x].

    [H, X] W equals H W_h + X W_x: this is the form of rnn, gru and lstm in many tutorials. ``join``
    concatenates H and X in the requested order.
    """

    def __init__(self, ops: Ops) -> None:
        """Store the record of the backend and two of its operations."""
        self.ops, self.tanh, self.sigmoid = ops, ops.tensors.tanh, ops.tensors.sigmoid

    def rnn_step(self, X: Any, state: State, params: Params, join: Join) -> State:
        """Return the state (H,) of a recurrent network after input X."""
        W, b = params
        (H,) = state
        H = self.tanh(join(H, X) @ W + b)
        return (H,)

    def gru_step(self, X: Any, state: State, params: Params, join: Join) -> State:
        """Return the state (H,) of a GRU after input X."""
        W_z, b_z, W_r, b_r, W_h, b_h = params
        (H,) = state
        HX = join(H, X)
        Z = self.sigmoid(HX @ W_z + b_z)  # update gate
        R = self.sigmoid(HX @ W_r + b_r)  # reset gate
        H_tilde = self.tanh(join(R * H, X) @ W_h + b_h)  # candidate
        H = Z * H + (1 - Z) * H_tilde
        return (H,)

    def lstm_step(self, X: Any, state: State, params: Params, join: Join) -> State:
        """Return the state (H, C) of an LSTM after input X."""
        W_i, b_i, W_f, b_f, W_o, b_o, W_c, b_c = params
        H, C = state
        HX = join(H, X)
        I = self.sigmoid(HX @ W_i + b_i)  # input gate
        F = self.sigmoid(HX @ W_f + b_f)  # forget gate
        O = self.sigmoid(HX @ W_o + b_o)  # output gate
        C_tilde = self.tanh(HX @ W_c + b_c)  # candidate
        C = F * C + I * C_tilde
        H = O * self.tanh(C)
        return H, C

    def forward(self, cell: str) -> Callable[..., tuple[Any, State]]:
        """Return the forward function of rnn, gru or lstm."""
        step = {"rnn": self.rnn_step, "gru": self.gru_step, "lstm": self.lstm_step}[cell]

        def concat_cell(
            inputs: Any, state: State, params: Params, *, order: str = "HX"
        ) -> tuple[Any, State]:
            check(self.ops.name, cell, inputs, state, params, order)

            def join(H: Any, X: Any) -> Any:
                return self.ops.tensors.concat([H, X] if order == "HX" else [X, H])

            @self.ops.for_empty_batches
            def run(inputs: Any, state: State, params: Params) -> tuple[Any, State]:
                *weights, W_hq, b_q = params
                joined_step = functools.partial(step, join=join)
                Hs, last = self.ops.unroll(joined_step, inputs, state, weights)
                return self.ops.output_layer(Hs, W_hq, b_q), last

            outputs, last = run(inputs, state, params)
            return outputs, last

        concat_cell.__name__ = f"concat_{cell}"
        return concat_cell


def for_backend(ops: Ops) -> dict[str, Callable[..., Any]]:
    """Return a backend's cells in the concatenated form, and the two conversions, by name.

    ``interface.Backend`` documents them.
    """
    tensors, cells_of = ops.tensors, Cells(ops)

    def as_tensors(params: Any) -> Any:
        """Return parameters as tensors of the backend, with NumPy arrays converted."""
        if isinstance(params, (list, tuple)):
            params = [tensors.from_numpy(p) if isinstance(p, np.ndarray) else p for p in params]
            kinds.check_backend(ops.name, params=params)
        return params

    def concat_params(params: Sequence[Any], *, order: str = "HX") -> list[Any]:
        params = as_tensors(params)
        cells.PLAIN[checks.gates(params, SUMMED)].check_params(params)
        return joined(params, order, tensors.concat)

    def split_params(params: Sequence[Any], *, order: str = "HX") -> list[Any]:
        params = as_tensors(params)
        check_params(checks.gates(params, JOINED), params)
        return separated(params, order, tensors.concat)

    forward = {f"concat_{cell}": cells_of.forward(cell) for cell in SUMMED.values()}
    return {"concat_params": concat_params, "split_params": split_params, **forward}
