"""The names and shapes of the parameters and states that two functions have in common."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from d2lrnn.measure.cell_check.subjects import CONCATENATED, Subject, innermost
from d2lrnn.nets import cells, remedies
from d2lrnn.nets.cells import Architecture
from d2lrnn.nets.first_values import Shape
from d2lrnn.nets.forward import described

OUTPUT_LAYER = ("W_hq", "b_q")


@dataclass(frozen=True)
class Sizes:
    """The sizes of the problem: T, n, d and h."""

    num_steps: int
    batch_size: int
    num_inputs: int
    num_hiddens: int


@dataclass(frozen=True)
class Layout:
    """The names and shapes of parameters and states.

    Attributes:
        names: the names of the parameters, in order.
        shapes: their shapes.
        states: the names of the states; their numbers if they do not have names.
        state_shapes: their shapes, with the batch axis.
        cell: the name of the built-in cell of one layer that has these parameters, or "".
        joined: whether the cell has the concatenated form.
        num_layers: the number of layers.
    """

    names: tuple[str, ...]
    shapes: tuple[Shape, ...]
    states: tuple[str, ...]
    state_shapes: tuple[Shape, ...]
    cell: str = ""
    joined: bool = False
    num_layers: int = 1

    @property
    def has_output_layer(self) -> bool:
        """Whether the last two parameters are those of the output layer."""
        return self.names[-2:] == OUTPUT_LAYER


def layout_of(subject: Subject, sizes: Sizes) -> Layout | None:
    """Return the layout of a function, or None if it does not determine one.

    Raises:
        ValueError: get_params or init_state do not fit the forward function, whose layout is known.
    """
    known = None
    if subject.architecture is not None:
        known = of_architecture(subject.architecture, sizes)
    elif subject.is_concatenated:
        known = _of_concatenated(CONCATENATED[subject.name], sizes)
    if subject.get_params is None:
        return known or _of_source(subject, sizes)
    created = _of_functions(subject, sizes)
    if known is not None:
        check_same("the three functions", created, subject.name, known)
    return known or created


def of_architecture(architecture: Architecture, sizes: Sizes) -> Layout:
    """Return the layout of an architecture."""
    shapes = architecture.shapes(sizes.num_inputs, sizes.num_hiddens)
    state_shapes = [(sizes.batch_size, *s) for s in architecture.state_shapes(sizes.num_hiddens)]
    states = tuple(architecture.kind.states)
    if not architecture.plain:
        states = tuple(map(str, range(len(state_shapes))))
    cell = architecture.cell if architecture.plain and architecture.custom is None else ""
    return Layout(
        tuple(architecture.parameters),
        tuple(shapes),
        states,
        tuple(state_shapes),
        cell,
        num_layers=architecture.num_layers,
    )


def _of_concatenated(cell: str, sizes: Sizes) -> Layout:
    plain = of_architecture(cells.PLAIN[cell], sizes)
    d, h = sizes.num_inputs, sizes.num_hiddens
    gates = cells.CELLS[cell].gates
    names = [name for gate in gates for name in (f"W_{gate}", f"b_{gate}")]
    shapes: list[Shape] = [*[(d + h, h), (h,)] * len(gates), *plain.shapes[-2:]]
    states = plain.states, plain.state_shapes
    return Layout((*names, *OUTPUT_LAYER), tuple(shapes), *states, cell, joined=True)


def _of_functions(subject: Subject, sizes: Sizes) -> Layout:
    """Return the layout of three functions; names are those that the forward function unpacks."""
    settings = {"dtype": "float32", "device": None}
    d, h = sizes.num_inputs, sizes.num_hiddens
    params = remedies.called("get_params", subject.get_params, d, h, seed=0, **settings)
    if not isinstance(params, (list, tuple)) or not params:
        raise ValueError(f"get_params returns {described(params)}; expected a list of parameters")
    state = remedies.called("init_state", subject.init_state, sizes.batch_size, h, **settings)
    if not isinstance(state, (list, tuple)):
        raise ValueError(f"init_state returns {described(state)}; expected a tuple of tensors")
    names, states = unpacked(subject.function, 2), unpacked(subject.function, 1)
    if len(names) != len(params):
        names = [f"params[{number}]" for number in range(len(params))]
    if len(states) != len(state):
        states = [*map(str, range(len(state)))]
    shapes, state_shapes = (tuple(tuple(map(int, np.shape(t))) for t in p) for p in (params, state))
    return Layout(tuple(names), shapes, tuple(states), state_shapes)


def _of_source(subject: Subject, sizes: Sizes) -> Layout | None:
    """Return the layout of a function that unpacks parameters with the names of the book."""
    names, states = unpacked(subject.function, 2), unpacked(subject.function, 1)
    shapes = [_shape_of(name, sizes) for name in names]
    if not names or not states or None in shapes:
        return None
    known = [cell.name for cell in cells.CELLS.values() if [*cell.parameters] == names[:-2]]
    if known:
        return of_architecture(cells.PLAIN[known[0]], sizes)
    state_shapes = ((sizes.batch_size, sizes.num_hiddens),) * len(states)
    return Layout(tuple(names), tuple(filter(None, shapes)), tuple(states), state_shapes)


def _shape_of(name: str, sizes: Sizes) -> Shape | None:
    """Return the shape of a parameter that has a name as in the book, or None."""
    d, h = sizes.num_inputs, sizes.num_hiddens
    shapes: dict[str, Shape] = {"W_hq": (h, d), "b_q": (d,)}
    prefixes: dict[str, Shape] = {"W_x": (d, h), "W_h": (h, h), "b_": (h,)}
    of_prefix = (shape for prefix, shape in prefixes.items() if name.startswith(prefix))
    return shapes.get(name) or next(of_prefix, None)


def unpacked(function: Any, number: int) -> list[str]:
    """Return the names to which a function assigns the parts of an argument, or [].

    For ``W_xh, W_hh, b_h, W_hq, b_q = params``, where params is the argument of that number, the
    names are those on the left.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(innermost(function))))
        argument = list(inspect.signature(function).parameters)[number]
    except (OSError, TypeError, ValueError, SyntaxError, IndexError):
        return []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target, value in _pairs(node.targets[0], node.value):
                if isinstance(value, ast.Name) and value.id == argument:
                    return _names_of(target)
    return []


def _pairs(target: Any, value: Any) -> list[tuple[Any, Any]]:
    """Return the pairs of an assignment, that of ``(H,), outputs = state, []`` part by part."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return list(zip(target.elts, value.elts))
    return [(target, value)]


def _names_of(target: Any) -> list[str]:
    parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else []
    names = [part.id for part in parts if isinstance(part, ast.Name)]
    return names if len(names) == len(parts) else []


def check_same(name: str, layout: Layout, expected_name: str, expected: Layout) -> None:
    """Check that a function has the parameters and states of another one.

    Raises:
        ValueError: the shapes differ; the message has the names of both functions.
    """
    ordered = in_order(layout, expected)
    for kind, one, other in (
        ("parameters", ordered.shapes, expected.shapes),
        ("states", ordered.state_shapes, expected.state_shapes),
    ):
        if one != other:
            raise ValueError(
                f"the {kind} of {name} have the shapes {_list(one)}; {expected_name} has "
                f"{_list(other)}; expected the same {kind} in the same order, but "
                f"{_difference(kind, expected, one, other)}"
            )


def _difference(kind: str, layout: Layout, one: Sequence[Shape], other: Sequence[Shape]) -> str:
    """Return in words how shapes differ from those of a layout: their number, or the first one."""
    if len(one) != len(other):
        return f"their number is {len(one)} instead of {len(other)}"
    number = next(n for n, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1])
    name = (layout.names if kind == "parameters" else layout.states)[number]
    return f"{name} has the shape {one[number]} instead of {other[number]}"


def in_order(layout: Layout, expected: Layout) -> Layout:
    """Return a layout in the order of another one, if both have the same names of parameters."""
    order = positions(layout, expected)
    if order is None:
        return layout
    shapes = [layout.shapes[layout.names.index(name)] for name in expected.names]
    states = layout.states, layout.state_shapes
    return Layout(expected.names, tuple(shapes), *states, layout.cell)


def positions(layout: Layout | None, expected: Layout) -> list[int] | None:
    """Return, for each parameter of a layout, its number in another one with the same names."""
    if layout is None or sorted(layout.names) != sorted(expected.names):
        return None
    if layout.names == expected.names or len(set(layout.names)) < len(layout.names):
        return None
    return [expected.names.index(name) for name in layout.names]


def _list(shapes: Sequence[Shape]) -> str:
    return ", ".join(map(str, shapes))
