"""The description of cells in every framework: the names and shapes of their parameters.

Public functions take and return parameters as the book's flat list. This module assigns names to
the elements of the list: see Cell.named, Cell.by_gate and Architecture.split.
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
        name: the name of the cell, a key of CELLS.
        parameters: the axes of each parameter by its name, in order, such as {"b_h": ("h",)}.
        states: the axes of each state by its name, without the batch axis. The first state is the
            output of the cell at a time step; its axes are ("h",).
        get_params: the name of the backends' function that makes the parameters.
        init_state: the name of the backends' function that makes the initial state.
        gates: a letter ? for each gate that has the parameters W_x?, W_h? and b_?, in order.
        first: by name, functions (shape, generator) -> array for the parameters whose initial
            values differ from the rule: small random numbers for matrices, 0 for vectors.
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


def _shape(axes: Axes, sizes: Mapping[str, int]) -> Shape:
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
    """A cell, the number of layers, and whether they run in one direction or in both."""

    cell: str = "rnn"
    num_layers: int = 1
    bidirectional: bool = False

    def __post_init__(self) -> None:
        """Check the values."""
        checks.choice(self.cell, "cell", tuple(CELLS))
        checks.size(num_layers=self.num_layers)

    @property
    def plain(self) -> bool:
        """Whether this is a single layer in one direction."""
        return self.num_layers == 1 and not self.bidirectional

    @property
    def num_directions(self) -> int:
        """1 or 2."""
        return 2 if self.bidirectional else 1

    @property
    def num_states(self) -> int:
        """The length of the state: the number of the cell's states, per layer and direction."""
        return self.num_layers * self.num_directions * len(CELLS[self.cell].states)

    @functools.cached_property
    def parameters(self) -> list[str]:
        """The names of the parameters in order; with a prefix such as "layer1." unless plain."""
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
        """The functions of Cell.first for the parameters of all layers; None for the rule."""
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
        """Return how many numbers the parameters of a language model hold.

        All layers but the first hold the same number, so this takes the same time for any
        num_layers.
        """
        one, two = (
            sum(math.prod(shape) for shape in net.shapes(vocab_size, num_hiddens))
            for net in (replace(self, num_layers=number) for number in (1, 2))
        )
        return one + (self.num_layers - 1) * (two - one)

    def arrays(self, vocab_size: int, num_hiddens: int, seed: int | None) -> list[Array]:
        """Return initial values for the parameters."""
        return first_values.draw(self.shapes(vocab_size, num_hiddens), seed, first=self.first)

    def check(self, inputs: Any, state: Any, params: Sequence[Any]) -> None:
        """Check the arguments of a forward function whose inputs are rows (T, n, d)."""
        num_inputs, num_hiddens = self.sizes(params)
        kinds.alike(params[0], inputs=[inputs])
        checks.recurrent(inputs.shape, state, num_inputs, self.state_shapes(num_hiddens))
        self._check_shapes(params, num_inputs, num_hiddens)
        kinds.alike_or_numpy(params[0], state=state)
        checks.same_dtype(params[0], inputs=[inputs], state=state)

    def check_ids(self, inputs: Any, state: Any, params: Sequence[Any]) -> None:
        """Check the arguments of a forward function whose inputs are token ids (T, n)."""
        num_inputs, num_hiddens = self.sizes(params)
        checks.recurrent_ids(inputs.shape, state, self.state_shapes(num_hiddens))
        self._check_shapes(params, num_inputs, num_hiddens)
        kinds.alike_or_numpy(params[0], state=state)
        checks.same_dtype(params[0], state=state)

    def sizes(self, params: Sequence[Any]) -> tuple[int, int]:
        """Return num_inputs and num_hiddens, taken from the shapes of the parameters."""
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
        """Check that the shapes of the parameters fit together, for any number of outputs."""
        self._check_shapes(params, *self.sizes(params))

    def _check_shapes(self, params: Sequence[Any], num_inputs: int, num_hiddens: int) -> None:
        q = params[-1].shape[-1] if params[-1].shape else 0
        shapes = _expected(self, num_inputs, num_hiddens, q)
        checks.parameters(params, self.parameters, shapes)

    def split(self, params: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Split a list into the parameters of all layers and the rest, such as W_hq and b_q."""
        number = len(self.parameters) - 2
        return list(params[:number]), list(params[number:])

    def runs(self, params: Sequence[Any]) -> list[list[Any]]:
        """Return the parameters of all layers as one list for each layer and direction."""
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
    """Split items into lists of a size, which must divide their number."""
    if len(items) % size:
        raise ValueError(f"{len(items)} items do not make lists of {size}")
    return [list(items[start : start + size]) for start in range(0, len(items), size)]


@functools.lru_cache(256)
def _expected(made_of: Architecture, num_inputs: int, num_hiddens: int, q: int) -> list[Shape]:
    """Return the shapes of all parameters; cached, because every call of a cell checks them."""
    layers = made_of.layer_shapes(num_inputs, num_hiddens)
    return [*layers, (num_hiddens * made_of.num_directions, q), (q,)]


PLAIN = {name: Architecture(name) for name in CELLS}


def check(cell: str, inputs: Any, state: Any, params: Sequence[Any]) -> None:
    """Check the arguments of a cell whose inputs are rows (T, n, d)."""
    PLAIN[cell].check(inputs, state, params)


def check_kind(inputs: Any, params: Any) -> None:
    """Check that inputs are tensors of the backend of the parameters, before they are used."""
    if isinstance(params, (list, tuple)) and params:
        kinds.alike(params[0], inputs=[inputs])


def check_ids(cell: str, inputs: Any, state: Any, params: Sequence[Any]) -> None:
    """Check the arguments of a cell whose inputs are token ids (T, n)."""
    PLAIN[cell].check_ids(inputs, state, params)


def check_mlp(X: Any, params: Sequence[Any]) -> None:
    """Check the arguments of a network without hidden states."""
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
