"""What a cell is in every framework: the names and shapes of its parameters, layer by layer.

Outside, parameters are the book's flat list. Inside, they are taken by name: by_gate, named and
split say which is which.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

from d2lrnn import checks
from d2lrnn.nets import first_values, kinds
from d2lrnn.nets.first_values import Array, FirstValue, Shape

Item = TypeVar("Item")
Axes = tuple[str | int, ...]
LETTERS: Mapping[Any, str] = {"d": "num_inputs", "h": "num_hiddens"}


class Gate(NamedTuple):
    """The parameters of one gate: W_x (d, h), W_h (h, h) and the bias b (h,)."""

    W_x: Any
    W_h: Any
    b: Any


@dataclass(frozen=True, eq=False)
class Cell:
    """One kind of cell: the names and the axes of its parameters and its states.

    An axis is "d" (num_inputs), "h" (num_hiddens) or a number. "d" and "h" are each an axis of at
    least one parameter.

    Attributes:
        name: of the cell; a key of CELLS.
        parameters: the axes of each parameter by its name, in order, such as {"b_h": ("h",)}.
        states: the axes of each state by its name, without that of the batch. The first state is
            what the cell returns at a time step: it has the axes ("h",).
        get_params: the name that backends have for the function that makes parameters.
        init_state: the name that backends have for the function that makes the first state.
        gates: a letter ? for each gate that has the parameters W_x?, W_h? and b_?, in order.
        first: functions (shape, generator) -> array of the parameters whose first values are
            neither small random numbers (matrices) nor 0 (vectors), by name.
    """

    name: str
    parameters: Mapping[str, Axes]
    states: Mapping[str, Axes]
    get_params: str = ""
    init_state: str = ""
    gates: str = ""
    first: Mapping[str, FirstValue] = field(default_factory=dict)

    def shapes(self, num_inputs: int, num_hiddens: int) -> list[Shape]:
        """Return the shapes of the parameters, without the output layer's."""
        sizes = {"d": num_inputs, "h": num_hiddens}
        return [_shape(axes, sizes) for axes in self.parameters.values()]

    def state_shapes(self, num_hiddens: int) -> list[Shape]:
        """Return the shapes of the states, without the axis of the batch."""
        return [_shape(axes, {"h": num_hiddens}) for axes in self.states.values()]

    @functools.cached_property
    def places(self) -> dict[str, tuple[int, int]]:
        """For "d" and "h", the first parameter that has this axis, and which axis it is."""
        axes = list(self.parameters.values())
        return {
            letter: next((i, axes[i].index(letter)) for i in range(len(axes)) if letter in axes[i])
            for letter in ("d", "h")
        }

    def size(self, letter: str, params: Sequence[Any]) -> int:
        """Return "d", the inputs, or "h", the hidden units, that parameters are for.

        Raises:
            ValueError: the parameter that tells it has another number of axes.
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
        """Return a layer's parameters by the gate's letter."""
        named = self.named(weights)
        return {g: Gate(named[f"W_x{g}"], named[f"W_h{g}"], named[f"b_{g}"]) for g in self.gates}

    def by_kind(self, weights: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any]]:
        """Return W_x, W_h and b of all gates, three lists in the gates' order."""
        W_x, W_h, b = map(list, zip(*self.by_gate(weights).values(), strict=True))
        return W_x, W_h, b


def _shape(axes: Axes, sizes: Mapping[str, int]) -> Shape:
    return tuple(axis if isinstance(axis, int) else sizes[axis] for axis in axes)


def gated(
    name: str, gates: str, states: str, get_params: str, init_state: str, **extra: Axes
) -> Cell:
    """Return a cell of gates, whose states are all (n, h).

    Args:
        name: of the cell.
        gates: a letter for each gate.
        states: a letter for each state.
        get_params: as for Cell.
        init_state: as for Cell.
        extra: the axes of parameters beside those of the gates, by name.
    """
    parameters: dict[str, Axes] = {
        f"{kind}{gate}": axes
        for gate in gates
        for kind, axes in (("W_x", ("d", "h")), ("W_h", ("h", "h")), ("b_", ("h",)))
    }
    axes_of_states: dict[str, Axes] = {state: ("h",) for state in states}
    return Cell(name, {**parameters, **extra}, axes_of_states, get_params, init_state, gates)


CELLS = {
    cell.name: cell
    for cell in (
        gated("rnn", "h", "H", "get_params", "init_rnn_state"),
        gated("gru", "zrh", "H", "get_gru_params", "init_gru_state"),
        gated(
            "gru_reset_after",
            "zrh",
            "H",
            "get_gru_reset_after_params",
            "init_gru_state",
            b_hh=("h",),
        ),
        gated("lstm", "ifoc", "HC", "get_lstm_params", "init_lstm_state"),
    )
}


@dataclass(frozen=True)
class Architecture:
    """A cell, in how many layers, in one direction or both."""

    cell: str = "rnn"
    num_layers: int = 1
    bidirectional: bool = False

    def __post_init__(self) -> None:
        """Check the values."""
        checks.choice(self.cell, "cell", tuple(CELLS))
        checks.size(num_layers=self.num_layers)

    @property
    def plain(self) -> bool:
        """Whether this is a single layer in one direction: just the cell."""
        return self.num_layers == 1 and not self.bidirectional

    @property
    def num_directions(self) -> int:
        """1 or 2."""
        return 2 if self.bidirectional else 1

    @property
    def num_states(self) -> int:
        """The length of the state: for each layer and direction the cell's H, or H and C."""
        return self.num_layers * self.num_directions * len(CELLS[self.cell].states)

    @functools.cached_property
    def parameters(self) -> list[str]:
        """The names of the parameters in order; beyond a plain cell, "layer1.W_xh" for example."""
        names = []
        for layer in range(1, self.num_layers + 1):
            for direction in ("", "reverse.")[: self.num_directions]:
                prefix = "" if self.plain else f"layer{layer}.{direction}"
                names += [prefix + name for name in CELLS[self.cell].parameters]
        return [*names, "W_hq", "b_q"]

    def shapes(self, vocab_size: int, num_hiddens: int) -> list[Shape]:
        """Return the shapes of a language model's parameters, the output layer's last."""
        checks.size(vocab_size=vocab_size, num_hiddens=num_hiddens)
        num_features = num_hiddens * self.num_directions
        layers = self.layer_shapes(vocab_size, num_hiddens)
        return [*layers, (num_features, vocab_size), (vocab_size,)]

    @property
    def first(self) -> list[FirstValue | None]:
        """The functions of Cell.first for the parameters of all layers; None: there is none."""
        cell = CELLS[self.cell]
        one = [cell.first.get(name) for name in cell.parameters]
        return one * (self.num_layers * self.num_directions)

    def state_shapes(self, num_hiddens: int) -> list[Shape]:
        """Return the shapes of the state of all layers, without the axis of the batch."""
        one = CELLS[self.cell].state_shapes(num_hiddens)
        return one * (self.num_layers * self.num_directions)

    def layer_shapes(self, num_inputs: int, num_hiddens: int) -> list[Shape]:
        """Return the shapes of the parameters of all layers, without the output layer's."""
        shapes = []
        for _ in range(self.num_layers):
            shapes += CELLS[self.cell].shapes(num_inputs, num_hiddens) * self.num_directions
            num_inputs = num_hiddens * self.num_directions
        return shapes

    def num_weights(self, vocab_size: int, num_hiddens: int) -> int:
        """Return how many numbers the parameters of a language model hold, of however many layers.

        Every layer but the first has as many.
        """
        one, two = (
            sum(math.prod(shape) for shape in made.shapes(vocab_size, num_hiddens))
            for made in (replace(self, num_layers=number) for number in (1, 2))
        )
        return one + (self.num_layers - 1) * (two - one)

    def arrays(self, vocab_size: int, num_hiddens: int, seed: int | None) -> list[Array]:
        """Return first values for the parameters."""
        return first_values.draw(self.shapes(vocab_size, num_hiddens), seed, first=self.first)

    def check(self, inputs: Any, state: Any, params: Sequence[Any]) -> None:
        """Check what a forward function is called with, its inputs being rows (T, n, d)."""
        num_inputs, num_hiddens = self.sizes(params)
        kinds.alike(params[0], inputs=[inputs])
        checks.recurrent(inputs.shape, state, num_inputs, self.state_shapes(num_hiddens))
        self._check_shapes(params, num_inputs, num_hiddens)
        kinds.alike_or_numpy(params[0], state=state)
        checks.same_dtype(params[0], inputs=[inputs], state=state)

    def check_ids(self, inputs: Any, state: Any, params: Sequence[Any]) -> None:
        """Check as check does, where the inputs are token ids (T, n)."""
        num_inputs, num_hiddens = self.sizes(params)
        checks.recurrent_ids(inputs.shape, state, self.state_shapes(num_hiddens))
        self._check_shapes(params, num_inputs, num_hiddens)
        kinds.alike_or_numpy(params[0], state=state)
        checks.same_dtype(params[0], state=state)

    def sizes(self, params: Sequence[Any]) -> tuple[int, int]:
        """Return the inputs and the hidden units that the parameters are for."""
        if not isinstance(params, (list, tuple)):
            raise ValueError(
                f"params is a {type(params).__name__}; expected the list of {self.cell}'s "
                f"parameters, {', '.join(self.parameters)}"
            )
        checks.num_params(len(params), self.parameters)
        kinds.any_backend(params=params[:1])
        cell = CELLS[self.cell]
        return cell.size("d", params), cell.size("h", params)

    def check_params(self, params: Sequence[Any]) -> None:
        """Check that the shapes of parameters go together, whatever the number of outputs."""
        self._check_shapes(params, *self.sizes(params))

    def _check_shapes(self, params: Sequence[Any], num_inputs: int, num_hiddens: int) -> None:
        q = params[-1].shape[-1] if params[-1].shape else 0
        shapes = _expected(self, num_inputs, num_hiddens, q)
        checks.parameters(params, self.parameters, shapes)

    def split(self, params: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Return the parameters of all layers, and what follows them: W_hq and b_q, for example."""
        number = len(self.parameters) - 2
        return list(params[:number]), list(params[number:])

    def runs(self, params: Sequence[Any]) -> list[list[Any]]:
        """Return the parameters of all layers, a list for each layer and direction."""
        return chunks(params, len(CELLS[self.cell].parameters))

    def kinds(self, state: Sequence[Any]) -> list[list[Any]]:
        """Return the state by kind: all Hs, layer by layer, and for the LSTM all Cs."""
        return list(map(list, zip(*chunks(state, len(CELLS[self.cell].states)), strict=True)))

    def top(self, state: Sequence[Any]) -> list[Any]:
        """Return the last layer's H, of each direction, from the state of all layers."""
        return self.kinds(state)[0][-self.num_directions :]

    def layers(self, params: Sequence[Any], state: Sequence[Any]) -> Iterator[list[Any]]:
        """Yield, layer by layer, a pair (parameters, state) for each direction."""
        states = chunks(state, len(CELLS[self.cell].states))
        yield from chunks(list(zip(self.runs(params), states, strict=True)), self.num_directions)


def chunks(items: Sequence[Item], size: int) -> list[list[Item]]:
    """Return items in lists of so many; they must come out even."""
    if len(items) % size:
        raise ValueError(f"{len(items)} items do not make lists of {size}")
    return [list(items[start : start + size]) for start in range(0, len(items), size)]


@functools.lru_cache(256)
def _expected(made_of: Architecture, num_inputs: int, num_hiddens: int, q: int) -> list[Shape]:
    """Return the shapes of parameters; kept, for every call of a cell asks for them."""
    layers = made_of.layer_shapes(num_inputs, num_hiddens)
    return [*layers, (num_hiddens * made_of.num_directions, q), (q,)]


PLAIN = {name: Architecture(name) for name in CELLS}


def check(cell: str, inputs: Any, state: Any, params: Sequence[Any]) -> None:
    """Check what a cell is called with, its inputs being rows (T, n, d)."""
    PLAIN[cell].check(inputs, state, params)


def check_kind(inputs: Any, params: Any) -> None:
    """Check that inputs are tensors of the backend of the parameters, before they are used."""
    if isinstance(params, (list, tuple)) and params:
        kinds.alike(params[0], inputs=[inputs])


def check_ids(cell: str, inputs: Any, state: Any, params: Sequence[Any]) -> None:
    """Check what a cell is called with, its inputs being token ids (T, n)."""
    PLAIN[cell].check_ids(inputs, state, params)


def check_mlp(X: Any, params: Sequence[Any]) -> None:
    """Check what a network without hidden states is called with."""
    names = ("W_xh", "b_h", "W_hq", "b_q")
    checks.num_params(len(params), names)
    checks.axes("W_xh", params[0].shape, "(num_inputs, num_hiddens)")
    d, h = params[0].shape
    checks.features(X.shape, (d, h))
    q = params[-1].shape[-1] if params[-1].shape else 0
    checks.parameters(params, names, [(d, h), (h,), (h, q), (q,)])
    checks.same_dtype(params[0], X=[X])


def flip_update_gate(params: Sequence[Any]) -> list[Any]:
    """Convert a GRU's parameters to the other convention, H = (1 - Z) * H + Z * H_tilde.

    1 - sigmoid(A) equals sigmoid(-A), so the weights and the bias of the update gate, the first
    three parameters, change sign. Calling the function twice restores the parameters.

    Args:
        params: the parameters of gru or gru_reset_after in either convention, as arrays or tensors.
            To train with the result, call ``net.load_arrays(flip_update_gate(net.arrays()))``.

    Returns:
        A new list: the first three parameters negated, the others unchanged.

    Examples:
        >>> params = rnn.get_gru_params(3, 4, seed=0)
        >>> flipped = rnn.flip_update_gate(params)
        >>> bool((rnn.to_numpy(flipped[0]) == -rnn.to_numpy(params[0])).all())
        True
    """
    checks.gates(params, {11: "gru", 12: "gru_reset_after"})
    update_gate, rest = params[:3], params[3:]  # W_xz, W_hz and b_z come first
    return [*(-param for param in update_gate), *rest]
