"""Deep and bidirectional networks, composed of a backend's cells (sections 10.3 and 10.4)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from d2lrnn.nets import cells, describe
from d2lrnn.nets.forward import ForwardFunction
from d2lrnn.nets.ops import Ops

ForwardFn = Callable[..., tuple[Any, tuple[Any, ...]]]
Triple = tuple[Callable[..., list[Any]], Callable[..., tuple[Any, ...]], ForwardFn]


def stack_of(ops: Ops) -> Callable[..., Triple]:
    """Return the function stack of a backend."""

    def stack(cell: Any, num_layers: int = 1, bidirectional: bool = False) -> Triple:
        """Return get_params, init_state and forward_fn of a deep network, for RNNModelScratch."""
        composed = Composed(ops, cells.Architecture(cell, num_layers, bidirectional))
        forward_fn = ForwardFunction(composed, composed.architecture)
        return composed.get_params, composed.init_state, forward_fn

    stack.__module__, stack.__qualname__ = f"d2lrnn.{ops.name}", "stack"  # for pickle
    return stack


def functions(ops: Ops, architecture: cells.Architecture, *, fused: bool = False) -> Triple:
    """Return get_params, init_state and forward_fn of an architecture.

    Args:
        ops: the record of the backend.
        architecture: the cell, the layers and the directions.
        fused: whether to return the fused forward function.

    Raises:
        ValueError: fused is true, but the architecture does not have a fused forward function.
    """
    composed = Composed(ops, architecture)
    forward_fn = ForwardFunction(composed, architecture)
    if fused and not (architecture.plain and architecture.cell in ops.fused):
        *others, last = ops.fused
        raise ValueError(
            f"only one layer in one direction of {', '.join(others)} or {last} has a fused form; "
            f"this is {describe.in_words(architecture)}"
        )
    if architecture.plain:
        functions = ops.fused if fused else ops.forward
        forward_fn = functions.get(architecture.cell, forward_fn)
    return composed.get_params, composed.init_state, forward_fn


@dataclass(frozen=True, repr=False)
class Composed:
    """The forward function of a deep or bidirectional network; also its parameters and state."""

    ops: Ops
    architecture: cells.Architecture
    __name__ = "forward"

    def __post_init__(self) -> None:
        """Check that a custom cell belongs to the backend."""
        self.ops.step_of(self.architecture)

    def __repr__(self) -> str:
        """Return the architecture and the backend."""
        return f"<stack of {describe.in_words(self.architecture)} in {self.ops.name}>"

    def get_params(
        self,
        vocab_size: int,
        num_hiddens: int,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Any = None,
    ) -> list[Any]:
        """Return the parameters of all layers, then those of the output layer."""
        arrays = self.architecture.arrays(vocab_size, num_hiddens, seed)
        return list(self.ops.tensors.trainable(arrays, dtype=dtype, device=device))

    def init_state(
        self, batch_size: int, num_hiddens: int, *, dtype: str = "float32", device: Any = None
    ) -> tuple[Any, ...]:
        """Return the state of all layers before the first time step: zeros."""
        sizes = batch_size, num_hiddens
        return self.ops.zero_state(self.architecture, *sizes, dtype=dtype, device=device)

    def __call__(self, inputs: Any, state: Any, params: Any) -> tuple[Any, tuple[Any, ...]]:
        """Return the outputs of inputs (T, n, V), (T * n, q), and the last state."""
        outputs, last = self.ops.for_empty_batches(self.run)(inputs, state, params)
        return outputs, last

    def run(self, inputs: Any, state: Any, params: Any) -> tuple[Any, tuple[Any, ...]]:
        """Return the same for a batch that is not empty."""
        self.architecture.check(inputs, state, params)
        *weights, W_hq, b_q = params
        Hs, last = run_layers(self.ops, self.architecture, inputs, state, weights)
        return self.ops.output_layer(Hs, W_hq, b_q), last


def run_layers(
    ops: Ops,
    architecture: cells.Architecture,
    inputs: Any,
    state: Any,
    weights: Any,
    mask: Any = None,
    dropped: Any = (),
    scan: bool = False,
) -> tuple[Any, tuple[Any, ...]]:
    """Return the last layer's hidden states (T, n, directions * h) and the state of all layers.

    Where the mask (T, n, 1) is 0, the state does not change. The inputs of each layer after the
    first are multiplied by one of ``dropped``, unless that is empty. With scan, each layer computes
    all steps at once, by a function of ops.scans; there must not be a mask.
    """
    if scan:
        run_one = ops.scans[architecture.cell]
    else:
        step = ops.step_of(architecture) if mask is None else masked(ops.step_of(architecture))
        run_one = functools.partial(ops.unroll, step)
    Hs, last = inputs, []
    for number, directions in enumerate(architecture.layers(weights, state)):
        outputs = []
        Hs = Hs * dropped[number - 1] if number and dropped else Hs
        Hs = Hs if mask is None else ops.tensors.concat([Hs, mask])
        for index, (params, before) in enumerate(directions):
            # The second direction runs from the last step to the first.
            ordered = ops.tensors.flip(Hs) if index else Hs
            run, after = run_one(ordered, tuple(before), params)
            outputs.append(ops.tensors.flip(run) if index else run)
            last += after
        Hs = ops.tensors.concat(outputs) if len(outputs) > 1 else outputs[0]
    return Hs, tuple(last)


def masked(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return a step for inputs [X, m] with a mask m: 1 for the new state, 0 for the old one."""

    def masked_step(Xm: Any, state: Any, params: Any) -> tuple[Any, ...]:
        X, m = Xm[:, :-1], Xm[:, -1:]
        after = step(X, state, params)
        return tuple(_either(m, *both) for both in zip(after, state, strict=True))

    return masked_step


def spread(m: Any, tensor: Any) -> Any:
    """Return a mask m (n, 1) with as many axes as a tensor (n, ...)."""
    return m[(..., *(None,) * (len(tensor.shape) - 2))]


def _either(m: Any, new: Any, old: Any) -> Any:
    """Return the state (n, ...) that is new where the mask m (n, 1) is 1, and old where it is 0."""
    m = spread(m, new)
    return m * new + (1 - m) * old
