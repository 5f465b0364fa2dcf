"""Which Python code belongs to d2lrnn or a framework, and which to a student.

Python code that is compiled into a graph runs once, when the graph is built: afterwards it does not
print, log or count. Therefore only the code of the packages below is compiled. All other code runs
line by line, at each step.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator, Mapping
from types import FunctionType, MethodDescriptorType, MethodType, WrapperDescriptorType
from typing import Any

from d2lrnn.book.replaced import replaced

d2l = sys.modules[__package__]
WITH_METHODS = {"d2lrnn", "keras", "tf_keras", "tensorflow", "flax", "jax", "jaxlib", "optax"}
PACKAGES = {*WITH_METHODS, "nanobind"}  # nanobind makes the functions of jaxlib, in C++
PLAIN = {
    *sys.stdlib_module_names,
    "numpy",
}  # a graph may contain their values, but not their functions
OUTSIDE = {
    "__annotations__",
    "__new__",
    "board",
    "trainer",
}  # attributes that compiled steps do not use
METHODS_OF_C = (MethodDescriptorType, WrapperDescriptorType)
WRAPPERS = (staticmethod, classmethod, property, functools.partial, MethodType)
WRAPPED = ("__func__", "fget", "fset", "func", "args", "keywords")  # their attributes
NESTED = (Mapping, list, tuple, set, *WRAPPERS)


def may_be_compiled(*values: Any) -> bool:
    """Return whether no name is replaced, and a step with these values runs only code of PACKAGES.

    A graph would call a replaced function only when it is made, and not at each step.
    """
    return not replaced(d2l) and is_own_code(*values)


def is_own_code(*values: Any) -> bool:
    """Return whether a training step with these values runs only code of PACKAGES.

    The result is False for an object of a student's class. Methods are checked wherever they were
    added: to a class, to a base class, or to one object. The functions, layers and other callable
    attributes of an object are checked as well.

    Args:
        values: models, optimizers, functions or methods.
    """
    unchecked = [part for value in values for part in (value, *_parts(value))]
    checked: dict[int, Any] = {}
    while unchecked:
        value = unchecked.pop()
        if id(value) in checked:
            continue
        checked[id(value)] = value
        if not _is_known(value):
            return False
        if _may_run(value):
            unchecked += _parts(value)
    return True


def _is_known(value: Any) -> bool:
    """Return whether a value itself, without its parts, belongs to PACKAGES or is plain data."""
    if isinstance(value, FunctionType):  # a decorator may have copied another __module__
        return _package(value.__globals__.get("__name__")) in PACKAGES
    if isinstance(value, WRAPPERS):
        return True
    package = _package((value if isinstance(value, type) else type(value)).__module__)
    if package in PLAIN:
        return not callable(value) or isinstance(value, (type, *METHODS_OF_C))
    return package in PACKAGES


def _may_run(value: Any) -> bool:
    """Return whether a value is a function or an object to call, or may contain one."""
    return callable(value) or isinstance(value, NESTED)


def _package(module: Any) -> str:
    return str(module).partition(".")[0]


def _parts(value: Any) -> Iterator[Any]:
    """Yield the objects and functions that a value uses when it is called."""
    if isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, (list, tuple, set)):
        yield from value
    elif isinstance(value, WRAPPERS):
        yield from (getattr(value, name) for name in WRAPPED if getattr(value, name, None))
    elif isinstance(value, FunctionType):
        yield from filter(_may_run, map(_content, value.__closure__ or ()))
    elif not isinstance(value, type):
        owners = [cls for cls in type(value).__mro__ if _package(cls.__module__) in WITH_METHODS]
        for attributes in (getattr(value, "__dict__", {}), *map(vars, owners)):
            yield from (part for name, part in attributes.items() if name not in OUTSIDE)
        yield getattr(value, "__wrapped__", None)  # of a function that is compiled


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # nothing has been assigned to the variable
        return None
