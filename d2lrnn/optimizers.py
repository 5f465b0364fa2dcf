"""Gradient descent, Adagrad and Adam from scratch (the book's sections 12.4, 12.7 and 12.10).

Written with operators that every framework's tensors have, so that one text serves all five. A rule
is a pure function: parameters, gradients and memory go in, new parameters and memory come out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from d2lrnn import checks

Tensors = Sequence[Any]


@dataclass(frozen=True)
class SGD:
    """Minibatch stochastic gradient descent: w <- w - lr * g. Remembers nothing."""

    lr: float

    def begin(self, params: Tensors) -> list[Any]:
        """Return the memory before the first update."""
        return []

    def update(self, params: Tensors, grads: Tensors, memory: Any) -> tuple[list[Any], Any]:
        """Return the parameters after one update, and the memory."""
        return [w - self.lr * g for w, g in zip(params, grads, strict=True)], memory


@dataclass(frozen=True)
class Adagrad:
    """Steps that shrink with the squares of all gradients so far.

    s <- s + g², w <- w - lr * g / (sqrt(s) + eps). Source: Duchi, Hazan and Singer, 2011.
    """

    lr: float
    eps: float = 1e-8

    def begin(self, params: Tensors) -> list[Any]:
        """Return the memory before the first update: s = 0."""
        return [0 * w for w in params]

    def update(self, params: Tensors, grads: Tensors, memory: Any) -> tuple[list[Any], Any]:
        """Return the parameters after one update, and the memory."""
        memory = [s + g * g for s, g in zip(memory, grads, strict=True)]
        steps = [self.lr * g / (s**0.5 + self.eps) for s, g in zip(memory, grads, strict=True)]
        return [w - step for w, step in zip(params, steps, strict=True)], memory


@dataclass(frozen=True)
class Adam:
    """Leaky averages of gradients and their squares, corrected for their start at 0.

    m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g²,
    w <- w - lr * m' / (sqrt(v') + eps) with m' = m / (1 - beta1^t), v' = v / (1 - beta2^t).
    Source: Kingma and Ba, 2015.
    """

    lr: float
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def begin(self, params: Tensors) -> list[Any]:
        """Return the memory before the first update: m = v = 0, t = 0, a tensor (1,)."""
        return [[0 * w for w in params], [0 * w for w in params], 0 * params[-1][:1]]

    def update(self, params: Tensors, grads: Tensors, memory: Any) -> tuple[list[Any], Any]:
        """Return the parameters after one update, and the memory."""
        m, v, t = memory
        t = t + 1
        m = [self.beta1 * a + (1 - self.beta1) * g for a, g in zip(m, grads, strict=True)]
        v = [self.beta2 * a + (1 - self.beta2) * g * g for a, g in zip(v, grads, strict=True)]
        m_scale, v_scale = 1 / (1 - self.beta1**t), 1 / (1 - self.beta2**t)
        params = [
            w - self.lr * (a * m_scale) / ((b * v_scale) ** 0.5 + self.eps)
            for w, a, b in zip(params, m, v, strict=True)
        ]
        return params, [m, v, t]


OPTIMIZERS = {"sgd": SGD, "adagrad": Adagrad, "adam": Adam}


def make(name: str, lr: float) -> SGD | Adagrad | Adam:
    """Return the rule of that name.

    Raises:
        ValueError: there is no such rule, or lr is not positive.
    """
    checks.choice(name, "optimizer", tuple(OPTIMIZERS))
    rule: SGD | Adagrad | Adam = OPTIMIZERS[name](checks.positive(lr=lr))
    return rule


def own(rules: Mapping[str, Any], name: str) -> Any:
    """Return what a framework has under one of our names.

    Raises:
        ValueError: there is no such rule.
    """
    checks.choice(name, "optimizer", tuple(OPTIMIZERS))
    return rules[name]
