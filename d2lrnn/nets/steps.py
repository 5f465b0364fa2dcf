"""A training step as an object: what it computes, and the state of its optimizer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from d2lrnn.nets import optimizers
from d2lrnn.nets.dropout import Dropout
from d2lrnn.nets.optimizers import Arrays, OptimizerState
from d2lrnn.nets.schedules import Rate

# The names of the number of steps, and of the seed of dropout, in the memory of a step
NUMBER, SEED = "number", "seed"

State = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Update:
    """The result of make_update: a function that updates parameters, with its optimizer's state."""

    function: Callable[..., Any]
    memory: OptimizerState

    def __call__(
        self, params: Any, inputs: Any, targets: Any, weights: Any = None, *, lr: Any = None
    ) -> Any:
        """Return the mean loss, the last state, and the new parameters.

        lr replaces the learning rate of make_update for this update, unless it is None.
        """
        return self.function(params, inputs, targets, weights, lr)


class SequenceStep:
    """A function that trains a network over sequences on one minibatch.

    It holds compiled code and trains one net, and so it can be neither copied nor pickled.

    Attributes:
        deferred: a function that takes the same step, but returns the loss as a tensor of the
            framework, so that Python can continue while a device computes.
        memory: a function that returns the state of the optimizer as NumPy arrays by name.
    """

    def __init__(
        self,
        deferred: Callable[..., Any],
        memory: Callable[[], Arrays],
        load_memory: Callable[[Arrays], None],
    ) -> None:
        """Store the functions."""
        self.deferred, self.memory, self._load = deferred, memory, load_memory

    def __call__(self, *batch: Any, **named: Any) -> Any:
        """Train on a minibatch; return the mean loss."""
        return float(self.deferred(*batch, **named))

    def load_memory(self, arrays: Arrays) -> None:
        """Load the result of memory() into a step that was made with the same arguments.

        Raises:
            ValueError: arrays is not a dictionary of finite numbers, or is not the memory of the
                same optimizer for the same parameters.
        """
        self._load(optimizers.checked(arrays))

    def __reduce__(self) -> Any:
        """Raise a TypeError, for pickle and copy, that explains what to do instead."""
        raise TypeError(
            "a training step cannot be copied or pickled; copy or pickle the net and "
            "step.memory(), make a new step with make_step, and call its load_memory(...)"
        )


class TrainingStep(SequenceStep):
    """A function that trains a language model on one minibatch."""

    def __call__(self, X: Any, Y: Any, state: State) -> tuple[float, State]:
        """Train on a minibatch; return the mean loss and the state after it."""
        loss, state = self.deferred(X, Y, state)
        return float(loss), state


def counted(step: TrainingStep, rate: Rate, masks: Dropout | None = None) -> TrainingStep:
    """Return a step that counts how often it is taken, and stores the number in its memory.

    A seed that was drawn for dropout is stored too. Without a schedule and dropout, the step is
    returned unchanged.
    """
    if rate.schedule is None and masks is None:
        return step
    has_seed = masks is not None and masks.seed is None

    def deferred(X: Any, Y: Any, state: State) -> tuple[Any, State]:
        results: tuple[Any, State] = step.deferred(X, Y, state)
        rate.number += 1
        return results

    def memory() -> Arrays:
        seed = {SEED: np.array([masks.drawn])} if masks and has_seed else {}
        return {**step.memory(), NUMBER: np.array([rate.number]), **seed}

    def load_memory(arrays: Arrays) -> None:
        others = dict(arrays)
        number = _count(others.pop(NUMBER, np.zeros(1)), "number of steps")
        seed = _count(others.pop(SEED, np.zeros(1)), "seed") if has_seed else 0
        step.load_memory(others)
        rate.number = number
        if masks and has_seed:
            masks.drawn = seed

    return TrainingStep(deferred, memory, load_memory)


def _count(array: Any, what: str) -> int:
    """Return the one number of an array of a step's memory, 0 or above."""
    if array.shape != (1,) or array[0] < 0:
        raise ValueError(f"the {what} is {array}; expected one number, 0 or above")
    return int(array[0])


def memory_functions(
    state: OptimizerState, net: Any
) -> tuple[Callable[[], Arrays], Callable[[Arrays], None]]:
    """Return memory and load_memory of a step for the parameters of a net."""

    def arrays() -> Arrays:
        return state.arrays(net.ops.tensors.to_numpy)

    def load(values: Arrays) -> None:
        state.load(values, net.params, net.tensor)

    return arrays, load
