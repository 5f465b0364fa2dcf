"""Let ``from d2l import torch`` import our interface if d2l is not installed."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from d2lrnn import backends
from d2lrnn.book import chapters, names

NAME = "d2l"
PACKAGE_OF_2019 = '"import d2l" alone is how the flat package of 2019 was used, which was for MXNet'


class Stand(ModuleType):
    """The package d2l that a notebook imports; its modules are those of another package."""

    def __init__(self, package: str) -> None:
        """Store the package that contains the modules."""
        super().__init__(NAME, f"{package}, imported as d2l, which is not installed.")
        self.package = package
        self.__version__ = _version(package)

    def __getattr__(self, name: str) -> Any:
        """Return a framework's module."""
        if name in backends.BACKENDS and importlib.util.find_spec(f"{self.package}.{name}"):
            return importlib.import_module(f"{NAME}.{name}")
        raise chapters.absent(NAME, name, self._explain(name), sys._getframe(1))

    def _explain(self, name: str) -> str:
        """Return the reason why d2l does not have a name, and a remedy."""
        edition = _edition(self.package)
        if name == "paddle" or name in names.LETTERS:
            return _no_module(name, edition)
        known = names.names().get(name)
        if known is None or not known.frameworks:
            where = f"module 'd2l' has no attribute {name!r}"
        else:
            having = edition if edition in known.frameworks else next(iter(known.frameworks))
            where = f"d2l.{name} is in {names.listed(names.modules_of(known.frameworks[having]))}"
            where += "" if having == edition else f" of {names.describe(having)}"
        remedy = 'write "from d2l import mxnet as d2l", or torch or tensorflow'
        return f"{where}; {PACKAGE_OF_2019}: {remedy}"


def _no_module(name: str, edition: str) -> str:
    """Return the reason why our d2l does not have a framework's module, and a remedy."""
    if name != "jax" or edition != "classic":
        return f"d2lrnn does not support d2l.{name} of {names.describe(edition)}"
    other = names.PACKAGES["1.0"]
    return (
        f"d2l 0.17 does not have d2l.jax, and d2l 1.0 does: import {other}.d2l instead of "
        f"{names.PACKAGES[edition]}.d2l, or run the notebook with `d2lrnn book --edition 1.0`"
    )


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Find d2l and its modules, such as d2l.torch, in another package, without copying them."""

    def __init__(self, package: str) -> None:
        """Store the package."""
        self.package = package

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the specification of d2l or one of its modules, or None for other names."""
        if fullname == NAME:
            origin = importlib.import_module(self.package).__file__
            spec = importlib.machinery.ModuleSpec(NAME, self, origin=origin, is_package=True)
            spec.has_location = True
            return spec
        parent, _, name = fullname.rpartition(".")
        is_module = parent == NAME and name in backends.BACKENDS
        if not is_module or importlib.util.find_spec(f"{self.package}.{name}") is None:
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Return our module."""
        if spec.name == NAME:
            return Stand(self.package)
        name = spec.name.rpartition(".")[2]
        module = importlib.import_module(f"{self.package}.{name}")
        self.own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Restore the specification of our module, which has been imported before."""
        if not isinstance(module, Stand):
            module.__spec__ = self.own_spec

    def find_distributions(
        self, context: metadata.DistributionFinder.Context | None = None
    ) -> Iterator[metadata.Distribution]:
        """Yield the distribution of d2l, so that ``importlib.metadata`` returns its version."""
        if context is None or context.name is None or context.name.lower() == NAME:
            yield Distribution(self.package)


class Distribution(metadata.Distribution):
    """The distribution d2l that ``importlib.metadata`` finds."""

    def __init__(self, package: str) -> None:
        """Store the package."""
        self.package = package

    def read_text(self, filename: str) -> str | None:
        """Return the name and the version; other files do not exist."""
        if filename != "METADATA":
            return None
        return f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {_version(self.package)}\n"

    def locate_file(self, path: Any) -> Path:
        """Return where a file of our package is."""
        return Path(importlib.import_module(self.package).__file__ or "").parent.joinpath(path)


def _edition(package: str) -> str:
    """Return the edition whose names a package of d2lrnn has."""
    return next((one for one, ours in names.PACKAGES.items() if ours == package), package)


def _version(package: str) -> str:
    """Return the version of d2l whose names a package of d2lrnn has."""
    edition = names.EDITIONS.get(_edition(package))
    return edition.version if edition else "0"


def install(package: str) -> bool:
    """Let ``import d2l`` import a package of d2lrnn in this process; return whether it does.

    A package d2l that is installed or in the current folder is not replaced.

    Raises:
        ImportError: d2l already is another edition of d2lrnn.
    """
    standing = sys.modules.get(NAME)
    if isinstance(standing, Stand):
        if standing.package != package:
            raise ImportError(
                f"d2l is {standing.package} in this process already; start a new one for {package}"
            )
        return True
    if standing is not None or importlib.util.find_spec(NAME) is not None:
        return False
    sys.meta_path.append(Finder(package))
    importlib.import_module(NAME)
    return True
