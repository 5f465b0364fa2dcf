"""Custom cells on the command line: FILE.py:FUNCTION, where FUNCTION(rnn) returns a cell."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import inspect
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import click

from d2lrnn.cli.common import OWN_FILES, check_readable
from d2lrnn.measure.agreement import OwnCase

FORM = "FILE.py:FUNCTION"
EXPECTED = f"expected --cell {FORM}, where FUNCTION(rnn) returns rnn.new_cell(...)"


class CellName(click.Choice[str]):
    """The name of a built-in cell, or FILE.py:FUNCTION for a custom cell."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return a name unchanged; an error if it is neither of the two."""
        name = str(value)
        if is_custom(name):
            return value
        if name.endswith(".py"):
            self.fail(
                f"{name!r} names a file without a function; expected {FORM}, such as {name}:mgu"
            )
        if name not in self.choices:
            names = ", ".join(map(repr, self.choices))
            self.fail(f"{name!r} is not one of {names}, and does not have the form {FORM}.")
        return super().convert(value, param, ctx)


def is_custom(name: str) -> bool:
    """Return whether a name has the form FILE.py:FUNCTION."""
    return name.rpartition(":")[0].endswith(".py")


def load(name: str) -> OwnCase:
    """Return the custom cell of a name FILE.py:FUNCTION; the file is executed.

    Raises:
        OSError: the file cannot be read.
        ValueError: the name has another form, or the file does not have a function of that name.
    """
    module, function = load_module("--cell", name, "my_cell.py:mgu")
    make, path = getattr(module, function, None), module.__file__
    if not callable(make):
        raise ValueError(f"{path} has no function {function!r}; {EXPECTED}")
    return OwnCase(function, functools.partial(call_maker, function, path, make))


def load_module(what: str, name: str, example: str) -> tuple[Any, str]:
    """Execute the file of a name FILE.py:FUNCTION; return its module and the name of the function.

    Args:
        what: the option or the argument, for error messages, such as "--cell".
        name: what was given.
        example: a name of the right form.

    Raises:
        OSError: the file cannot be read.
        ValueError: the name has another form, or the file raises an error.
    """
    if not is_custom(name):
        raise ValueError(f"{what} is {name!r}; expected {FORM}, such as {example}")
    path, _, function = name.rpartition(":")
    check_readable(what, path)
    spec = importlib.util.spec_from_file_location("custom_cell", path)
    assert spec is not None
    assert spec.loader is not None
    OWN_FILES[str(spec.origin)] = path
    module = importlib.util.module_from_spec(spec)
    module.__file__ = path
    with failures_in_a_line(path, path):
        spec.loader.exec_module(module)
    return module, function


def call_maker(name: str, path: str, make: Callable[[Any], Any], rnn: Any) -> Any:
    """Return make(rnn).

    Raises:
        ValueError: make cannot be called with a backend only, or it fails.
    """
    if (arguments := _other_arguments(make)) is not None:
        raise ValueError(f"{name} has the arguments {arguments}; {EXPECTED}")
    with failures_in_a_line(f"{name}(rnn)", path):
        return make(rnn)


def _other_arguments(make: Callable[[Any], Any]) -> str | None:
    """Return the arguments of a function that cannot be called with one, or None."""
    try:
        signature = inspect.signature(make)
    except ValueError:  # a class of C, whose arguments are not known
        return None
    try:
        signature.bind(None)
    except TypeError:
        return str(signature)
    return None


@contextlib.contextmanager
def failures_in_a_line(what: str, path: str) -> Iterator[None]:
    """Turn an error of the code in a user's file into one line that names its place.

    Raises:
        ValueError: the block raised another error; a ValueError stays as it is.
    """
    try:
        yield
    except (ValueError, OSError, ImportError):
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename.endswith(path)]
        where = f" in line {lines[-1]}" if lines else ""
        raise ValueError(
            f"{what} fails{where}: {type(error).__name__}: {error}; correct {path}"
        ) from error
