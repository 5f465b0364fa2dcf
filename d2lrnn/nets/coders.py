"""An encoder, which turns a sequence into a state, and a decoder, which generates a sequence.

At each step, a decoder takes the output of the step before and a vector, the context. In training,
the output of the step before is that of the targets (teacher forcing); in generation, it is the
decoder's own. At the first step, it is a row of zeros. Source: the book's sections 10.6 and 10.7.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.data.padding import padded, weights_of
from d2lrnn.nets import cells, networks
from d2lrnn.nets.sequence_net import Array, SequenceNet, State


class EncoderScratch(SequenceNet):
    """A network that encodes a sequence as the state after its last step.

    ``encoder(X, valid=None)`` returns the state; X and valid are as for
    SequenceClassifierScratch.

    Args:
        num_inputs: the number of features of a step, or the size of the vocabulary for token ids.
        num_hiddens: the number of hidden units of a layer.
        cell: "rnn", "gru", "gru_reset_after", "lstm", "mingru", "minlstm", "s4d" or "mamba", or a
            custom cell from new_cell.
        num_layers: the number of layers of cells.
        seed: an integer for the same weights in every backend, or None.
        dtype: "float32" or "float64".
        device: where to compute; None is the framework's default.

    Source: the book's section 10.7, Encoder.

    Examples:
        >>> encoder = rnn.EncoderScratch(5, 4, cell="lstm", seed=0)
        >>> H, C = encoder([[1, 2, 3], [4, 0]])  # two sequences of different lengths
        >>> tuple(H.shape), tuple(C.shape)
        ((2, 4), (2, 4))
    """

    sizes = ("num_inputs", "num_hiddens")

    def __init__(
        self,
        num_inputs: int,
        num_hiddens: int,
        *,
        cell: Any = "gru",
        num_layers: int = 1,
        seed: int | None = None,
        dtype: str = "float32",
        device: Any = None,
    ) -> None:
        """Draw the parameters of the cells; an encoder does not have an output layer."""
        checks.size(num_inputs=num_inputs, num_hiddens=num_hiddens)
        architecture = cells.Architecture(cell, num_layers)
        shapes = architecture.layer_shapes(num_inputs, num_hiddens)
        super().__init__(architecture, shapes, seed, dtype, device)
        self.num_inputs = num_inputs
        self.network = networks.EncoderDecoder(self.ops, architecture)

    @functools.cached_property
    def forward(self) -> Callable[..., Any]:
        """The encoder's computation, compiled if the backend compiles functions."""
        network = networks.EncoderDecoder(self.ops, self.architecture)
        return self.compile_function(network.encode)

    def __call__(self, X: Any, valid: Any = None) -> State:
        """Return the state after the last valid step of each sequence."""
        state: State = self.forward(self.params, *self.inputs(X, valid))
        return state

    def inputs(self, X: Any, valid: Any) -> tuple[Any, Any, State]:
        """Return inputs (T, n, d), mask (T, n, 1) and initial state as tensors."""
        rows, mask = self._rows_of(X, valid, self.num_inputs)
        return rows, self.tensor(mask), self.begin_state(mask.shape[1])

    def minibatch(self, *batch: Any) -> Any:
        """Raise ValueError: an encoder can only be trained together with a decoder."""
        raise ValueError("an encoder does not have targets; train an EncoderDecoderScratch")

    score = minibatch


class DecoderScratch(SequenceNet):
    """A network that generates a sequence from a vector, the context.

    ``decoder(Y, state, context)`` returns the outputs (T * n, num_outputs), ordered by time step,
    and the state, for the tokens or rows Y generated so far. ``decoder.make_step(lr)`` returns
    step(context, Y, valid=None), which starts from a state of zeros; the part of Y beyond its valid
    length is ignored.

    Args:
        num_outputs: the size of the vocabulary, or, for loss "sigmoid", the number of features of a
            row.
        num_hiddens: the number of hidden units of a layer.
        num_context: the number of features of the context.
        loss: "softmax" for sequences of token ids, "sigmoid" for rows of numbers from 0 to 1.
        cell: "rnn", "gru", "gru_reset_after", "lstm", "mingru", "minlstm", "s4d" or "mamba", or a
            custom cell from new_cell.
        num_layers: the number of layers of cells.
        seed: an integer for the same weights in every backend, or None.
        dtype: "float32" or "float64".
        device: where to compute; None is the framework's default.

    Source: the book's section 10.7, Decoder.

    Examples:
        >>> decoder = rnn.DecoderScratch(num_outputs=5, num_hiddens=4, num_context=3, seed=0)
        >>> context = rnn.from_numpy([[1, 0, -1]], dtype="float32")  # n = 1, three features
        >>> step = decoder.make_step(0.1)
        >>> first, *_, last = [step(context, [[1, 2, 3]]) for _ in range(100)]
        >>> last < first
        True
    """

    sizes = ("num_outputs", "num_hiddens", "num_context")

    def __init__(
        self,
        num_outputs: int,
        num_hiddens: int,
        num_context: int,
        *,
        loss: str = "softmax",
        cell: Any = "gru",
        num_layers: int = 1,
        seed: int | None = None,
        dtype: str = "float32",
        device: Any = None,
    ) -> None:
        """Draw the parameters: those of the cells, then W_hq and b_q."""
        checks.size(num_outputs=num_outputs, num_hiddens=num_hiddens, num_context=num_context)
        checks.choice(loss, "loss", ("softmax", "sigmoid"))
        architecture = cells.Architecture(cell, num_layers)
        layers = architecture.layer_shapes(num_outputs + num_context, num_hiddens)
        shapes = [*layers, (num_hiddens, num_outputs), (num_outputs,)]
        super().__init__(architecture, shapes, seed, dtype, device)
        self.num_outputs, self.num_context, self.loss = num_outputs, num_context, loss
        self.network = self.joint.alone

    @property
    def joint(self) -> networks.EncoderDecoder:
        """The encoder-decoder network of which this decoder is the second part."""
        return networks.EncoderDecoder(self.ops, self.architecture)

    def __call__(self, Y: Any, state: State, context: Any) -> tuple[Any, State]:
        """Return the outputs (T * n, num_outputs) after the tokens or rows Y, and the state."""
        rows, mask = self._rows_of(Y, None, self.num_outputs)
        checks.state(state, mask.shape[1], self.architecture.state_shapes(self.num_hiddens))
        checks.same_dtype(self.params[0], state=state)
        return self.run(rows, state, self.checked(context, mask.shape[1]))

    def run(self, rows: Any, state: State, context: Any) -> tuple[Any, State]:
        """Return the outputs and the state after rows (T, n, num_outputs), a tensor."""
        outputs, state = self.forward(self.params, rows, context, state)
        return outputs, state

    def checked(self, context: Any, batch_size: int) -> Any:
        """Check a context; return it as a tensor (n, num_context), through which gradients flow."""
        if not self.ops.tensors.is_tensor(context):
            context = np.asarray(self._as_arrays(context))
        shape = tuple(context.shape)
        if shape != (batch_size, self.num_context):
            raise ValueError(
                f"the context has shape {shape}; expected ({batch_size}, {self.num_context})"
            )
        return self.tensor(context)

    def minibatch(self, context: Any, Y: Any, valid: Any = None) -> tuple[Any, Any, Array]:
        """Return the inputs for teacher forcing, the targets (T * n, ...) and their weights."""
        before, targets, weights = self.teacher(Y, valid)
        vector, state = self.checked(context, before.shape[1]), self.begin_state(before.shape[1])
        return (self.tensor(before), vector, state), targets, weights

    def teacher(self, Y: Any, valid: Any = None) -> tuple[Array, Array, Array]:
        """Return the target of the step before (T, n, q), the targets and their weights."""
        rows, mask = padded(self._as_arrays(Y), valid, self.num_outputs)
        if rows.size == 0:
            raise ValueError(f"the targets are empty, of shape {rows.shape}; expected at least one")
        if self.loss == "softmax":
            targets = rows.argmax(axis=2).reshape(-1)
        else:
            checks.shares(rows)
            targets = rows.reshape(-1, self.num_outputs)
        before = np.concatenate([np.zeros_like(rows[:1]), rows[:-1]])
        return before, targets, weights_of(mask)

    def score(self, *batch: Any) -> float:
        """Return exp(-loss): the geometric mean of the probabilities of the targets."""
        loss, _ = self.gradients(*batch)
        return float(np.exp(-loss))

    def generate(self, context: Any, num_steps: int, *, seed: int | None = None) -> Array:
        """Generate rows of numbers from 0 to 1, for a decoder with loss "sigmoid".

        Args:
            context: vectors (n, num_context), one for each sequence.
            num_steps: the number of rows to generate for each sequence.
            seed: an integer to draw each input of the next step at random, as 1 with the computed
                probability and otherwise as 0; None to use the probabilities themselves.

        Returns:
            The probabilities, an array (n, num_steps, num_outputs).
        """
        checks.count(num_steps=num_steps)
        checks.seed(seed)
        if self.loss != "sigmoid":
            raise ValueError(
                "the decoder generates tokens; generate needs a decoder with loss='sigmoid'"
            )
        vector = self.checked(context, len(context))
        state, rng = self.begin_state(len(context)), np.random.default_rng(seed)
        row, rows = np.zeros((len(context), self.num_outputs)), []
        for _ in range(num_steps):
            outputs, state = self.run(self.tensor(row[None]), state, vector)
            row = 0.5 * (1 + np.tanh(0.5 * self.ops.tensors.to_numpy(outputs)))
            rows.append(row)
            if seed is not None:
                row = (rng.random(row.shape) < row).astype(float)
        outputs = np.array(rows).reshape(num_steps, len(context), self.num_outputs)
        return outputs.transpose(1, 0, 2)
