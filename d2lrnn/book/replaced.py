"""Find the names of a framework's module that a reader has replaced."""

from __future__ import annotations

from types import ModuleType

ORIGINALS = "_originals"


def remember(d2l: ModuleType) -> None:
    """Store the values of the names of a module, when it has been imported."""
    names = vars(d2l)
    names[ORIGINALS] = {name: value for name, value in names.items() if name[0] != "_"}


def replaced(d2l: ModuleType) -> set[str]:
    """Return the names that have another value, or have been deleted."""
    names = vars(d2l)
    return {name for name, value in names[ORIGINALS].items() if names.get(name) is not value}
