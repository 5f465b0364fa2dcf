"""The table of cells, and architectures: layers of a cell, in one direction or in both.

Public functions take and return parameters as the book's flat list. Cell and Architecture assign
names to the elements of the list: see Cell.named, Cell.by_gate and Architecture.split.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from d2lrnn import checks
from d2lrnn.nets import first_values, kinds, linear
from d2lrnn.nets.cell import Cell, gated
from d2lrnn.nets.first_values import Array, FirstValue, Shape

Item = TypeVar("Item")
TABLE = "embedding.W_xe"  # the point keeps it apart from the parameters of cells, such as W_xe

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
        *linear.CELLS,
    )
}


@dataclass(frozen=True)
class Architecture:
    """A cell, the number of layers, and whether they run in one direction or in both.

    Attributes:
        cell: the name of the cell. The argument may also be a custom cell: a Cell with a step, or
            an object with such a Cell as its attribute kind.
        num_layers: 1 or above.
        bidirectional: whether each layer also runs from the last step to the first.
        custom: the custom cell, or None.
        embedding: the width of the rows of a table that take the place of one-hot rows, or None;
            the table is the first parameter, W_xe (vocab_size, embedding), with the name TABLE.
            The methods about layers, states and the forward computation are those after the table.
    """

    cell: str = "rnn"
    num_layers: int = 1
    bidirectional: bool = False
    custom: Cell | None = field(default=None, repr=False)
    embedding: int | None = None

    def __post_init__(self) -> None:
        """Check the values, and convert a custom cell to its name and its Cell."""
        custom = getattr(self.cell, "kind", self.cell)
        if isinstance(custom, Cell):
            vars(self).update(cell=custom.name, custom=custom)
        if self.custom is None:
            checks.choice(self.cell, "cell", tuple(CELLS))
        checks.size(num_layers=self.num_layers)
        if self.embedding is not None:
            checks.size(embedding=self.embedding)

    @property
    def kind(self) -> Cell:
        """The names and axes of the cell's parameters and states."""
        return self.custom or CELLS[self.cell]

    def settings(self) -> dict[str, Any]:
        """Return the cell, layers and directions as a model file stores them.

        Two architectures with equal settings have the same parameters and states.
        """
        settings: dict[str, Any] = {
            "cell": self.cell,
            "num_layers": self.num_layers,
            "bidirectional": self.bidirectional,
        }
        if self.embedding is not None:
            settings["embedding"] = self.embedding
        if self.custom is not None:
            both = {"parameters": self.custom.parameters, "states": self.custom.states}
            settings["custom"] = {
                name: [[key, list(axes)] for key, axes in part.items()]  # in order
                for name, part in both.items()
            }
        return settings

    @property
    def after_embedding(self) -> Architecture:
        """The same architecture without an embedding, whose inputs are the rows of the table."""
        return replace(self, embedding=None)

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
        return self.num_layers * self.num_directions * len(self.kind.states)

    @functools.cached_property
    def parameters(self) -> list[str]:
        """The names of the parameters in order; with a prefix such as "layer1." unless plain."""
        names = []
        for layer in range(1, self.num_layers + 1):
            for direction in ("", "reverse.")[: self.num_directions]:
                prefix = "" if self.plain else f"layer{layer}.{direction}"
                names += [prefix + name for name in self.kind.parameters]
        table = [] if self.embedding is None else [TABLE]
        return [*table, *names, "W_hq", "b_q"]

    def shapes(self, vocab_size: int, num_hiddens: int) -> list[Shape]:
        """Return the shapes of a language model's parameters, the output layer's last."""
        checks.size(vocab_size=vocab_size, num_hiddens=num_hiddens)
        num_features = num_hiddens * self.num_directions
        table = [] if self.embedding is None else [(vocab_size, self.embedding)]
        layers = self.layer_shapes(self.embedding or vocab_size, num_hiddens)
        return [*table, *layers, (num_features, vocab_size), (vocab_size,)]

    @property
    def first(self) -> list[FirstValue | None]:
        """The functions of Cell.first for the parameters of all layers; None for the rule."""
        cell = self.kind
        one = [cell.first.get(name) for name in cell.parameters]
        table: list[FirstValue | None] = [] if self.embedding is None else [first_values.normal]
        return table + one * (self.num_layers * self.num_directions)

    def state_shapes(self, num_hiddens: int) -> list[Shape]:
        """Return the shapes of the state of all layers, without the axis of the batch."""
        one = self.kind.state_shapes(num_hiddens)
        return one * (self.num_layers * self.num_directions)

    @property
    def state_values(self) -> list[float]:
        """The number that fills each state of all layers before the first time step."""
        one = [float(self.kind.begin.get(name, 0)) for name in self.kind.states]
        return one * (self.num_layers * self.num_directions)

    def layer_shapes(self, num_inputs: int, num_hiddens: int) -> list[Shape]:
        """Return the shapes of the parameters of all layers, without the output layer's."""
        shapes = []
        for _ in range(self.num_layers):
            shapes += self.kind.shapes(num_inputs, num_hiddens) * self.num_directions
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
        cell = self.kind
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
        return chunks(params, len(self.kind.parameters))

    def kinds(self, state: Sequence[Any]) -> list[list[Any]]:
        """Return the state by kind: all Hs, layer by layer, and for the LSTM all Cs."""
        return list(map(list, zip(*chunks(state, len(self.kind.states)), strict=True)))

    def top(self, state: Sequence[Any]) -> list[Any]:
        """Return the last layer's H, of each direction, from the state of all layers."""
        return self.kinds(state)[0][-self.num_directions :]

    def layers(self, params: Sequence[Any], state: Sequence[Any]) -> Iterator[list[Any]]:
        """Yield, layer by layer, a pair (parameters, state) for each direction."""
        states = chunks(state, len(self.kind.states))
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
