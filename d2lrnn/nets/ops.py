"""The record of a backend: every operation of its framework that shared code uses.

Each backend creates its record in its model.py. Shared code uses a backend only through its record.
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
    """Return the function unchanged."""
    return function


MOST: dict[str, int] = {}  # by library, its initial number of threads


def library_threads(number: int) -> int:
    """Set the number of threads of all libraries for matrix products; return the number before.

    No library gets more threads than it had initially, because MXNet limits its OpenBLAS to one.
    """
    import threadpoolctl  # imported here, so that importing d2lrnn stays fast

    before = 1
    for library in threadpoolctl.ThreadpoolController().lib_controllers:
        before = max(before, library.num_threads)
        most = MOST.setdefault(library.filepath, library.num_threads)
        library.set_num_threads(min(number, most))
    return before


def of_backend(name: str) -> Any:
    """Return the record of the backend of that name."""
    return backends.load(name).RNNModelScratch.ops


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Ops:
    """The modules and functions that a backend provides to shared code.

    Attributes:
        name: the name of the backend, a key of backends.BACKENDS.
        tensors: the backend's module tensors: from_numpy, to_numpy, trainable, one_hot, embedding,
            concat (joins tensors along an axis, by default the features), flip (reverses the time
            steps), merge_time (reshapes (T, n, q) to (T * n, q)), time_major, masked, tanh,
            sigmoid; is_tensor, of a value; has_values, of a tensor; is_trainable, of a parameter;
            is_gpu, of a device that try_gpu returned.
        gradients: the module gradients: vjp, grad_clipping, value_and_grad, make_update.
        baselines: the module baselines, with which the benchmark compares.
        distributed: the module distributed, for several processes: connect, which returns the
            engine; compile_function and without_gradients, for functions; pack (joins tensors in a
            vector), shaped, placed, detached and assigned, for tensors.
        step_functions: by cell, the function step(X, state, params) -> state of one time step.
        forward: by cell, the function forward_fn(inputs, state, params) -> outputs, last state.
        fused: by cell, a faster version of that function, if there is one.
        scans: by cell that is linear in its state, the function (inputs, state, weights) -> hidden
            states of all steps (T, n, h), last state, which computes all steps at once.
        unroll: (step, inputs, state, params) -> hidden states of all steps (T, n, h), last state.
        output_layer: (Hs, W_hq, b_q) -> outputs (T * n, q).
        input_product: (inputs, W_x, b) -> X W_x + b for all steps (T, n, h), for rows (T, n, d) or
            token ids (T, n).
        compile_function: a decorator that compiles a function, or returns it unchanged.
        repeated: a decorator for functions that are called many times with tensors of few shapes.
        for_empty_batches: a decorator that makes a forward function correct for empty batches.
        has_layers: whether the framework has recurrent layers: RNN, GRU, LSTM and RNNModel.
        set_threads: (number) -> the number before; sets the number of threads that compute matrix
            products. None if the framework fixes the number when it starts.
    """

    name: str
    tensors: ModuleType
    gradients: ModuleType
    baselines: ModuleType
    distributed: ModuleType
    step_functions: Mapping[str, Callable[..., Any]]
    forward: Mapping[str, ForwardFunction]
    fused: Mapping[str, ForwardFunction]
    scans: Mapping[str, Callable[..., Any]]
    unroll: Callable[..., Any]
    output_layer: Callable[..., Any]
    input_product: Callable[..., Any]
    compile_function: Callable[..., Any] = as_it_is
    repeated: Callable[..., Any] = as_it_is
    for_empty_batches: Callable[..., Any] = as_it_is
    has_layers: bool = True
    set_threads: Callable[[int], int] | None = None

    def __repr__(self) -> str:
        """Return the name of the backend."""
        return f"<Ops of {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy only the name: a process has one record of each backend."""
        return of_backend, (self.name,)

    @functools.cached_property
    def group(self) -> group.Group:
        """The group of processes that train together, to which this process belongs."""
        return group.Group(self, self.distributed.connect())

    def step_of(self, architecture: Architecture) -> Callable[..., Any]:
        """Return the function of one time step of an architecture's cell.

        Raises:
            ValueError: it is a custom cell that another backend's new_cell returned.
        """
        custom = architecture.custom
        if custom is None or custom.step is None:
            return self.step_functions[architecture.cell]
        if custom.backend != self.name:
            raise ValueError(
                f"the cell {custom.name} was made by d2lrnn.{custom.backend}.new_cell; expected a "
                f"cell of {self.name}; make it with d2lrnn.{self.name}.new_cell"
            )
        return custom.step

    def zero_state(
        self,
        architecture: Architecture,
        batch_size: int,
        num_hiddens: int,
        *,
        dtype: str = "float32",
        device: Any = None,
    ) -> tuple[Any, ...]:
        """Return the state of all layers before the first time step.

        It is zeros, or the numbers in Cell.begin for some states of a custom cell.
        """
        checks.count(batch_size=batch_size)
        checks.size(num_hiddens=num_hiddens)
        settings = {"dtype": checks.floating(dtype), "device": device}
        shapes = architecture.state_shapes(num_hiddens)
        return tuple(
            self.tensors.from_numpy(np.full((batch_size, *shape), number), **settings)
            for shape, number in zip(shapes, architecture.state_values, strict=True)
        )
