"""Check arguments that are texts, or lists of texts or tokens.

Many values can be iterated over, but yield something that the caller does not intend: a string
yields its characters, a table the names of its columns, a dictionary its keys.
"""

from __future__ import annotations

import os
import reprlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from d2lrnn import checks

Check = Callable[[Any, str], Any]
BYTES = (bytes, bytearray, memoryview)
SHOWN = (bool, int, float, str, list, tuple, dict, set, frozenset, *BYTES)  # values shown in errors


def text(value: Any, name: str) -> str:
    """Check that a value is a text, and return it.

    Args:
        value: the text.
        name: the name of the argument in error messages.

    Raises:
        ValueError: it is not a string.
    """
    if isinstance(value, str):
        return value
    remedy = "; leave out missing values, with dropna() for example" if _is_missing(value) else ""
    if isinstance(value, BYTES):
        remedy = "; decode it"
    elif isinstance(value, (list, tuple)):
        remedy = "; join its parts into one text"
    raise ValueError(f"{name} is {_shown(value)}; expected a string{remedy}")


def token(value: Any, name: str) -> Any:
    """Check that a value can be a token, as in the book: any key of a dictionary; and return it.

    Raises:
        ValueError: it is not hashable, or is a missing value, such as NaN.
    """
    try:
        hash(value)
    except TypeError:
        raise ValueError(f"{name} is {_shown(value)}; expected a token") from None
    return text(value, name) if _is_missing(value) else value


def strings(values: Any, name: str, check: Check = text) -> Iterator[Any]:
    """Return an iterator over strings that checks each string when it yields it.

    Args:
        values: a list of strings, or any other iterable of strings in a fixed order.
        name: the name of the argument in error messages.
        check: a function that is called with an item that is not a string, and its name.

    Raises:
        ValueError: values is one text, a table, a dictionary, a set or not iterable; or, from the
            iterator, an item is not a string.
    """
    if isinstance(values, str):
        shown = reprlib.repr(values)
        raise ValueError(f"{name} is one text, {shown}; expected a list of strings; give [{shown}]")
    items = ordered(values, name, "strings")
    return (
        item if isinstance(item, str) else check(item, f"{name}[{index}]")
        for index, item in enumerate(items)
    )


def tokens(values: Any, check: Check = text) -> Iterator[Any]:
    """Yield the tokens of a list of tokens, of lists of tokens, or the characters of a string.

    Args:
        values: the tokens.
        check: a function that is called with a token that is not a string, and its name.

    Raises:
        ValueError: values is a table, a dictionary, a set or not iterable.
    """
    for index, part in enumerate(ordered(values, "tokens", "tokens")):
        if isinstance(part, str):
            yield part
        elif isinstance(part, (list, tuple)):
            yield from strings(part, f"tokens[{index}]", check)
        else:
            yield check(part, f"tokens[{index}]")


def ordered(values: Any, name: str, items: str) -> Iterator[Any]:
    """Check that values has items in a fixed order, and return an iterator over them.

    Args:
        values: a list, or any other iterable in a fixed order.
        name: the name of the argument in error messages.
        items: the name of the items in error messages, in the plural.

    Raises:
        ValueError: it is not iterable, or iterates over something other than its items.
    """
    remedy = _remedy(values, name)
    if not remedy:
        try:
            return iter(values)
        except TypeError:  # such as None, or an array without axes
            pass
    raise ValueError(f"{name} is {_shown(values)}; expected a list of {items}{remedy}")


def ids(values: Any, name: str) -> None:
    """Check that values is a sequence of ids, and not a single id or a text.

    Raises:
        ValueError: values does not have a length, is a string or contains a string.
    """
    one = isinstance(values, (str, *BYTES)) or not hasattr(values, "__len__")
    if one or any(isinstance(value, str) for value in values):
        raise ValueError(
            f"{name} is {_shown(values)}; expected a list of ids; "
            "turn tokens into ids with vocab[tokens]"
        )
    for index, value in enumerate(values):
        whole = isinstance(value, (int, np.integer)) or _dtype(value).startswith(("int", "uint"))
        if not whole or (isinstance(value, int) and not -(2**63) <= value < 2**63):
            raise ValueError(
                f"{name}[{index}] is {_shown(value)}; expected an id, an integer of 64 bits"
            )


def _dtype(value: Any) -> str:
    """Return the name of the dtype of a tensor without axes, or "" for any other value."""
    is_scalar = hasattr(value, "dtype") and tuple(getattr(value, "shape", (1,))) == ()
    return checks.dtype_of(value) if is_scalar else ""


def _remedy(values: Any, name: str) -> str:
    """Return the remedy for values whose iterator yields something other than their items."""
    if isinstance(values, BYTES):
        return f"; decode them with bytes({name}).decode()"
    if isinstance(values, os.PathLike):
        return f"; read the file with read_text({name})"
    if hasattr(values, "columns"):  # a table of pandas, Polars or PyArrow
        return f"; give one of its columns, such as {name}['text']"
    if isinstance(values, Mapping):
        return f"; give list({name}.values()) or list({name})"
    if isinstance(values, (set, frozenset)):
        return f"; a set has no order, give sorted({name})"
    return ""


def _is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN, or a missing value of pandas."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))


def _shown(value: Any) -> str:
    """Return the type of a value, with a short form of the value if it is of a type in SHOWN."""
    if value is None:
        return "None"
    kind = type(value).__name__
    return f"{reprlib.repr(value)} ({kind})" if isinstance(value, SHOWN) else f"of type {kind}"
