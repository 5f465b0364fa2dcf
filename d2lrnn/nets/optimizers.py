"""Gradient descent, Adagrad and Adam from scratch (the book's sections 12.4 to 12.10).

They use only operators that the tensors of every framework have, so that the same code works in all
five. An update is a pure function: it takes parameters, gradients and the state of the optimizer,
and returns new parameters and the new state. ``lr``, a number or a tensor, replaces the learning
rate of the rule unless it is None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from d2lrnn import checks

Tensors = Sequence[Any]
Arrays = dict[str, np.ndarray[Any, Any]]


@dataclass(frozen=True)
class SGD:
    """Minibatch stochastic gradient descent: w <- w - lr * g.

    With weight decay, g + weight_decay * w takes the place of g. With momentum,
    v <- momentum * v + g takes its place (the book's section 12.6).
    """

    lr: float
    momentum: float = 0.0
    weight_decay: float = 0.0

    @property
    def is_plain(self) -> bool:
        """Whether there is neither momentum nor weight decay."""
        return not self.momentum and not self.weight_decay

    def begin(self, params: Tensors) -> list[Any]:
        """Return the state before the first update: v = 0, or nothing without momentum."""
        return [0 * w for w in params] if self.momentum else []

    def update(
        self, params: Tensors, grads: Tensors, state: Any, lr: Any = None
    ) -> tuple[list[Any], Any]:
        """Return the parameters after one update, and the new state."""
        lr = self.lr if lr is None else lr
        if self.weight_decay:
            grads = [g + self.weight_decay * w for w, g in zip(params, grads, strict=True)]
        if self.momentum:
            state = [self.momentum * v + g for v, g in zip(state, grads, strict=True)]
            grads = state
        return [w - lr * g for w, g in zip(params, grads, strict=True)], state


@dataclass(frozen=True)
class Adagrad:
    """Adagrad: the steps become smaller as the sum of squared gradients grows.

    s <- s + g², w <- w - lr * g / (sqrt(s) + eps). Source: Duchi, Hazan and Singer, 2011.
    """

    lr: float
    eps: float = 1e-8

    def begin(self, params: Tensors) -> list[Any]:
        """Return the state before the first update: s = 0."""
        return [0 * w for w in params]

    def update(
        self, params: Tensors, grads: Tensors, state: Any, lr: Any = None
    ) -> tuple[list[Any], Any]:
        """Return the parameters after one update, and the new state."""
        lr = self.lr if lr is None else lr
        state = [s + g * g for s, g in zip(state, grads, strict=True)]
        changes = [lr * g / (s**0.5 + self.eps) for s, g in zip(state, grads, strict=True)]
        return [w - step for w, step in zip(params, changes, strict=True)], state


@dataclass(frozen=True)
class Adam:
    """Adam: leaky averages of gradients and of their squares, corrected for their start at 0.

    m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g²,
    w <- w - lr * m' / (sqrt(v') + eps) with m' = m / (1 - beta1^t), v' = v / (1 - beta2^t).
    With weight decay (AdamW), w becomes smaller by lr * weight_decay * w in addition.
    Source: Kingma and Ba, 2015; Loshchilov and Hutter, 2019.
    """

    lr: float
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0

    def begin(self, params: Tensors) -> list[Any]:
        """Return the state before the first update: m = v = 0, t = 0, a tensor (1,)."""
        return [[0 * w for w in params], [0 * w for w in params], 0 * params[-1][:1]]

    def update(
        self, params: Tensors, grads: Tensors, state: Any, lr: Any = None
    ) -> tuple[list[Any], Any]:
        """Return the parameters after one update, and the new state."""
        lr = self.lr if lr is None else lr
        m, v, t = state
        t = t + 1
        m = [self.beta1 * a + (1 - self.beta1) * g for a, g in zip(m, grads, strict=True)]
        v = [self.beta2 * a + (1 - self.beta2) * g * g for a, g in zip(v, grads, strict=True)]
        m_scale, v_scale = 1 / (1 - self.beta1**t), 1 / (1 - self.beta2**t)
        smaller = params
        if self.weight_decay:
            smaller = [w - lr * self.weight_decay * w for w in params]
        updated = [
            w - lr * (a * m_scale) / ((b * v_scale) ** 0.5 + self.eps)
            for w, a, b in zip(smaller, m, v, strict=True)
        ]
        return updated, [m, v, t]


def clip_arrays(grads: Tensors, theta: float, clip: str) -> tuple[list[Any], Any]:
    """Return NumPy gradients clipped by their joint norm, or value by value, and the norm before.

    The arguments are those of grad_clipping, and must have been checked.
    """
    norm = np.sqrt(sum((grad**2).sum() for grad in grads))
    if clip == "value":
        return [np.clip(grad, -theta, theta) for grad in grads], norm
    scale = theta / np.maximum(norm, theta)  # NaN stays NaN
    return [grad * scale.astype(grad.dtype) for grad in grads], norm


Rule = SGD | Adagrad | Adam
OPTIMIZERS = {"sgd": SGD, "adagrad": Adagrad, "adam": Adam, "adamw": Adam}
WITH_DECAY = ("sgd", "adamw")


def make(name: str | Rule, lr: float, *, momentum: float = 0.0, weight_decay: float = 0.0) -> Rule:
    """Return the rule of that name; a rule is returned unchanged.

    Raises:
        ValueError: the name is not known, lr is not positive, momentum is not from 0 to below 1,
            weight_decay is negative, or the rule does not have momentum or weight decay.
    """
    if isinstance(name, Rule):
        return name
    checks.choice(name, "optimizer", tuple(OPTIMIZERS))
    lr = checks.positive(lr=lr)
    checks.below_one(momentum=momentum)
    checks.not_negative(weight_decay=weight_decay)
    options: dict[str, float] = {}
    if momentum:
        _check_option("momentum", momentum, name, ("sgd",))
        options["momentum"] = float(momentum)
    if weight_decay:
        _check_option("weight_decay", weight_decay, name, WITH_DECAY)
        options["weight_decay"] = float(weight_decay)
    rule: Rule = OPTIMIZERS[name](lr, **options)
    return rule


def _check_option(option: str, value: float, name: str, allowed: tuple[str, ...]) -> None:
    """Check that an optimizer has an option."""
    if name not in allowed:
        choices = " or ".join(map(repr, allowed))
        raise ValueError(
            f"{option} is {value!r}, and optimizer is {name!r}, which does not have it; expected "
            f"optimizer {choices}, or {option}=0"
        )


@dataclass
class OptimizerState:
    """The state of a rule between two updates; ``tensors`` is None before the first update."""

    rule: Rule
    tensors: Any = None

    def before(self, params: Tensors) -> Any:
        """Return the state for the next update."""
        return self.tensors or self.rule.begin(params)

    def arrays(self, to_numpy: Callable[[Any], Any]) -> Arrays:
        """Return the state as NumPy arrays, named by their indices in its lists, such as "0.2"."""
        return {name: to_numpy(tensor) for name, tensor in _places(self.tensors or [])}

    def load(self, arrays: Arrays, params: Tensors, from_numpy: Callable[[Any], Any]) -> None:
        """Load the result of arrays, for these parameters.

        Raises:
            ValueError: the arrays are those of another rule, or for other parameters.
        """
        expected = {n: tuple(t.shape) for n, t in _places(self.rule.begin(params)) if arrays}
        check_shapes(arrays, expected)
        self.tensors = _rebuilt(self.rule.begin(params), arrays, from_numpy) if arrays else None


def checked(arrays: Any) -> Arrays:
    """Return the memory of an optimizer as NumPy arrays by name.

    Raises:
        ValueError: it is not a dictionary, or holds something else than finite numbers.
    """
    if not isinstance(arrays, Mapping):
        raise ValueError(
            f"the optimizer's memory is a {type(arrays).__name__}; expected a dictionary of arrays "
            "by name, as step.memory() returns"
        )
    numbers = {str(name): checks.numeric(array) for name, array in arrays.items()}
    for name, array in numbers.items():
        if not np.isfinite(array).all():
            raise ValueError(
                f"the optimizer's memory holds NaN or infinity, in {name!r}; expected finite "
                "numbers; training has diverged: use an earlier memory, or a new step"
            )
    return numbers


def check_shapes(arrays: Arrays, expected: Mapping[str, Any]) -> None:
    """Check that the arrays of an optimizer's memory have the expected names and shapes."""
    shapes = {name: array.shape for name, array in arrays.items()}
    if shapes != expected:
        raise ValueError(
            f"the optimizer's memory is {shapes}; expected {dict(expected)}; "
            "use the memory of the same optimizer, for the same parameters"
        )


def _places(tensors: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    for number, part in enumerate(tensors):
        if isinstance(part, (list, tuple)):
            yield from _places(part, f"{place}{number}.")
        else:
            yield f"{place}{number}", part


def _rebuilt(like: Any, arrays: Arrays, from_numpy: Callable[[Any], Any], place: str = "") -> Any:
    return [
        _rebuilt(part, arrays, from_numpy, f"{place}{number}.")
        if isinstance(part, (list, tuple))
        else from_numpy(arrays[f"{place}{number}"])
        for number, part in enumerate(like)
    ]
