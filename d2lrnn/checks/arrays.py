"""Checks of arrays and their dtypes, in any framework."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from d2lrnn.checks.scalars import shown

Shape = Sequence[int]


def several(**values: Any) -> None:
    """Check that each named value is a list of arrays, or another iterable of them."""
    for name, value in values.items():
        if not isinstance(value, Iterable):
            raise ValueError(f"{name} is {shown(value)}; expected a list of arrays")


def numeric(array: Any, dtype: Any = None) -> np.ndarray[Any, Any]:
    """Convert to a NumPy array of a dtype that every framework supports.

    These dtypes are booleans, and integers and floats of up to 64 bits. The argument dtype, if it
    is not None, must be one of them too.
    """
    converted = np.asarray(array)
    for each in (converted.dtype, np.dtype(dtype or converted.dtype)):
        if each.kind not in "biuf" or each.itemsize > 8:
            raise ValueError(
                f"the dtype is {each}; expected booleans, integers or floats of 64 bits or less"
            )
    return converted


def stays_floating(tensor: Any, dtype: Any = None) -> bool:
    """Return whether a tensor has a dtype of floats, and so has dtype, unless that is None."""
    name = dtype_of(tensor)
    return "float" in name and "float" in (name if dtype is None else np.dtype(dtype).name)


def numbers(array: Any, dtype: Any = None) -> np.ndarray[Any, Any]:
    """Return a copy as a NumPy array that every framework supports, in a dtype.

    The copy is contiguous and in the native byte order. An integer dtype must represent all numbers
    exactly.
    """
    source = numeric(array, dtype)
    native = np.dtype(dtype or source.dtype).newbyteorder("=")
    with np.errstate(invalid="ignore"):
        converted = np.array(source, dtype=native, order="C")
    changes = converted.dtype.kind in "iu" and converted.dtype != source.dtype
    if changes and not (converted == source).all():
        raise ValueError(f"the numbers are {source.dtype} and do not fit {converted.dtype}")
    return converted


def dtype_of(tensor: Any) -> str:
    """Return the name of the dtype of any framework's tensor, such as "float32"."""
    dtype = tensor.dtype
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    return str(name).removeprefix("torch.")


def of_one_dtype(tensors: Sequence[Any]) -> bool:
    """Return whether tensors have the same dtype, compared directly, because it is called often."""
    dtype = tensors[0].dtype
    return all(tensor.dtype == dtype for tensor in tensors)


def same_dtype(param: Any, **tensors: Sequence[Any]) -> None:
    """Check that named tensors have the dtype of a parameter.

    The frameworks handle different dtypes in one operation differently.
    """
    if of_one_dtype([param, *(tensor for group in tensors.values() for tensor in group)]):
        return
    expected = dtype_of(param)
    for name, group in tensors.items():
        for tensor in group:
            if (other := dtype_of(tensor)) != expected:
                raise ValueError(
                    f"{name} has dtype {other}, the parameters have {expected}; convert one of them"
                )


def same_shapes(arrays: Any, expected: Sequence[Any]) -> list[np.ndarray[Any, Any]]:
    """Check that arrays hold numbers and have the expected shapes; return them as NumPy arrays."""
    if not isinstance(arrays, Iterable):
        raise ValueError(
            f"arrays is {arrays!r}; expected a list of arrays, as net.arrays() returns"
        )
    checked: list[np.ndarray[Any, Any]] = [numeric(array) for array in arrays]
    shapes, expected_shapes = (
        [tuple(array.shape) for array in group] for group in (checked, expected)
    )
    if shapes != expected_shapes:
        raise ValueError(
            f"the arrays have shapes {shapes}; expected {expected_shapes}; "
            "take them from a net of the same cell, layers and sizes"
        )
    return checked


def labels(array: Any, shape: Shape, num_classes: int) -> Any:
    """Check that labels are integers of a shape, from 0 to num_classes - 1, and return them."""
    if array.shape != tuple(shape):
        raise ValueError(
            f"the labels have shape {array.shape}; expected {tuple(shape)}, one for each output"
        )
    if array.size == 0:
        raise ValueError(f"the minibatch is empty, of shape {array.shape}; expected labels")
    if array.dtype.kind not in "iub" or array.min() < 0 or array.max() >= num_classes:
        raise ValueError(
            f"the labels are {array.dtype} from {array.min()} to {array.max()}; "
            f"expected integers from 0 to {num_classes - 1}"
        )
    return array


def real_targets(array: Any, shape: tuple[int, int]) -> np.ndarray[Any, Any]:
    """Check that targets are finite numbers of a shape (n, q); for q = 1 also (n,).

    They are returned in the shape (n, q).
    """
    array = np.asarray(array)
    if array.shape != shape and not (shape[1] == 1 and array.shape == shape[:1]):
        raise ValueError(
            f"the targets have shape {array.shape}; expected {shape}, the numbers of each sequence"
        )
    if array.size == 0:
        raise ValueError(f"the minibatch is empty, of shape {array.shape}; expected targets")
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise ValueError(
            f"the targets are {array.dtype}, or not all are finite; expected finite numbers"
        )
    targets: np.ndarray[Any, Any] = array.reshape(shape)
    return targets


def valid(lengths: Any, shape: Shape) -> np.ndarray[Any, Any]:
    """Return a mask of a shape (batch_size, num_steps): 1.0 for valid steps, 0.0 for padding.

    lengths is None if all steps are valid, lengths (batch_size,), or a mask.
    """
    batch_size, num_steps = shape
    if lengths is None:
        return np.ones(shape)
    lengths = np.asarray(lengths)
    if lengths.dtype == bool and lengths.shape == tuple(shape):
        return np.asarray(lengths, dtype=float)
    if lengths.dtype.kind not in "iu" or lengths.shape != (batch_size,):
        raise ValueError(
            f"valid is {lengths.dtype} of shape {lengths.shape}; expected lengths ({batch_size},), "
            f"integers, or a mask ({batch_size}, {num_steps}) of booleans"
        )
    if lengths.size and (lengths.min() < 0 or lengths.max() > num_steps):
        raise ValueError(
            f"valid holds lengths from {lengths.min()} to {lengths.max()}; "
            f"expected 0 to {num_steps}"
        )
    return np.asarray(np.arange(num_steps) < lengths[:, None], dtype=float)


def shares(rows: Any) -> None:
    """Check that all numbers are from 0 to 1."""
    if not (rows.min() >= 0 and rows.max() <= 1):
        raise ValueError(f"the rows reach from {rows.min()} to {rows.max()}; expected 0 to 1")


def rows(arrays: Sequence[Any]) -> None:
    """Check that arrays have at least one axis."""
    for index, array in enumerate(arrays):
        if array.ndim == 0:
            raise ValueError(
                f"arrays[{index}] has no axes, and dtype {array.dtype}; "
                "expected an array with a row for each example"
            )


def same_length(lengths: Sequence[int], batch_size: int) -> None:
    """Check that arrays have the same number of rows, and enough for one minibatch."""
    if len(set(lengths)) != 1 or lengths[0] < batch_size:
        raise ValueError(
            f"the arrays have {list(lengths)} rows; expected the same number in each, and at least "
            f"{batch_size}, the batch_size"
        )


def same_features(shapes: Sequence[tuple[int, ...]]) -> None:
    """Check that the steps of all sequences have the same shape."""
    if len(set(shapes)) > 1:
        listed = ", ".join(str(tuple(shape)) for shape in dict.fromkeys(shapes))
        raise ValueError(f"the steps of the sequences have shapes {listed}; expected one shape")
