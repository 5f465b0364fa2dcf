"""The book's pictures: curves of anything, and histograms of lengths (sections 2.4 and 10.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from d2lrnn import teaching

try:
    from matplotlib import pyplot as plt
except ModuleNotFoundError as error:
    raise ImportError(
        "the book's pictures need matplotlib, which is not installed; run: pip install matplotlib",
        name=error.name,
    ) from None

Limits = Sequence[float] | None


def use_svg_display() -> None:
    """Let a notebook show figures as SVG; elsewhere there is nothing to set."""
    if teaching.in_notebook():
        from matplotlib_inline import backend_inline

        backend_inline.set_matplotlib_formats("svg")


def set_figsize(figsize: tuple[float, float] = (3.5, 2.5)) -> None:
    """Set the size, in inches, of the figures to come."""
    use_svg_display()
    plt.rcParams["figure.figsize"] = figsize


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
    axes.set_xlim(xlim)
    axes.set_ylim(ylim)
    if legend:
        axes.legend(legend)
    axes.grid()


def for_tensors(to_numpy: Callable[[Any], Any]) -> Callable[..., None]:
    """Return the book's ``plot``, for lists, arrays, and whatever to_numpy makes arrays of."""

    def array(values: Any) -> Any:
        return values if isinstance(values, (list, tuple, range)) else to_numpy(values)

    def one_axis(values: Any) -> bool:
        if isinstance(values, (list, tuple, range)):
            return len(values) == 0 or not hasattr(values[0], "__len__") or _is_scalar(values[0])
        return getattr(values, "ndim", None) == 1

    def curves(values: Any) -> list[Any]:
        return [array(values)] if one_axis(values) else [array(curve) for curve in values]

    def plot(
        X: Any,
        Y: Any = None,
        xlabel: str | None = None,
        ylabel: str | None = None,
        legend: Sequence[str] = (),
        xlim: Limits = None,
        ylim: Limits = None,
        xscale: str = "linear",
        yscale: str = "linear",
        fmts: Sequence[str] = ("-", "m--", "g-.", "r:"),
        figsize: tuple[float, float] = (3.5, 2.5),
        axes: Any = None,
    ) -> None:
        """Draw curves: of Y over X, or of X over its indices.

        Args:
            X, Y: one curve, or a list of curves; one X serves several Y.
            fmts: a matplotlib format for each curve.
            figsize: in inches.
            axes: where to draw; None takes the current ones.
        """
        xs, ys = ([[]], curves(X)) if Y is None else (curves(X), curves(Y))
        if len(xs) != len(ys):
            xs = xs * len(ys)
        set_figsize(figsize)
        axes = plt.gca() if axes is None else axes
        axes.cla()
        for x, y, fmt in zip(xs, ys, fmts):
            axes.plot(*([x, y] if len(x) else [y]), fmt)
        set_axes(axes, xlabel, ylabel, xlim, ylim, xscale, yscale, legend)

    return plot


def _is_scalar(value: Any) -> bool:
    return getattr(value, "shape", None) == ()


def show_list_len_pair_hist(
    legend: Sequence[str],
    xlabel: str,
    ylabel: str,
    xlist: Sequence[Sequence[Any]],
    ylist: Sequence[Sequence[Any]],
) -> None:
    """Draw how many sequences of each length two lists hold, side by side."""
    set_figsize()
    lengths = [np.fromiter(map(len, sequences), int) for sequences in (xlist, ylist)]
    _, _, bars = plt.hist(lengths)
    for bar in bars[1]:
        bar.set_hatch("/")
    plt.xlabel(xlabel)
    plt.ylabel(ylabel)
    plt.legend(legend)
