"""Parameters and first states of every cell, as each backend has them: functions of the book."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from d2lrnn.nets import first_values, remedies
from d2lrnn.nets.cells import CELLS, Architecture
from d2lrnn.nets.ops import Ops

LAYOUTS = {
    "rnn": "[W_xh, W_hh, b_h, W_hq, b_q] of a recurrent network",
    "gru": "[W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h, W_hq, b_q] of a GRU",
    "gru_reset_after": "the parameters of gru_reset_after: a GRU's, b_hh after b_h",
    "lstm": "[W_x?, W_h?, b_? for ? in i, f, o, c, then W_hq, b_q] of an LSTM",
}


class GetMLPParams(Protocol):
    """How get_mlp_params is called; ``interface.Backend`` says what it returns."""

    def __call__(  # noqa: D102
        self,
        num_inputs: int,
        num_hiddens: int,
        num_outputs: int,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Any = None,
    ) -> list[Any]: ...


class GetParams(Protocol):
    """How get_params, get_gru_params and get_lstm_params are called."""

    def __call__(  # noqa: D102
        self,
        vocab_size: int,
        num_hiddens: int,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Any = None,
    ) -> list[Any]: ...


class InitState(Protocol):
    """How init_rnn_state, init_gru_state and init_lstm_state are called."""

    def __call__(  # noqa: D102
        self, batch_size: int, num_hiddens: int, *, dtype: str = "float32", device: Any = None
    ) -> tuple[Any, ...]: ...


class Parameters(NamedTuple):
    """What parameters.of returns, by the names that a backend hands on."""

    get_mlp_params: GetMLPParams
    get_params: GetParams
    get_gru_params: GetParams
    get_gru_reset_after_params: GetParams
    get_lstm_params: GetParams
    init_rnn_state: InitState
    init_gru_state: InitState
    init_lstm_state: InitState


def of(ops: Ops) -> Parameters:
    """Return the functions that make a backend's parameters and first states."""

    def get_mlp_params(
        num_inputs: int,
        num_hiddens: int,
        num_outputs: int,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Any = None,
    ) -> list[Any]:
        """Return [W_xh, b_h, W_hq, b_q] of a network without hidden states."""
        arrays = first_values.mlp_arrays(num_inputs, num_hiddens, num_outputs, seed)
        return list(ops.tensors.trainable(arrays, dtype=dtype, device=device))

    made: dict[str, Callable[..., Any]] = {"get_mlp_params": get_mlp_params}
    for cell in CELLS.values():
        made[cell.get_params] = _get_params(ops, cell.name)
        made[cell.init_state] = _init_state(ops, cell.name)
    return Parameters(**made)


def _get_params(ops: Ops, cell: str) -> GetParams:
    def get_params(
        vocab_size: int,
        num_hiddens: int,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Any = None,
    ) -> list[Any]:
        arrays = Architecture(cell).arrays(vocab_size, num_hiddens, seed)
        return list(ops.tensors.trainable(arrays, dtype=dtype, device=device))

    get_params.__doc__ = f"Return {LAYOUTS[cell]}."
    get_params.__name__ = get_params.__qualname__ = CELLS[cell].get_params
    return remedies.explained(remedies.DEVICE)(get_params)


def _init_state(ops: Ops, cell: str) -> InitState:
    states = CELLS[cell].states

    def init_state(
        batch_size: int, num_hiddens: int, *, dtype: str = "float32", device: Any = None
    ) -> tuple[Any, ...]:
        settings = {"dtype": dtype, "device": device}
        return tuple(ops.zeros(batch_size, num_hiddens, **settings) for _ in states)

    init_state.__doc__ = f"Return the state before the first time step: zeros, {states}."
    init_state.__doc__ = init_state.__doc__.replace("'", "").replace(",)", ",)")
    init_state.__name__ = init_state.__qualname__ = CELLS[cell].init_state
    return remedies.explained(remedies.DEVICE)(init_state)
