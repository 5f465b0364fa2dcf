"""Checks of the arguments of new_cell: the name, the parameters and the states of a custom cell."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from d2lrnn.nets.cell import Axes
from d2lrnn.nets.cells import CELLS
from d2lrnn.nets.forward import described, name_of

OUTPUT_LAYER = ("W_hq", "b_q")


def shown(axes: Axes) -> str:
    """Return axes as text, such as (d, h)."""
    return f"({', '.join(map(str, axes))}{',' if len(axes) == 1 else ''})"


def cell_name(step: Any, name: Any) -> str:
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


def parameter_axes(params: Any) -> dict[str, Axes]:
    """Return the axes of the parameters by name."""
    if not isinstance(params, Mapping) or not params:
        raise ValueError(
            f"params is {described(params)}; expected the axes of each parameter by its name, such "
            "as {'W_xh': ('d', 'h'), 'b_h': ('h',)}"
        )
    return {name: axes_of(name, axes) for name, axes in params.items()}


def state_axes(states: Any, output: str | None) -> dict[str, Axes]:
    """Return the axes of the output, if there is one, and of the states by name."""
    if isinstance(states, str) or not isinstance(states, (Mapping, list, tuple)) or not states:
        raise ValueError(
            f"states is {states!r}; expected names, such as ('H',), or the axes of each state by "
            "its name, such as {'H': ('h',)}"
        )
    if not isinstance(states, Mapping):
        check_names(states)
        states = dict.fromkeys(states, ("h",))
    axes_by_name = {name: axes_of(name, axes) for name, axes in states.items()}
    if output is None:
        return axes_by_name
    check_names([output, *axes_by_name])
    return {output: ("h",), **axes_by_name}


def axes_of(name: Any, axes: Any) -> Axes:
    """Return the axes of a parameter or a state as a tuple."""
    if isinstance(axes, (list, tuple, str)) and axes and all(map(_is_axis, axes)):
        return tuple(axes)
    raise ValueError(
        f"the axes of {name} are {axes!r}; expected a tuple such as ('d', 'h') or ('h',), of 'd' "
        "(inputs), 'h' (hidden units) and integers above 0"
    )


def _is_axis(axis: Any) -> bool:
    is_size = isinstance(axis, (int, np.integer)) and not isinstance(axis, bool) and axis > 0
    return axis in ("d", "h") if isinstance(axis, str) else bool(is_size)


def check_names(names: Sequence[Any]) -> None:
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


def check_axes(parameters: Mapping[str, Axes], states: Mapping[str, Axes]) -> None:
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
    if not states:
        raise ValueError("there are no states; expected one or more, the first with axes ('h',)")
    name, axes = next(iter(states.items()))
    if axes != ("h",):
        raise ValueError(
            f"the first state, {name}, is also the output and has the axes {shown(axes)}; "
            "expected ('h',); otherwise, name the output: output='O', and return it first"
        )


def check_signature(step: Callable[..., Any], name: str, states: Sequence[str]) -> None:
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
