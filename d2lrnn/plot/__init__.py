"""Pictures of what training saw. Each function returns matplotlib Axes and never calls show()."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from d2lrnn.measure.speed import Row
    from d2lrnn.training.history import History, Scores, SmoothLoss

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


def perplexity(histories: Mapping[str | None, History], ax: Any = None) -> Any:
    """Draw the perplexity of one or more histories, by label, over epochs.

    The axis of perplexity is logarithmic, so that the last halvings are as visible as the first. A
    known floor is a line.
    """
    ax = ax or new_axes()
    for index, (label, history) in enumerate(histories.items()):
        epochs = range(1, len(history.perplexity) + 1)
        marker = "o" if len(history.perplexity) == 1 else None
        ax.plot(epochs, history.perplexity, label=label, marker=marker, **line_style(index))
    for floor in {history.floor for history in histories.values() if history.floor}:
        ax.axhline(floor, color="black", linewidth=1)
        ax.annotate(f"floor {floor:.2f}", (1, floor), (0, 3), textcoords="offset points")
    _logarithmic(ax)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set(xlabel="epoch", ylabel="perplexity")
    if any(label is not None for label in histories):
        ax.legend(frameon=False)
    return ax


def scores(found: Mapping[str | None, Scores], axes: Any = None) -> Any:
    """Draw the losses and scores of one or more trainings, by label, side by side."""
    left, right = new_axes(11.0, 4.0, columns=2) if axes is None else axes
    for index, (label, values) in enumerate(found.items()):
        left.plot(range(1, len(values.loss) + 1), values.loss, label=label, **line_style(index))
        epochs = [round(x) for x in _spread(len(values.loss), len(values.score))]
        right.plot(epochs, values.score, label=label, **line_style(index))
    for ax in (left, right):
        ax.xaxis.get_major_locator().set_params(integer=True)
    left.set(xlabel="epoch", ylabel="loss", yscale="log")
    right.set(xlabel="epoch", ylabel="score on data held out")
    if any(label is not None for label in found):
        left.legend(frameon=False)
    return left, right


def smooth_loss(found: Mapping[str | None, SmoothLoss], ax: Any = None) -> Any:
    """Draw the smooth loss of one or more trainings, by label, over iterations."""
    ax = ax or new_axes()
    for index, (label, seen) in enumerate(found.items()):
        ax.plot(seen.iterations, seen.values, label=label, **line_style(index))
    ax.set(xlabel="iteration", ylabel="smooth loss of 25 characters, nats")
    if any(label is not None for label in found):
        ax.legend(frameon=False)
    return ax


def bench(rows: Sequence[Row]) -> Any:
    """Draw how many times as long as the fused step the others take; return Axes (backend, size).

    The axis is logarithmic, and the line is the fused step itself: bars below it are faster.
    """
    names = list(dict.fromkeys(row.backend for row in rows))
    sizes = list(dict.fromkeys(row.size for row in rows))
    kinds = ("book", "textbook", "layer", "one-hot")
    shown = [kind for kind in kinds if any(kind in row.seconds for row in rows)]
    width, height = max(6.0, 3.4 * len(sizes)), max(4.5, 2.4 * len(names))
    axes = new_axes(width, height, columns=len(sizes), rows=len(names))
    axes = np.reshape(np.asarray(axes, dtype=object), (len(names), len(sizes)))
    for (name, size), ax in zip(itertools.product(names, sizes), axes.flat):
        here = [row for row in rows if (row.backend, row.size) == (name, size)]
        _bench_bars(ax, here, shown)
        ax.set_title(f"{name}, {size}", fontsize=12)
    for ax in axes[:, 0]:
        ax.set_ylabel("fused step = 1")
    handles, labels = axes.flat[0].get_legend_handles_labels()
    axes.flat[0].figure.legend(handles, labels, frameon=False, loc="outside lower center", ncols=4)
    return axes


def _bench_bars(ax: Any, rows: Sequence[Row], kinds: Sequence[str]) -> None:
    """Draw a group of bars for each cell, from 1 up or down."""
    for index, kind in enumerate(kinds):
        places = [number + 0.8 * index / len(kinds) for number in range(len(rows))]
        ratios = [row.ratio(kind) or 1.0 for row in rows]
        style = {"color": line_style(index)["color"], "align": "edge", "bottom": 1.0}
        bars = ax.bar(places, [r - 1 for r in ratios], 0.8 / len(kinds), label=kind, **style)
        words = [_short(r) if kind in row.seconds else "" for r, row in zip(ratios, rows)]
        ax.bar_label(bars, words, fontsize=8)
    ax.axhline(1.0, color="black", linewidth=1)
    ax.set_xticks([number + 0.4 for number in range(len(rows))], [row.cell for row in rows])
    reached = [row.ratio(kind) or 1.0 for row in rows for kind in kinds] or [1.0]
    _logarithmic(ax)
    ax.set_ylim(min(0.8, 0.7 * min(reached)), max(2.0, 1.6 * max(reached)))


def _short(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio >= 0.1 else f"{ratio:.2f}"


def speed_ups(found: Mapping[str, Mapping[str, float]], ax: Any = None) -> Any:
    """Draw what measure.ladder.speed_ups returned for one or more backends, by label, as lines."""
    ax = ax or new_axes(8.0, 4.8)
    names = max((list(values) for values in found.values()), key=len)
    for index, (label, values) in enumerate(found.items()):
        places = [names.index(name) for name in values]
        style = line_style(index) | {"marker": "o"}
        ax.plot(places, list(values.values()), label=label, **style)
        last = list(values.values())[-1]
        ax.annotate(f"{last:.1f}", (places[-1], last), (6, 0), textcoords="offset points")
    ax.axhline(1.0, color="black", linewidth=1)
    ax.set_xticks(range(len(names)), names)
    ax.set(ylabel="speed, first step = 1", ylim=(0, None))
    if len(found) > 1:
        ax.legend(frameon=False)
    return ax


def gallery(images: Sequence[Any], titles: Sequence[str], *, columns: int = 5) -> Any:
    """Draw images (height, width) of numbers from 0 to 1, each with a title; return Axes."""
    rows = -(-len(images) // columns)
    axes = new_axes(1.9 * columns, 2.2 * rows, columns=columns, rows=rows).reshape(-1)
    for ax, image, title in itertools.zip_longest(axes, images, titles):
        ax.axis("off")
        if image is not None:
            ax.imshow(image, cmap="gray_r", vmin=0, vmax=1, interpolation="none")
            ax.set_title(title, fontsize=12)
    return axes


def agreement(losses: Mapping[str, Any], bound: float, axes: Any = None) -> Any:
    """Draw the losses of several backends on top of one another, and how far they are apart.

    Args:
        losses: by name, one loss for each training step; the first is the reference.
        bound: the largest relative difference that is rounding, drawn as a line.
        axes: two Axes, or None for new ones, side by side.
    """
    left, right = new_axes(11.0, 4.0, columns=2) if axes is None else axes
    (first, reference), *others = losses.items()
    steps = range(1, len(reference) + 1)
    for index, (name, values) in enumerate(losses.items()):
        # Each line is thinner than the one beneath it, so that all can be seen.
        style = line_style(index) | {"linewidth": 2 * (len(losses) - index), "linestyle": "-"}
        left.plot(steps, values, label=name, **style)
    for index, (name, values) in enumerate(others, 1):
        gap = abs(values - reference) / abs(reference)
        right.plot(steps, gap.clip(1e-17), label=name, **line_style(index))
    right.axhline(bound, color="black", linewidth=1)
    right.annotate("bound of the tests", (1, bound), (0, 4), textcoords="offset points")
    right.set(yscale="log", ylim=(3e-18, 30 * bound))
    left.set(xlabel="training step", ylabel="loss")
    right.set(xlabel="training step", ylabel=f"relative difference from {first}")
    left.legend(frameon=False)
    if others:
        right.legend(frameon=False, ncols=2)
    return left, right


def gradient_norms(norms: Mapping[str, Any], ax: Any = None) -> Any:
    """Draw the norm of dL/dH_t over time for one or more networks, by label.

    norms holds for each what d2lrnn.measure.gradient_flow.gradient_norms returned.
    """
    ax = ax or new_axes()
    for index, (label, values) in enumerate(norms.items()):
        ax.plot(range(1, len(values) + 1), values, label=label, **line_style(index))
    ax.set(yscale="log", xlabel="time step t", ylabel="norm of dL/dH_t")
    ax.legend(frameon=False)
    return ax


def gradient_flow(survey: Mapping[str, Mapping[str, Any]]) -> Any:
    """Draw what measure.gradient_flow.survey returned, cells side by side; return their Axes."""
    axes = new_axes(5.0 * len(survey), 4.5, columns=len(survey))
    for ax, (cell, norms) in zip(axes, survey.items(), strict=True):
        gradient_norms(norms, ax)
        ax.set(title=cell, ylim=(1e-12, 1e8))
        ax.legend(frameon=False, loc="upper left")
    return axes


def use_style() -> None:
    """Let all that is drawn from now on be legible at the back of a classroom.

    Letters and lines are large, colours those that colour-blind readers can tell apart, each with a
    dash of its own; the background is white in dark notebooks too. The same plot is the same SVG.
    """
    pyplot = _pyplot()
    lines = pyplot.cycler(color=COLOURS) + pyplot.cycler(linestyle=DASHES)
    pyplot.rcParams.update({**CLASSROOM, "axes.prop_cycle": lines})


def coloured_text(
    tokens: Sequence[str],
    values: Any,
    ax: Any = None,
    *,
    limits: tuple[float, float] = (-1.0, 1.0),
    width: int = 60,
) -> Any:
    """Draw a text, each character on the colour of one number, and return the Axes.

    Args:
        tokens: characters, as look_inside returns them.
        values: a number for each, such as the states of one hidden unit, ``seen.states[:, 5]``.
        ax: the Axes to draw in, or None for new ones.
        limits: the numbers that the ends of the colours stand for; (0, 1) for a gate.
        width: characters in a line.

    Blue is low and red is high, and what lies halfway between the limits is white.
    """
    num_lines, columns = -(-len(tokens) // width), min(width, len(tokens))
    ax = ax or new_axes(0.16 * columns + 1.2, 0.3 * num_lines + 0.5)
    numbers = np.full(num_lines * columns, np.nan)
    numbers[: len(tokens)] = values
    colours = ax.pcolormesh(
        np.arange(columns + 1) - 0.5,
        np.arange(num_lines + 1) - 0.5,
        numbers.reshape(num_lines, columns),
        cmap="RdBu_r",
        vmin=limits[0],
        vmax=limits[1],
    )
    middle, half = sum(limits) / 2, (limits[1] - limits[0]) / 2
    for index, (token, value) in enumerate(zip(tokens, values, strict=True)):
        ink = "white" if abs(value - middle) > 0.7 * half else "black"
        place = index % columns, index // columns
        shown = {"\n": "¶", "\t": "→"}.get(token, token)
        ax.text(*place, shown, color=ink, family="monospace", ha="center", va="center_baseline")
    ax.invert_yaxis()
    ax.axis("off")
    ax.figure.colorbar(colours, ax=ax, fraction=0.08, pad=0.02)
    return ax


def line_style(index: int) -> dict[str, Any]:
    """Return the colour, dash and width of the line with that number, from 0."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": DASHES[index % len(DASHES)],
        "linewidth": max(2.0, _pyplot().rcParams["lines.linewidth"]),  # 3 after use_style()
    }


def new_axes(width: float = 6.0, height: float = 4.0, *, columns: int = 1, rows: int = 1) -> Any:
    """Return the Axes of a new figure, width by height inches; an array if there are several."""
    figure, axes = _pyplot().subplots(rows, columns, figsize=(width, height), layout="constrained")
    for ax in figure.axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.3)
    return axes


def check_format(path: str) -> None:
    """Check, before anything is computed, that a picture can be saved under this name.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: the name's ending is no format that matplotlib writes.
    """
    ax = new_axes()
    formats = ax.figure.canvas.get_supported_filetypes()
    _close(ax)
    suffix = os.path.splitext(path)[1].removeprefix(".")
    if suffix not in formats:
        raise ValueError(f"{path} ends in {suffix!r}; expected one of {', '.join(sorted(formats))}")


def _pyplot() -> Any:
    try:
        from matplotlib import pyplot
    except ModuleNotFoundError:
        raise ImportError(
            'plots need matplotlib, which is not installed; run: pip install "d2lrnn[plot]"'
        ) from None
    return pyplot


def _spread(last: int, number: int) -> list[float]:
    """Return number epochs, equally far apart, the last of them last."""
    return [last * (index + 1) / number for index in range(number)]


def _close(ax: Any) -> None:
    _pyplot().close(ax.figure)


def _logarithmic(ax: Any) -> None:
    from matplotlib import ticker

    ax.set_yscale("log")
    ax.yaxis.set_major_locator(ticker.LogLocator(base=10, subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    ax.yaxis.set_minor_formatter(ticker.NullFormatter())
