"""The functions that make the parameters and initial states of every cell in each backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from d2lrnn.nets import first_values, remedies
from d2lrnn.nets.cells import CELLS, Architecture
from d2lrnn.nets.ops import Ops


def for_backend(ops: Ops) -> dict[str, Callable[..., Any]]:
    """Return, by name, the functions that make a backend's parameters and initial states.

    ``interface.Backend`` documents them.
    """

    def get_mlp_params(
        num_inputs: int,
        num_hiddens: int,
        num_outputs: int,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Any = None,
    ) -> list[Any]:
        arrays = first_values.mlp_arrays(num_inputs, num_hiddens, num_outputs, seed)
        return list(ops.tensors.trainable(arrays, dtype=dtype, device=device))

    functions: dict[str, Callable[..., Any]] = {"get_mlp_params": get_mlp_params}
    for cell in CELLS.values():
        functions[cell.get_params] = _get_params(ops, cell.name)
        functions[cell.init_state] = _init_state(ops, cell.name)
    return functions


def _get_params(ops: Ops, cell: str) -> Callable[..., list[Any]]:
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

    get_params.__name__ = get_params.__qualname__ = CELLS[cell].get_params
    return remedies.explained(remedies.DEVICE)(get_params)


def _init_state(ops: Ops, cell: str) -> Callable[..., tuple[Any, ...]]:
    def init_state(
        batch_size: int, num_hiddens: int, *, dtype: str = "float32", device: Any = None
    ) -> tuple[Any, ...]:
        sizes = batch_size, num_hiddens
        return ops.zero_state(Architecture(cell), *sizes, dtype=dtype, device=device)

    init_state.__name__ = init_state.__qualname__ = CELLS[cell].init_state
    return remedies.explained(remedies.DEVICE)(init_state)
