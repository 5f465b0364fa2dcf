"""Custom cells on the command line: FILE.py:FUNCTION, where FUNCTION(rnn) returns a cell."""

from __future__ import annotations

import importlib.util
from typing import Any

import click

from d2lrnn.cli.common import check_readable
from d2lrnn.measure.agreement import OwnCase

FORM = "FILE.py:FUNCTION"


class CellName(click.Choice[str]):
    """The name of a built-in cell, or FILE.py:FUNCTION for a custom cell."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return a name unchanged; an error if it is neither of the two."""
        return value if is_custom(str(value)) else super().convert(value, param, ctx)


def is_custom(name: str) -> bool:
    """Return whether a name has the form FILE.py:FUNCTION."""
    return name.rpartition(":")[0].endswith(".py")


def load(name: str) -> OwnCase:
    """Return the custom cell of a name FILE.py:FUNCTION; the file is executed.

    Raises:
        OSError: the file cannot be read.
        ValueError: the name has another form, or the file does not have a function of that name.
    """
    if not is_custom(name):
        raise ValueError(f"--cell is {name!r}; expected {FORM}, such as my_cell.py:mgu")
    path, _, function = name.rpartition(":")
    check_readable("--cell", path)
    spec = importlib.util.spec_from_file_location("custom_cell", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    make = getattr(module, function, None)
    if not callable(make):
        raise ValueError(
            f"{path} has no function {function!r}; expected --cell {FORM}, where FUNCTION(rnn) "
            "returns rnn.new_cell(...)"
        )
    return OwnCase(function, make)
