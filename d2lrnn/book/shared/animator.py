"""Curves that grow while a network trains, as edition 0.17 draws them (section 3.6)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from d2lrnn import teaching
from d2lrnn.book.screen import Screen
from d2lrnn.data.arrays import as_array

from . import figures

d2l = sys.modules[__package__]


class Animator:
    """Curves to which points are added, shown again after each point.

    In a notebook the picture below the cell is replaced; in a script it is drawn in a window, if
    matplotlib has one. ``fig`` is the figure; ``X`` and ``Y`` are the points, a list for each line.
    """

    def __init__(
        self,
        xlabel: str | None = None,
        ylabel: str | None = None,
        legend: Sequence[str] | None = None,
        xlim: Sequence[float] | None = None,
        ylim: Sequence[float] | None = None,
        xscale: str = "linear",
        yscale: str = "linear",
        fmts: Sequence[str] = figures.FORMATS,
        nrows: int = 1,
        ncols: int = 1,
        figsize: tuple[float, float] = (3.5, 2.5),
    ) -> None:
        """Make the figure, which is not shown before the first point."""
        d2l.use_svg_display()
        self.fig, axes = d2l.plt.subplots(nrows, ncols, figsize=figsize)
        self.axes = [axes] if nrows * ncols == 1 else axes
        settings = (xlabel, ylabel, xlim, ylim, xscale, yscale, legend)
        self.config_axes: Any = lambda: d2l.set_axes(self.axes[0], *settings)
        self.X: list[list[Any]] | None = None
        self.Y: list[list[Any]] | None = None
        self.fmts = fmts
        self._screen = Screen()
        if teaching.in_notebook():
            d2l.plt.close(self.fig)  # otherwise the notebook shows it again after the cell

    def add(self, x: Any, y: Any) -> None:
        """Add a point to each line. The first call sets the number of lines.

        Args:
            x: one number, or one for each line.
            y: one number for each line, None for no point.

        Raises:
            ValueError: y has more values than there are lines, or a value is not one number.
        """
        ys = list(y) if hasattr(y, "__len__") else [y]
        xs = list(x) if hasattr(x, "__len__") else [x] * len(ys)
        self.X = self.X or [[] for _ in ys]
        self.Y = self.Y or [[] for _ in ys]
        lines = len(self.Y)
        if min(len(xs), len(ys)) > lines:
            raise ValueError(
                f"y has {len(ys)} values, and the animator has {lines} line{'s' * (lines != 1)} "
                "since its first call of add; use one value for each line, None for no point"
            )
        points = [(_number("x", a), _number("y", b)) for a, b in zip(xs, ys)]
        for line_x, line_y, (a, b) in zip(self.X, self.Y, points):
            if a is not None and b is not None:
                line_x.append(a)
                line_y.append(b)
        self.axes[0].cla()
        for line_x, line_y, fmt in zip(self.X, self.Y, self.fmts):
            self.axes[0].plot(line_x, line_y, fmt)
        self.config_axes()
        self._screen.show(self.fig)


def _number(name: str, value: Any) -> float | None:
    """Return a value of one element as a number, and None as None."""
    if value is None:
        return None
    array = as_array(value)
    if array.size != 1:
        raise ValueError(
            f"{name} has a value of shape {array.shape}; expected one number for each line"
        )
    return float(array.item())
