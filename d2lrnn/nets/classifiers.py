"""Networks that read sequences of different lengths: one label for each, or one for every step.

Made of the same cells as the language models. Padding is masked: where a row has ended, or has not
begun, its state stands still, so that a padded batch gives the numbers of one sequence at a time.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.data.padding import padded, rectangle, weights_of, without_padding
from d2lrnn.nets import averaging, cells, describe, first_values, losses, networks
from d2lrnn.nets.ops import Ops
from d2lrnn.nets.steps import SequenceStep, memory_of

Array = np.ndarray[Any, Any]
State = tuple[Any, ...]


class SequenceNet(ABC):
    """What all networks over padded sequences are: parameters, and a step that trains them.

    ``ops`` is the record of the backend that computes.
    """

    ops: Ops
    network: Callable[..., Any]
    loss = "softmax"
    params: Any
    sizes: tuple[str, ...] = ("num_inputs", "num_hiddens", "num_outputs")

    def __repr__(self) -> str:
        """Return cell, sizes, number of parameters and backend."""
        return describe.in_a_line(self, *self.sizes)

    def __init__(
        self,
        architecture: cells.Architecture,
        shapes: Sequence[first_values.Shape],
        seed: int | None,
        dtype: str,
        device: Any,
    ) -> None:
        """Draw the parameters: matrices from N(0, 2 / (inputs + outputs)), biases 0."""
        self.architecture, self.dtype, self.device = architecture, checks.floating(dtype), device
        first = architecture.first
        arrays = first_values.draw(shapes, seed, xavier=True, first=first)
        self.params = self.ops.tensors.trainable(arrays, dtype=self.dtype, device=device)

    @functools.cached_property
    def forward(self) -> Callable[..., Any]:
        """What a call computes, compiled where the backend compiles."""
        compiled: Callable[..., Any] = self.ops.compiled(self.network)
        return compiled

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is compiled, which does not pickle."""
        return {k: v for k, v in vars(self).items() if k not in ("forward", "compute")}

    @abstractmethod
    def minibatch(self, *batch: Any) -> tuple[tuple[Any, ...], Any, Array | None]:
        """Return what a step computes with: the network's inputs, targets, the rows' weights."""

    @abstractmethod
    def score(self, *batch: Any) -> float:
        """Return how much of a batch, inputs and targets, is right: from 0 to 1."""

    def make_step(
        self, lr: float, theta: float = 1.0, *, optimizer: str = "adam", clip: str = "norm"
    ) -> SequenceStep:
        """Return step(*batch) -> mean loss, which trains on one minibatch.

        Arguments as for make_step of a language model; a batch is what ``minibatch`` takes.
        """
        settings = {"optimizer": optimizer, "clip": clip}
        update = averaging.make_update(self.ops, self.network, self.loss, lr, theta, **settings)

        def deferred(*batch: Any) -> Any:
            inputs, targets, weights = self.tensors_of(*batch)
            checks.values(self.ops.tensors.has_values(targets))  # before anything changes
            loss, _, self.params = update(self.params, inputs, targets, weights)
            return loss

        return SequenceStep(deferred, *memory_of(update.memory, self))

    @functools.cached_property
    def compute(self) -> Callable[..., Any]:
        """The loss and its gradients, as value_and_grad has them."""
        compute: Callable[..., Any] = self.ops.gradients.value_and_grad(self.network, self.loss)
        return compute

    def gradients(self, *batch: Any) -> tuple[float, list[Array]]:
        """Return the mean loss of a minibatch and its gradients, in the order of arrays()."""
        loss, _, grads = self.compute(self.params, *self.tensors_of(*batch))
        return float(loss), [self.ops.tensors.to_numpy(grad) for grad in grads]

    def tensors_of(self, *batch: Any) -> tuple[Any, Any, Any]:
        """Return a minibatch as the backend's tensors."""
        inputs, targets, weights = self.minibatch(*batch)
        dtype = self.dtype if self.loss == "sigmoid" else "int64"
        targets = self.ops.tensors.from_numpy(targets, dtype=dtype, device=self.device)
        return inputs, targets, None if weights is None else self.tensor(weights)

    def _rows_of(self, X: Any, valid: Any, num_inputs: int) -> tuple[Any, Array]:
        """Return rows (T, n, d) as a tensor, and a mask (T, n, 1), of what padded takes.

        A gradient goes back through rows that are a tensor (n, T, d) of floats.
        """
        tensors, valid = self.ops.tensors, self._given(valid)
        if not (tensors.is_tensor(X) and checks.stays_floating(X)):
            rows, mask = padded(self._given(X), valid, num_inputs)
            return self.tensor(rows), mask
        checks.axes("X", X.shape, "(batch_size, num_steps, num_inputs)")
        checks.width("X", X.shape[2], num_inputs)
        mask = checks.valid(valid, tuple(X.shape[:2])).T[:, :, None]
        rows = self.tensor(tensors.time_major(X))
        return rows if mask.all() else tensors.masked(rows, mask > 0), mask

    def _given(self, batch: Any) -> Any:
        """Return what a batch holds with the backend's own tensors as arrays; lists stay lists."""
        as_it_is = batch is None or isinstance(batch, (list, tuple, np.ndarray))
        return batch if as_it_is else self.ops.tensors.to_numpy(batch)

    def tensor(self, array: Array) -> Any:
        """Return an array as a tensor of the parameters' dtype, on their device."""
        return self.ops.tensors.from_numpy(array, dtype=self.dtype, device=self.device)

    def begin_state(self, batch_size: int) -> State:
        """Return the state before the first time step: zeros (batch_size, num_hiddens)."""
        settings = {"dtype": self.dtype, "device": self.device}
        return self.ops.zero_state(self.architecture, batch_size, self.num_hiddens, **settings)

    @property
    def num_hiddens(self) -> int:
        """The hidden units of a layer, in one direction."""
        return cells.CELLS[self.architecture.cell].size("h", self.params)

    def arrays(self) -> list[Array]:
        """Return copies of the parameters as NumPy arrays."""
        return [self.ops.tensors.to_numpy(param) for param in self.params]

    def load_arrays(self, arrays: Sequence[Array]) -> None:
        """Take NumPy arrays, as arrays() returns them, as the parameters."""
        arrays = checks.same_shapes(arrays, self.arrays())
        settings = {"dtype": self.dtype, "device": self.device}
        self.params = self.ops.tensors.trainable(arrays, **settings)


class Reader(SequenceNet):
    """A network that reads rows or token ids, and what comes of it."""

    last_only: bool

    def __init__(
        self,
        num_inputs: int,
        num_hiddens: int,
        num_outputs: int,
        *,
        cell: str = "rnn",
        num_layers: int = 1,
        bidirectional: bool = False,
        seed: int | None = None,
        dtype: str = "float32",
        device: Any = None,
    ) -> None:
        """Make the parameters."""
        checks.size(num_inputs=num_inputs, num_hiddens=num_hiddens, num_outputs=num_outputs)
        architecture = cells.Architecture(cell, num_layers, bidirectional)
        features = num_hiddens * architecture.num_directions
        layers = architecture.layer_shapes(num_inputs, num_hiddens)
        shapes = [*layers, (features, num_outputs), (num_outputs,)]
        super().__init__(architecture, shapes, seed, dtype, device)
        self.num_inputs, self.num_outputs = num_inputs, num_outputs
        self.loss = "sigmoid" if self.last_only and num_outputs == 1 else "softmax"
        self.network = networks.Masked(self.ops, architecture, self.last_only)

    def __call__(self, X: Any, valid: Any = None) -> Any:
        """Return the outputs, not normalised: see the class."""
        outputs, _ = self.forward(self.params, *self.inputs(X, valid))
        return outputs

    def inputs(self, X: Any, valid: Any) -> tuple[Any, Any, State]:
        """Return inputs (T, n, d), mask (T, n, 1) and first state as tensors."""
        rows, mask = self._rows_of(X, valid, self.num_inputs)
        return rows, self.tensor(mask), self.begin_state(mask.shape[1])

    def evaluate(self, X: Any, valid: Any = None) -> Array:
        """Return the outputs as a NumPy array."""
        outputs: Array = self.ops.tensors.to_numpy(self(X, valid))
        return outputs


class SequenceClassifierScratch(Reader):
    """Many to one: a label for a whole sequence, from the last hidden state.

    Args:
        num_inputs: features of a step, or the size of the vocabulary for token ids.
        num_hiddens: hidden units of a layer.
        num_outputs: the number of classes; 1 for yes or no, by a sigmoid.
        cell: "rnn", "gru", "gru_reset_after" or "lstm".
        num_layers: layers of cells.
        bidirectional: whether to read from both ends.
        seed: an integer for the same weights in every backend, or None.
        dtype: "float32" or "float64".
        device: where to compute; None is the framework's default.

    ``net(X, valid=None)`` returns scores (n, num_outputs), not normalised, of X: rows (n, T, d),
    token ids (n, T), or a list of sequences of different lengths. valid says what is not padding:
    lengths (n,) or a mask (n, T); None takes all.

    ``net.make_step(lr)`` returns step(X, y, valid=None), y labels (n,).

    Source: the book's section 16.2 (sentiment).

    Examples:
        >>> net = rnn.SequenceClassifierScratch(5, 4, 2, cell="gru", seed=0)
        >>> step = net.make_step(0.5)
        >>> first, *_, last = [step([[1, 2, 3], [4, 0]], [0, 1]) for _ in range(100)]
        >>> last < first, tuple(net([[1, 2, 3], [4, 0]]).shape)
        (True, (2, 2))
    """

    last_only = True

    def minibatch(self, X: Any, y: Any, valid: Any = None) -> tuple[tuple[Any, ...], Any, None]:
        """Check and return inputs, and labels (n,), or (n, 1) for yes or no."""
        inputs = self.inputs(X, valid)
        labels = checks.labels(
            np.asarray(self._given(y)), (inputs[0].shape[1],), max(self.num_outputs, 2)
        )
        return inputs, labels[:, None] if self.num_outputs == 1 else labels, None

    def predict(self, X: Any, valid: Any = None) -> Array:
        """Return the likeliest label of each sequence, (n,)."""
        scores = self.evaluate(X, valid)
        labels: Array = scores[:, 0] > 0 if self.num_outputs == 1 else scores.argmax(axis=1)
        return labels.astype(int)

    def probabilities(self, X: Any, valid: Any = None) -> Array:
        """Return the probability of each class (n, q), or of a yes (n,)."""
        scores = self.evaluate(X, valid).astype(np.float64)
        if self.num_outputs == 1:
            yes: Array = 0.5 * (1 + np.tanh(0.5 * scores[:, 0]))
            return yes
        return losses.probabilities(scores)

    def score(self, X: Any, y: Any, valid: Any = None) -> float:
        """Return the share of sequences whose label is right."""
        found = self.predict(X, valid)
        truth = checks.labels(np.asarray(self._given(y)), found.shape, max(self.num_outputs, 2))
        return float((found == truth).mean())


class SequenceTaggerScratch(Reader):
    """A network with one label for every step of a sequence (many to many).

    ``net(X, valid=None)`` returns scores (T * n, num_outputs), ordered by time step, where X holds
    rows (n, T, d), token ids (n, T), or sequences of different lengths, and valid tells padding
    apart by lengths (n,) or a mask (n, T). ``net.make_step(lr)`` returns step(X, Y, valid=None),
    with labels Y (n, T); those of padding do not count.

    Args:
        num_inputs: features of a step, or the size of the vocabulary for token ids.
        num_hiddens: hidden units of a layer.
        num_outputs: the number of labels.
        cell: "rnn", "gru", "gru_reset_after" or "lstm".
        num_layers: layers of cells.
        bidirectional: whether each layer also runs from the last step to the first.
        seed: an integer for the same weights in every backend, or None.
        dtype: "float32" or "float64".
        device: where to compute; None is the framework's default.

    Source: the book's section 16.2 (sentiment), with one label per token.

    Examples:
        >>> net = rnn.SequenceTaggerScratch(5, 4, 3, bidirectional=True, seed=0)
        >>> tuple(net([[1, 2, 3], [4, 0, 2]]).shape)  # T = 3, n = 2: six scores of three tags
        (6, 3)
    """

    last_only = False

    def minibatch(self, X: Any, Y: Any, valid: Any = None) -> tuple[tuple[Any, ...], Any, Array]:
        """Check and return inputs, labels (T * n,) and the weight of each."""
        rows, mask = self._rows_of(X, valid, self.num_inputs)
        labels = self._labels(Y, mask)
        inputs = rows, self.tensor(mask), self.begin_state(mask.shape[1])
        return inputs, labels.T.reshape(-1), weights_of(mask)

    def _labels(self, Y: Any, mask: Array) -> Array:
        """Return labels (n, T), checked, with 0 where a mask (T, n, 1) has padding."""
        mask = mask[:, :, 0].T
        labels: Array = checks.labels(
            without_padding(rectangle(self._given(Y)), mask), mask.shape, self.num_outputs
        )
        return labels

    def predict(self, X: Any, valid: Any = None) -> Array:
        """Return the likeliest label of each step, (n, T)."""
        _, mask = self._rows_of(X, valid, self.num_inputs)
        labels: Array = self.evaluate(X, valid).argmax(axis=1).reshape(mask.shape[:2]).T
        return labels

    def score(self, X: Any, Y: Any, valid: Any = None) -> float:
        """Return the share of steps, padding apart, whose label is right."""
        _, mask = self._rows_of(X, valid, self.num_inputs)
        found = self.predict(X, valid)
        right = found == self._labels(Y, mask)
        weights_of(mask)  # refuses one that lets nothing through
        return float(right[mask[:, :, 0].T > 0].mean())
