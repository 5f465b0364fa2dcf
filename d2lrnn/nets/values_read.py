"""The values that a custom forward function reads, so that compiled code is made anew for others.

JAX and TensorFlow compile a training step when it is first called. Attributes, global variables and
variables of an enclosing function are constants of the compiled code.
"""

from __future__ import annotations

import functools
import sys
import types
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from d2lrnn import backends
from d2lrnn.nets import kinds
from d2lrnn.nets.cell import Cell

PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic)
CONTAINERS = (list, tuple, set, frozenset, deque)
MOST = 1000  # a container with more elements is compared by identity
FRAMEWORKS = {"d2lrnn", *backends.BACKENDS, *kinds.PACKAGES}
FUNCTIONS = (types.FunctionType, types.MethodType, functools.partial)


class Recompiled:
    """A compiled function that is compiled anew if values that a custom function reads change.

    Changes that the function itself makes during a call do not count.

    Args:
        user_code: the forward function, or the record of a custom cell, that it calls.
        make: a function without arguments that returns a new compiled function.
    """

    def __init__(self, user_code: Any, make: Callable[[], Callable[..., Any]]) -> None:
        """Store the arguments; nothing is compiled yet."""
        self.user_code, self.make = user_code, make
        self.function: Callable[..., Any] | None = None
        self.values: list[Any] = []

    def __call__(self, *arguments: Any) -> Any:
        """Return the results of the compiled function."""
        if self.function is None or self.values != read(self.user_code):
            self.function = self.make()
        try:
            return self.function(*arguments)
        finally:
            self.values = read(self.user_code)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy without the compiled function."""
        return Recompiled, (self.user_code, self.make)


def compile_code(user_code: Any, make: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
    """Return the compiled function that make returns; for the code of a user, a Recompiled."""
    return make() if user_code is None else Recompiled(user_code, make)


class Identity:
    """An object that is equal to itself only."""

    def __init__(self, value: Any) -> None:
        """Store the object, so that no later one can have its id."""
        self.value = value

    def __eq__(self, other: object) -> bool:
        """Return whether the other one is of the same object."""
        return isinstance(other, Identity) and other.value is self.value

    __hash__ = None  # type: ignore[assignment]


def read(function: Any) -> list[Any]:
    """Return what a function reads besides its arguments, as a list to compare.

    These are the attributes and variables that its code names, and those that the functions which
    it calls name, except in installed packages. A number, a text and a NumPy array are compared by
    value, any other object without such attributes by identity.

    Args:
        function: a function of a user, or the record of a custom cell, whose step is read.
    """
    if isinstance(function, Cell):
        function = getattr(function.step, "step", function.step)
    return [*_Reader().visit(function)]


class _Reader:
    """A walk over what a function reads, which visits each object once."""

    def __init__(self) -> None:
        self.visited: list[Any] = []  # the objects, so that no id is that of a later one
        self.ids: set[int] = set()

    def visit(self, value: Any, names: frozenset[str] = frozenset()) -> Iterator[Any]:
        """Yield what a value holds, of objects only the attributes of these names."""
        if isinstance(value, PLAIN):
            yield type(value), repr(value)
        elif type(value) is np.ndarray and value.dtype != object:
            yield value.shape, value.dtype.str, value.tobytes()
        elif not isinstance(value, types.ModuleType):
            yield Identity(value)
            if id(value) not in self.ids and not _is_installed(value):
                self.ids.add(id(value))
                self.visited.append(value)
                for part, known in self.parts(value, names):
                    yield from self.visit(part, known)

    def parts(self, value: Any, names: frozenset[str]) -> Iterator[tuple[Any, frozenset[str]]]:
        """Yield the parts of a value, and the names of attributes that are read of each."""
        if isinstance(value, (dict, *CONTAINERS)):
            small = value if len(value) <= MOST else ()
            for part in [*small, *(small.values() if isinstance(small, dict) else ())]:
                yield part, names
        elif isinstance(value, FUNCTIONS):
            yield from _parts_of_function(value)
        else:
            names = _names_of_methods(value, names)
            for name in sorted(names):
                for space in _spaces(value):
                    if name in space:
                        yield space[name], names


def _parts_of_function(function: Any) -> Iterator[tuple[Any, frozenset[str]]]:
    """Yield what a function, a method or a functools.partial refers to."""
    if isinstance(function, functools.partial):
        for part in (function.func, *function.args, *function.keywords.values()):
            yield part, frozenset()
        return
    if isinstance(function, types.MethodType):
        yield function.__self__, _names(function.__func__.__code__)
        yield function.__func__, frozenset()
        return
    names = _names(function.__code__)
    yield getattr(function, "__wrapped__", None), names
    for cell in function.__closure__ or ():
        with_value = [cell.cell_contents] if cell != types.CellType() else []
        for part in with_value:
            yield part, names
    defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    named = [function.__globals__[n] for n in sorted(names) if n in function.__globals__]
    attributes = [value for name, value in vars(function).items() if name in names]
    for part in (*defaults, *named, *attributes):
        yield part, names


@functools.lru_cache(256)
def _names(code: types.CodeType) -> frozenset[str]:
    """Return the names of attributes and global variables in code, and in functions within it."""
    inner = [_names(part) for part in code.co_consts if isinstance(part, types.CodeType)]
    return frozenset(code.co_names).union(*inner)


def _names_of_methods(value: Any, names: frozenset[str]) -> frozenset[str]:
    """Return names, and those in the methods that they name and in __call__ of an object."""
    todo, known = {*names, "__call__"}, set(names)
    while todo:
        name = todo.pop()
        for space in _spaces(value)[1:]:
            method = space.get(name)
            function = getattr(method, "fget", None) or getattr(method, "__func__", method)
            if isinstance(function, types.FunctionType):
                todo |= _names(function.__code__) - known
                known |= _names(function.__code__)
    return frozenset(known)


def _spaces(value: Any) -> list[Any]:
    """Return the attributes of an object, and of each class that it is an instance of."""
    kind = value if isinstance(value, type) else type(value)
    classes = [vars(each) for each in kind.__mro__ if not _is_library(each.__module__)]
    slots = {n for each in kind.__mro__ for n in _slots(each) if hasattr(value, n)}
    attributes = {name: getattr(value, name) for name in slots}
    return [{**getattr(value, "__dict__", {}), **attributes}, *classes]


def _slots(kind: type) -> tuple[str, ...]:
    slots = vars(kind).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _is_installed(value: Any) -> bool:
    """Return whether an object is of a framework, of this package or of an installed package."""
    kinds_of = value.__mro__ if isinstance(value, type) else type(value).__mro__
    if isinstance(value, types.FunctionType):
        return _is_library(value.__module__ or "")
    return any(_is_library(kind.__module__) for kind in kinds_of if kind is not object)


@functools.lru_cache(256)
def _is_library(module: str) -> bool:
    package = module.partition(".")[0]
    if package in FRAMEWORKS:
        return True
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return "site-packages" in file or "dist-packages" in file
