"""The curves of the run of now, and of some that were kept to compare with it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from bokeh import models

from d2lrnn.demo import theme

MOST_KEPT = 5


def unlike(name: str, others: Sequence[str]) -> str:
    """Return a name that none of the others has: with a number where there is one."""
    numbered = (f"{name} ({number})" for number in itertools.count(2))
    return next(n for n in itertools.chain([name], numbered) if n not in others)


class Runs:
    """The run of now and up to five kept ones, each a source of data with a name of its own."""

    def __init__(self, x: str, *ys: str) -> None:
        """Begin without any curve; x and ys are what each point has."""
        self.x, self._names = x, (x, *ys)
        self.sources = [models.ColumnDataSource(self._nothing()) for _ in range(1 + MOST_KEPT)]
        self.now, self._oldest = self.sources[0], 0
        self.head = models.ColumnDataSource(self._nothing())  # the last point of now
        self._legend: Any = None
        self._lines: list[Any] = []

    def _nothing(self) -> dict[str, list[float]]:
        return {name: [] for name in self._names}

    @property
    def kept(self) -> list[Any]:
        """The kept ones."""
        return [source for source in self.sources[1:] if len(source.data[self.x])]

    def draw(self, figure: Any, y: str, *, legend: bool = False) -> None:
        """Draw all of them into a figure, and name them there where a legend is wanted."""
        lines = [
            theme.curve(figure, index, source, self.x, y)
            for index, source in enumerate(self.sources)
        ]
        dot = figure.scatter(self.x, y, source=self.head)
        dot.tags = ["dot"]
        if legend:
            self._lines, self._legend = lines, models.Legend(items=[], location="top_right")
            figure.add_layout(self._legend)

    def go_on(self, points: Sequence[Any]) -> None:
        """Add points to the run of now; each has x and ys as attributes."""
        self.now.stream({name: [getattr(p, name) for p in points] for name in self._names})
        self.head.data = {name: [getattr(points[-1], name)] for name in self._names}

    def begin_again(self) -> None:
        """Forget the run of now."""
        self.now.data, self.head.data = self._nothing(), self._nothing()

    def keep(self, name: str) -> None:
        """Keep the run of now under a name, or under its own; the oldest gives way to a sixth."""
        place = next((s for s in self.sources[1:] if s not in self.kept), None)
        if place is None:
            place = self.sources[1 + self._oldest]
            self._oldest = (self._oldest + 1) % MOST_KEPT
        place.name = unlike(
            name or str(self.now.name), [s.name for s in self.kept if s is not place]
        )
        place.data = {column: list(values) for column, values in self.now.data.items()}
        self.name()

    def forget(self) -> None:
        """Keep none."""
        for source in self.sources[1:]:
            source.data, source.name = self._nothing(), None
        self._oldest = 0
        self.name()

    def all(self, column: str) -> list[float]:
        """Return a column of all of them, one after the other."""
        return [value for source in self.sources for value in source.data[column]]

    def name(self) -> None:
        """Bring the legend up to date."""
        items = [
            models.LegendItem(label=source.name, renderers=[line])
            for source, line in zip(self.sources, self._lines, strict=True)
            if source.name and len(source.data[self.x])
        ]
        if [item.label for item in self._legend.items] != [item.label for item in items]:
            self._legend.items = items
