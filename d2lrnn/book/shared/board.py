"""The board that draws curves while a network trains (the book's sections 3.2 and 23.8)."""

from __future__ import annotations

import collections
import itertools
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from d2lrnn.book.objects import HyperParameters
from d2lrnn.book.screen import Screen, new_figure

d2l = sys.modules[__package__]


class Point(NamedTuple):
    """A point of a curve."""

    x: float
    y: float


class ProgressBoard(HyperParameters):
    """Curves that grow during training.

    In a notebook the picture is drawn again and again in one place; a script draws it in a window,
    if windows are available. In both cases, and otherwise too, ``fig`` is the figure.

    Args:
        xlabel, ylabel, xlim, ylim, xscale, yscale: of the axes; None uses matplotlib's defaults.
        ls, colors: the line styles and colours of the curves, in the order of their first points.
        fig, axes: where to draw; None makes a figure of the size figsize, in inches.
        display: False only collects the points.
    """

    fig: Any

    def __init__(
        self,
        xlabel: str | None = None,
        ylabel: str | None = None,
        xlim: Sequence[float] | None = None,
        ylim: Sequence[float] | None = None,
        xscale: str = "linear",
        yscale: str = "linear",
        ls: Sequence[str] = ("-", "--", "-.", ":"),
        colors: Sequence[str] = ("C0", "C1", "C2", "C3"),
        fig: Any = None,
        axes: Any = None,
        figsize: tuple[float, float] = (3.5, 2.5),
        display: bool = True,
    ) -> None:
        """Store the settings; the first point draws the figure."""
        self.save_hyperparameters()
        self.raw_points: dict[str, list[Point]] = collections.OrderedDict()
        self.data: dict[str, list[Point]] = collections.OrderedDict()
        self._lines: dict[str, Any] = {}
        self._screen = Screen()

    def draw(self, x: Any, y: Any, label: str, every_n: int = 1) -> None:
        """Add a point to the curve of that label; draw the mean of each every_n points.

        Args:
            x, y: numbers, or tensors of one element.
            label: of the curve, shown in the legend.
            every_n: how many points make one of the curve.
        """
        points = self.raw_points.setdefault(label, [])
        line = self.data.setdefault(label, [])
        points.append(Point(x, y))
        if len(points) < every_n:
            return
        means = (np.mean([float(value) for value in values]) for values in zip(*points))
        line.append(Point(*map(float, means)))
        points.clear()
        if self.display:
            self._draw_line(label)
            self._screen.show(self.fig)

    def flush(self) -> None:
        """Show the points that have been drawn but not shown yet, for example after training."""
        if self.display and self.fig is not None:
            self._screen.show(self.fig, now=True)

    def _draw_line(self, label: str) -> None:
        if self.fig is None:
            d2l.use_svg_display()
            self.fig = self.axes.figure if self.axes else new_figure(self.figsize)
        axes = self.axes or self.fig.gca()
        if label not in self._lines:
            styles = itertools.cycle(zip(itertools.cycle(self.colors), self.ls))
            color, style = next(itertools.islice(styles, len(self._lines), None))
            (self._lines[label],) = axes.plot([], [], linestyle=style, color=color, label=label)
            axes.legend()
        self._lines[label].set_data(*zip(*self.data[label]))
        self._set_axes(axes)

    def _set_axes(self, axes: Any) -> None:
        axes.set(xlabel=self.xlabel, ylabel=self.ylabel, xscale=self.xscale, yscale=self.yscale)
        axes.relim()
        axes.autoscale_view()
        if self.xlim:
            axes.set_xlim(self.xlim)
        if self.ylim:
            axes.set_ylim(self.ylim)

    def __deepcopy__(self, memo: Any) -> ProgressBoard:
        """Return the board itself, so that copies of a network draw in the same picture."""
        return self
