"""The functions that training differentiates, composed of a backend's cells.

``network(params, *inputs)`` returns outputs (m, q) and the last state. Inputs are time-major. The
frameworks differentiate this code; for NumPy, numpy/bptt_networks.py has a backward pass written by
hand for each network. A mask (T, n, 1) is 1 for a token and 0 for padding, at which the state does
not change.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from d2lrnn.nets import cells, embedding, forward, layers, values_read
from d2lrnn.nets.ops import Ops

Outputs = tuple[Any, tuple[Any, ...]]


@dataclass(frozen=True)
class Recurrent:
    """A forward function, such as rnn: an output for every step.

    The outputs of a custom function are checked to have the width, unless that is None.
    """

    forward_fn: Any
    width: int | None = None

    def __call__(self, params: Any, inputs: Any, state: Any) -> Outputs:
        """Return the outputs (T * n, q) for inputs (T, n, d)."""
        outputs: Outputs = forward.run(self.forward_fn, self.width, inputs, state, params)
        return outputs


@dataclass(frozen=True)
class Masked:
    """Layers of cells over padded sequences: an output for every step, or only for the last.

    With scan, which is for a cell of ops.scans, all steps are computed at once and the mask is
    ignored: it must be 1 everywhere.
    """

    ops: Ops
    architecture: cells.Architecture
    last_only: bool = False
    scan: bool = False

    def __call__(self, params: Any, inputs: Any, mask: Any, state: Any) -> Outputs:
        """Return the outputs (T * n, q), or with last_only (n, q), for inputs (T, n, d)."""
        *weights, W_hq, b_q = params
        how = {"scan": True} if self.scan else {"mask": mask}
        Hs, last = layers.run_layers(self.ops, self.architecture, inputs, state, weights, **how)
        if self.last_only:
            tops = self.architecture.top(last)  # (n, h) of each direction
            Hs = self.ops.tensors.concat(tops)[None]  # (1, n, directions * h)
        return self.ops.output_layer(Hs, W_hq, b_q), last


@dataclass(frozen=True)
class Dropped:
    """Layers of cells with dropout: an output for every step."""

    ops: Ops
    architecture: cells.Architecture

    def __call__(self, params: Any, inputs: Any, masks: Any, state: Any) -> Outputs:
        """Return the outputs (T * n, q) for inputs (T, n, d), masks (T, n, ...) between layers."""
        *weights, W_hq, b_q = params
        between = {"dropped": masks}
        Hs, last = layers.run_layers(self.ops, self.architecture, inputs, state, weights, **between)
        return self.ops.output_layer(Hs, W_hq, b_q), last


@dataclass(frozen=True)
class Embedded:
    """Another network after an embedding, whose table is the first parameter."""

    ops: Ops
    network: Any
    architecture: cells.Architecture

    def __call__(self, params: Any, inputs: Any, *others: Any) -> Outputs:
        """Return the outputs for ids (T, n) or rows (T, n, V), and the network's other inputs."""
        table, *weights = params
        rows = embedding.look_up(self.ops, inputs, table)
        outputs: Outputs = self.network(weights, rows, *others)
        return outputs


@dataclass(frozen=True)
class Decoder:
    """Layers of cells whose inputs at each step are the row before and a vector, the context."""

    ops: Ops
    architecture: cells.Architecture

    def __call__(self, params: Any, before: Any, context: Any, state: Any) -> Outputs:
        """Return the outputs (T * n, q) for rows before (T, n, q) and a context (n, c)."""
        *weights, W_hq, b_q = params
        contexts = 0 * before[:, :, :1] + context[None]  # (T, n, c): the same at every step
        inputs = self.ops.tensors.concat([before, contexts])
        Hs, last = layers.run_layers(self.ops, self.architecture, inputs, state, weights)
        return self.ops.output_layer(Hs, W_hq, b_q), last


@dataclass(frozen=True)
class EncoderDecoder:
    """Two networks of one architecture: the last state of the first is the second's first state.

    The context is the encoder's last hidden state. Source: the book's section 10.7; Cho et al.,
    2014; Sutskever et al., 2014.
    """

    ops: Ops
    architecture: cells.Architecture

    def __call__(self, params: Any, source: Any, mask: Any, state: Any, before: Any) -> Outputs:
        """Return the outputs (T' * n, q) for a source (T, n, d) and rows before (T', n, q)."""
        encoder, decoder = self.architecture.split(params)
        state = self.encode(encoder, source, mask, state)
        return self.alone(decoder, before, self.architecture.top(state)[0], state)

    @property
    def alone(self) -> Decoder:
        """The decoder as a network of its inputs, context and state."""
        return Decoder(self.ops, self.architecture)

    def encode(self, weights: Any, source: Any, mask: Any, state: Any) -> tuple[Any, ...]:
        """Return the state after a source (T, n, d)."""
        return layers.run_layers(self.ops, self.architecture, source, state, weights, mask)[1]


@dataclass(frozen=True)
class Unshared:
    """A cell with separate parameters for every step, to compute each step's part of a gradient.

    params are copies of the cell's weights, one for each time step in order, then W_hq and b_q. If
    all copies are equal, this computes the same as Masked(last_only=True), and the gradients of the
    copies are the terms whose sum is its gradient.
    """

    ops: Ops
    architecture: cells.Architecture

    def __call__(self, params: Any, inputs: Any, mask: Any, state: Any) -> Outputs:
        """Return the outputs (n, q) of the last states for inputs (T, n, d)."""
        *copies, W_hq, b_q = params
        step = layers.masked(self.ops.step_of(self.architecture))
        joined = self.ops.tensors.concat([inputs, mask])
        for t, copy in enumerate(self.architecture.runs(copies)):
            state = step(joined[t], state, copy)
        return self.ops.output_layer(state[0][None], W_hq, b_q), tuple(state)


@dataclass(frozen=True)
class Perturbed:
    """A forward function that adds E_t to the hidden state H_t of a cell after each step t.

    The inputs are [X_t, E_t] (T, n, d + h), and H_t + E_t is the hidden state after step t. With
    E_t = 0, the gradient of E_t is the total gradient of H_t, from its own output and from all
    later steps.
    """

    ops: Ops
    architecture: cells.Architecture
    num_inputs: int

    def __call__(self, inputs: Any, state: Any, params: Any) -> Outputs:
        """Return outputs (T * n, q) and the last state."""
        *weights, W_hq, b_q = params
        Hs, last = self.ops.unroll(self.step, inputs, tuple(state), weights)
        return self.ops.output_layer(Hs, W_hq, b_q), last

    def step(self, XE: Any, state: Any, params: Any) -> tuple[Any, ...]:
        """Return the state after one step."""
        H, *others = self.ops.step_of(self.architecture)(XE[:, : self.num_inputs], state, params)
        return (H + XE[:, self.num_inputs :], *others)


def after_embedding(ops: Ops, architecture: cells.Architecture, network: Callable[..., Any]) -> Any:
    """Return network(ops, architecture), such as Masked, after the embedding if there is one."""
    inner = network(ops, architecture.after_embedding)
    return inner if architecture.embedding is None else Embedded(ops, inner, architecture)


def user_code(network: Any) -> Any:
    """Return the function of a user that a network calls, or None for our own functions."""
    if isinstance(network, Recurrent):
        return forward.user_code(network.forward_fn)
    if type(network).__module__ != __name__:
        return network
    architecture = getattr(network, "architecture", None)
    return architecture and architecture.custom


@functools.cache
def repeated(network: Any) -> Callable[..., Any]:
    """Return a network for many calls of the same shapes, compiled if the framework compiles."""
    function: Callable[..., Any] = compile_network(network, lambda: network.ops.repeated(network))
    return function


def compile_network(network: Any, make: Callable[[], Any]) -> Any:
    """Return the compiled function of a network that make returns.

    For the code of a user it is made anew when values change that this code reads.
    """
    return values_read.compile_code(user_code(network), make)
