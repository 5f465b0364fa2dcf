"""Learning rates that depend on the step: the rate of step k is lr * schedule(k).

The factors are Python numbers, so that they are the same in every backend. Compiled steps receive
the rate as an input, and are not compiled again when it changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.nets import kinds

Schedule = Callable[[int], float]

NAMES = ("constant", "step", "cosine", "warmup", "warmup-cosine")


@dataclass(frozen=True)
class StepSchedule:
    """Multiply the learning rate by a factor every N steps, for ``schedule`` of train_ch8.

    Args:
        every: N, the number of steps, 1 or more.
        factor: the factor, above 0.

    Source: the book's section 12.11.

    Examples:
        >>> schedule = rnn.StepSchedule(every=100, factor=0.5)
        >>> [schedule(k) for k in (0, 99, 100, 200)]
        [1.0, 1.0, 0.5, 0.25]
    """

    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        """Check the arguments."""
        checks.size(every=self.every)
        checks.positive(factor=self.factor)

    def __call__(self, k: int) -> float:
        """Return the factor of the learning rate in step k, which counts from 0."""
        return float(self.factor) ** (k // self.every)


@dataclass(frozen=True)
class CosineSchedule:
    """Lower the learning rate along half a period of a cosine, for ``schedule`` of train_ch8.

    The factor is last + (1 - last) (1 + cos(pi k / N)) / 2 in step k up to N, and last after it.

    Args:
        num_steps: N, the number of steps, 1 or more.
        last: the factor at the end, 0 or above.

    Source: the book's section 12.11; Loshchilov and Hutter, 2016.

    Examples:
        >>> schedule = rnn.CosineSchedule(num_steps=100)
        >>> [round(schedule(k), 3) for k in (0, 50, 100, 150)]
        [1.0, 0.5, 0.0, 0.0]
    """

    num_steps: int
    last: float = 0.0

    def __post_init__(self) -> None:
        """Check the arguments."""
        checks.size(num_steps=self.num_steps)
        checks.not_negative(last=self.last)

    def __call__(self, k: int) -> float:
        """Return the factor of the learning rate in step k, which counts from 0."""
        share = min(k / self.num_steps, 1.0)
        return float(self.last + (1 - self.last) * (1 + math.cos(math.pi * share)) / 2)


@dataclass(frozen=True)
class WarmupSchedule:
    """Raise the learning rate in equal steps, then follow another schedule, for train_ch8.

    The factor is (k + 1) / N in step k below N, and then(k - N) from step N on.

    Args:
        num_steps: N, the number of steps, 1 or more.
        then: the schedule after the warm-up, a function of the step; None for a constant rate.

    Source: the book's section 12.11.

    Examples:
        >>> schedule = rnn.WarmupSchedule(4, then=rnn.CosineSchedule(num_steps=10))
        >>> [round(schedule(k), 3) for k in (0, 3, 4, 9, 14)]
        [0.25, 1.0, 1.0, 0.5, 0.0]
    """

    num_steps: int
    then: Schedule | None = None

    def __post_init__(self) -> None:
        """Check the arguments."""
        checks.size(num_steps=self.num_steps)
        check(self.then, "then")

    def __call__(self, k: int) -> float:
        """Return the factor of the learning rate in step k, which counts from 0."""
        if k < self.num_steps:
            return (k + 1) / self.num_steps
        return 1.0 if self.then is None else self.then(k - self.num_steps)


def check(schedule: Any, name: str = "schedule") -> None:
    """Check that a schedule is a function, or None.

    Raises:
        ValueError: it is something else, such as a class instead of an object.
    """
    if isinstance(schedule, type):
        raise ValueError(
            f"{name} is the class {schedule.__name__}; expected an object of a class, such as "
            "CosineSchedule(num_steps), another function of the step, or None"
        )
    if schedule is not None and not callable(schedule):
        raise ValueError(
            f"{name} is {schedule!r}; expected a function of the step that returns the factor of "
            "the learning rate, such as CosineSchedule(num_steps), or None"
        )


def named(schedule: Any, num_steps: int | None) -> Schedule | None:
    """Return a schedule, given as a function or as one of NAMES, for a run of N steps.

    "step" divides the rate by 10 after each third of the steps; "warmup" raises it during the first
    tenth, and "warmup-cosine" then lowers it along a cosine.

    Raises:
        ValueError: the name is not known, or N is None or 0 and a name needs it.
    """
    if not isinstance(schedule, str):
        check(schedule)
        function: Schedule | None = schedule
        return function
    checks.choice(schedule, "schedule", NAMES)
    if schedule == "constant":
        return None
    if num_steps == 0:
        raise ValueError(
            f"schedule is {schedule!r}, and there are no training steps; give num_epochs "
            "(--epochs) 1 or above, or leave out the schedule (--schedule)"
        )
    if num_steps is None:
        raise ValueError(
            f"schedule is {schedule!r}, which needs the number of steps, and it is not known; give "
            "it yourself, as in schedule=CosineSchedule(num_steps)"
        )
    third, tenth = math.ceil(num_steps / 3), math.ceil(num_steps / 10)
    by_name: dict[str, Schedule] = {
        "step": StepSchedule(third),
        "cosine": CosineSchedule(num_steps),
        "warmup": WarmupSchedule(tenth),
        "warmup-cosine": WarmupSchedule(tenth, CosineSchedule(max(1, num_steps - tenth))),
    }
    return by_name[schedule]


def described(schedule: Schedule) -> str:
    """Return a text that identifies a schedule: its arguments, or the name of a function."""
    if isinstance(schedule, (StepSchedule, CosineSchedule, WarmupSchedule)):
        return repr(schedule)
    return str(getattr(schedule, "__qualname__", type(schedule).__qualname__))


@dataclass
class Rate:
    """The learning rate of the next step; ``number`` counts the steps that were taken.

    The rate is None if there is no schedule: the optimizer then has the rate itself.
    """

    lr: float
    schedule: Schedule | None = None
    number: int = 0

    def __post_init__(self) -> None:
        """Check the schedule."""
        check(self.schedule)

    def __call__(self) -> float | None:
        """Return the rate of the next step.

        Raises:
            ValueError: the schedule does not return a finite number, 0 or above, or a scalar
                tensor with such a number.
        """
        if self.schedule is None:
            return None
        factor: Any = self.schedule(self.number)
        if isinstance(factor, np.ndarray) and factor.ndim == 0:
            factor = factor[()]
        elif kinds.backend_of(factor) not in (None, "numpy") and len(factor.shape) == 0:
            factor = float(factor)  # a framework's scalar
        checks.not_negative(**{f"schedule({self.number})": factor})
        return self.lr * float(factor)
