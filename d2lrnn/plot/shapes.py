"""Protocols of objects that can be plotted: the attributes that the functions of plot use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Epochs(Protocol):
    """The perplexity of each epoch, as in a History of training."""

    @property
    def perplexity(self) -> Sequence[float]:
        """One value for each epoch."""

    @property
    def validation(self) -> Sequence[float]:
        """One value for each epoch, or none without a validation part."""

    @property
    def floor(self) -> float | None:
        """The lowest possible perplexity if it is known, otherwise None."""


class Scored(Protocol):
    """The losses and scores of epochs, as returned by training on sequences."""

    @property
    def loss(self) -> Sequence[float]:
        """One value for each epoch."""

    @property
    def score(self) -> Sequence[float]:
        """The computed scores, from 0 to 1."""


class Smoothed(Protocol):
    """A smooth loss over iterations."""

    @property
    def iterations(self) -> Sequence[int]:
        """The iterations after which the loss was recorded."""

    @property
    def values(self) -> Sequence[float]:
        """The loss after each of these iterations, in nats."""


class Timed(Protocol):
    """The times of one cell and size in one backend, as measured by ``d2lrnn bench``."""

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
        """Return the time of a contender divided by that of the fused step; None if not timed."""


class Curve(Protocol):
    """Time and memory over sizes, as measured by ``d2lrnn bench growth``."""

    @property
    def backend(self) -> str:
        """The name of the backend."""

    @property
    def cell(self) -> str:
        """The name of the cell."""

    @property
    def axis(self) -> str:
        """The name of the size that grows, such as num_steps."""

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
        """The powers of the size in time and in memory."""


class Line(Protocol):
    """One form of a cell over several numbers of time steps, as measured by bench cells."""

    @property
    def backend(self) -> str:
        """The name of the backend."""

    @property
    def cell(self) -> str:
        """The name of the cell."""

    @property
    def form(self) -> str:
        """The name of the form: loop, fast or layer."""

    @property
    def steps(self) -> Sequence[int]:
        """The numbers of time steps."""

    @property
    def seconds(self) -> Sequence[float | None]:
        """The seconds of a training step; None where a number of steps was left out."""
