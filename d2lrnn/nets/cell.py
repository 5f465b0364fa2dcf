"""What a cell consists of: the names and axes of its parameters and its states."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from d2lrnn import checks
from d2lrnn.nets.first_values import FirstValue, Shape

Item = TypeVar("Item")
Axes = tuple[str | int, ...]
LETTERS: Mapping[Any, str] = {
    "d": "num_inputs",
    "h": "num_hiddens",
    "2h": "2 * num_hiddens",
    "r": "max(2, num_hiddens // 8)",
}


class Gate(NamedTuple):
    """The parameters of one gate: W_x (d, h), W_h (h, h) and the bias b (h,)."""

    W_x: Any
    W_h: Any
    b: Any


@dataclass(frozen=True, eq=False)
class Cell:
    """One kind of cell: the names and the axes of its parameters and its states.

    An axis is a key of LETTERS, such as "d" (num_inputs) or "h" (num_hiddens), or a number. "d" and
    "h" are each an axis of at least one parameter.

    Attributes:
        name: the name of the cell, a key of CELLS.
        parameters: the axes of each parameter by its name, in order, such as {"b_h": ("h",)}.
        states: the axes of each state by its name, without the batch axis. The first state is the
            output of the cell at a time step; its axes are ("h",).
        get_params: the name of the backends' function that makes the parameters.
        init_state: the name of the backends' function that makes the initial state.
        gates: a letter ? for each gate that has the parameters W_x?, W_h? and b_?, in order.
        first: by name, functions (shape, generator) -> array for the parameters whose initial
            values differ from the rule: small random numbers for matrices, 0 for vectors.
        begin: by name, the number that fills a state before the first time step, if it is not 0.
        separate_output: whether the first state is only the output, which the next time step does
            not use.
        step: for a custom cell, the function step(X, state, params) -> state of one time step.
        backend: for a custom cell, the name of the backend that its step uses.
    """

    name: str
    parameters: Mapping[str, Axes]
    states: Mapping[str, Axes]
    get_params: str = ""
    init_state: str = ""
    gates: str = ""
    first: Mapping[str, FirstValue] = field(default_factory=dict)
    begin: Mapping[str, float] = field(default_factory=dict)
    separate_output: bool = False
    step: Callable[..., Any] | None = None
    backend: str = ""

    def shapes(self, num_inputs: int, num_hiddens: int) -> list[Shape]:
        """Return the shapes of the parameters, without the output layer's."""
        return [_shape(axes, num_inputs, num_hiddens) for axes in self.parameters.values()]

    def state_shapes(self, num_hiddens: int) -> list[Shape]:
        """Return the shapes of the states, without the axis of the batch."""
        return [_shape(axes, 0, num_hiddens) for axes in self.states.values()]

    @functools.cached_property
    def places(self) -> dict[str, tuple[int, int]]:
        """By "d" and "h", the index of the first parameter with this axis, and the axis's index."""
        axes = list(self.parameters.values())
        return {
            letter: next((i, axes[i].index(letter)) for i in range(len(axes)) if letter in axes[i])
            for letter in ("d", "h")
        }

    def size(self, letter: str, params: Sequence[Any]) -> int:
        """Return the number of inputs, for "d", or of hidden units, for "h", from parameters.

        Raises:
            ValueError: the parameter that has this axis has the wrong number of axes.
        """
        number, axis = self.places[letter]
        name, axes = list(self.parameters.items())[number]
        checks.axes(
            name, params[number].shape, f"({', '.join(LETTERS.get(a, str(a)) for a in axes)})"
        )
        size: int = params[number].shape[axis]
        return size

    def named(self, weights: Sequence[Item]) -> dict[str, Item]:
        """Return a layer's parameters by name."""
        return dict(zip(self.parameters, weights, strict=True))

    def by_gate(self, weights: Sequence[Any]) -> dict[str, Gate]:
        """Return a layer's parameters by the letter of the gate."""
        named = self.named(weights)
        return {g: Gate(named[f"W_x{g}"], named[f"W_h{g}"], named[f"b_{g}"]) for g in self.gates}

    def by_kind(self, weights: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any]]:
        """Return W_x, W_h and b of all gates as three lists in the order of the gates."""
        W_x, W_h, b = map(list, zip(*self.by_gate(weights).values(), strict=True))
        return W_x, W_h, b


def _shape(axes: Axes, d: int, h: int) -> Shape:
    sizes = {"d": d, "h": h, "2h": 2 * h, "r": max(2, h // 8)}
    return tuple(axis if isinstance(axis, int) else sizes[axis] for axis in axes)


def gated(
    name: str, gates: str, states: str, get_params: str, init_state: str, **extra: Axes
) -> Cell:
    """Return a cell of gates, whose states are all (n, h).

    Args:
        name: the name of the cell.
        gates: a letter for each gate.
        states: a letter for each state.
        get_params: see Cell.
        init_state: see Cell.
        extra: by name, the axes of parameters that do not belong to a gate.
    """
    parameters: dict[str, Axes] = {
        f"{kind}{gate}": axes
        for gate in gates
        for kind, axes in (("W_x", ("d", "h")), ("W_h", ("h", "h")), ("b_", ("h",)))
    }
    axes_of_states: dict[str, Axes] = {state: ("h",) for state in states}
    return Cell(name, {**parameters, **extra}, axes_of_states, get_params, init_state, gates)
