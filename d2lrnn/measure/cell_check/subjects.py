"""The functions that check_cell compares: where they come from, and whether they can be called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from d2lrnn import backends
from d2lrnn.nets import cells, forward, layers
from d2lrnn.nets.cells import Architecture
from d2lrnn.nets.forward import described

FORMS = (
    "a function forward(inputs, state, params), a cell of new_cell, three functions (get_params, "
    "init_state, forward), or the name of a cell"
)


@dataclass(frozen=True)
class Subject:
    """A forward function, and what is known about it.

    Attributes:
        name: the name of the function, for messages.
        backend: the name of the backend whose tensors it takes.
        function: called with (inputs, state, params); returns the outputs and the last state.
        get_params: the function that makes its parameters, or None.
        init_state: the function that makes its initial state, or None.
    """

    name: str
    backend: str
    function: Callable[..., Any]
    get_params: Callable[..., Any] | None = None
    init_state: Callable[..., Any] | None = None

    @property
    def architecture(self) -> Architecture | None:
        """The architecture that the function computes, or None for a function of a user."""
        architecture: Architecture | None = getattr(innermost(self.function), "architecture", None)
        return architecture

    @property
    def has_layout(self) -> bool:
        """Whether the function determines its parameters, other than by the names that it uses."""
        return self.architecture is not None or self.get_params is not None or self.is_concatenated

    @property
    def is_built_in(self) -> bool:
        """Whether the function is one of this package."""
        architecture = self.architecture
        return self.is_concatenated or (architecture is not None and architecture.custom is None)

    @property
    def is_concatenated(self) -> bool:
        """Whether the function is a cell of this package in the concatenated form."""
        module = str(getattr(innermost(self.function), "__module__", ""))
        return self.name in CONCATENATED and module.startswith("d2lrnn.")

    @property
    def repeated(self) -> Subject:
        """The same function, compiled if the backend compiles functions, to be called many times.

        A compiled function hides some mistakes, such as results that are not tensors.
        """
        function = self.rnn.RNNModelScratch.ops.compile_function(functools.partial(self.function))
        return replace(self, function=function)

    @property
    def rnn(self) -> Any:
        """The module of the backend."""
        return backends.load(self.backend)


def resolve(value: Any, role: str, backend: str, *, fixed: bool = True) -> Subject:
    """Return the Subject that an argument of check_cell means.

    Args:
        value: one of FORMS.
        role: "forward" or "reference", for error messages.
        backend: the name of the backend that computes it.
        fixed: whether a function of another backend is an error; if not, that backend computes it.

    Raises:
        ValueError: it has another form, belongs to another backend, or takes other arguments.
    """
    value = named(value, role, backend) if isinstance(value, str) else value
    functions = list(value) if isinstance(value, (tuple, list)) else [None, None, value]
    if len(functions) != 3 or not callable(functions[2]) or not callable(functions[0] or repr):
        raise ValueError(f"{role} is {described(value)}; expected {FORMS}")
    get_params, init_state, function = functions
    home = home_of(function)
    if home not in (None, backend):
        if fixed:
            raise ValueError(
                f"{role} is a function of d2lrnn.{home}, and {backend} computes it; expected a "
                f"function of {backend}; call d2lrnn.{home}.check_cell, or make it with "
                f"d2lrnn.{backend}"
            )
        backend = str(home)
    name = name_of(function)
    check_signature(function, name)
    return Subject(name, backend, function, get_params, init_state)


def named(name: str, role: str, backend: str) -> Any:
    """Return the forward function of a name, such as "gru" or "concat_gru", in a backend."""
    rnn = backends.load(backend)
    words = ("_fused", "_scan")
    names = [*cells.CELLS, *(n for n in rnn.__all__ if n.endswith(words) or n in CONCATENATED)]
    names.remove("associative_scan")
    names.remove("sequential_scan")
    if name not in names:
        raise ValueError(f"{role} is {name!r}; expected one of {', '.join(names)}, or a function")
    return getattr(rnn, name)


CONCATENATED = {"concat_rnn": "rnn", "concat_gru": "gru", "concat_lstm": "lstm"}


def innermost(function: Any) -> Any:
    """Return the function inside of functools.partial and functions with __wrapped__."""
    while isinstance(function, functools.partial):
        function = function.func
    return function


def name_of(function: Any) -> str:
    """Return the name of a function; that of a composed network names its cell."""
    inner = innermost(function)
    composed = getattr(inner, "function", None)
    if isinstance(composed, layers.Composed):
        return composed.architecture.cell
    return forward.name_of(inner)


def home_of(function: Any) -> str | None:
    """Return the name of the backend that a function of this package belongs to, or None."""
    inner = innermost(function)
    composed = getattr(inner, "function", None)
    if isinstance(composed, layers.Composed):
        return composed.ops.name
    package, _, rest = str(getattr(inner, "__module__", "")).partition(".")
    name = rest.partition(".")[0]
    return name if package == "d2lrnn" and name in backends.BACKENDS else None


def check_signature(function: Any, name: str) -> None:
    """Check that a function can be called with (inputs, state, params)."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # not known, as for some compiled functions
        return
    try:
        signature.bind(None, None, None)
    except TypeError:
        raise ValueError(
            f"{name}{signature} cannot be called with (inputs, state, params): inputs (T, n, d), "
            "the state as a tuple and the list of parameters; it must compute all time steps, and "
            "return (outputs, state); make a cell of the function of one time step with new_cell"
        ) from None


def of_architecture(architecture: Architecture) -> Any:
    """Return NumPy's forward function of an architecture of built-in cells."""
    return layers.functions(backends.load("numpy").RNNModelScratch.ops, architecture)[2]
