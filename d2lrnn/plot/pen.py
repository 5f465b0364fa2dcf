"""Drawing primitives for diagrams: boxes, circles, arrows and text on Axes without a frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from d2lrnn import plot

EDGE, GATE = "#222222", "#CFE3F1"
UNIT = 0.62  # inches for one unit of a diagram's coordinates
LETTERS = 15  # points


class Pen:
    """Draws on Axes of width by height units, with the origin at the lower left."""

    def __init__(self, ax: Any, width: float, height: float) -> None:
        """Draw on ax, or on new Axes of that size if ax is None."""
        self.ax = plot.new_axes(UNIT * width, UNIT * height) if ax is None else ax
        self.ax.set(xlim=(0, width), ylim=(0, height), aspect="equal")
        self.ax.axis("off")

    def text(self, x: float, y: float, words: str, *, size: float = 1.0, **settings: Any) -> None:
        """Write text centred at a point; size is relative."""
        settings = {"ha": "center", "va": "center", "zorder": 4, **settings}
        self.ax.text(x, y, words, fontsize=LETTERS * size, **settings)

    def box(
        self,
        x: float,
        y: float,
        words: str,
        *,
        colour: str,
        width: float = 1.3,
        height: float = 0.9,
        size: float = 1.0,
    ) -> None:
        """Draw a box with text, centred at a point."""
        from matplotlib.patches import FancyBboxPatch

        corner = x - width / 2, y - height / 2
        style = "round,pad=0,rounding_size=0.15"
        self.ax.add_patch(
            FancyBboxPatch(
                corner, width, height, style, facecolor=colour, edgecolor=EDGE, lw=1.6, zorder=3
            )
        )
        self.text(x, y, words, size=size)

    def circle(self, x: float, y: float, words: str, *, radius: float = 0.34) -> None:
        """Draw a circle for an elementwise operation."""
        from matplotlib.patches import Circle

        self.ax.add_patch(
            Circle((x, y), radius, facecolor="white", edgecolor=EDGE, lw=1.6, zorder=3)
        )
        self.text(x, y, words)

    def frame(self, x: float, y: float, width: float, height: float, title: str = "") -> None:
        """Draw the dashed outline of a cell; x, y is its lower left corner."""
        from matplotlib.patches import Rectangle

        self.ax.add_patch(
            Rectangle((x, y), width, height, fill=False, edgecolor="#666666", lw=1.4, ls="--")
        )
        self.text(x + 0.15, y + height - 0.3, title, size=0.85, ha="left", color="#444444")

    def gate(self, x: float, y: float, words: str, name: str, *, left: bool = False) -> None:
        """Draw the box of a gate, with its name beside the outgoing line at its top."""
        self.box(x, y, words, colour=GATE)
        self.text(x + (-0.5 if left else 0.5), y + 0.95, name)

    def cell(self, x: float, y: float, side: float, words: str, colour: Any) -> None:
        """Draw a square with a token; x, y is its lower left corner."""
        from matplotlib.patches import Rectangle

        self.ax.add_patch(Rectangle((x, y), side, side, facecolor=colour, edgecolor=EDGE, lw=0.8))
        shown = "\u2423" if words == " " else words  # the open box, a visible space
        self.text(x + side / 2, y + side / 2, shown, size=0.85)

    def path(
        self,
        *points: tuple[float, float],
        arrow: bool = True,
        dots: Sequence[tuple[float, float]] = (),
    ) -> None:
        """Draw a line through points, with an arrow at its end, and dots at connections."""
        self.ax.plot(*zip(*points, strict=True), "-", color=EDGE, lw=1.8, zorder=2)
        if arrow:
            style = {"arrowstyle": "-|>", "color": EDGE, "lw": 1.8, "mutation_scale": 16}
            style |= {"shrinkA": 0, "shrinkB": 0}
            self.ax.annotate("", points[-1], points[-2], arrowprops=style, zorder=2)
        for x, y in dots:
            self.ax.plot([x], [y], "o", color=EDGE, ms=6, zorder=3)
