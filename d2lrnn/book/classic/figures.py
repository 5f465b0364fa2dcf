"""Pictures as the book draws them: plot, Animator and their settings (sections 2.4 and 3.6)."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from d2lrnn.book.classic.requirements import needed

with needed("matplotlib"):
    import matplotlib
    from matplotlib import pyplot as plt

FORMATS = ("-", "m--", "g-.", "r:")
OFF_SCREEN = ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template")


def in_notebook() -> bool:
    """Return whether this is IPython with a kernel, which shows pictures below the cell."""
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    return bool(shell) and hasattr(shell, "kernel")


def use_svg_display() -> None:
    """Let a notebook show figures as SVG; elsewhere there is nothing to do."""
    if in_notebook():
        backend_inline: Any = importlib.import_module("matplotlib_inline.backend_inline")
        backend_inline.set_matplotlib_formats("svg")


def set_figsize(figsize: tuple[float, float] = (3.5, 2.5)) -> None:
    """Let the figures that follow have this size, in inches."""
    use_svg_display()
    plt.rcParams["figure.figsize"] = figsize


def set_axes(
    axes: Any,
    xlabel: str | None,
    ylabel: str | None,
    xlim: Sequence[float] | None,
    ylim: Sequence[float] | None,
    xscale: str,
    yscale: str,
    legend: Sequence[str] | None,
) -> None:
    """Label and scale Axes, and give them a grid."""
    axes.set(xlabel=xlabel, ylabel=ylabel, xscale=xscale, yscale=yscale)
    for limits, set_limits in ((xlim, axes.set_xlim), (ylim, axes.set_ylim)):
        if limits is not None and limits[0] != limits[1]:
            set_limits(limits)
    if legend:
        axes.legend(legend)
    axes.grid()


def plot(
    X: Any,
    Y: Any = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    legend: Sequence[str] | None = None,
    xlim: Sequence[float] | None = None,
    ylim: Sequence[float] | None = None,
    xscale: str = "linear",
    yscale: str = "linear",
    fmts: Sequence[str] = FORMATS,
    figsize: tuple[float, float] = (3.5, 2.5),
    axes: Any = None,
) -> None:
    """Draw one or more lines: of Y over X, or of X alone over 0, 1, 2 ...

    X and Y are each a line or a list of lines; one X serves for several Y.
    """
    set_figsize(figsize)
    axes = axes or plt.gca()
    lines = _lines(X if Y is None else Y)
    places: list[Any] = [None] * len(lines) if Y is None else _lines(X)
    if len(places) != len(lines):
        places = places * len(lines)
    axes.cla()
    for x, y, fmt in zip(places, lines, fmts):
        axes.plot(*(() if x is None or not len(x) else (x,)), y, fmt)
    set_axes(axes, xlabel, ylabel, xlim, ylim, xscale, yscale, legend)


def _lines(values: Any) -> list[np.ndarray[Any, Any]]:
    """Return one line, or a list of them, as a list of arrays."""
    if getattr(values, "ndim", None) == 1 or (
        isinstance(values, (list, tuple)) and values and np.ndim(_array(values[0])) == 0
    ):
        values = [values]
    return [_array(line) for line in values]


def _array(values: Any) -> np.ndarray[Any, Any]:
    """Return a tensor of any framework, or numbers, as a NumPy array."""
    if hasattr(values, "detach") and hasattr(values, "cpu"):
        values = values.detach().cpu()
    return np.asarray(values.asnumpy() if hasattr(values, "asnumpy") else values)


class Animator:
    """A picture that grows point by point, and is shown as it grows.

    In a notebook the picture below the cell is replaced, in a window it is drawn anew; where there
    is neither, as in a script without a screen, the points are kept: ``fig`` holds the picture,
    ``X`` and ``Y`` the points, a list for each line.
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
        fmts: Sequence[str] = FORMATS,
        nrows: int = 1,
        ncols: int = 1,
        figsize: tuple[float, float] = (3.5, 2.5),
    ) -> None:
        """Make the figure; nothing is shown yet."""
        use_svg_display()
        self.fig, axes = plt.subplots(nrows, ncols, figsize=figsize)
        self.axes = [axes] if nrows * ncols == 1 else axes
        settings = (xlabel, ylabel, xlim, ylim, xscale, yscale, legend)
        self.config_axes: Any = functools.partial(set_axes, self.axes[0], *settings)
        self.X: list[list[Any]] | None = None
        self.Y: list[list[Any]] | None = None
        self.fmts = fmts
        self._handle: Any = None
        if in_notebook():
            plt.close(self.fig)  # or the notebook would show it once more when the cell ends

    def add(self, x: Any, y: Any) -> None:
        """Add a point to each line: y holds one value a line, None for none; x one, or one each."""
        ys = list(y) if hasattr(y, "__len__") else [y]
        xs = list(x) if hasattr(x, "__len__") else [x] * len(ys)
        self.X = self.X or [[] for _ in ys]
        self.Y = self.Y or [[] for _ in ys]
        for line_x, line_y, a, b in zip(self.X, self.Y, xs, ys):
            if a is not None and b is not None:
                line_x.append(float(a))
                line_y.append(float(b))
        self.axes[0].cla()
        for line_x, line_y, fmt in zip(self.X, self.Y, self.fmts):
            self.axes[0].plot(line_x, line_y, fmt)
        self.config_axes()
        self._show()

    def _show(self) -> None:
        if in_notebook():
            display: Any = importlib.import_module("IPython.display")
            if self._handle is None:
                self._handle = display.display(self.fig, display_id=True)
            else:
                self._handle.update(self.fig)
        elif matplotlib.get_backend().lower() not in OFF_SCREEN:
            plt.pause(0.001)


def show_list_len_pair_hist(
    legend: Sequence[str], xlabel: str, ylabel: str, xlist: Any, ylist: Any
) -> None:
    """Draw how many lists there are of each length, in xlist and in ylist (section 9.5)."""
    set_figsize()
    patches: Any
    _, _, patches = plt.hist([[len(line) for line in lines] for lines in (xlist, ylist)])
    plt.xlabel(xlabel)
    plt.ylabel(ylabel)
    for patch in patches[1].patches:
        patch.set_hatch("/")
    plt.legend(legend)
