"""The record of a backend: every operation of its framework that shared code uses.

A backend fills it in in its model.py. Shared code uses nothing else of a backend's folder.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from d2lrnn import backends, checks
from d2lrnn.nets import group
from d2lrnn.nets.cells import Architecture
from d2lrnn.nets.forward import ForwardFunction


def as_it_is(function: Any) -> Any:
    """Return the function."""
    return function


MOST: dict[str, int] = {}  # by library, the number of threads that it had at first


def library_threads(number: int) -> int:
    """Set the number of threads of all libraries for matrix products; return the number before.

    No library gets more than it had at first: MXNet keeps its OpenBLAS to a single thread.
    """
    import threadpoolctl  # here: importing d2lrnn takes no time for it

    before = 1
    for library in threadpoolctl.ThreadpoolController().lib_controllers:
        before = max(before, library.num_threads)
        most = MOST.setdefault(library.filepath, library.num_threads)
        library.set_num_threads(min(number, most))
    return before


def of_backend(name: str) -> Any:
    """Return the record of the backend of that name."""
    return backends.load(name).RNNModelScratch.ops


@dataclass(frozen=True, eq=False, kw_only=True)
class Ops:
    """What the shared modules ask of a backend.

    Attributes:
        name: the backend's, a key of backends.BACKENDS.
        tensors: its module of that name: from_numpy, to_numpy, trainable, one_hot, embedding,
            concat (tensors, joined along an axis, by default the features), flip (time steps in
            reverse), flat ((T, n, q) as (T * n, q)), time_major, masked, tanh, sigmoid; is_tensor,
            of a value; has_values, of a tensor; is_trainable, of a parameter; is_gpu, of what
            try_gpu returns.
        gradients: its module of that name: vjp, grad_clipping, value_and_grad, make_update.
        baselines: its module of that name, what the benchmark measures against.
        distributed: its module of that name, for several processes: connect, which returns the
            engine; compiled and without_gradients, for functions; flat, shaped, placed, detached
            and assigned, for tensors.
        steps: by cell, the function step(X, state, params) -> state of one time step.
        forward: by cell, the function forward_fn(inputs, state, params) -> outputs, last state.
        fused: by cell, a faster form of that function, where there is one.
        unroll: (step, inputs, state, params) -> hidden states of all steps (T, n, h), last state.
        output_layer: (Hs, W_hq, b_q) -> outputs (T * n, q).
        input_product: (inputs, W_x, b) -> X W_x + b for all steps (T, n, h), of rows (T, n, d) or
            of token ids (T, n).
        compiled: what the backend does to a function that is called again and again.
        repeated: what it does to a function that is called many times with tensors of few shapes.
        for_empty_batches: what it does to a forward function, so that a batch of no rows is
            defined.
        has_layers: whether the framework has recurrent layers: RNN, GRU, LSTM and RNNModel.
        set_threads: (number) -> the number before: sets how many threads compute matrix products;
            None where the framework fixes it when it starts.
    """

    name: str
    tensors: ModuleType
    gradients: ModuleType
    baselines: ModuleType
    distributed: ModuleType
    steps: Mapping[str, Callable[..., Any]]
    forward: Mapping[str, ForwardFunction]
    fused: Mapping[str, ForwardFunction]
    unroll: Callable[..., Any]
    output_layer: Callable[..., Any]
    input_product: Callable[..., Any]
    compiled: Callable[..., Any] = as_it_is
    repeated: Callable[..., Any] = as_it_is
    for_empty_batches: Callable[..., Any] = as_it_is
    has_layers: bool = True
    set_threads: Callable[[int], int] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy the name alone: a process has one record of a backend."""
        return of_backend, (self.name,)

    @functools.cached_property
    def group(self) -> group.Group:
        """The processes that train together, of which this is one."""
        return group.Group(self, self.distributed.connect())

    def zero_state(
        self,
        architecture: Architecture,
        batch_size: int,
        num_hiddens: int,
        *,
        dtype: str = "float32",
        device: Any = None,
    ) -> tuple[Any, ...]:
        """Return the state of all layers before the first time step: zeros."""
        checks.count(batch_size=batch_size)
        checks.size(num_hiddens=num_hiddens)
        settings = {"dtype": checks.floating(dtype), "device": device}
        return tuple(
            self.tensors.from_numpy(np.zeros((batch_size, *shape)), **settings)
            for shape in architecture.state_shapes(num_hiddens)
        )
