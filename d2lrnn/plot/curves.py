"""Plots of training and measurements. Each function returns Axes and never calls show()."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from d2lrnn.plot.shapes import Curve, Epochs, Scored, Smoothed, Timed
from d2lrnn.plot.style import COLOURS, line_style, logarithmic, new_axes, pyplot_module


def perplexity(histories: Mapping[Any, Epochs], ax: Any = None) -> Any:
    """Plot the perplexity of one or more histories, by label, over epochs.

    That of a validation part is a thin line of the same colour, whose lowest value is marked. The
    axis of perplexity is logarithmic, so that equal ratios have equal distances. A known lowest
    perplexity (``floor``) is drawn as a line.
    """
    ax = ax or new_axes()
    for index, (label, history) in enumerate(histories.items()):
        epochs = range(1, len(history.perplexity) + 1)
        marker = "o" if len(history.perplexity) == 1 else None
        ax.plot(epochs, history.perplexity, label=label, marker=marker, **line_style(index))
        _held_out(ax, history, label, index)
    for floor in {history.floor for history in histories.values() if history.floor}:
        ax.axhline(floor, color="black", linewidth=1)
        ax.annotate(f"floor {floor:.2f}", (1, floor), (0, 3), textcoords="offset points")
    logarithmic(ax)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set(xlabel="epoch", ylabel="perplexity")
    if ax.get_legend_handles_labels()[1]:
        ax.legend(frameon=False)
    return ax


def _held_out(ax: Any, history: Epochs, label: Any, index: int) -> None:
    """Plot the perplexity of the validation part, if there is one."""
    values = history.validation
    if values:
        name = "validation" if label is None else f"{label}, validation"
        style = {**line_style(index), "linestyle": "-", "linewidth": 1, "marker": "o"}
        lowest = min(range(len(values)), key=values.__getitem__)
        ax.plot(range(1, len(values) + 1), values, label=name, markevery=[lowest], **style)


def scores(found: Mapping[Any, Scored], axes: Any = None) -> Any:
    """Plot the losses and scores of one or more training runs, by label, side by side."""
    left, right = new_axes(11.0, 4.0, columns=2) if axes is None else axes
    for index, (label, values) in enumerate(found.items()):
        left.plot(range(1, len(values.loss) + 1), values.loss, label=label, **line_style(index))
        epochs = [round(x) for x in _spread(len(values.loss), len(values.score))]
        right.plot(epochs, values.score, label=label, **line_style(index))
    for ax in (left, right):
        ax.xaxis.get_major_locator().set_params(integer=True)
    left.set(xlabel="epoch", ylabel="loss", yscale="log")
    right.set(xlabel="epoch", ylabel="score on held-out data")
    if any(label is not None for label in found):
        left.legend(frameon=False)
    return left, right


def smooth_loss(found: Mapping[Any, Smoothed], ax: Any = None) -> Any:
    """Plot the smooth loss of one or more training runs, by label, over iterations."""
    ax = ax or new_axes()
    for index, (label, history) in enumerate(found.items()):
        ax.plot(history.iterations, history.values, label=label, **line_style(index))
    ax.set(xlabel="iteration", ylabel="smooth loss of 25 characters, nats")
    if any(label is not None for label in found):
        ax.legend(frameon=False)
    return ax


def bench(rows: Sequence[Timed]) -> Any:
    """Plot the times of training steps relative to the fused step; return Axes (backend, size).

    The axis is logarithmic. The line at 1 is the fused step; bars below it are faster.
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


def _bench_bars(ax: Any, rows: Sequence[Timed], kinds: Sequence[str]) -> None:
    """Draw a group of bars for each cell; the bars start at 1."""
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
    logarithmic(ax)
    ax.set_ylim(min(0.8, 0.7 * min(reached)), max(2.0, 1.6 * max(reached)))


def _short(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio >= 0.1 else f"{ratio:.2f}"


GROWING = {
    "num_steps": "time steps",
    "num_hiddens": "hidden units",
    "vocab_size": "tokens in the vocabulary",
    "mebibytes": "text in MiB",
}


def growth(curves: Sequence[Curve]) -> Any:
    """Plot the result of measure.growth.survey; return Axes (size that grows, time and memory).

    Both axes are logarithmic, and the legend contains the slope of each line, the power of the
    size. Values of 0 are left out.
    """
    drawn = {axis: words for axis, words in GROWING.items() if any(c.axis == axis for c in curves)}
    axes = new_axes(11.0, 3.4 * len(drawn), columns=2, rows=len(drawn))
    axes = np.reshape(np.asarray(axes, dtype=object), (len(drawn), 2))
    for row, (axis, words) in zip(axes, drawn.items()):
        here = [curve for curve in curves if curve.axis == axis]
        for column, quantity in enumerate(("seconds", "memory in MiB")):
            ax = row[column]
            for number, curve in enumerate(here):
                values = (curve.seconds, curve.mebibytes)[column]
                label = f"{curve.backend} {curve.cell}, slope {curve.slopes[column]:.2f}"
                values = [value if value > 0 else math.nan for value in values]
                ax.plot(curve.sizes, values, marker="o", label=label, **line_style(number))
            nothing = all(np.isnan(line.get_ydata()).all() for line in ax.get_lines())
            yscale = "linear" if nothing else "log"  # matplotlib needs a value for it
            ax.set(xscale="log", yscale=yscale, xlabel=words, ylabel=quantity)
            ax.legend(fontsize=9)
        row[1].set_xlim(row[0].get_xlim())  # also if some values of the memory are missing
    return axes


def speed_ups(found: Mapping[str, Mapping[str, float]], ax: Any = None) -> Any:
    """Plot the results of measure.forms.speed_ups for one or more backends, by label."""
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


def scaling(points: Sequence[Any], seconds_on: Any) -> Any:
    """Plot the measured speed of several processes, and calculated speedups; return the Axes.

    Args:
        points: the measured points of measure.scaling, including those of one process.
        seconds_on: a function that returns the seconds of an all-reduce for a bandwidth in bits per
            second, a number of workers and a number of bytes.
    """
    axes = new_axes(11, 4.4, columns=2)
    sizes = sorted({point.num_hiddens for point in points})
    runs = sorted({(point.processes, point.kind) for point in points})
    for number, run in enumerate(runs):
        same_run = [point for point in points if (point.processes, point.kind) == run]
        label = f"{run[0]}, {run[1]}" if run[0] > 1 else "1"
        speeds = [point.tokens_per_second for point in same_run]
        axes[0].plot([p.num_hiddens for p in same_run], speeds, label=label, **line_style(number))
    axes[0].set(xlabel="hidden units", ylabel="tokens per second", xscale="log", yscale="log")
    axes[0].set_xticks(sizes, [f"{size}" for size in sizes])
    axes[0].set_xticks([], minor=True)
    axes[0].legend(title="processes")
    alone = max((p for p in points if p.processes == 1), key=lambda p: p.num_hiddens)
    workers = 2 ** np.arange(1, 10)
    for number, network in enumerate((1e9, 1e10, 1e11)):
        reduce = np.array([seconds_on(network, k, alone.num_bytes) for k in workers])
        faster = alone.step / (alone.step / workers + reduce)
        label = f"{network / 1e9:.0f} Gb/s"
        axes[1].plot(workers, faster, label=label, **line_style(number))
    axes[1].plot(workers, workers, color="black", linewidth=1, linestyle=":")
    axes[1].set(xlabel="workers", ylabel="speedup over one worker", xscale="log", yscale="log")
    axes[1].set(title=f"calculated, h = {alone.num_hiddens}")
    axes[1].legend()
    return axes


def gallery(
    images: Any, titles: Sequence[str], *, columns: int = 5, marked: Sequence[bool] = ()
) -> Any:
    """Draw images (height, width) of numbers from 0 to 1, each with a title; return the Axes.

    Images for which ``marked`` is true, such as mistakes, have a red frame and a red title.
    """
    red = {"color": COLOURS[1]}
    rows = -(-len(images) // columns)
    axes = new_axes(1.9 * columns, 2.2 * rows, columns=columns, rows=rows).reshape(-1)
    for ax, image, title, mark in itertools.zip_longest(axes, images, titles, marked):
        ax.axis("off")
        if image is not None:
            ax.imshow(image, cmap="gray_r", vmin=0, vmax=1, interpolation="none")
            ax.set_title(title, fontsize=12, **(red if mark else {}))
        if mark:
            height, width = np.shape(image)
            frame = {"fill": False, "linewidth": 3, "clip_on": False, **red}
            ax.add_patch(pyplot_module().Rectangle((-0.5, -0.5), width, height, **frame))
    return axes


def agreement(losses: Mapping[str, Any], bound: float, axes: Any = None) -> Any:
    """Plot the losses of several backends, and their differences from the first.

    Args:
        losses: one loss for each training step, by name; the first backend is the reference.
        bound: the largest relative difference that rounding can explain, drawn as a line.
        axes: two Axes, or None for new ones, side by side.
    """
    left, right = new_axes(11.0, 4.0, columns=2) if axes is None else axes
    (first, reference), *others = losses.items()
    numbers = range(1, len(reference) + 1)
    for index, (name, values) in enumerate(losses.items()):
        # Each line is thinner than the one beneath it, so that all are visible.
        style = line_style(index) | {"linewidth": 2 * (len(losses) - index), "linestyle": "-"}
        left.plot(numbers, values, label=name, **style)
    for index, (name, values) in enumerate(others, 1):
        gap = abs(values - reference) / abs(reference)
        right.plot(numbers, gap.clip(1e-17), label=name, **line_style(index))
    right.axhline(bound, color="black", linewidth=1)
    right.annotate("bound in the tests", (1, bound), (0, 4), textcoords="offset points")
    right.set(yscale="log", ylim=(3e-18, 30 * bound))
    left.set(xlabel="training step", ylabel="loss")
    right.set(xlabel="training step", ylabel=f"relative difference from {first}")
    left.legend(frameon=False)
    if others:
        right.legend(frameon=False, ncols=2)
    return left, right


def gradient_norms(norms: Mapping[str, Any], ax: Any = None) -> Any:
    """Plot the norm of dL/dH_t over time for one or more networks, by label.

    norms contains, for each label, the result of d2lrnn.measure.gradient_flow.gradient_norms.
    """
    ax = ax or new_axes()
    for index, (label, values) in enumerate(norms.items()):
        ax.plot(range(1, len(values) + 1), values, label=label, **line_style(index))
    ax.set(yscale="log", xlabel="time step t", ylabel="norm of dL/dH_t")
    ax.legend(frameon=False)
    return ax


def gradient_flow(survey: Mapping[str, Mapping[str, Any]]) -> Any:
    """Plot the result of measure.gradient_flow.survey, cells side by side; return the Axes."""
    axes = new_axes(5.0 * len(survey), 4.5, columns=len(survey))
    for ax, (cell, norms) in zip(axes, survey.items(), strict=True):
        gradient_norms(norms, ax)
        ax.set(title=cell, ylim=(1e-12, 1e8))
        ax.legend(frameon=False, loc="upper left")
    return axes


def coloured_text(
    tokens: Sequence[str],
    values: Any,
    ax: Any = None,
    *,
    limits: tuple[float, float] = (-1.0, 1.0),
    width: int = 60,
) -> Any:
    """Draw a text with a background colour for each character, and return the Axes.

    Args:
        tokens: characters, as look_inside returns them.
        values: one number per character, such as one hidden unit, ``inside.states[:, 5]``.
        ax: the Axes to draw on, or None for new ones.
        limits: the numbers at the ends of the colour map; (0, 1) for a gate.
        width: characters per line.

    Low values are blue, high values are red, and the middle between the limits is white.
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


def _spread(last: int, number: int) -> list[float]:
    """Return ``number`` epochs at equal distances, of which the final one is ``last``."""
    return [last * (index + 1) / number for index in range(number)]
