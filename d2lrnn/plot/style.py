"""The common style of all plots: colours, dashes, sizes, axes, and the supported file formats."""

from __future__ import annotations

import os
from typing import Any

from d2lrnn import checks

# The colours of Okabe and Ito, which colour-blind readers can distinguish, and a dash for each.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")

DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))

# Settings of matplotlib for a classroom; sizes in points, for figures about 8 inches wide.
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
    """Make later plots legible at the back of a classroom.

    Text and lines are large. Colour-blind readers can distinguish the colours, and each has a
    different dash. The background is white in dark notebooks, too. Equal plots give equal SVG
    files.
    """
    pyplot = pyplot_module()
    lines = pyplot.cycler(color=COLOURS) + pyplot.cycler(linestyle=DASHES)
    pyplot.rcParams.update({**CLASSROOM, "axes.prop_cycle": lines})


def line_style(index: int) -> dict[str, Any]:
    """Return the colour, dash and width of the line with index ``index``, from 0.

    After the last colour, the first one follows with another dash.
    """
    repeats, colour = divmod(index, len(COLOURS))
    return {
        "color": COLOURS[colour],
        "linestyle": DASHES[(colour + repeats) % len(DASHES)],
        "linewidth": max(2.0, pyplot_module().rcParams["lines.linewidth"]),  # 3 after use_style()
    }


def new_axes(width: float = 6.0, height: float = 4.0, *, columns: int = 1, rows: int = 1) -> Any:
    """Return the Axes of a new figure of width by height inches, or an array of several Axes."""
    figure, axes = pyplot_module().subplots(
        rows, columns, figsize=(width, height), layout="constrained"
    )
    for ax in figure.axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.3)
    return axes


def check_format(path: str) -> None:
    """Check, before a long computation, that a plot can be saved under this name.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: matplotlib does not support the format of the file extension.
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
    with checks.needed("plots need", "matplotlib"):
        from matplotlib import pyplot
    return pyplot


def close(ax: Any) -> None:
    """Close the figure of the Axes."""
    pyplot_module().close(ax.figure)


def logarithmic(ax: Any) -> None:
    """Make the vertical axis logarithmic, with labels such as 1, 2 and 5."""
    from matplotlib import ticker

    ax.set_yscale("log")
    ax.yaxis.set_major_locator(ticker.LogLocator(base=10, subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    ax.yaxis.set_minor_formatter(ticker.NullFormatter())
