"""Initial values of parameters, drawn in the same way for all backends.

They are drawn with NumPy's PCG64 generator in float64. Each backend converts them to its own
tensors, so that the same seed gives the same model in every backend.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from d2lrnn import checks

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
FirstValue = Callable[[Shape, np.random.Generator], Array]

WEIGHT_SCALE = 0.01  # standard deviation of the initial weights; biases are 0 (section 9.5)


def draw(
    shapes: Sequence[Shape],
    seed: int | None,
    *,
    xavier: bool = False,
    first: Sequence[FirstValue | None] = (),
) -> list[Array]:
    """Return float64 arrays: matrices drawn from N(0, 0.01²) in the order given, vectors of 0.

    Args:
        shapes: the shapes of the parameters.
        seed: an integer, or None.
        xavier: whether the variance of a matrix is 2 / (inputs + outputs) instead (the book's
            section 5.4).
        first: for each of the first len(first) shapes, a function that returns other values, or
            None for the rule above.
    """
    checks.seed(seed)
    rng = np.random.Generator(np.random.PCG64(seed))

    def rule(shape: Shape, rng: np.random.Generator) -> Array:
        if len(shape) == 1:
            return np.zeros(shape)
        scale = math.sqrt(2 / sum(shape)) if xavier else WEIGHT_SCALE
        return scale * rng.standard_normal(shape)

    rules = itertools.chain(first, itertools.repeat(None))
    return [(custom or rule)(shape, rng) for shape, custom in zip(shapes, rules, strict=False)]


def normal(shape: Shape, rng: np.random.Generator) -> Array:
    """Return draws from N(0, 1), the scale of the ones in one-hot rows."""
    return rng.standard_normal(shape)


def mlp_arrays(
    num_inputs: int, num_hiddens: int, num_outputs: int, seed: int | None
) -> list[Array]:
    """Return initial values for W_xh (d, h), b_h (h,), W_hq (h, q), b_q (q,)."""
    checks.size(num_inputs=num_inputs, num_hiddens=num_hiddens, num_outputs=num_outputs)
    d, h, q = num_inputs, num_hiddens, num_outputs
    return draw([(d, h), (h,), (h, q), (q,)], seed)
