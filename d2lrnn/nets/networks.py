"""What training differentiates: functions of parameters and inputs, made of a backend's cells.

``network(params, *inputs)`` returns outputs (m, q) and the last state. Inputs are time-major. A
framework differentiates a network as it stands here; numpy/bptt.py goes back through each by hand.
Where a mask (T, n, 1) is 1 a row has a token; where it is 0, padding, there the state stands still.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from d2lrnn.nets import cells, forward, layers
from d2lrnn.nets.ops import Ops

Outputs = tuple[Any, tuple[Any, ...]]


@dataclass(frozen=True)
class Recurrent:
    """A forward function, such as rnn: an output for every step.

    A custom function is checked to return outputs of the width, unless that is None.
    """

    forward_fn: Any
    width: int | None = None

    def __call__(self, params: Any, inputs: Any, state: Any) -> Outputs:
        """Return outputs (T * n, q) of inputs (T, n, d)."""
        outputs: Outputs = forward.run(self.forward_fn, self.width, inputs, state, params)
        return outputs


@dataclass(frozen=True)
class Masked:
    """Layers of cells over padded sequences: an output for every step, or for the last only."""

    ops: Ops
    architecture: cells.Architecture
    last_only: bool = False

    def __call__(self, params: Any, inputs: Any, mask: Any, state: Any) -> Outputs:
        """Return outputs (T * n, q), or (n, q) of the last states, of inputs (T, n, d)."""
        *weights, W_hq, b_q = params
        Hs, last = layers.run_layers(self.ops, self.architecture, inputs, state, weights, mask)
        if self.last_only:
            tops = self.architecture.top(last)  # (n, h) of each direction
            Hs = self.ops.tensors.concat(tops)[None]  # (1, n, directions * h)
        return self.ops.output_layer(Hs, W_hq, b_q), last


@dataclass(frozen=True)
class Decoder:
    """Layers of cells that read, at each step, the row before and one vector, the context."""

    ops: Ops
    architecture: cells.Architecture

    def __call__(self, params: Any, before: Any, context: Any, state: Any) -> Outputs:
        """Return outputs (T * n, q) of rows (T, n, q) and a context (n, c)."""
        *weights, W_hq, b_q = params
        contexts = 0 * before[:, :, :1] + context[None]  # (T, n, c): the same at every step
        inputs = self.ops.tensors.concat([before, contexts])
        Hs, last = layers.run_layers(self.ops, self.architecture, inputs, state, weights)
        return self.ops.output_layer(Hs, W_hq, b_q), last


@dataclass(frozen=True)
class EncoderDecoder:
    """Two networks of one architecture: the first one's last state is where the second begins.

    The context is the encoder's last hidden state. Source: the book's section 10.7; Cho et al.,
    2014; Sutskever et al., 2014.
    """

    ops: Ops
    architecture: cells.Architecture

    def __call__(self, params: Any, source: Any, mask: Any, state: Any, before: Any) -> Outputs:
        """Return outputs (T' * n, q) of a source (T, n, d) and rows before (T', n, q)."""
        encoder, decoder = self.architecture.split(params)
        state = self.encode(encoder, source, mask, state)
        return self.alone(decoder, before, self.architecture.top(state)[0], state)

    @property
    def alone(self) -> Decoder:
        """The second network, for a context that is given."""
        return Decoder(self.ops, self.architecture)

    def encode(self, weights: Any, source: Any, mask: Any, state: Any) -> tuple[Any, ...]:
        """Return the state after a source (T, n, d)."""
        return layers.run_layers(self.ops, self.architecture, source, state, weights, mask)[1]


@dataclass(frozen=True)
class Unshared:
    """A cell that has parameters of its own for every step: what each step alone contributes.

    params are the cell's weights once for each step, step after step, then W_hq and b_q. Where all
    copies are equal this computes what Masked(last_only=True) does, and the gradients of the copies
    are the terms of which its gradient is the sum.
    """

    ops: Ops
    cell: str

    def __call__(self, params: Any, inputs: Any, mask: Any, state: Any) -> Outputs:
        """Return outputs (n, q) of the last states, of inputs (T, n, d)."""
        *copies, W_hq, b_q = params
        step = layers.masked(self.ops.steps[self.cell])
        joined = self.ops.tensors.concat([inputs, mask])
        for t, own in enumerate(cells.Architecture(self.cell).runs(copies)):
            state = step(joined[t], state, own)
        return self.ops.output_layer(state[0][None], W_hq, b_q), tuple(state)


@dataclass(frozen=True)
class Perturbed:
    """A cell to whose hidden state after each step something is added, in size 0 where it is used.

    A forward function: inputs [X_t, E_t] (T, n, d + h), and H_t + E_t is what goes on from step t.
    The gradient for E_t is all that reaches H_t, from its own output and from every later step.
    """

    ops: Ops
    cell: str
    num_inputs: int

    def __call__(self, inputs: Any, state: Any, params: Any) -> Outputs:
        """Return outputs (T * n, q) and the last state."""
        *weights, W_hq, b_q = params
        Hs, last = self.ops.unroll(self.step, inputs, tuple(state), weights)
        return self.ops.output_layer(Hs, W_hq, b_q), last

    def step(self, XE: Any, state: Any, params: Any) -> tuple[Any, ...]:
        """Return the state after one step."""
        H, *others = self.ops.steps[self.cell](XE[:, : self.num_inputs], state, params)
        return (H + XE[:, self.num_inputs :], *others)
