"""What a cell is in every framework: the names and first values of its parameters.

Initial weights are drawn here, once, with NumPy's PCG64 generator in float64. A backend casts them
to its own tensors, so that the same seed gives the same model everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from d2lrnn import checks

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]

WEIGHT_SCALE = 0.01  # standard deviation of the initial weights; biases are 0 (section 9.5)


@dataclass(frozen=True)
class Cell:
    """How a backend names what belongs to one kind of cell."""

    name: str
    get_params: str
    init_state: str
    parameters: tuple[str, ...]


CELLS = {
    "rnn": Cell("rnn", "get_params", "init_rnn_state", ("W_xh", "W_hh", "b_h", "W_hq", "b_q")),
}


def new_net(backend: Any, cell: str, vocab_size: int, num_hiddens: int, **settings: Any) -> Any:
    """Return a backend's RNNModelScratch with a cell of that name, "rnn" for example."""
    checks.choice(cell, "cell", tuple(CELLS))
    get_params = settings.pop("get_params", getattr(backend, CELLS[cell].get_params))
    init_state, forward_fn = getattr(backend, CELLS[cell].init_state), getattr(backend, cell)
    return backend.RNNModelScratch(
        vocab_size, num_hiddens, get_params, init_state, forward_fn, **settings
    )


def rnn_arrays(vocab_size: int, num_hiddens: int, seed: int | None) -> list[Array]:
    """Return first values for W_xh (V, h), W_hh (h, h), b_h (h,), W_hq (h, V), b_q (V,)."""
    checks.size(vocab_size=vocab_size, num_hiddens=num_hiddens)
    V, h = vocab_size, num_hiddens
    return draw([(V, h), (h, h), (h,), (h, V), (V,)], seed)


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


def draw(shapes: Sequence[Shape], seed: int | None) -> list[Array]:
    """Return float64 arrays: matrices drawn from N(0, 0.01²) in the order given, vectors of 0."""
    rng = np.random.Generator(np.random.PCG64(seed))
    return [
        np.zeros(shape) if len(shape) == 1 else WEIGHT_SCALE * rng.standard_normal(shape)
        for shape in shapes
    ]
