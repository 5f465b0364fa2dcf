"""The base class of networks over padded sequences.

Sequences may have different lengths: padding is masked, which means that the state does not change
at a padded step. So each row of a padded batch gives the same numbers as its sequence alone.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.data.padding import padded
from d2lrnn.nets import averaging, cells, describe, first_values
from d2lrnn.nets.ops import Ops
from d2lrnn.nets.steps import SequenceStep, memory_functions
from d2lrnn.nets.values_read import Recompiled

Array = np.ndarray[Any, Any]
State = tuple[Any, ...]


class SequenceNet(ABC):
    """The base class of networks over padded sequences: their parameters and training step.

    ``ops`` is the record of the backend.
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
        self.ops.step_of(architecture)  # checks that a custom cell belongs to the backend
        first = architecture.first
        arrays = first_values.draw(shapes, seed, xavier=True, first=first)
        self.params = self.ops.tensors.trainable(arrays, dtype=self.dtype, device=device)

    @functools.cached_property
    def forward(self) -> Callable[..., Any]:
        """The network's computation, compiled if the backend compiles functions."""
        return self.compile_function(self.network)

    def compile_function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of the network, compiled if the backend compiles functions."""
        if self.architecture.custom is None:
            shared: Callable[..., Any] = self.ops.compile_function(function)
            return shared

        def make() -> Any:  # JAX would trace the same object only once
            return self.ops.compile_function(functools.partial(function))

        return Recompiled(self.architecture.custom, make)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the compiled functions, which cannot be pickled."""
        return {k: v for k, v in vars(self).items() if k not in ("forward", "compute")}

    @abstractmethod
    def minibatch(self, *batch: Any) -> tuple[tuple[Any, ...], Any, Array | None]:
        """Return the network's inputs, the targets, and the weights of the rows or None."""

    @abstractmethod
    def score(self, *batch: Any) -> float:
        """Return a score from 0 to 1 for a batch of inputs and targets, such as the accuracy."""

    def make_step(
        self, lr: float, theta: float = 1.0, *, optimizer: str = "adam", clip: str = "norm"
    ) -> SequenceStep:
        """Return step(*batch) -> mean loss, which trains on one minibatch.

        The arguments are those of make_step for a language model; a batch consists of the arguments
        of ``minibatch``.
        """
        settings = {"optimizer": optimizer, "clip": clip}
        update = averaging.make_update(self.ops, self.network, self.loss, lr, theta, **settings)

        def deferred(*batch: Any) -> Any:
            inputs, targets, weights = self.tensors_of(*batch)
            checks.values(self.ops.tensors.has_values(targets))  # before the parameters change
            loss, _, self.params = update(self.params, inputs, targets, weights)
            return loss

        return SequenceStep(deferred, *memory_functions(update.memory, self))

    @functools.cached_property
    def compute(self) -> Callable[..., Any]:
        """The function that computes the loss and its gradients; see value_and_grad."""
        compute: Callable[..., Any] = self.ops.gradients.value_and_grad(self.network, self.loss)
        return compute

    def gradients(self, *batch: Any) -> tuple[float, list[Array]]:
        """Return the mean loss of a minibatch and its gradients, in the order of arrays()."""
        loss, _, grads = self.compute(self.params, *self.tensors_of(*batch))
        return float(loss), [self.ops.tensors.to_numpy(grad) for grad in grads]

    def tensors_of(self, *batch: Any) -> tuple[Any, Any, Any]:
        """Return a minibatch as the backend's tensors."""
        inputs, targets, weights = self.minibatch(*batch)
        dtype = "int64" if self.loss == "softmax" else self.dtype
        targets = self.ops.tensors.from_numpy(targets, dtype=dtype, device=self.device)
        return inputs, targets, None if weights is None else self.tensor(weights)

    def _rows_of(self, X: Any, valid: Any, num_inputs: int) -> tuple[Any, Array]:
        """Return inputs as rows (T, n, d), a tensor, and their mask (T, n, 1).

        X and valid are the arguments of data.padding.padded. If X is a tensor (n, T, d) of floats,
        gradients flow through it.
        """
        tensors, valid = self.ops.tensors, self._as_arrays(valid)
        if not (tensors.is_tensor(X) and checks.stays_floating(X)):
            rows, mask = padded(self._as_arrays(X), valid, num_inputs)
            return self.tensor(rows), mask
        checks.axes("X", X.shape, "(batch_size, num_steps, num_inputs)")
        checks.width("X", X.shape[2], num_inputs)
        mask = checks.valid(valid, tuple(X.shape[:2])).T[:, :, None]
        rows = self.tensor(tensors.time_major(X))
        return rows if mask.all() else tensors.masked(rows, mask > 0), mask

    def _as_arrays(self, batch: Any) -> Any:
        """Convert a tensor of the backend to an array; return lists, arrays and None unchanged."""
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
        """The number of hidden units of a layer in one direction."""
        return self.architecture.kind.size("h", self.params)

    def arrays(self) -> list[Array]:
        """Return copies of the parameters as NumPy arrays."""
        return [self.ops.tensors.to_numpy(param) for param in self.params]

    def load_arrays(self, arrays: Sequence[Array]) -> None:
        """Set the parameters to NumPy arrays in the form that arrays() returns."""
        arrays = checks.same_shapes(arrays, self.arrays())
        settings = {"dtype": self.dtype, "device": self.device}
        self.params = self.ops.tensors.trainable(arrays, **settings)
