"""The shared code of the models around the frameworks' own layers.

A framework stores the weights of all gates of a layer side by side in one matrix, in an order that
differs between frameworks, and often has two biases where one would be enough. This module converts
these parameters to those of the scratch models, and back.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from d2lrnn import backends, checks
from d2lrnn.nets import cells, optimizers, remedies, schedules
from d2lrnn.nets import dropout as dropouts
from d2lrnn.nets.model import Array, Model, State
from d2lrnn.nets.schedules import Schedule
from d2lrnn.nets.steps import TrainingStep, counted

FrameworkStep = tuple[
    Callable[[Any, Any, State, float | None], tuple[Any, State]],
    Callable[[], optimizers.Arrays],
    Callable[[optimizers.Arrays], None],
]


@dataclass(frozen=True)
class Joined:
    """The weights of one layer in one direction, the gates side by side.

    W_x (num_inputs, g * h); W_h (h, g * h), or None if the gates do not depend on the state; the
    bias of the input product, b_x (g * h,); and the bias of the recurrent product, b_h (g * h,), or
    None if the framework has only one bias. A b_x of shape (2, g * h) holds both biases.
    """

    W_x: Any
    W_h: Any
    b_x: Any
    b_h: Any

    def map(self, function: Callable[[Any], Any]) -> Joined:
        """Return a Joined with a function applied to each part that is not None."""
        parts = (self.W_x, self.W_h, self.b_x, self.b_h)
        return Joined(*(None if part is None else function(part) for part in parts))


def separate(cell: str, order: str, joined: Joined, *, gradient: bool = False) -> list[Array]:
    """Convert one layer and direction to the parameters of a scratch model.

    order holds the letters of the gates in the framework's order. Two biases that are added become
    their sum. Their gradients are equal; with gradient=True one of them is returned.
    """
    h, b_x, b_h = joined.W_x.shape[-1] // len(order), joined.b_x, joined.b_h
    if b_x.ndim == 2:
        b_x, b_h = b_x
    twice = "b_hh" in cells.CELLS[cell].parameters

    def part(array: Array, gate: str) -> Array:
        start = order.index(gate) * h
        return array[..., start : start + h]

    arrays = []
    for gate in cells.CELLS[cell].gates or order:
        bias = part(b_x, gate)
        if b_h is not None and not gradient and not (twice and gate == "h"):
            bias = bias + part(b_h, gate)
        W_h = [] if joined.W_h is None else [part(joined.W_h, gate)]
        arrays += [part(joined.W_x, gate), *W_h, bias]
    if twice:
        arrays.append(np.zeros_like(bias) if b_h is None else part(b_h, "h"))
    return arrays


def join(cell: str, order: str, arrays: Sequence[Array]) -> Joined:
    """Convert a scratch model's parameters of one layer and direction to the framework's form."""
    if not cells.CELLS[cell].gates:  # those of the cell do not have a W_h
        named = cells.CELLS[cell].named(arrays)
        W_x, b_x = (np.concatenate([named[name + g] for g in order], -1) for name in ("W_x", "b_"))
        return Joined(W_x, None, b_x, None)
    by_gate = cells.CELLS[cell].by_gate(arrays)
    W_x, W_h, b_x = (np.concatenate([by_gate[g][i] for g in order], axis=-1) for i in range(3))
    b_h = np.zeros_like(b_x)
    if "b_hh" in cells.CELLS[cell].parameters:
        h = len(W_h)
        b_h[order.index("h") * h :][:h] = cells.CELLS[cell].named(arrays)["b_hh"]
    return Joined(W_x, W_h, b_x, b_h)


class ConciseModel(Model):
    """A language model around a framework's own recurrent layer.

    In addition to the members that Model requires, a backend's RNNModel supplies ``orders``, the
    order of the gates by cell; ``joined()``, the parameters of each layer and direction;
    ``output()``, the parameters of the output layer, W_hq (features, V) and b_q; and ``read`` and
    ``write``, which convert a parameter to a NumPy array and back, and transpose it if the
    framework stores it transposed.
    """

    orders: Mapping[str, str]
    # What the framework's own momentum, which contains the learning rate, does not go with
    momentum_excludes: tuple[str, ...] = ()
    has_adamw = True

    @abstractmethod
    def framework_step(
        self, rule: optimizers.Rule, theta: float, clip: str, *, scheduled: bool
    ) -> FrameworkStep:
        """Return a step with the framework's own optimizer, and the functions of its memory.

        deferred(X, Y, state, lr) uses the learning rate lr if the step is scheduled.
        """

    def make_step(
        self,
        lr: float,
        theta: float = 1.0,
        *,
        optimizer: str = "sgd",
        clip: str = "norm",
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        schedule: Schedule | None = None,
        dropout: float = 0.0,
        seed: int | None = None,
    ) -> TrainingStep:
        """Return the function that trains on one minibatch, with the framework's own optimizer."""
        checks.positive(lr=lr)
        theta, clip = checks.clipping(theta, clip)
        rule = optimizers.make(optimizer, lr, momentum=momentum, weight_decay=weight_decay)
        rate = schedules.Rate(rule.lr, schedule)
        checks.seed(seed)
        if dropouts.check(dropout):
            raise ValueError(
                f"dropout is {dropout!r}, and the net contains a layer of "
                f"{backends.BACKENDS[self.ops.name].title}, which would draw other masks; "
                "leave it out, or train an RNNModelScratch, which has the same masks in every "
                "backend"
            )
        self._check_rule(rule, schedule)
        take_step, memory, load = self.framework_step(
            rule, theta, clip, scheduled=schedule is not None
        )

        def deferred(X: Any, Y: Any, state: State) -> tuple[Any, State]:
            results: tuple[Any, State] = take_step(X, Y, state, rate())
            return results

        return counted(TrainingStep(deferred, memory, load), rate)

    def _check_rule(self, rule: optimizers.Rule, schedule: Schedule | None) -> None:
        """Check that the framework's own optimizer computes the same as that of this package.

        Raises:
            ValueError: it does not.
        """
        title = backends.BACKENDS[self.ops.name].title
        options = {"schedule": schedule, "weight_decay": getattr(rule, "weight_decay", 0.0)}
        for name in self.momentum_excludes:
            if getattr(rule, "momentum", 0.0) and options[name]:
                raise ValueError(
                    f"momentum and {name} are both given, and {title}'s own optimizer multiplies "
                    "the momentum by the learning rate, so that its results would differ from "
                    f"those of other backends; leave out momentum or {name}, or train an "
                    "RNNModelScratch"
                )
        if isinstance(rule, optimizers.Adam) and rule.weight_decay and not self.has_adamw:
            raise ValueError(
                f"weight_decay is {rule.weight_decay!r}, and {title} does not have AdamW; leave it "
                "out, use optimizer 'sgd', or train an RNNModelScratch"
            )

    @abstractmethod
    def joined(self) -> list[Joined]:
        """Return the framework's parameters, layer by layer, direction by direction."""

    @abstractmethod
    def output(self) -> tuple[Any, Any]:
        """Return the framework's parameters of the output layer."""

    @abstractmethod
    def read(self, param: Any) -> Array:
        """Return a parameter, or the gradient of one, as a NumPy array (inputs, outputs)."""

    @abstractmethod
    def write(self, param: Any, array: Array) -> None:
        """Set a parameter to the values of an array (inputs, outputs)."""

    @property
    def params(self) -> list[Any]:
        """The framework's parameters, layer by layer, the output layer's last."""
        joined = [[j.W_x, j.W_h, j.b_x, j.b_h] for j in self.joined()]
        parts = [part for layer in joined for part in layer if part is not None]
        return [*parts, *self.output()]

    def nothing(self, state: State) -> tuple[Any, State]:
        """Return the result for an empty minibatch: outputs without rows, the same state."""
        outputs = np.zeros((0, self.vocab_size))
        settings = {"dtype": self.dtype, "device": self.device}
        return self.tensors.from_numpy(outputs, **settings), self.as_tensors(state)

    @remedies.explained(remedies.NET_S_DEVICE)
    def begin_state(self, batch_size: int) -> State:
        """Return the state before the first time step: zeros, in the form of a scratch model's."""
        settings = {"dtype": self.dtype, "device": self.device}
        return self.ops.zero_state(self.architecture, batch_size, self.num_hiddens, **settings)

    def arrays(self) -> list[Array]:
        """Return copies of the parameters, in the form of a scratch model's, as NumPy arrays."""
        return list(self._separated(self.read))

    def layer_arrays(self, number: int) -> list[Array]:
        """Return the part of arrays() of one layer and direction, or of the output layer.

        The number len(self.joined()) selects the output layer.
        """
        cell, joined = self.architecture.cell, self.joined()
        if number == len(joined):
            return [self.read(param) for param in self.output()]
        return separate(cell, self.orders[cell], joined[number].map(self.read))

    def _separated(
        self, read: Callable[[Any], Array], *, gradient: bool = False
    ) -> Iterator[Array]:
        cell = self.architecture.cell
        for joined in self.joined():
            yield from separate(cell, self.orders[cell], joined.map(read), gradient=gradient)
        yield from map(read, self.output())

    def separated_gradients(self, gradients: Sequence[Any]) -> list[Array]:
        """Convert gradients, one for each of params in order, to the form of a scratch model."""
        by_param = {id(param): grad for param, grad in zip(self.params, gradients, strict=True)}

        def read(param: Any) -> Array:
            return self.read(by_param[id(param)])

        return list(self._separated(read, gradient=True))

    def load_arrays(self, arrays: Sequence[Array]) -> None:
        """Set the parameters to arrays in the form that arrays() returns."""
        arrays = checks.same_shapes(arrays, self.arrays())
        cell, (weights, output) = self.architecture.cell, self.architecture.split(arrays)
        for target, layer in zip(self.joined(), self.architecture.runs(weights), strict=True):
            self._write(target, join(cell, self.orders[cell], layer))
        for param, array in zip(self.output(), output, strict=True):
            self.write(param, array)

    def own_arrays(self) -> list[Array]:
        """Return the framework's own parameters, with both biases if there are two."""
        return [self.read(param) for param in self.params]

    def load_exactly(self, arrays: Sequence[Array], own: Sequence[Array]) -> None:
        """Set the framework's own parameters to the result of own_arrays(); arrays is not used."""
        own = checks.same_shapes(own, self.own_arrays())
        for param, array in zip(self.params, own, strict=True):
            self.write(param, array)

    def _write(self, target: Joined, source: Joined) -> None:
        b_x, b_h = source.b_x, source.b_h
        if len(target.b_x.shape) == 2:
            b_x = np.stack([b_x, b_h])
        elif target.b_h is None and b_h is not None and b_h.any():
            raise ValueError(
                "this framework's GRU does not have the bias b_hh within the reset gate, and b_hh "
                "of the source is not 0; copy the model before it is trained, or set b_hh to 0"
            )
        self.write(target.W_x, source.W_x)
        if target.W_h is not None:
            self.write(target.W_h, source.W_h)
        self.write(target.b_x, b_x)
        if target.b_h is not None:
            self.write(target.b_h, b_h)


def pair_state(state: State, cell: str) -> list[list[Any]]:
    """Return the state as one list for each kind of state: all Hs, and for the LSTM all Cs."""
    return cells.PLAIN[cell].kinds(state)


def flat_state(kinds: Sequence[Any]) -> State:
    """Return the result of pair_state as one tuple again."""
    return tuple(tensor for together in zip(*kinds, strict=True) for tensor in together)


class MakeLayer(Protocol):
    """The signature of RNN, GRU and LSTM; ``interface.Layers`` documents them."""

    def __call__(  # noqa: D102
        self,
        num_inputs: int,
        num_hiddens: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        *,
        seed: int | None = None,
        dtype: str = "float32",
        device: Any = None,
    ) -> Any: ...


def layer_functions(make: Callable[..., Any], *, scan: bool = False) -> tuple[MakeLayer, ...]:
    """Return the functions RNN, GRU and LSTM, which call a backend's make(cell, ...).

    With scan=True, the framework has a scan, and MinGRU is the fourth function.
    """

    def layer(cell: str, what: str) -> MakeLayer:
        def function(
            num_inputs: int,
            num_hiddens: int,
            num_layers: int = 1,
            bidirectional: bool = False,
            *,
            seed: int | None = None,
            dtype: str = "float32",
            device: Any = None,
        ) -> Any:
            checks.size(num_inputs=num_inputs, num_hiddens=num_hiddens, num_layers=num_layers)
            checks.seed(seed)
            # Some frameworks do not accept NumPy integers.
            sizes = map(int, (num_inputs, num_hiddens, num_layers))
            settings = {"seed": seed, "dtype": checks.floating(dtype), "device": device}
            return make(cell, *sizes, bidirectional, **settings)

        function.__doc__ = f"Return the framework's own {what}, for RNNModel."
        function.__name__ = function.__qualname__ = what
        function.__module__ = make.__module__  # for pickle
        return function

    kinds = (("rnn", "RNN"), ("gru_reset_after", "GRU"), ("lstm", "LSTM"), ("mingru", "MinGRU"))
    return tuple(layer(cell, what) for cell, what in (kinds if scan else kinds[:-1]))
