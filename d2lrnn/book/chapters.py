"""The names of a framework's module: those that its files define, and an error for others."""

from __future__ import annotations

import dis
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any

from d2lrnn.book import names, replaced, shared

# Modules that `from d2l.jax import *` does not import: TensorFlow takes most of a GPU's memory.
NOT_BY_STAR = ("tf", "tfds")
# The files that define names of a framework's module; later files replace the names of others.
FILES = {
    "classic": (
        *("aliases", "weighting", "attention", "basics", "coders", "language_model", "seq2seq"),
    ),
    "1.0": (
        *("pairs", "aliases", "weighting", "attention", "basics", "seq2seq", "devices"),
        *("operations", "design", "data_sets", "models", "recurrent", "layers", "translation"),
    ),
}
# Modules without a framework, whose names are in the modules of all frameworks.
SHARED = {
    "classic": (".animator", ".downloads", ".figures", ".hub", ".pairs", ".text"),
    "1.0": ("d2lrnn.book.objects", ".animator", ".board", ".downloads", ".figures", ".texts"),
}
COVERED = ("recurrent neural networks", "modern recurrent neural networks")  # chapters, all names


def provide(package: str, edition: str) -> Callable[[str], Any]:
    """Give a framework's module the names that an edition has in it; return its ``__getattr__``.

    Args:
        package: the module's ``__name__``, which ends with the framework's.
        edition: a key of FILES.
    """
    d2l, framework = sys.modules[package], package.rpartition(".")[2]
    d2l.__path__ += shared.__path__
    for file in FILES[edition]:
        if importlib.util.find_spec(f"{package}.{file}"):  # JAX does not have those of 0.17
            _take_names(d2l, f".{file}", edition, framework)
    take_shared_names(d2l, edition)
    vars(d2l).update(d2l=d2l)
    replaced.remember(d2l)
    return names_of(package, edition)


def take_shared_names(d2l: ModuleType, edition: str) -> None:
    """Give a module the names of an edition that do not need a framework."""
    for module in ("d2lrnn.book.counting", "d2lrnn.data.text", *SHARED[edition]):
        _take_names(d2l, module, edition)


def _take_names(d2l: ModuleType, module: str, edition: str, *frameworks: str) -> None:
    """Copy from a module to d2l the names that ``is_of`` finds in an edition."""
    for name, value in vars(importlib.import_module(module, d2l.__name__)).items():
        if is_of(name, edition, *frameworks) and not isinstance(value, ModuleType):
            setattr(d2l, name, value)


def names_of(package: str, edition: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a framework's module of the book's names.

    It finds ``__all__`` and the modules that d2l's own module imports. For any other name it raises
    the AttributeError, or within ``from ... import`` the ImportError, that says which edition,
    framework and chapter has it.

    Args:
        package: the module's ``__name__``, which ends with the framework's.
        edition: the edition of its names.
    """
    framework = package.rpartition(".")[2]

    def __getattr__(name: str) -> Any:
        if name == "__all__":
            return exported(package, edition)
        if target := names.modules(edition, framework).get(name):
            return pkgutil.resolve_name(target)
        raise absent(package, name, explain(name, edition, framework), sys._getframe(1))

    return __getattr__


def is_of(name: str, edition: str, *frameworks: str) -> bool:
    """Return whether an edition's d2l has a name in one of the frameworks, by default in any."""
    known = names.names().get(name)
    return known is not None and edition in known.editions(frameworks)


def exported(package: str, edition: str) -> list[str]:
    """Return the available names of an edition, which ``from d2l.torch import *`` imports."""
    framework = package.rpartition(".")[2]
    here = set(vars(sys.modules[package]))
    for name, target in names.modules(edition, framework).items():
        if name not in NOT_BY_STAR and importlib.util.find_spec(target.partition(".")[0]):
            here.add(name)
    of_edition = [name for name in names.names() if is_of(name, edition, framework)]
    return [name for name in ("d2l", *of_edition) if name in here and not name.startswith("_")]


def absent(package: str, name: str, reason: str, frame: FrameType) -> Exception:
    """Return the error for a name that a module does not have.

    It is an ImportError where the frame is at ``from ... import name``: there Python replaces an
    AttributeError by an ImportError that does not have its message.
    """
    if name.startswith("__"):
        return AttributeError(f"module {package!r} has no attribute {name!r}")
    if dis.opname[frame.f_code.co_code[frame.f_lasti]] == "IMPORT_FROM":
        return ImportError(f"cannot import name {name!r} from {package!r}: {reason}", name=package)
    return AttributeError(reason)


def explain(name: str, edition: str, framework: str) -> str:
    """Return the reason why a framework's module does not have a name, and a remedy."""
    package = f"{names.PACKAGES[edition]}.{framework}"
    known = names.names().get(name)
    if known is None:
        return f"module {package!r} has no attribute {name!r}; nor has the book's d2l"
    if edition in known.editions([framework]):
        return (
            f"d2l.{name} belongs to another chapter of the book, on {known.chapter}; {package} has "
            "the names of the chapters on recurrent networks; define it in a cell, as the book "
            "does, or install d2l"
        )
    return _elsewhere(name, known, edition, framework)


def _elsewhere(name: str, known: names.Name, edition: str, framework: str) -> str:
    """Return which edition or framework has a name that an edition's framework does not have."""
    this = names.describe(edition)
    if not known.frameworks:
        return (
            f"d2l.{name} is a name of the versions of d2l before 0.17, from the chapter on "
            f"{known.chapter}; {this} does not have it; see the chapter for what replaces it"
        )
    if editions := [one for one in names.EDITIONS if one in known.editions([framework])]:
        start = f"d2l.{name} is a name of {names.describe(editions[0])}, not of {this}"
        if edition in known.frameworks:
            others = names.listed(names.modules_of(known.frameworks[edition]))
            start = (
                f"d2l.{name} is a name of {others} in {this}, and of d2l.{framework} only in "
                f"{names.describe(editions[0])}"
            )
        return f"{start}; {_where(name, known, editions[0], framework)}"
    other = edition if edition in known.frameworks else next(iter(known.frameworks))
    having = names.modules_of(known.frameworks[other])
    here = ""
    if other in names.PACKAGES and known.chapter in COVERED:
        here = f", and of {names.PACKAGES[other]}{having[-1].removeprefix('d2l')} here"
    start = f"d2l.{name} is a name of {names.listed(having)} in {names.describe(other)}{here}"
    return f"{start}; d2l.{framework} does not have it in any edition"


def _where(name: str, known: names.Name, edition: str, framework: str) -> str:
    """Return where d2lrnn has a name of another edition, or that it does not have it."""
    if edition not in names.PACKAGES:
        return "d2lrnn does not support that edition yet"
    package = names.PACKAGES[edition]
    try:
        here = name in vars(importlib.import_module(f"{package}.{framework}"))
    except ImportError as error:
        return f"{package}.{framework}, which is for it, cannot be imported: {error}"
    if here:
        return (
            f"here it is {package}.{framework}.{name}: begin the notebook with "
            f"`from {package} import {framework} as d2l`, or run it with "
            f"`d2lrnn book --edition {edition}`"
        )
    return (
        f"it belongs to its chapter on {known.chapter}, and {package}.{framework} has the names of "
        "the chapters on recurrent networks; define it in a cell, as the book does, or install d2l"
    )
