"""The plot of ``d2lrnn bench cells``: the time of each form of a cell over the number of steps."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from d2lrnn.plot.shapes import Line
from d2lrnn.plot.style import line_style, new_axes

FORMS = {"loop": "loop over time", "fast": "scan or fused", "layer": "framework's layer"}


def lengths(lines: Sequence[Line]) -> Any:
    """Plot the time of training steps over the number of time steps; return Axes (backend, cell).

    Both axes are logarithmic: a line that rises by one decade in each decade grows in proportion to
    the number of steps. The result of measure.lengths.measure is drawn, of one or more backends.
    """
    names = list(dict.fromkeys(line.backend for line in lines))
    kinds = list(dict.fromkeys(line.cell for line in lines))
    width, height = max(4.5, 2.6 * len(kinds)), max(3.4, 2.3 * len(names))
    axes = new_axes(width, height, columns=len(kinds), rows=len(names))
    axes = np.reshape(np.asarray(axes, dtype=object), (len(names), len(kinds)))
    for (name, kind), ax in zip(itertools.product(names, kinds), axes.flat):
        for line in lines:
            if (line.backend, line.cell) == (name, kind):
                times = [math.nan if s is None else s for s in line.seconds]
                style = line_style(list(FORMS).index(line.form)) | {"marker": "o", "markersize": 4}
                ax.plot(line.steps, times, label=FORMS[line.form], **style)
        ax.set(xscale="log", yscale="log")
        ax.set_title(f"{name}, {kind}", fontsize=10)
    for row in axes:
        _share_scale(row)
        row[0].set_ylabel("seconds")
    for ax in axes[-1]:
        ax.set_xlabel("time steps")
    shown: dict[str, Any] = {}
    for ax in axes.flat:
        shown |= {text: handle for handle, text in zip(*ax.get_legend_handles_labels())}
    where = {"loc": "outside lower center", "ncols": 3, "frameon": False}
    axes.flat[0].figure.legend(shown.values(), shown.keys(), **where)
    return axes


def _share_scale(row: Any) -> None:
    """Give the Axes of a row the same range of seconds, and label only those of the first."""
    low, high = zip(*(ax.get_ylim() for ax in row))
    for ax in row:
        ax.set_ylim(min(low), max(high))
        ax.yaxis.set_minor_formatter("")  # the labels of minor ticks overlap
    for ax in row[1:]:
        ax.tick_params(labelleft=False)
