"""Checks of what a loader yields: one clear error if it is not a minibatch."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np


def check_iterable(train_iter: Any, name: str = "train_iter") -> None:
    """Check that train_iter, the argument of that name, is iterable, without iterating over it.

    Raises:
        ValueError: it is not, for example a function, a class or a number.
    """
    yields = hasattr(train_iter, "__iter__") or hasattr(train_iter, "__getitem__")
    if yields and not isinstance(train_iter, type):
        return
    remedy = "; call it, and give what it returns" if callable(train_iter) else ""
    raise ValueError(
        f"{name} is of type {type(train_iter).__name__}; expected an iterable over the "
        f"minibatches of each epoch, such as a loader or a list{remedy}"
    )


def array(ids: Any) -> Any:
    """Return ids unchanged if they have a shape, otherwise as a NumPy array."""
    return ids if hasattr(ids, "shape") else np.asarray(ids)


def check_carried(number: int, before: int | None, num_rows: int) -> None:
    """Check that a minibatch has as many rows as the one before, whose last state it starts from.

    Raises:
        ValueError: the numbers differ.
    """
    if before not in (None, num_rows):
        raise ValueError(
            f"minibatch {number} has {num_rows} rows, the one before had {before}, whose state "
            "is carried on; make all minibatches of one size (drop_last=True of a PyTorch "
            "DataLoader), or start each from a zero state: use_random_iter=True"
        )


def parts(batch: Any, names: Sequence[str], source: str = "train_iter yields") -> tuple[Any, ...]:
    """Return the parts of a minibatch, one for each name.

    Args:
        batch: a tuple, a list, or an array or tensor whose first axis has the parts.
        names: the names of the parts, for error messages.
        source: where the minibatch comes from, for error messages.

    Raises:
        ValueError: the minibatch is a dictionary, a set or a string, or has another number of
            parts.
    """
    expected = f"expected a tuple ({', '.join(names)})"
    _check_ordered(batch, names, source, expected)
    try:
        values = tuple(batch)
    except TypeError:
        raise ValueError(f"{source} something of type {type(batch).__name__}; {expected}") from None
    if len(values) != len(names):
        raise ValueError(f"{source} {_shown(batch, len(values))}; {expected}")
    return values


def parts_for(net: Any) -> Callable[..., tuple[Any, ...]]:
    """Return a function parts_of(batch, source) for a network over sequences.

    It accepts any number of parts that ``net.minibatch`` accepts as arguments, and raises a
    ValueError for another number, or if a batch is neither a tuple nor a list.
    """
    signature = inspect.signature(getattr(net, "minibatch", lambda *batch: None))
    required = [p.name for p in signature.parameters.values() if p.default is p.empty]
    names = ", ".join(str(p.replace(annotation=p.empty)) for p in signature.parameters.values())
    expected = f"expected a tuple ({names})"

    def parts_of(batch: Any, source: str = "train_iter yields") -> tuple[Any, ...]:
        _check_ordered(batch, required, source, expected)
        if not isinstance(batch, (tuple, list)):
            raise ValueError(f"{source} something of type {type(batch).__name__}; {expected}")
        try:
            signature.bind(*batch)
        except TypeError:
            raise ValueError(f"{source} {_shown(batch, len(batch))}; {expected}") from None
        return tuple(batch)

    return parts_of


def _check_ordered(batch: Any, names: Sequence[str], source: str, expected: str) -> None:
    if isinstance(batch, Mapping):
        keys = [repr(key) for key in batch]
        example = ", ".join(f"batch[{key}]" for key in keys[: len(names)])
        raise ValueError(
            f"{source} a dictionary with the keys {', '.join(keys)}; {expected}, "
            f"such as ({example})"
        )
    if isinstance(batch, (str, bytes, set, frozenset)):
        raise ValueError(f"{source} something of type {type(batch).__name__}; {expected}")


def _shown(batch: Any, length: int) -> str:
    if hasattr(batch, "shape"):
        return f"an array of shape {tuple(batch.shape)}"
    return f"a {type(batch).__name__} of {length} {'part' if length == 1 else 'parts'}"
