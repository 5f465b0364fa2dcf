"""Custom cells: the three functions of a cell, made from the function of one time step."""

from __future__ import annotations

import functools
import inspect
import keyword
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from d2lrnn import checks
from d2lrnn.nets import kinds, layers
from d2lrnn.nets.cell import Axes, Cell
from d2lrnn.nets.cells import CELLS, Architecture
from d2lrnn.nets.first_values import Array, FirstValue, Shape
from d2lrnn.nets.forward import ForwardFunction, described, name_of
from d2lrnn.nets.ops import Ops

OUTPUT_LAYER = ("W_hq", "b_q")


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
        ", ".join(f"{name} {_shown(axes)}" for name, axes in axes_of.items())
        for axes_of in (cell.parameters, cell.states)
    )
    return "{} (parameters: {}; states: {})".format(cell.name, *parts)


def _shown(axes: Axes) -> str:
    return f"({', '.join(map(str, axes))}{',' if len(axes) == 1 else ''})"


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
        name = _cell_name(step, name)
        parameters, axes_of = _parameters(params), _states(states, output)
        _check_names([*parameters, *axes_of])
        _check_axes(parameters, axes_of, output)
        _check_signature(step, name, [s for s in axes_of if s != output])
        first, begin = _initial_values(init or {}, parameters, axes_of)
        own = OwnStep(step, name, ops.name, tuple(parameters), tuple(axes_of), output)
        values = {"first": first, "begin": begin}
        cell = Cell(name, parameters, axes_of, **values, step=own, backend=ops.name)
        get_params, init_state, forward_fn = layers.functions(ops, Architecture(cell))
        return CustomCell(get_params, init_state, forward_fn)

    def tanh(X: Any) -> Any:
        return ops.tensors.tanh(X)

    def sigmoid(X: Any) -> Any:
        return ops.tensors.sigmoid(X)

    return {"new_cell": new_cell, "tanh": tanh, "sigmoid": sigmoid}


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
        results = self.step(X, *state[0 if self.output is None else 1 :], p)
        if len(self.states) == 1 and not isinstance(results, (tuple, list)):
            results = (results,)
        if not isinstance(results, (tuple, list)) or len(results) != len(self.states):
            raise ValueError(
                f"the step of {self.name} returns {described(results)}; expected "
                f"{', '.join(self.states)}{self._as_before(X)}"
            )
        for result, before, name in zip(results, state, self.states, strict=True):
            self._check(name, result, before)
        return tuple(results)

    def _as_before(self, X: Any) -> str:
        return " as one tensor" if len(self.states) == 1 else " as a tuple"

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
        found, dtype = checks.dtype_of(result), checks.dtype_of(before)
        if found != dtype:
            raise ValueError(
                f"the step of {self.name} returns {name} of dtype {found}; expected {dtype}, "
                "that of the state before; convert constants to the dtype of X"
            )


@functools.lru_cache(64)
def record(cell: str, names: tuple[str, ...]) -> Any:
    """Return a class of named tuples that hold the parameters of a cell."""

    def missing(self: Any, name: str) -> Any:
        raise AttributeError(f"{cell} has no parameter {name}; it has {', '.join(names)}")

    return type(cell, (namedtuple("Params", names),), {"__getattr__": missing, "__slots__": ()})


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


def _cell_name(step: Any, name: Any) -> str:
    """Return the name of a custom cell: the argument, or the name of the step."""
    if not callable(step):
        raise ValueError(
            f"step is {described(step)}; expected a function step(X, *states, p) of one time step"
        )
    if name is None:
        name = name_of(getattr(step, "func", step))  # of functools.partial
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"the name of the cell is {name!r}; expected an identifier, name='mgu'")
    if name in CELLS:
        raise ValueError(
            f"{name} is the name of a built-in cell; give another one, such as name='my_{name}'"
        )
    return name


def _parameters(params: Any) -> dict[str, Axes]:
    if not isinstance(params, Mapping) or not params:
        raise ValueError(
            f"params is {described(params)}; expected the axes of each parameter by its name, such "
            "as {'W_xh': ('d', 'h'), 'b_h': ('h',)}"
        )
    return {name: _axes(name, axes) for name, axes in params.items()}


def _states(states: Any, output: str | None) -> dict[str, Axes]:
    """Return the axes of the output, if there is one, and of the states by name."""
    if isinstance(states, str) or not isinstance(states, (Mapping, list, tuple)) or not states:
        raise ValueError(
            f"states is {states!r}; expected names, such as ('H',), or the axes of each state by "
            "its name, such as {'H': ('h',)}"
        )
    if not isinstance(states, Mapping):
        _check_names(states)
        states = dict.fromkeys(states, ("h",))
    own = {name: _axes(name, axes) for name, axes in states.items()}
    if output is None:
        return own
    _check_names([output, *own])
    return {output: ("h",), **own}


def _axes(name: Any, axes: Any) -> Axes:
    """Return the axes of a parameter or a state as a tuple."""
    if isinstance(axes, (list, tuple, str)) and axes and all(map(_is_axis, axes)):
        return tuple(axes)
    raise ValueError(
        f"the axes of {name} are {axes!r}; expected a tuple such as ('d', 'h') or ('h',), of 'd' "
        "(inputs), 'h' (hidden units) and integers above 0"
    )


def _is_axis(axis: Any) -> bool:
    is_size = isinstance(axis, (int, np.integer)) and not isinstance(axis, bool) and axis > 0
    return axis in ("d", "h") if isinstance(axis, str) else is_size


def _check_names(names: Sequence[Any]) -> None:
    """Check that names of parameters and states are different identifiers."""
    for name in names:
        if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
            raise ValueError(f"{name!r} is not a name; expected an identifier, such as 'W_xh'")
        if name.startswith("_"):
            raise ValueError(f"the name {name} starts with an underscore; leave it out")
        if name in OUTPUT_LAYER:
            raise ValueError(
                f"{name} belongs to the output layer, which new_cell adds; give it another name"
            )
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise ValueError(
            f"the name {', '.join(twice)} is used twice; parameters, states and the output need "
            "different names"
        )


def _check_axes(parameters: Mapping[str, Axes], states: Mapping[str, Axes], output: Any) -> None:
    """Check that parameters have the axes d and h, states do not have d, and the first is (h,)."""
    for letter, meaning in (("d", "inputs"), ("h", "hidden units")):
        if not any(letter in axes for axes in parameters.values()):
            raise ValueError(
                f"no parameter has the axis {letter!r} ({meaning}); expected one, such as 'W_xh': "
                "('d', 'h')"
            )
    for name, axes in states.items():
        if "d" in axes:
            raise ValueError(f"the state {name} has the axis 'd'; expected 'h' and integers")
    name, axes = next(iter(states.items()))
    if axes != ("h",):
        raise ValueError(
            f"the first state, {name}, is also the output and has the axes {_shown(axes)}; "
            "expected ('h',); otherwise, name the output: output='O', and return it first"
        )


def _check_signature(step: Callable[..., Any], name: str, states: Sequence[str]) -> None:
    """Check that a step can be called with the input, the states and the parameters."""
    try:
        signature = inspect.signature(step)
    except (TypeError, ValueError):  # not known, as for some compiled functions
        return
    try:
        signature.bind(*[None] * (2 + len(states)))
    except TypeError:
        raise ValueError(
            f"the step {name}{signature} cannot be called with ({', '.join(('X', *states, 'p'))}): "
            "the input, the states and the parameters; change the step or states"
        ) from None


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
    parameters, states = ({key: _axes(key, axes) for key, axes in part} for part in both)
    if not isinstance(name, str) or any(map(len, both)) and len(both[0]) != len(parameters):
        raise ValueError(f"the custom cell is {name!r} with a parameter twice")
    _check_names([*parameters, *states])
    _check_axes(parameters, states, None)
    return Cell(name, parameters, states)
