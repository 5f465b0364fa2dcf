"""What all pictures share: colours, dashes, sizes, axes, and the formats they are saved in."""

from __future__ import annotations

import os
from typing import Any

# Okabe and Ito's colours, which colour-blind readers can tell apart, and a dash for each.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")

DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))

# Settings of matplotlib's for a classroom; sizes in points, for figures some 8 inches wide.
CLASSROOM = {
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "axes.grid": True,
    "axes.labelsize": 16,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 17,
    "figure.constrained_layout.use": True,
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "figure.figsize": (8.0, 4.8),
    "font.size": 15,
    "grid.alpha": 0.3,
    "legend.fontsize": 14,
    "legend.frameon": False,
    "lines.linewidth": 3,
    "lines.markersize": 8,
    "svg.fonttype": "path",
    "svg.hashsalt": "d2lrnn",
    "xtick.labelsize": 14,
    "ytick.labelsize": 14,
}


def use_style() -> None:
    """Let all that is drawn from now on be legible at the back of a classroom.

    Letters and lines are large, colours those that colour-blind readers can tell apart, each with a
    dash of its own; the background is white in dark notebooks too. The same plot is the same SVG.
    """
    pyplot = pyplot_module()
    lines = pyplot.cycler(color=COLOURS) + pyplot.cycler(linestyle=DASHES)
    pyplot.rcParams.update({**CLASSROOM, "axes.prop_cycle": lines})


def line_style(index: int) -> dict[str, Any]:
    """Return the colour, dash and width of the line with that number, from 0."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": DASHES[index % len(DASHES)],
        "linewidth": max(2.0, pyplot_module().rcParams["lines.linewidth"]),  # 3 after use_style()
    }


def new_axes(width: float = 6.0, height: float = 4.0, *, columns: int = 1, rows: int = 1) -> Any:
    """Return the Axes of a new figure, width by height inches; an array if there are several."""
    figure, axes = pyplot_module().subplots(
        rows, columns, figsize=(width, height), layout="constrained"
    )
    for ax in figure.axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.3)
    return axes


def check_format(path: str) -> None:
    """Check, before anything is computed, that a picture can be saved under this name.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: the name's ending is not a format that matplotlib writes.
    """
    ax = new_axes()
    formats = ax.figure.canvas.get_supported_filetypes()
    close(ax)
    suffix = os.path.splitext(path)[1].removeprefix(".")
    if suffix not in formats:
        raise ValueError(f"{path} ends in {suffix!r}; expected one of {', '.join(sorted(formats))}")


def pyplot_module() -> Any:
    """Return matplotlib.pyplot.

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        from matplotlib import pyplot
    except ModuleNotFoundError:
        raise ImportError(
            "plots need matplotlib, which is not installed; run: pip install matplotlib"
        ) from None
    return pyplot


def close(ax: Any) -> None:
    """Close the figure of some Axes."""
    pyplot_module().close(ax.figure)


def logarithmic(ax: Any) -> None:
    """Make the vertical axis logarithmic, with numbers that read easily."""
    from matplotlib import ticker

    ax.set_yscale("log")
    ax.yaxis.set_major_locator(ticker.LogLocator(base=10, subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    ax.yaxis.set_minor_formatter(ticker.NullFormatter())
