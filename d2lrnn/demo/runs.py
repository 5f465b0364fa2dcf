"""The curves of the current run, and of earlier runs that were kept for comparison."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from bokeh import models

from d2lrnn.demo import theme

MOST_KEPT = 5


def unlike(name: str, others: Sequence[str]) -> str:
    """Return a name that is not among the others; if necessary, a number is added."""
    numbered = (f"{name} ({number})" for number in itertools.count(2))
    return next(n for n in itertools.chain([name], numbered) if n not in others)


class Runs:
    """The current run and up to five kept runs; each is a data source with a different name."""

    def __init__(self, x: str, *ys: str) -> None:
        """Start without curves; x and ys are the names of the values of each point."""
        self.x, self._names = x, (x, *ys)
        self.sources = [models.ColumnDataSource(self._nothing()) for _ in range(1 + MOST_KEPT)]
        self.now, self._oldest = self.sources[0], 0
        self.head = models.ColumnDataSource(self._nothing())  # the last point of the current run
        self._legend: Any = None
        self._lines: list[Any] = []

    def _nothing(self) -> dict[str, list[float]]:
        return {name: [] for name in self._names}

    @property
    def earlier(self) -> list[Any]:
        """The sources of the kept runs."""
        return [source for source in self.sources[1:] if len(source.data[self.x])]

    def draw(self, figure: Any, y: str, *, legend: bool = False, **settings: Any) -> None:
        """Draw all runs on a figure, with the settings of lines; with legend=True, add a legend."""
        lines = [
            theme.curve(figure, index, source, self.x, y, **settings)
            for index, source in enumerate(self.sources)
        ]
        dot = figure.scatter(self.x, y, source=self.head)
        dot.tags = ["dot"]
        if legend:
            self._lines, self._legend = lines, models.Legend(items=[], location="top_right")
            figure.add_layout(self._legend)

    def go_on(self, points: Sequence[Any]) -> None:
        """Add points to the current run; each has x and ys as attributes."""
        self.now.stream({name: [getattr(p, name) for p in points] for name in self._names})
        self.head.data = {name: [getattr(points[-1], name)] for name in self._names}

    def begin_again(self) -> None:
        """Remove the points of the current run."""
        self.now.data, self.head.data = self._nothing(), self._nothing()

    def keep(self, name: str) -> None:
        """Keep the current run under a new name or its own; a sixth run replaces the oldest."""
        place = next((s for s in self.sources[1:] if s not in self.earlier), None)
        if place is None:
            place = self.sources[1 + self._oldest]
            self._oldest = (self._oldest + 1) % MOST_KEPT
        place.name = unlike(
            name or str(self.now.name), [s.name for s in self.earlier if s is not place]
        )
        place.data = {column: list(values) for column, values in self.now.data.items()}
        self.name()

    def forget(self) -> None:
        """Remove all kept runs."""
        for source in self.sources[1:]:
            source.data, source.name = self._nothing(), None
        self._oldest = 0
        self.name()

    def all(self, column: str) -> list[float]:
        """Return a column of all runs, concatenated."""
        return [value for source in self.sources for value in source.data[column]]

    def name(self) -> None:
        """Update the legend."""
        items = [
            models.LegendItem(label=source.name, renderers=[line])
            for source, line in zip(self.sources, self._lines, strict=True)
            if source.name and len(source.data[self.x])
        ]
        if [item.label for item in self._legend.items] != [item.label for item in items]:
            self._legend.items = items
