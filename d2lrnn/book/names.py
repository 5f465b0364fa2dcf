"""The editions of the book, and which names their packages d2l have: names.ini."""

from __future__ import annotations

import configparser
import functools
import inspect
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple


class Edition(NamedTuple):
    """An edition of the book, with a version of its package d2l.

    Args:
        title: its name in messages.
        version: the newest version of d2l for it.
        package: our package for it; None if d2lrnn does not support it.
    """

    title: str
    version: str
    package: str | None = None


EDITIONS = {  # in the order of the columns of names.ini
    "classic": Edition("d2l 0.17", "0.17.6", "d2lrnn.book.classic"),
    "1.0": Edition("d2l 1.0", "1.0.3", "d2lrnn.book"),
    "2026": Edition("the book's edition of 2026", "1.0.3"),
}
PACKAGES = {name: one.package for name, one in EDITIONS.items() if one.package}
LETTERS = {"mxnet": "m", "torch": "t", "tensorflow": "f", "jax": "j"}
EARLIER = "earlier"
_APART = ("aliases", "modules", "methods", "signatures")  # the sections that are not chapters


class Name(NamedTuple):
    """A name of the book's package.

    Args:
        chapter: the title of the chapter that defines it; None for aliases and modules.
        frameworks: the letters of the frameworks that have it, by edition; no edition has a name
            of the versions before 0.17.
        old: the editions that have it only for cells of earlier editions.
    """

    chapter: str | None
    frameworks: dict[str, str]
    old: frozenset[str]

    def editions(self, frameworks: Collection[str] = ()) -> frozenset[str]:
        """Return the editions in which one of the frameworks, or any, has the name."""
        letters = {LETTERS[framework] for framework in frameworks if framework in LETTERS}
        have = self.frameworks.items()
        return frozenset(edition for edition, mtfj in have if not letters or letters & set(mtfj))


class Signature(NamedTuple):
    """The arguments of a name, as names.ini has them, and the letters of its frameworks."""

    written: str
    signature: inspect.Signature
    frameworks: dict[str, str]


def describe(edition: str) -> str:
    """Return the name of an edition in messages."""
    return EDITIONS.get(edition, EDITIONS["2026"]).title


def listed(words: Sequence[str]) -> str:
    """Return words as a phrase: "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def modules_of(letters: str) -> list[str]:
    """Return the modules of d2l for the frameworks of these letters: "d2l.torch" and the like."""
    return [f"d2l.{framework}" for framework, letter in LETTERS.items() if letter in letters]


@functools.cache
def names() -> dict[str, Name]:
    """Return every name of every edition."""
    known: dict[str, Name] = {}
    for section in _table().sections():
        if section not in ("methods", "signatures"):
            chapter = None if section in _APART else section
            for word, columns, old in _entries(section):
                name, _, _ = word.partition("=")
                before = known.get(name, Name(chapter, {}, frozenset()))
                joined = {
                    edition: before.frameworks.get(edition, "") + columns.get(edition, "")
                    for edition in EDITIONS
                    if edition in before.frameworks or edition in columns
                }
                known[name] = Name(chapter, joined, old)
    return known


@functools.cache
def methods() -> dict[str, dict[str, str]]:
    """Return the methods that only some editions have: the frameworks' letters by edition."""
    return {word: columns for word, columns, _ in _entries("methods")}


@functools.cache
def modules(edition: str, framework: str) -> dict[str, str]:
    """Return the modules and other imports in a module of d2l, and the paths of these."""
    return {
        name: target or name
        for word, columns, _ in _entries("modules")
        if LETTERS[framework] in columns.get(edition, "")
        for name, _, target in [word.partition("=")]
    }


@functools.cache
def signatures() -> dict[str, list[Signature]]:
    """Return, by name, the signatures that are not the same in all editions."""
    by_name: dict[str, list[Signature]] = {}
    for word, columns, _ in _entries("signatures"):
        name, _, arguments = word.rstrip(")").partition("(")
        parameters = [_parameter(argument) for argument in arguments.split(",") if argument]
        by_name.setdefault(name, []).append(
            Signature(arguments, inspect.Signature(parameters), columns)
        )
    return by_name


def _parameter(argument: str) -> inspect.Parameter:
    if argument.startswith("**"):
        return inspect.Parameter(argument[2:], inspect.Parameter.VAR_KEYWORD)
    default = None if argument.endswith("=") else inspect.Parameter.empty
    return inspect.Parameter(
        argument.rstrip("="), inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default
    )


@functools.cache
def _table() -> configparser.ConfigParser:
    table = configparser.ConfigParser(delimiters=":", interpolation=None)
    table.read_string(Path(__file__).with_name("names.ini").read_text(encoding="utf-8"))
    return table


def _entries(section: str) -> Iterator[tuple[str, dict[str, str], frozenset[str]]]:
    """Yield each word of a section, with letters by edition and the editions for old cells."""
    for key, words in _table()[section].items():
        pairs = [] if key == EARLIER else list(zip(EDITIONS, key.split(), strict=True))
        columns = {edition: mtfj.strip("()") for edition, mtfj in pairs if mtfj != "-"}
        old = frozenset(edition for edition, mtfj in pairs if mtfj.startswith("("))
        for word in words.split():
            yield word, columns, old
