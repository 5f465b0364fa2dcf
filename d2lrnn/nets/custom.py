"""Custom cells: the three functions of a cell, made from the function of one time step."""

from __future__ import annotations

import functools
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from d2lrnn import checks
from d2lrnn.nets import cell_arguments, kinds, layers
from d2lrnn.nets.cell import Axes, Cell
from d2lrnn.nets.cells import Architecture
from d2lrnn.nets.first_values import Array, FirstValue, Shape
from d2lrnn.nets.forward import ForwardFunction, described
from d2lrnn.nets.ops import Ops


class CustomCell(NamedTuple):
    """The result of new_cell: the three functions of a custom cell, for RNNModelScratch.

    It is also accepted as the argument ``cell`` of stack, load_model, and the networks over
    sequences.
    """

    get_params: Callable[..., list[Any]]
    init_state: Callable[..., tuple[Any, ...]]
    forward: ForwardFunction

    @property
    def kind(self) -> Cell:
        """The names and axes of the cell's parameters and states."""
        architecture = self.forward.architecture
        assert architecture is not None
        return architecture.kind

    def __repr__(self) -> str:
        """Return the name, the parameters, the states and the backend."""
        return f"<custom cell in {self.kind.backend}: {in_words(self.kind)}>"


def in_words(cell: Cell) -> str:
    """Return the name, the parameters and the states of a cell."""
    parts = (
        ", ".join(f"{name} {cell_arguments.shown(axes)}" for name, axes in axes_of.items())
        for axes_of in (cell.parameters, cell.states)
    )
    return "{} (parameters: {}; states: {})".format(cell.name, *parts)


def for_backend(ops: Ops) -> dict[str, Callable[..., Any]]:
    """Return, by name, the functions of a backend for custom cells.

    ``interface.Backend`` documents them.
    """

    def new_cell(
        step: Callable[..., Any],
        params: Mapping[str, Sequence[str | int]],
        states: Sequence[str] | Mapping[str, Sequence[str | int]] = ("H",),
        *,
        name: str | None = None,
        output: str | None = None,
        init: Mapping[str, Any] | None = None,
    ) -> CustomCell:
        name = cell_arguments.cell_name(step, name)
        parameters = cell_arguments.parameter_axes(params)
        axes_of = cell_arguments.state_axes(states, output)
        cell_arguments.check_names([*parameters, *axes_of])
        cell_arguments.check_axes(parameters, axes_of)
        cell_arguments.check_signature(step, name, [s for s in axes_of if s != output])
        first, begin = _initial_values({} if init is None else init, parameters, axes_of)
        step_function = OwnStep(step, name, ops.name, tuple(parameters), tuple(axes_of), output)
        cell = Cell(
            name,
            parameters,
            axes_of,
            first=first,
            begin=begin,
            separate_output=output is not None,
            step=step_function,
            backend=ops.name,
        )
        return _with_functions(ops, cell)

    def tanh(X: Any) -> Any:
        _check_tensor(ops, X)
        return ops.tensors.tanh(X)

    def sigmoid(X: Any) -> Any:
        _check_tensor(ops, X)
        return ops.tensors.sigmoid(X)

    return {"new_cell": new_cell, "tanh": tanh, "sigmoid": sigmoid}


def _with_functions(ops: Ops, cell: Cell) -> CustomCell:
    """Return the functions of a backend that compute a cell."""
    composed = layers.Composed(ops, Architecture(cell.name, custom=cell))
    forward_fn = ForwardFunction(composed, composed.architecture)
    return CustomCell(composed.get_params, composed.init_state, forward_fn)


def _check_tensor(ops: Ops, X: Any) -> None:
    """Check that X is a tensor of floats of the backend; it may be one of NumPy's tape."""
    if not hasattr(X, "dtype") or kinds.backend_of(X) not in (None, ops.name):
        kinds.check_backend(ops.name, X=[X])
    checks.floating(checks.dtype_of(X))


# Parts of the frameworks' messages
ASSIGNMENTS = (
    "does not support item assignment",
    "JAX arrays are immutable",
    "can't set attribute",
    "a leaf Variable that requires grad",
    "Assigning to NDArrays",
)
CONVERSIONS = (
    "Can't call numpy() on Tensor",
    "__array__() was called on traced array",
    "to a numpy array",
    "TracerArrayConversionError",
)


@dataclass(frozen=True)
class OwnStep:
    """A user's step, called with (X, *states, p), as step(X, state, params) -> state.

    Its results are checked. With an output, the first state is the output of the step before, which
    the user's step does not receive.
    """

    step: Callable[..., Any]
    name: str
    backend: str
    parameters: tuple[str, ...]
    states: tuple[str, ...]
    output: str | None = None

    def __call__(self, X: Any, state: Any, params: Any) -> tuple[Any, ...]:
        """Return the new state."""
        p = record(self.name, self.parameters)(*params)
        try:
            results = self.step(X, *state[0 if self.output is None else 1 :], p)
        except Exception as error:
            if not (advice := self._advice(error)):
                raise
            raise ValueError(f"the step of {self.name} {advice}") from error
        if len(self.states) == 1 and not isinstance(results, (tuple, list)):
            results = (results,)
        if not isinstance(results, (tuple, list)) or len(results) != len(self.states):
            form = "one tensor" if len(self.states) == 1 else "a tuple"
            raise ValueError(
                f"the step of {self.name} returns {described(results)}; expected "
                f"{', '.join(self.states)} as {form}"
            )
        for result, before, name in zip(results, state, self.states, strict=True):
            self._check(name, result, before)
        return tuple(results)

    def _advice(self, error: Exception) -> str:
        """Return what is wrong with the step, for errors that frameworks word differently."""
        text = str(error)
        if any(part in text for part in ASSIGNMENTS):
            return (
                "changes a part of a tensor, or p; compute a new tensor instead, such as "
                "H = mask * H"
            )
        if self.backend != "numpy" and any(part in text for part in CONVERSIONS):
            return (
                "converts a tensor to NumPy, as np.tanh(A) does, which would lose the gradient; "
                f"use rnn.tanh, rnn.sigmoid and the operations of {self.backend}"
            )
        return ""

    def _check(self, name: str, result: Any, before: Any) -> None:
        """Check that a result is a tensor of the shape and the dtype of the state before."""
        if not hasattr(result, "shape") or kinds.backend_of(result) not in (None, self.backend):
            raise ValueError(
                f"the step of {self.name} returns {described(result)} for {name}; expected a "
                f"tensor of {self.backend}; compute with the framework's own operations"
            )
        shape, expected = tuple(result.shape), tuple(before.shape)
        if checks.shapes_differ(shape, expected):
            raise ValueError(
                f"the step of {self.name} returns {name} of shape {shape}; expected {expected}, "
                "(batch_size, ...) with the axes given in new_cell"
            )
        result_dtype, dtype = checks.dtype_of(result), checks.dtype_of(before)
        if result_dtype != dtype:
            raise ValueError(
                f"the step of {self.name} returns {name} of dtype {result_dtype}; expected "
                f"{dtype}, that of the state before; convert constants to the dtype of X"
            )


@functools.lru_cache(64)
def record(cell: str, names: tuple[str, ...]) -> Any:
    """Return a class of named tuples that hold the parameters of a cell."""

    def missing(self: Any, name: str) -> Any:
        raise AttributeError(f"{cell} has no parameter {name}; it has {', '.join(names)}")

    def by_index(self: Any, index: Any) -> Any:
        if isinstance(index, str):
            raise TypeError(
                f"the parameters are attributes of p: write p.{index}, not p[{index!r}]"
            )
        return tuple.__getitem__(self, index)

    methods = {"__getattr__": missing, "__getitem__": by_index, "__slots__": ()}
    return type(cell, (namedtuple("Params", names),), methods)


@dataclass(frozen=True)
class Constant:
    """A function that returns an array filled with a number, for Cell.first."""

    number: float

    def __call__(self, shape: Shape, rng: np.random.Generator) -> Array:
        """Return the array."""
        return np.full(shape, self.number)


@dataclass(frozen=True)
class Drawn:
    """A user's function init(shape, rng) for Cell.first, whose result is checked."""

    name: str
    function: Callable[..., Any]

    def __call__(self, shape: Shape, rng: np.random.Generator) -> Array:
        """Return the array."""
        array = np.asarray(self.function(shape, rng), dtype=np.float64)
        if array.shape != shape:
            raise ValueError(
                f"init[{self.name!r}] returns an array of shape {array.shape}; expected {shape}"
            )
        return array


def _initial_values(
    init: Any, parameters: Mapping[str, Axes], states: Mapping[str, Axes]
) -> tuple[dict[str, FirstValue], dict[str, float]]:
    """Return the initial values of parameters and of states that differ from the rule."""
    if not isinstance(init, Mapping):
        raise ValueError(
            f"init is {described(init)}; expected numbers by name, such as {{'b_f': 1.0}}"
        )
    unknown = [str(name) for name in init if name not in {*parameters, *states}]
    if unknown:
        raise ValueError(
            f"init has {', '.join(unknown)}; expected some of {', '.join([*parameters, *states])}"
        )
    first: dict[str, FirstValue] = {}
    begin: dict[str, float] = {}
    for name, value in init.items():
        if callable(value) and name in parameters:
            first[name] = Drawn(name, value)
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
            functions = ", or a function (shape, rng) -> array" if name in parameters else ""
            raise ValueError(f"init[{name!r}] is {value!r}; expected a number{functions}")
        if name in parameters:
            first[name] = Constant(float(value))
        else:
            begin[name] = float(value)
    return first, begin


def from_settings(name: Any, settings: Any) -> Cell:
    """Return the Cell that a model file describes; it does not have a step.

    Raises:
        ValueError: the settings are not those that Architecture.settings returns.
    """
    both = settings["parameters"], settings["states"]
    parameters, states = (
        {key: cell_arguments.axes_of(key, axes) for key, axes in part} for part in both
    )
    if not isinstance(name, str) or len(parameters) < len(both[0]):
        raise ValueError(f"the custom cell is {name!r}, with a parameter twice")
    cell_arguments.check_names([*parameters, *states])
    cell_arguments.check_axes(parameters, states)
    return Cell(name, parameters, states)
