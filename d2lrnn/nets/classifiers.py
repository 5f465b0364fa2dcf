"""Classifiers and taggers: one label for each sequence, or one for every time step.

They consist of the same cells as the language models.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.data.padding import rectangle, weights_of, without_padding
from d2lrnn.nets import cells, losses, networks
from d2lrnn.nets.sequence_net import Array, SequenceNet, State

NO_LABEL = -1  # the label of a step of a tagger that does not count


class Reader(SequenceNet):
    """The base class of classifiers and taggers."""

    last_only: bool

    def __init__(
        self,
        num_inputs: int,
        num_hiddens: int,
        num_outputs: int,
        *,
        cell: Any = "rnn",
        num_layers: int = 1,
        bidirectional: bool = False,
        fused: bool = False,
        seed: int | None = None,
        dtype: str = "float32",
        device: Any = None,
    ) -> None:
        """Draw the parameters: those of the cells, then W_hq and b_q."""
        checks.size(num_inputs=num_inputs, num_hiddens=num_hiddens, num_outputs=num_outputs)
        architecture = cells.Architecture(cell, num_layers, bidirectional)
        features = num_hiddens * architecture.num_directions
        layers = architecture.layer_shapes(num_inputs, num_hiddens)
        shapes = [*layers, (features, num_outputs), (num_outputs,)]
        super().__init__(architecture, shapes, seed, dtype, device)
        self.num_inputs, self.num_outputs = num_inputs, num_outputs
        if self.last_only and self.loss == "softmax" and num_outputs == 1:
            self.loss = "sigmoid"
        self.fused = fused and architecture.custom is None and architecture.cell in self.ops.scans
        self.network = networks.Masked(self.ops, architecture, self.last_only, self.fused)

    def __call__(self, X: Any, valid: Any = None) -> Any:
        """Return the unnormalized outputs; the docstring of the class gives their shape."""
        outputs, _ = self.forward(self.params, *self.inputs(X, valid))
        return outputs

    def inputs(self, X: Any, valid: Any) -> tuple[Any, Any, State]:
        """Return inputs (T, n, d), mask (T, n, 1) and initial state as tensors."""
        return self._inputs_and_mask(X, valid)[0]

    def _inputs_and_mask(self, X: Any, valid: Any) -> tuple[tuple[Any, Any, State], Array]:
        """Return the inputs, and their mask as an array."""
        rows, mask = self._rows_of(X, valid, self.num_inputs)
        if self.fused and not mask.all():
            raise ValueError(
                "a part of X is padding; with fused=True, expected sequences of one length; make "
                "the network with fused=False"
            )
        return (rows, self.tensor(mask), self.begin_state(mask.shape[1])), mask

    def evaluate(self, X: Any, valid: Any = None) -> Array:
        """Return the outputs as a NumPy array."""
        outputs: Array = self.ops.tensors.to_numpy(self(X, valid))
        return outputs


class SequenceClassifierScratch(Reader):
    """A network with one label for a whole sequence (many to one), from the last hidden state.

    ``net(X, valid=None)`` returns unnormalized scores (n, num_outputs). X holds rows (n, T, d),
    token ids (n, T), or a list of sequences of different lengths. valid distinguishes the sequences
    from padding: lengths (n,) or a mask (n, T); None means that nothing is padding.
    ``net.make_step(lr)`` returns step(X, y, valid=None), with labels y (n,).

    Args:
        num_inputs: the number of features of a step, or the size of the vocabulary for token ids.
        num_hiddens: the number of hidden units of a layer.
        num_outputs: the number of classes; 1 for a yes-or-no label, computed by a sigmoid.
        cell: "rnn", "gru", "gru_reset_after", "lstm", "mingru", "minlstm", "s4d" or "mamba", or a
            custom cell from new_cell.
        num_layers: the number of layers of cells.
        bidirectional: whether each layer also runs from the last step to the first.
        fused: whether a mingru, minlstm, s4d or mamba computes all time steps at once, which is
            faster; then no sequence of a minibatch may be padded.
        seed: an integer for the same weights in every backend, or None.
        dtype: "float32" or "float64".
        device: where to compute; None is the framework's default.

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
        """Check a minibatch; return the inputs, and the labels (n,), or (n, 1) for yes or no."""
        inputs = self.inputs(X, valid)
        labels = checks.labels(
            np.asarray(self._as_arrays(y)), (inputs[0].shape[1],), max(self.num_outputs, 2)
        )
        return inputs, labels[:, None] if self.num_outputs == 1 else labels, None

    def predict(self, X: Any, valid: Any = None) -> Array:
        """Return the most probable label of each sequence, (n,)."""
        scores = self.evaluate(X, valid)
        labels: Array = scores[:, 0] > 0 if self.num_outputs == 1 else scores.argmax(axis=1)
        return labels.astype(int)

    def probabilities(self, X: Any, valid: Any = None) -> Array:
        """Return the probability of each class (n, q), or with one output that of label 1 (n,)."""
        scores = self.evaluate(X, valid).astype(np.float64)
        if self.num_outputs == 1:
            yes: Array = 0.5 * (1 + np.tanh(0.5 * scores[:, 0]))
            return yes
        return losses.probabilities(scores)

    def score(self, X: Any, y: Any, valid: Any = None) -> float:
        """Return the accuracy: the share of sequences whose predicted label is right."""
        labels = self.predict(X, valid)
        truth = checks.labels(
            np.asarray(self._as_arrays(y)), labels.shape, max(self.num_outputs, 2)
        )
        return float((labels == truth).mean())


class SequenceTaggerScratch(Reader):
    """A network with one label for every step of a sequence (many to many).

    ``net(X, valid=None)`` returns scores (T * n, num_outputs), ordered by time step, where X holds
    rows (n, T, d), token ids (n, T), or sequences of different lengths, and valid distinguishes
    them from padding by lengths (n,) or a mask (n, T). ``net.make_step(lr)`` returns
    step(X, Y, valid=None), with labels Y (n, T); a step that is padding or whose label is -1 does
    not count.

    Args:
        num_inputs: the number of features of a step, or the size of the vocabulary for token ids.
        num_hiddens: the number of hidden units of a layer.
        num_outputs: the number of labels.
        cell: "rnn", "gru", "gru_reset_after", "lstm", "mingru", "minlstm", "s4d" or "mamba", or a
            custom cell from new_cell.
        num_layers: the number of layers of cells.
        bidirectional: whether each layer also runs from the last step to the first.
        fused: whether a mingru, minlstm, s4d or mamba computes all time steps at once, which is
            faster; then no sequence of a minibatch may be padded.
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
        """Check a minibatch; return the inputs, the labels (T * n,) and the weight of each."""
        inputs, mask = self._inputs_and_mask(X, valid)
        labels, mask = self._labels(Y, mask)
        return inputs, labels.T.reshape(-1), weights_of(mask)

    def _labels(self, Y: Any, mask: Array) -> tuple[Array, Array]:
        """Check labels (n, T); return them, and the mask (T, n, 1) of the steps that have a label.

        The label is 0 where the given mask (T, n, 1) is 0, which is padding, or the label is -1.
        """
        mask = mask[:, :, 0].T
        labels = without_padding(rectangle(self._as_arrays(Y)), mask)
        if labels.shape == mask.shape and labels.dtype.kind == "i":
            mask = mask * (labels != NO_LABEL)
            labels = without_padding(labels, mask)
        labels = checks.labels(labels, mask.shape, self.num_outputs)
        return labels, mask.T[:, :, None]

    def predict(self, X: Any, valid: Any = None) -> Array:
        """Return the most probable label of each step, (n, T)."""
        _, mask = self._rows_of(X, valid, self.num_inputs)
        labels: Array = self.evaluate(X, valid).argmax(axis=1).reshape(mask.shape[:2]).T
        return labels

    def score(self, X: Any, Y: Any, valid: Any = None) -> float:
        """Return the accuracy: the share of steps, without padding, whose label is right."""
        _, mask = self._rows_of(X, valid, self.num_inputs)
        truth, mask = self._labels(Y, mask)
        weights_of(mask)  # raises an error if no step has a label
        right = self.predict(X, valid) == truth
        return float(right[mask[:, :, 0].T > 0].mean())
