"""First values: of parameters, drawn once for all backends, and of states.

They are drawn with NumPy's PCG64 generator in float64. A backend casts them to its own tensors, so
that the same seed gives the same model everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from d2lrnn import checks

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]

WEIGHT_SCALE = 0.01  # standard deviation of the initial weights; biases are 0 (section 9.5)


def draw(shapes: Sequence[Shape], seed: int | None, *, xavier: bool = False) -> list[Array]:
    """Return float64 arrays: matrices drawn from N(0, 0.01²) in the order given, vectors of 0.

    With xavier the variance of a matrix is 2 / (inputs + outputs) (the book's section 5.4).
    """
    checks.seed(seed)
    rng = np.random.Generator(np.random.PCG64(seed))
    return [
        np.zeros(shape)
        if len(shape) == 1
        else (math.sqrt(2 / sum(shape)) if xavier else WEIGHT_SCALE) * rng.standard_normal(shape)
        for shape in shapes
    ]


def mlp_arrays(
    num_inputs: int, num_hiddens: int, num_outputs: int, seed: int | None
) -> list[Array]:
    """Return first values for W_xh (d, h), b_h (h,), W_hq (h, q), b_q (q,)."""
    checks.size(num_inputs=num_inputs, num_hiddens=num_hiddens, num_outputs=num_outputs)
    d, h, q = num_inputs, num_hiddens, num_outputs
    return draw([(d, h), (h,), (h, q), (q,)], seed)


def zero_state(batch_size: int, num_hiddens: int) -> Array:
    """Return zeros (batch_size, num_hiddens); a batch of 0 is allowed."""
    checks.count(batch_size=batch_size)
    checks.size(num_hiddens=num_hiddens)
    return np.zeros((batch_size, num_hiddens))
