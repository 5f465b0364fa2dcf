"""Deep and bidirectional networks, composed of a backend's own cells (sections 10.3 and 10.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from d2lrnn.nets import cells

ForwardFn = Callable[..., tuple[Any, tuple[Any, ...]]]


@dataclass(frozen=True, eq=False)
class Tools:
    """What a stack needs of a backend.

    steps: by cell, the function step(X, state, params) -> state of one time step.
    unroll: (step, inputs, state, params) -> hidden states of all steps (T, n, h), last state.
    output_layer: (Hs, W_hq, b_q) -> outputs (T * n, q).
    concat: (tensors) -> one tensor, joined along the features.
    flip: (tensor) -> the same with its time steps in reverse.
    trainable, zeros: parameters and first states.
    tanh: the activation.
    flat: (T, n, q) -> (T * n, q).
    finish: what the backend does to a forward function.
    compiled: what the backend does to a function that is called again and again.
    """

    steps: dict[str, Callable[..., Any]]
    unroll: Callable[..., Any]
    output_layer: Callable[..., Any]
    concat: Callable[[Sequence[Any]], Any]
    flip: Callable[[Any], Any]
    trainable: Callable[..., list[Any]]
    zeros: Callable[..., Any]
    tanh: Callable[[Any], Any]
    flat: Callable[[Any], Any]
    finish: Callable[[ForwardFn], ForwardFn] = lambda forward_fn: forward_fn
    compiled: Callable[..., Any] = lambda function: function


def for_backend(tools: Tools) -> Callable[..., tuple[Any, Any, ForwardFn]]:
    """Return stack as the backend with these tools has it."""

    def stack(
        cell: str, num_layers: int = 1, bidirectional: bool = False
    ) -> tuple[Any, Any, ForwardFn]:
        """Return get_params, init_state and forward_fn of a deep network, for RNNModelScratch."""
        return _compose(tools, cells.Architecture(cell, num_layers, bidirectional))

    return stack


def _compose(tools: Tools, architecture: cells.Architecture) -> tuple[Any, Any, ForwardFn]:
    def get_params(
        vocab_size: int,
        num_hiddens: int,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Any = None,
    ) -> list[Any]:
        arrays = architecture.arrays(vocab_size, num_hiddens, seed)
        return tools.trainable(arrays, dtype=dtype, device=device)

    def init_state(
        batch_size: int, num_hiddens: int, *, dtype: str = "float32", device: Any = None
    ) -> tuple[Any, ...]:
        zeros = tools.zeros(batch_size, num_hiddens, dtype=dtype, device=device)
        return (zeros,) * architecture.num_states

    def forward(inputs: Any, state: Any, params: Any) -> tuple[Any, tuple[Any, ...]]:
        architecture.check(inputs, state, params)
        *_, W_hq, b_q = params
        Hs, last = run_layers(tools, architecture, inputs, state, params)
        return tools.output_layer(Hs, W_hq, b_q), last

    forward_fn = tools.finish(forward)
    forward_fn.architecture = architecture  # type: ignore[attr-defined]
    return get_params, init_state, forward_fn


def run_layers(
    tools: Tools,
    architecture: cells.Architecture,
    inputs: Any,
    state: Any,
    weights: Any,
    mask: Any = None,
) -> tuple[Any, tuple[Any, ...]]:
    """Return the last layer's hidden states (T, n, directions * h) and the state of all layers.

    Where a mask (T, n, 1) is 0 the state stands still.
    """
    step = (
        tools.steps[architecture.cell] if mask is None else masked(tools.steps[architecture.cell])
    )
    Hs, last = inputs, []
    for directions in architecture.layers(weights, state):
        outputs = []
        Hs = Hs if mask is None else tools.concat([Hs, mask])
        for index, (params, before) in enumerate(directions):
            ordered = tools.flip(Hs) if index else Hs  # the second goes from the last step back
            run, after = tools.unroll(step, ordered, tuple(before), params)
            outputs.append(tools.flip(run) if index else run)
            last += after
        Hs = tools.concat(outputs) if len(outputs) > 1 else outputs[0]
    return Hs, tuple(last)


def masked(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return a step whose inputs [X, m] end in a mask: 1 for a new state, 0 for the old one."""

    def masked_step(Xm: Any, state: Any, params: Any) -> tuple[Any, ...]:
        X, m = Xm[:, :-1], Xm[:, -1:]
        after = step(X, state, params)
        return tuple(m * new + (1 - m) * old for new, old in zip(after, state, strict=True))

    return masked_step


def perturbed(tools: Tools, cell: str, num_inputs: int) -> ForwardFn:
    """Return a cell's forward function whose inputs [X_t, E_t] hold what is added to each H_t."""

    def step(XE: Any, state: Any, params: Any) -> tuple[Any, ...]:
        H, *others = tools.steps[cell](XE[:, :num_inputs], state, params)
        return (H + XE[:, num_inputs:], *others)

    def forward(inputs: Any, state: Any, params: Any) -> tuple[Any, tuple[Any, ...]]:
        *weights, W_hq, b_q = params
        Hs, last = tools.unroll(step, inputs, tuple(state), weights)
        return tools.output_layer(Hs, W_hq, b_q), last

    return forward
