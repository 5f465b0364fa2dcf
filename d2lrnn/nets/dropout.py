"""Dropout of inputs and between layers, with masks drawn in NumPy: the same in every backend.

The masks of a step depend on the seed and the number of the step only, so that a run that is
resumed, or computed by several processes, has the same masks.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.nets import group

Array = np.ndarray[Any, Any]


def check(dropout: float) -> float:
    """Check that a probability of dropout is from 0 to below 1, and return it as a float.

    Raises:
        ValueError: it is not.
    """
    checks.below_one(dropout=dropout)
    return float(dropout)


@dataclass
class Dropout:
    """The masks of the training steps of a net.

    Each token of the inputs, and each hidden unit between two layers, is set to 0 with probability
    p, and otherwise divided by 1 - p. ``seed`` is None if it was drawn at random, as ``drawn``.
    """

    net: Any
    p: float
    seed: int | None = None

    def __post_init__(self) -> None:
        """Draw a seed if none is given, the same in all processes."""
        checks.seed(self.seed)
        processes = group.group_of(self.net)
        self.drawn = secrets.randbits(31) if self.seed is None else int(self.seed)
        if self.seed is None and processes.size > 1:
            self.drawn = int(processes.gather(str(self.drawn))[0])

    @property
    def between(self) -> list[int]:
        """The number of hidden units between each two layers."""
        if self.net.is_custom:
            return []
        architecture = self.net.architecture
        width = architecture.num_directions * self.net.num_hiddens
        return [width] * (architecture.num_layers - 1)

    def inputs(self, X: Any, state: Any, number: int) -> tuple[Any, ...]:
        """Return the network's inputs for step ``number``: rows, masks between layers, state.

        A net of one layer has no masks between layers.
        """
        rows = self.net.rows(X, state)
        T, n = int(rows.shape[0]), int(rows.shape[1])
        first, *others = (self.net.tensor(mask) for mask in self.masks(T, n, number))
        states = self.net.as_tensors(state)
        return (rows * first, tuple(others), states) if others else (rows * first, states)

    def masks(self, T: int, n: int, number: int) -> list[Array]:
        """Return the masks of a step for T time steps and the n rows of this process.

        They are (T, n, 1) for the inputs, whose rows are one-hot, and (T, n, units) between layers.
        """
        processes, keep = group.group_of(self.net), 1 - self.p
        total = n if processes.size == 1 else processes.num_rows
        rng = np.random.default_rng([self.drawn, number])
        draws = [rng.random((T, total, size)) < keep for size in (1, *self.between)]
        return [mask[:, processes.rows(total)] / keep for mask in draws]
