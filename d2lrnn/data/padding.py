"""Convert sequences of different lengths to one array and a mask of its valid elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from d2lrnn import checks

Array = np.ndarray[Any, Any]


def padded(X: Any, valid: Any, num_inputs: int) -> tuple[Array, Array]:
    """Check sequences and return them as rows (T, n, d) with a mask (T, n, 1).

    X is rows (n, T, d), token ids (n, T) or a list of sequences of either kind; valid is lengths
    (n,), a mask (n, T) or None. Padding is replaced by 0, because NaN multiplied by the 0 of a mask
    would still be NaN.
    """
    if isinstance(X, (list, tuple)):
        if valid is None:
            valid = lengths("X", X)
        X = rectangle(X)
    X = np.asarray(X)
    if X.ndim != 2:
        checks.axes("X", X.shape, "(batch_size, num_steps, num_inputs)")
        checks.width("X", X.shape[2], num_inputs)
    mask = checks.valid(valid, X.shape[:2])
    X = without_padding(X, mask)
    if X.ndim == 2:
        checks.tokens(X, num_inputs)
        X = one_hot(X, num_inputs)
    return X.transpose(1, 0, 2), mask.T[:, :, None]


def lengths(name: str, sequences: Any) -> Array:
    """Return the lengths of a list of sequences.

    Raises:
        ValueError: the list holds something without a length, such as a number.
    """
    for index, sequence in enumerate(sequences):
        if np.ndim(sequence) == 0 and not isinstance(sequence, (list, tuple)):
            raise ValueError(
                f"{name}[{index}] is of type {type(sequence).__name__}; expected a sequence: "
                f"{name} holds a list of ids, or of rows, for each example"
            )
    return np.array([len(sequence) for sequence in sequences], dtype=int)


def without_padding(array: Array, mask: Array) -> Array:
    """Return an array (n, T, ...) with 0 wherever a mask (n, T) is 0."""
    if array.shape[:2] != mask.shape or mask.all():
        return array
    array = array.copy()
    array[mask == 0] = 0
    return array


def one_hot(ids: Array, num_rows: int, dtype: str = "float32") -> Array:
    """Return ids of any shape S, from 0 to num_rows - 1, as one-hot rows S + (num_rows,)."""
    rows = np.zeros((*ids.shape, num_rows), dtype)
    np.put_along_axis(rows, ids[..., None].astype(np.intp), 1, axis=-1)
    return rows


def rectangle(sequences: Any) -> Array:
    """Return sequences of different lengths as one array, padded with zeros at the end."""
    if not isinstance(sequences, (list, tuple)):
        return np.asarray(sequences)
    if len(sequences) == 0:
        return np.zeros((0, 0), int)
    lengths("the sequences", sequences)
    arrays = [np.asarray(sequence) for sequence in sequences]
    checks.same_features([array.shape[1:] for array in arrays])
    longest = max(map(len, arrays), default=0)
    dtype = np.result_type(*[array for array in arrays if array.size] or [np.zeros(0, int)])
    full = np.zeros((len(arrays), longest, *arrays[0].shape[1:]), dtype)
    for row, array in zip(full, arrays, strict=True):
        row[: len(array)] = array
    return full


def weights_of(mask: Array) -> Array:
    """Return a mask (T, n, 1) as weights (T * n,) that add up to 1."""
    entries = mask.reshape(-1)
    if not entries.any():
        raise ValueError(f"the mask {mask.shape[1::-1]} is all False; expected at least one True")
    weights: Array = entries / entries.sum()
    return weights
