"""The book's figures: curves, histograms of lengths and heat maps (sections 2.4 and 10.5)."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from d2lrnn import checks, teaching
from d2lrnn.book import replaced
from d2lrnn.data.arrays import Array, as_array

with checks.needed("the book's interface needs", "matplotlib"):
    from matplotlib import pyplot

d2l = sys.modules[__package__]
plt = pyplot  # under the name that the book's cells know
Limits = Sequence[float] | None
FORMATS = ("-", "m--", "g-.", "r:")


def use_svg_display() -> None:
    """Make a notebook show figures as SVG; do nothing elsewhere."""
    if teaching.in_notebook():
        backend_inline: Any = importlib.import_module("matplotlib_inline.backend_inline")
        backend_inline.set_matplotlib_formats("svg")


def set_figsize(figsize: tuple[float, float] = (3.5, 2.5)) -> None:
    """Set the default size, in inches, of new figures."""
    d2l.use_svg_display()
    d2l.plt.rcParams["figure.figsize"] = figsize


def set_axes(
    axes: Any,
    xlabel: str | None,
    ylabel: str | None,
    xlim: Limits,
    ylim: Limits,
    xscale: str,
    yscale: str,
    legend: Sequence[str] | None,
) -> None:
    """Set the labels, scales, limits and legend of matplotlib Axes, and draw a grid."""
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
    xlim: Limits = None,
    ylim: Limits = None,
    xscale: str = "linear",
    yscale: str = "linear",
    fmts: Sequence[str] = FORMATS,
    figsize: tuple[float, float] = (3.5, 2.5),
    axes: Any = None,
) -> None:
    """Draw curves: of Y over X, or of X over 0, 1, 2 ...

    Args:
        X, Y: one curve, or a list of curves, of numbers, arrays or tensors of any framework; one X
            can be used for several Y.
        fmts: a matplotlib format for each curve.
        figsize: in inches.
        axes: where to draw; None takes the current ones.
    """
    d2l.set_figsize(figsize)
    axes = d2l.plt.gca() if axes is None else axes
    curves = _curves(X if Y is None else Y)
    places: list[Any] = [()] * len(curves) if Y is None else _curves(X)
    if len(places) != len(curves):
        places = places * len(curves)
    axes.cla()
    for x, y, fmt in zip(places, curves, fmts):
        axes.plot(*([x, y] if len(x) else [y]), fmt)
    d2l.set_axes(axes, xlabel, ylabel, xlim, ylim, xscale, yscale, legend)


def _curves(values: Any) -> list[Array]:
    """Return one curve, or a list of them, as a list of arrays."""
    if getattr(values, "ndim", None) == 1 or (
        isinstance(values, (list, tuple, range))
        and (not values or np.ndim(as_array(values[0])) == 0)
    ):
        values = [values]
    return [as_array(curve) for curve in values]


def show_list_len_pair_hist(
    legend: Sequence[str],
    xlabel: str,
    ylabel: str,
    xlist: Sequence[Sequence[Any]],
    ylist: Sequence[Sequence[Any]],
) -> None:
    """Draw the numbers of sequences of each length in two lists, as a histogram."""
    d2l.set_figsize()
    lengths = [np.fromiter(map(len, sequences), int) for sequences in (xlist, ylist)]
    bars: Any
    _, _, bars = d2l.plt.hist(lengths)
    for bar in bars[1]:
        bar.set_hatch("/")
    d2l.plt.xlabel(xlabel)
    d2l.plt.ylabel(ylabel)
    d2l.plt.legend(legend)


def _rows_of_matrices(matrices: Any) -> Any:
    """Return the matrices of heat maps by row and column, after checking the number of axes.

    If a reader has replaced d2l.numpy, it converts each matrix.
    """
    grid = as_array(matrices)
    if grid.ndim != 4 or 0 in grid.shape[:2]:
        raise ValueError(
            f"matrices has shape {grid.shape}; expected (rows, columns, queries, keys), such as "
            "d2l.reshape(attention_weights, (1, 1, queries, keys))"
        )
    if "numpy" not in replaced.replaced(d2l):
        return grid
    return [[d2l.numpy(matrix) for matrix in row] for row in matrices]


def show_heatmaps(
    matrices: Any,
    xlabel: str,
    ylabel: str,
    titles: Sequence[str] | None = None,
    figsize: tuple[float, float] = (2.5, 2.5),
    cmap: str = "Reds",
) -> None:
    """Draw a grid of matrices as heat maps with one colour bar.

    Args:
        matrices: (rows, columns, queries, keys), an array or a tensor of any framework.
        titles: one for each column.
        figsize: in inches.
        cmap: matplotlib's name for the colours.

    Raises:
        ValueError: matrices does not have four axes.
    """
    d2l.use_svg_display()
    rows = _rows_of_matrices(matrices)
    sizes = len(rows), len(rows[0])
    figure, axes = d2l.plt.subplots(
        *sizes, figsize=figsize, sharex=True, sharey=True, squeeze=False
    )
    for row, row_axes in zip(rows, axes):
        for matrix, one in zip(row, row_axes):
            image = one.imshow(matrix, cmap=cmap)
        for title, one in zip(titles or (), row_axes):
            one.set_title(title)
    d2l.plt.setp(axes[-1], xlabel=xlabel)
    d2l.plt.setp(axes[:, 0], ylabel=ylabel)
    figure.colorbar(image, ax=axes, shrink=0.6)
