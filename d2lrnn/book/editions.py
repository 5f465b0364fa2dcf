"""Detect the edition of a notebook by the version that it installs, and the names in its cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from d2lrnn.book import installs, names
from d2lrnn.book.cells import Call, Usage
from d2lrnn.book.names import EDITIONS, PACKAGES, describe, listed

_COMMENT = re.compile(r"\s#.*")
_CHINESE = re.compile(r"\bd2l-zh\b")  # all of its versions are of d2l 0.17 or before
# A version that is installed: d2l==0.17.6, d2l>=1.0, d2l-en@v1.0.3, d2l-0.17.6.tar.gz.
_PINNED = re.compile(
    r"\bd2l(?:\s*(==|~=|>=|<=|>|<)\s*|-en(?:\.git)?@v?|-)(\d+)(?:\.(\d+))?(?:\.\d+)*"
)
_URL = re.compile(r"://|\bDATA_URL\b")
_PREFERRED = ("1.0", "classic", "2026")  # the order if several fit equally well
_STRONG, _MEDIUM, _WEAK = 3, 2, 1
_SHOWN = 8  # names in a reason


class Hint(NamedTuple):
    """A name or a call that only some editions have, those editions, and its weight."""

    shown: str
    editions: frozenset[str]
    weight: int


class Verdict(NamedTuple):
    """An edition, a sentence with the reason, and another edition that the cells may be of.

    That is None if the other edition lacks names that the cells use. Arguments do not exclude it:
    ``**kwargs`` may be empty.
    """

    edition: str
    reason: str
    other: str | None = None


def edition_of(sources: Sequence[str]) -> str:
    """Return the edition that cells are of: "classic", "1.0", or "2026", which cannot be run."""
    return detect(sources).edition


def package_of(edition: str) -> str:
    """Return our package for an edition.

    Raises:
        ValueError: d2lrnn does not support the edition.
    """
    if edition not in PACKAGES:
        raise ValueError(
            f"the notebook is of {describe(edition)}, which d2lrnn does not support yet; "
            "--edition 1.0 runs it as one of d2l 1.0, which lacks some of its names"
        )
    return PACKAGES[edition]


def detect(sources: Sequence[str]) -> Verdict:
    """Return the edition of cells, from the d2l that they install and the names that they use.

    If all names belong to another edition, this counts for more than what the cells install.
    """
    hints = [hint for hint in _hints(Usage(sources)) if 0 < len(hint.editions) < len(EDITIONS)]
    score = {
        edition: sum(hint.weight for hint in hints if edition in hint.editions)
        for edition in EDITIONS
    }
    if not any(hint.editions == {"2026"} for hint in hints):
        score["2026"] = -1  # it calls itself 1.0.3, so cells that fit both are taken for 1.0
    pinned, allowed = _pinned(sources)
    edition = max(allowed, key=lambda one: (score[one], -_PREFERRED.index(one)))
    rival = "classic" if edition == "1.0" else "1.0"
    for_it = [h for h in hints if edition in h.editions and rival not in h.editions]
    against = [h for h in hints if rival in h.editions and edition not in h.editions]
    if pinned and not for_it and any(hint.weight == _STRONG for hint in against):
        return Verdict(rival, _in_spite_of(pinned, rival, edition, _shown(against)), edition)
    if not pinned and score[edition] == score[rival]:
        return Verdict(edition, _undecided(edition, rival, for_it, against), rival)
    evidence = [f"install {pinned}"] if pinned else []
    evidence += [f"use {_shown(for_it)}"] if for_it else []
    reason = f"edition {edition}: the cells {' and '.join(evidence)}"
    if against:
        reason += f"; but {_fits(against, rival)}: if cells fail, try --edition {rival}"
    lacks = any(hint.weight == _STRONG and "(" not in hint.shown for hint in for_it)
    return Verdict(edition, reason, rival if against or not lacks else None)


def _in_spite_of(pinned: str, edition: str, installed: str, shown: str) -> str:
    """Return the reason if the names belong to another edition than the installed one."""
    return (
        f"edition {edition}: the cells use {shown}; they install {pinned}, but no name in them "
        f"belongs to {describe(installed)}: if cells fail, try --edition {installed}"
    )


def _undecided(edition: str, rival: str, for_it: list[Hint], against: list[Hint]) -> str:
    """Return the reason if the cells fit two editions equally well."""
    this, other = describe(edition), describe(rival)
    evidence = f"no name in the cells distinguishes {this} from {other}"
    if for_it:
        evidence = f"{_fits(for_it, edition)}, and {_fits(against, rival)}"
    return f"edition {edition}, by default: {evidence}; if cells fail, try --edition {rival}"


def _fits(hints: list[Hint], edition: str) -> str:
    """Return "... fits d2l 0.17", or "... fit d2l 0.17" of several hints."""
    several = len({hint.shown for hint in hints}) > 1
    return f"{_shown(hints)} {'fit' if several else 'fits'} {describe(edition)}"


def _shown(hints: Iterable[Hint]) -> str:
    """Return the names of hints, the strongest first, as a phrase."""
    ordered = sorted(hints, key=lambda hint: (-hint.weight, hint.shown))
    words = list(dict.fromkeys(hint.shown for hint in ordered))
    if len(words) > _SHOWN:
        words = [*words[: _SHOWN - 1], f"{len(words) - _SHOWN + 1} more"]
    return listed(words)


def _pinned(sources: Sequence[str]) -> tuple[str | None, Sequence[str]]:
    """Return the version of d2l that cells install last, if any, and the editions that it is of.

    Comments and texts do not install anything, so the commands are read as they would be run.
    """
    commands = [line for source in sources for line in installs.installs_of_d2l(source)]
    for command in reversed(commands):
        text = _COMMENT.sub("", command)
        for match in _PINNED.finditer(text):
            if editions := _of_version(match[1], int(match[2]), int(match[3] or 0)):
                return match[0].strip(), editions
        if chinese := _CHINESE.search(text):
            return chinese[0], ("classic",)
    return None, tuple(EDITIONS)


def _of_version(operator: str | None, major: int, minor: int) -> Sequence[str]:
    """Return the editions that a version is of; none if its operator leaves that open."""
    if operator == "<":
        return ("classic",) if (major, minor) <= (1, 0) else ()
    if operator in (">", ">=") and major == 0:
        return ()
    return ("classic",) if major == 0 else ("1.0", "2026")


def _hints(usage: Usage) -> Iterator[Hint]:
    if "jax" in usage.frameworks:
        yield Hint("d2l.jax", frozenset(["1.0", "2026"]), _STRONG)
    if "paddle" in usage.frameworks:
        yield Hint("d2l.paddle", frozenset(["classic"]), _STRONG)
    if usage.without_modules:
        yield Hint("`import d2l` alone, as in 2019", frozenset(["classic"]), _MEDIUM)
    frameworks = usage.frameworks & names.LETTERS.keys()
    for name in usage.used:
        yield from _of_name(f"d2l.{name}", name, frameworks)
    for call in usage.calls:
        yield from _of_call(call, frameworks)
    for name, arguments in usage.defined.items():
        yield from _of_definition(name, arguments, frameworks)
    letters = _letters(frameworks)
    for method in usage.methods & names.methods().keys():
        columns = names.methods()[method]
        yield Hint(f".{method}", _having(columns, letters), _WEAK)


def _of_name(shown: str, name: str, frameworks: set[str]) -> Iterator[Hint]:
    known = names.names().get(name)
    if known is None:
        return
    if not known.frameworks:  # only versions before 0.17 have it
        yield Hint(shown, frozenset(["classic"]), _STRONG)
        return
    have = known.editions() if frameworks == {"jax"} else known.editions(frameworks)
    if have <= {"2026"}:  # our names that no page uses are not evidence for that edition
        have = known.editions()
    if have == set(EDITIONS) and known.old:
        yield Hint(shown, have - known.old, _MEDIUM)
    else:
        yield Hint(shown, have, _STRONG)


def _of_definition(name: str, arguments: str, frameworks: set[str]) -> Iterator[Hint]:
    """Yield hints from the definition of a name of the book with these arguments."""
    for hint in _of_name(name, name, frameworks):
        if hint.editions != {"2026"}:  # its names, such as evaluate, are too common
            yield hint._replace(weight=_WEAK)
    known = names.signatures().get(name, [])
    letters = _letters(frameworks)
    same = [_having(one.frameworks, letters) for one in known if one.written == arguments]
    yield Hint(f"{name}({arguments})", frozenset().union(*same), _MEDIUM)


def _of_call(call: Call, frameworks: set[str]) -> Iterator[Hint]:
    """Yield hints from the arguments of a call."""
    if call.name == "download" and _URL.search(call.first):
        yield Hint("d2l.download(URL)", frozenset(["1.0", "2026"]), _STRONG)
    letters = _letters(frameworks)
    known = names.signatures().get(call.name, [])
    named = {name for one in known for name in one.signature.parameters}
    fitting = [_having(one.frameworks, letters) for one in known if _accepts(one, call, named)]
    yield Hint(_written(call), frozenset().union(*fitting), _STRONG)


def _accepts(signature: names.Signature, call: Call, named: set[str]) -> bool:
    """Return whether a signature takes a call; ``named`` are the arguments of all signatures.

    Its ``**kwargs`` are passed to the framework, which lacks the arguments of another edition.
    """
    parameters = signature.signature.parameters
    if call.unpacked and not any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return False
    if call.keywords & (named - parameters.keys()):
        return False
    some = call.positional < 0 or call.unpacked
    bind = signature.signature.bind_partial if some else signature.signature.bind
    try:
        bind(*[None] * max(call.positional, 0), **dict.fromkeys(call.keywords))
    except TypeError:
        return False
    return True


def _written(call: Call) -> str:
    """Return a call as a phrase: how many arguments it has by position, and which by name."""
    count = call.positional
    parts = [f"{count} argument{'s' * (count > 1)}"] if count > 0 else []
    parts += [f"{keyword}=" for keyword in sorted(call.keywords)]
    parts += ["**kwargs"] if call.unpacked else []
    return f"d2l.{call.name}({', '.join(parts)})"


def _letters(frameworks: set[str]) -> set[str]:
    return {names.LETTERS[framework] for framework in frameworks} or set(names.LETTERS.values())


def _having(columns: dict[str, str], letters: set[str]) -> frozenset[str]:
    return frozenset(edition for edition, mtfj in columns.items() if letters & set(mtfj))
