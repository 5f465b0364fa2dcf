"""Which names of a framework's module a reader has replaced."""

from __future__ import annotations

from types import ModuleType

ORIGINALS = "_originals"


def remember(d2l: ModuleType) -> None:
    """Note what the names of a module stand for; its last line calls this."""
    names = vars(d2l)
    names[ORIGINALS] = {name: value for name, value in names.items() if name[0] != "_"}


def replaced(d2l: ModuleType) -> set[str]:
    """Return the names that do not stand for the original any more, or are gone."""
    names = vars(d2l)
    return {name for name, value in names[ORIGINALS].items() if names.get(name) is not value}
