"""Let ``from d2l import torch`` mean our interface, where no d2l is installed."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from d2lrnn import backends

NAME = "d2l"


class Stand(ModuleType):
    """The package d2l as a notebook imports it; its modules are those of another package."""

    def __init__(self, package: str) -> None:
        """Keep the package whose modules stand in."""
        super().__init__(NAME, f"{package} in the place of d2l, which is not installed.")
        self.__path__: list[str] = []
        self.package = package

    def __getattr__(self, name: str) -> Any:
        """Return a framework's module."""
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return importlib.import_module(f"{NAME}.{name}")
        except ModuleNotFoundError as error:
            raise AttributeError(str(error)) from None


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Find d2l.torch and the like in another package, and hand on the very same module."""

    def __init__(self, package: str) -> None:
        """Keep the package."""
        self.package = package

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return where a module of d2l comes from, or None for any other."""
        parent, _, name = fullname.rpartition(".")
        known = parent == NAME and name in backends.BACKENDS
        if not known or importlib.util.find_spec(f"{self.package}.{name}") is None:
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Import ours."""
        name = spec.name.rpartition(".")[2]
        module = importlib.import_module(f"{self.package}.{name}")
        self.own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Leave the module, which has been imported, as it was."""
        module.__spec__ = self.own_spec


def install(package: str) -> bool:
    """Let d2l mean a package of ours, for this process; return whether it does.

    A d2l that is installed, or lies in the current folder, stays what it is.

    Raises:
        ImportError: d2l means another edition of ours already.
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
    sys.modules[NAME] = Stand(package)
    sys.meta_path.append(Finder(package))
    return True
