"""A network with one number, or several, for a whole sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.nets.classifiers import Reader

Array = np.ndarray[Any, Any]


class SequenceRegressorScratch(Reader):
    """A network that computes numbers from a whole sequence (many to one): a linear output layer.

    ``net(X, valid=None)`` returns the numbers (n, num_outputs), from the last hidden state. X and
    valid are those of a SequenceClassifierScratch. ``net.make_step(lr)`` returns
    step(X, y, valid=None), which minimizes the mean squared error; y is (n, num_outputs), or (n,)
    for one output.

    Args:
        num_inputs: the number of features of a step, or the size of the vocabulary for token ids.
        num_hiddens: the number of hidden units of a layer.
        num_outputs: the numbers for each sequence.
        cell: "rnn", "gru", "gru_reset_after", "lstm", "mingru", "minlstm", "s4d" or "mamba", or a
            custom cell from new_cell.
        num_layers: the number of layers of cells.
        bidirectional: whether each layer also runs from the last step to the first.
        fused: whether a mingru, minlstm, s4d or mamba computes all time steps at once, which is
            faster; then no sequence of a minibatch may be padded.
        seed: an integer for the same weights in every backend, or None.
        dtype: "float32" or "float64".
        device: where to compute; None is the framework's default.

    Source: the book's section 3.1 (linear regression), after a recurrent layer.

    Examples:
        >>> X, y = [[[0.5], [0.25]], [[1.0], [-0.5]]], [0.75, 0.5]  # the sums
        >>> net = rnn.SequenceRegressorScratch(1, 4, 1, cell="gru", seed=0)
        >>> step = net.make_step(0.05)
        >>> first, *_, last = [step(X, y) for _ in range(100)]
        >>> last < first, net.predict(X).shape
        (True, (2,))
    """

    last_only = True
    loss = "squared"

    def minibatch(self, X: Any, y: Any, valid: Any = None) -> tuple[tuple[Any, ...], Any, None]:
        """Check a minibatch; return the inputs, and the targets (n, num_outputs)."""
        inputs = self.inputs(X, valid)
        return inputs, self._targets(y, inputs[0].shape[1]), None

    def _targets(self, y: Any, batch_size: int) -> Array:
        """Check targets, and return them in the shape (batch_size, num_outputs)."""
        return checks.real_targets(self._as_arrays(y), (batch_size, self.num_outputs))

    def predict(self, X: Any, valid: Any = None) -> Array:
        """Return the numbers of each sequence, (n, num_outputs), or (n,) for one output."""
        outputs = self.evaluate(X, valid)
        return outputs[:, 0] if self.num_outputs == 1 else outputs

    def mean_squared_error(self, X: Any, y: Any, valid: Any = None) -> float:
        """Return the mean squared error for sequences and their targets."""
        outputs = self.evaluate(X, valid).astype(np.float64)
        return float(((outputs - self._targets(y, len(outputs))) ** 2).mean())

    def score(self, X: Any, y: Any, valid: Any = None) -> float:
        """Return R^2, 1 minus the mean squared error divided by the variance of the targets.

        It is 1 at best, and 0 for the mean of the targets as the constant answer. If all targets
        are equal, it is 1 for an error of 0, otherwise 0.
        """
        error = self.mean_squared_error(X, y, valid)
        variance = float(np.var(np.asarray(self._as_arrays(y), dtype=np.float64), axis=0).mean())
        return 1 - error / variance if variance else float(error == 0)
