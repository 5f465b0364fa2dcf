"""Diagrams of networks and minibatches. Each function returns Axes and never calls show().

A box is a layer, labelled with its activation; it has separate weights for each incoming line. A
circle is an elementwise operation. A dot marks a point where a line splits or two lines meet.
Lengths are in the units of d2lrnn.plot.pen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from d2lrnn import checks, plot
from d2lrnn.data import batches
from d2lrnn.plot.pen import GATE, Pen

HIDDEN, INPUT, OUTPUT = "#F7D9C4", GATE, "#CDEBE0"
H_BEFORE, X_NOW, H_NOW = r"$H_{t-1}$", "$X_t$", "$H_t$"


def rnn_cell(ax: Any = None) -> Any:
    """Draw one step of a recurrent network: H_t = tanh(X_t W_xh + H_{t-1} W_hh + b_h)."""
    pen = Pen(ax, 13.4, 6.2)
    pen.frame(2.1, 1.4, 9.3, 2.9)
    pen.text(1.2, 2.7, H_BEFORE)
    pen.text(3.4, 0.6, X_NOW)
    pen.path((3.4, 1.0), (3.4, 2.7), arrow=False)
    pen.path((1.9, 2.7), (4.4, 2.7), dots=[(3.4, 2.7)])
    equation = r"$\tanh(X_tW_{xh} + H_{t-1}W_{hh} + b_h)$"
    pen.box(7.0, 2.7, equation, colour=HIDDEN, width=5.2, height=1.1, size=0.95)
    pen.path((9.6, 2.7), (12.1, 2.7))
    pen.text(12.7, 2.7, H_NOW)
    pen.path((10.4, 2.7), (10.4, 4.65), dots=[(10.4, 2.7)])
    pen.box(10.4, 5.2, "$H_tW_{hq} + b_q$", colour=OUTPUT, width=3.0, height=1.1, size=0.95)
    pen.path((11.9, 5.2), (12.4, 5.2))
    pen.text(12.9, 5.2, "$O_t$")
    return pen.ax


def unrolled(num_steps: int = 4, ax: Any = None) -> Any:
    """Draw a recurrent network unrolled over its time steps, with the same weights in each.

    Args:
        num_steps: the number of steps to draw, 1 or more; the last is labelled T.
        ax: Axes to draw on, or None for new ones.
    """
    checks.size(num_steps=num_steps)
    pen = Pen(ax, 3.2 * num_steps + 2.6, 5.2)
    pen.text(0.7, 2.6, "$H_0$")
    pen.path((1.15, 2.6), (2.25, 2.6))
    for step in range(1, num_steps + 1):
        x, name = 3.2 * step - 0.3, "T" if step == num_steps > 1 else str(step)
        pen.box(x, 2.6, "RNN", colour=HIDDEN)
        pen.text(x, 0.5, f"$X_{name}$")
        pen.path((x, 0.9), (x, 2.15))
        pen.path((x, 3.05), (x, 4.3))
        pen.text(x, 4.7, f"$O_{name}$")
        pen.path((x + 0.65, 2.6), (x + 2.55, 2.6))
        pen.text(x + 1.6, 2.95, f"$H_{name}$", size=0.9)
        pen.text(x + 0.2, 1.5, "$W_{xh}$", size=0.85, ha="left")
        pen.text(x + 0.2, 3.6, "$W_{hq}$", size=0.85, ha="left")
        if step > 1:
            pen.text(x - 1.6, 2.2, "$W_{hh}$", size=0.85)
    return pen.ax


def deep(num_layers: int = 2, num_steps: int = 3, ax: Any = None) -> Any:
    """Draw a deep network unrolled over time; the states of each layer are inputs of the next.

    Args:
        num_layers: the number of layers, 1 or more; the last is labelled L.
        num_steps: the number of steps to draw, 1 or more; the last is labelled T.
        ax: Axes to draw on, or None for new ones.
    """
    checks.size(num_layers=num_layers, num_steps=num_steps)
    top = 2.2 * num_layers + 2.0
    pen = Pen(ax, 3.6 * num_steps + 2.8, top + 0.6)
    for layer, name in enumerate(_names(num_layers, "L"), 1):
        y = 2.2 * layer
        pen.text(0.8, y, f"$H_0^{{({name})}}$")
        pen.path((1.4, y), (2.65, y))
        for step, time in enumerate(_names(num_steps, "T"), 1):
            x = 3.6 * step - 0.3
            pen.path((x, y - 1.75 if layer > 1 else 0.9), (x, y - 0.45))
            pen.box(x, y, "cell", colour=HIDDEN)
            pen.path((x + 0.65, y), (x + 2.95, y))
            pen.text(x + 1.8, y + 0.45, f"$H_{time}^{{({name})}}$", size=0.9)
    for step, time in enumerate(_names(num_steps, "T"), 1):
        x = 3.6 * step - 0.3
        pen.text(x, 0.5, f"$X_{time}$")
        pen.path((x, top - 1.55), (x, top - 0.35))
        pen.text(x, top, f"$O_{time}$")
    return pen.ax


def bidirectional(num_steps: int = 3, ax: Any = None) -> Any:
    """Draw a bidirectional network, whose outputs depend on the states of both directions.

    Args:
        num_steps: the number of steps to draw, 1 or more; the last is labelled T.
        ax: Axes to draw on, or None for new ones.
    """
    checks.size(num_steps=num_steps)
    pen = Pen(ax, 4.4 * num_steps + 3.2, 7.0)
    pen.text(0.6, 2.4, r"$\overrightarrow{H}_0$")
    pen.path((1.05, 2.4), (1.95, 2.4))
    pen.text(4.4 * num_steps + 2.3, 4.4, r"$\overleftarrow{H}_{T+1}$")
    pen.path((4.4 * num_steps + 1.55, 4.4), (4.4 * num_steps + 0.65, 4.4))
    for step, time in enumerate(_names(num_steps, "T"), 1):
        x = 4.4 * step - 0.9
        pen.text(x, 0.4, f"$X_{time}$")
        pen.path((x, 0.75), (x, 1.2), (x - 0.9, 1.2), (x - 0.9, 1.95))
        pen.path((x, 1.2), (x + 0.9, 1.2), (x + 0.9, 3.95), dots=[(x, 1.2)])
        pen.box(x - 0.9, 2.4, "cell", colour=HIDDEN)
        pen.box(x + 0.9, 4.4, "cell", colour=INPUT)
        if step < num_steps:
            pen.path((x - 0.25, 2.4), (x + 2.85, 2.4))
            pen.path((x + 4.65, 4.4), (x + 1.55, 4.4))
        pen.path((x - 0.9, 2.85), (x - 0.9, 5.6), (x, 5.6), arrow=False)
        pen.path((x + 0.9, 4.85), (x + 0.9, 5.6), (x, 5.6), arrow=False)
        pen.path((x, 5.6), (x, 6.2), dots=[(x, 5.6)])
        pen.text(x - 1.4, 3.4, rf"$\overrightarrow{{H}}_{time}$", size=0.9)
        pen.text(x + 1.4, 5.3, rf"$\overleftarrow{{H}}_{time}$", size=0.9)
        pen.text(x, 6.55, f"$O_{time}$")
    return pen.ax


def five_kinds(ax: Any = None) -> Any:
    """Draw the five kinds of input and output, with inputs below and outputs above."""
    pen = Pen(ax, 11.4, 10.2)
    _kind(pen, 0.9, 5.5, "one to one", [0], [0])
    _kind(pen, 3.5, 5.5, "one to many", [0], [0, 1, 2])
    _kind(pen, 8.3, 5.5, "many to one", [0, 1, 2], [2])
    _kind(pen, 0.9, 0.3, "many to many,\nthe same length", [0, 1, 2], [0, 1, 2])
    _kind(pen, 6.3, 0.3, "many to many,\nanother length", [0, 1, 2], [3, 4])
    return pen.ax


def _kind(pen: Pen, x: float, y: float, title: str, read: list[int], written: list[int]) -> None:
    """Draw a network with inputs and outputs at some steps; its lower left box is at x, y."""
    num_steps = max(read + written) + 1
    for step, there in ((step, x + 1.1 * step) for step in range(num_steps)):
        pen.box(there, y + 1.9, "", colour=HIDDEN, width=0.7, height=0.7)
        if step + 1 < num_steps:
            pen.path((there + 0.35, y + 1.9), (there + 0.75, y + 1.9))
        if step in read:
            pen.box(there, y + 0.4, "", colour=INPUT, width=0.7, height=0.7)
            pen.path((there, y + 0.75), (there, y + 1.55))
        if step in written:
            pen.box(there, y + 3.4, "", colour=OUTPUT, width=0.7, height=0.7)
            pen.path((there, y + 2.25), (there, y + 3.05))
    pen.text(x + 1.1 * (num_steps - 1) / 2, y + 4.3, title, size=0.95)


def _names(number: int, last: str) -> list[str]:
    """Return the names 1, 2, ... of steps or layers, with ``last`` as the name of the last."""
    return [*map(str, range(1, number)), last if number > 1 else "1"]


def partitioning(
    tokens: Sequence[str],
    batch_size: int = 2,
    num_steps: int = 5,
    use_random_iter: bool = False,
    *,
    seed: int | None = 0,
    ax: Any = None,
) -> Any:
    """Draw a text as a row of tokens and, below it, the minibatches X into which it is divided.

    The minibatches are those of seq_data_iter_random or seq_data_iter_sequential. Each has a
    different colour, also in the row of tokens; tokens that are not in any X are white.

    Args:
        tokens: short tokens, such as the characters of a string.
        batch_size: rows of a minibatch.
        num_steps: tokens per row.
        use_random_iter: random sampling instead of sequential partitioning.
        seed: the seed of the offset and of the order.
        ax: Axes to draw on, or None for new ones.
    """
    draw = batches.seq_data_iter_random if use_random_iter else batches.seq_data_iter_sequential
    minibatches = [X for X, _ in draw(np.arange(len(tokens)), batch_size, num_steps, seed=seed)]
    side = 0.5
    wide = max(len(tokens), len(minibatches) * (num_steps + 2) - 2)
    pen = Pen(ax, side * wide + 0.8, side * batch_size + 2.6)
    colour_of = {i: _tint(b) for b, X in enumerate(minibatches) for i in X.ravel().tolist()}
    top = side * batch_size + 1.6
    for i, token in enumerate(tokens):
        pen.cell(0.4 + side * i, top, side, token, colour_of.get(i, "white"))
    for number, X in enumerate(minibatches):
        left = 0.4 + number * side * (num_steps + 2)
        pen.text(left + side * num_steps / 2, top - 0.65, f"minibatch {number + 1}", size=0.9)
        for row, ids in enumerate(X.tolist()):
            for step, i in enumerate(ids):
                y = top - 1.5 - side * row
                pen.cell(left + side * step, y, side, tokens[i], _tint(number))
    return pen.ax


def gru_cell(ax: Any = None) -> Any:
    """Draw one step of a GRU: H_t = Z_t * H_{t-1} + (1 - Z_t) * H~_t.

    H~_t depends on X_t and R_t * H_{t-1}: the reset gate is applied before the product.
    """
    pen = Pen(ax, 14.6, 8.2)
    pen.frame(1.7, 1.0, 11.3, 6.8)
    pen.text(0.8, 7.0, H_BEFORE)
    pen.path((1.4, 7.0), (9.86, 7.0))  # the state, along the top
    pen.path((2.3, 7.0), (2.3, 2.1), (9.95, 2.1), (9.95, 2.75), dots=[(2.3, 7.0)])
    pen.path((3.75, 2.1), (3.75, 2.75), dots=[(3.75, 2.1)])
    pen.text(3.0, 0.4, X_NOW)
    pen.path((3.0, 0.75), (3.0, 1.5), (10.45, 1.5), (10.45, 2.75))
    for x in (4.25, 7.0):
        pen.path((x, 1.5), (x, 2.75), dots=[(x, 1.5)])
    pen.gate(4.0, 3.2, r"$\sigma$", "$R_t$")
    pen.gate(10.2, 3.2, r"$\sigma$", "$Z_t$")
    pen.box(7.0, 3.2, r"$\tanh$", colour=HIDDEN)
    pen.path((4.0, 3.65), (4.0, 4.66))
    pen.path((4.0, 7.0), (4.0, 5.34), dots=[(4.0, 7.0)])
    pen.circle(4.0, 5.0, r"$\odot$")
    pen.path((4.34, 5.0), (5.5, 5.0), (5.5, 3.2), (6.35, 3.2))
    pen.path((7.0, 3.65), (7.0, 4.66))
    pen.text(7.6, 4.1, r"$\tilde{H}_t$")
    pen.circle(7.0, 5.0, r"$\odot$")
    pen.path((10.2, 3.65), (10.2, 6.66))
    pen.path((10.2, 5.0), (9.25, 5.0), dots=[(10.2, 5.0)])
    pen.box(8.7, 5.0, "$1-$", colour="white", width=1.0)
    pen.path((8.2, 5.0), (7.34, 5.0))
    pen.path((7.0, 5.34), (7.0, 6.05), (11.9, 6.05), (11.9, 6.66))
    pen.circle(10.2, 7.0, r"$\odot$")
    pen.path((10.54, 7.0), (11.56, 7.0))
    pen.circle(11.9, 7.0, "+")
    pen.path((12.24, 7.0), (13.5, 7.0))
    pen.text(14.0, 7.0, H_NOW)
    return pen.ax


def lstm_cell(ax: Any = None) -> Any:
    """Draw one step of an LSTM: C_t = F_t * C_{t-1} + I_t * C~_t and H_t = O_t * tanh(C_t)."""
    pen = Pen(ax, 16.0, 8.4)
    pen.frame(1.7, 1.0, 12.8, 7.0)
    pen.text(0.8, 7.2, "$C_{t-1}$")
    pen.text(0.8, 1.7, H_BEFORE)
    pen.text(2.6, 0.4, X_NOW)
    pen.path((1.4, 1.7), (11.2, 1.7), (11.2, 2.55))
    pen.path((2.6, 0.75), (2.6, 1.7), arrow=False, dots=[(2.6, 1.7)])
    for x in (4.0, 6.4, 8.8):
        pen.path((x, 1.7), (x, 2.55), dots=[(x, 1.7)])
    pen.gate(4.0, 3.0, r"$\sigma$", "$F_t$")
    pen.gate(6.4, 3.0, r"$\sigma$", "$I_t$", left=True)
    pen.box(8.8, 3.0, r"$\tanh$", colour=HIDDEN)
    pen.text(9.4, 3.95, r"$\tilde{C}_t$")
    pen.gate(11.2, 3.0, r"$\sigma$", "$O_t$")
    pen.path((4.0, 3.45), (4.0, 6.86))
    pen.circle(4.0, 7.2, r"$\odot$")
    pen.path((6.4, 3.45), (6.4, 5.2), (7.26, 5.2))
    pen.path((8.8, 3.45), (8.8, 5.2), (7.94, 5.2))
    pen.circle(7.6, 5.2, r"$\odot$")
    pen.path((7.6, 5.54), (7.6, 6.86))
    pen.path((1.4, 7.2), (3.66, 7.2))
    pen.path((4.34, 7.2), (7.26, 7.2))
    pen.circle(7.6, 7.2, "+")
    pen.path((7.94, 7.2), (14.9, 7.2))
    pen.text(15.4, 7.2, "$C_t$")
    pen.path((13.1, 7.2), (13.1, 6.3), dots=[(13.1, 7.2)])
    pen.box(13.1, 5.85, r"$\tanh$", colour="white")
    pen.path((13.1, 5.4), (13.1, 4.64))
    pen.path((11.2, 3.45), (11.2, 4.3), (12.76, 4.3))
    pen.circle(13.1, 4.3, r"$\odot$")
    pen.path((13.44, 4.3), (14.9, 4.3))
    pen.text(15.4, 4.3, H_NOW)
    return pen.ax


def _tint(number: int) -> tuple[float, ...]:
    """Return a pale form of the line colour with that number, as a background of text."""
    from matplotlib import colors

    return tuple(0.45 * value + 0.55 for value in colors.to_rgb(plot.line_style(number)["color"]))
