"""Convert numbers and tensors of any framework to NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from d2lrnn import checks

Array = np.ndarray[Any, Any]


def as_array(values: Any) -> Array:
    """Return numbers, or a tensor of any framework, as a NumPy array."""
    if hasattr(values, "detach") and hasattr(values, "cpu"):
        values = values.detach().cpu()
    return np.asarray(values.asnumpy() if hasattr(values, "asnumpy") else values)


def series(corpus: Any) -> Array:
    """Return token ids unchanged, and a series of real numbers as float32.

    Raises:
        ValueError: the corpus holds something other than numbers.
    """
    numbers = as_array(corpus)
    if numbers.dtype.kind not in "biuf":
        raise ValueError(
            f"corpus is of type {type(corpus).__name__}, dtype {numbers.dtype} and shape "
            f"{numbers.shape}; expected a list of token ids; "
            "turn tokens into ids with vocab[tokens]"
        )
    checks.numeric(numbers)
    return numbers.astype(np.float32, copy=False) if numbers.dtype.kind == "f" else numbers
