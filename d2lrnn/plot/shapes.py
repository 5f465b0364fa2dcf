"""The attributes that figures need: any object that has them can be drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Epochs(Protocol):
    """The perplexity of each epoch, such as a History of training has."""

    @property
    def perplexity(self) -> Sequence[float]:
        """One value for each epoch."""

    @property
    def floor(self) -> float | None:
        """The lowest perplexity that is possible, if it is known."""


class Scored(Protocol):
    """The losses and scores of epochs, such as training over sequences returns."""

    @property
    def loss(self) -> Sequence[float]:
        """One value for each epoch."""

    @property
    def score(self) -> Sequence[float]:
        """From 0 to 1; as many values as scores were computed."""


class Smoothed(Protocol):
    """A smooth loss over iterations."""

    @property
    def iterations(self) -> Sequence[int]:
        """The iterations after which the loss was noted."""

    @property
    def values(self) -> Sequence[float]:
        """The loss after each of them, in nats."""


class Timed(Protocol):
    """The times of one cell and size in one backend, such as ``d2lrnn bench`` measures."""

    @property
    def backend(self) -> str:
        """The name of the backend."""

    @property
    def cell(self) -> str:
        """The name of the cell."""

    @property
    def size(self) -> str:
        """The name of the size."""

    @property
    def seconds(self) -> Mapping[str, float]:
        """The median time in seconds, by contender."""

    def ratio(self, contender: str) -> float | None:
        """Return the time of a contender, that of the fused step being 1; None if not timed."""


class Curve(Protocol):
    """Time and memory over sizes, such as ``d2lrnn bench growth`` measures."""

    @property
    def backend(self) -> str:
        """The name of the backend."""

    @property
    def cell(self) -> str:
        """The name of the cell."""

    @property
    def axis(self) -> str:
        """The size that grows, such as num_steps."""

    @property
    def sizes(self) -> Sequence[int]:
        """The values of that size."""

    @property
    def seconds(self) -> Sequence[float]:
        """The time of each size, in seconds."""

    @property
    def mebibytes(self) -> Sequence[float]:
        """The memory of each size, in MiB."""

    @property
    def slopes(self) -> tuple[float, float]:
        """The powers of the size with which time and memory grow."""
