"""Pictures of what training saw. Each function returns matplotlib Axes and never calls show()."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from d2lrnn.training import History

# Okabe and Ito's colours, which colour-blind readers can tell apart, and a dash for each.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))


def perplexity(histories: Mapping[str | None, History], ax: Any = None) -> Any:
    """Draw the perplexity of one or more histories, by label, over epochs.

    The axis of perplexity is logarithmic, so that the last halvings are as visible as the first.
    """
    ax = ax or new_axes()
    for index, (label, history) in enumerate(histories.items()):
        epochs = range(1, len(history.perplexity) + 1)
        marker = "o" if len(history.perplexity) == 1 else None
        ax.plot(epochs, history.perplexity, label=label, marker=marker, **line_style(index))
    _logarithmic(ax)
    ax.set(xlabel="epoch", ylabel="perplexity")
    if any(label is not None for label in histories):
        ax.legend(frameon=False)
    return ax


def line_style(index: int) -> dict[str, Any]:
    """Return the colour, dash and width of the line with that number, from 0."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": DASHES[index % len(DASHES)],
        "linewidth": 2,
    }


def new_axes(width: float = 6.0, height: float = 4.0) -> Any:
    """Return the Axes of a new figure, width by height inches."""
    try:
        from matplotlib import pyplot
    except ModuleNotFoundError:
        raise ImportError(
            'plots need matplotlib, which is not installed; run: pip install "d2lrnn[plot]"'
        ) from None
    _, ax = pyplot.subplots(figsize=(width, height), layout="constrained")
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.3)
    return ax


def _logarithmic(ax: Any) -> None:
    from matplotlib import ticker

    ax.set_yscale("log")
    ax.yaxis.set_major_locator(ticker.LogLocator(base=10, subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    ax.yaxis.set_minor_formatter(ticker.NullFormatter())
