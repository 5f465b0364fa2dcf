"""The appearance of the page: light or dark, in normal size or for a projector."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bokeh import models, plotting

from d2lrnn import plot

NAMES = ("light", "dark")

ROOT = """
:host {
  --bg: #ffffff; --ink: #16181d; --quiet: #50565f; --surface: #f2f4f7; --line: #8a929e;
  --accent: #0b5cad; --on-accent: #ffffff; --bad: #b3001b; --size: 1rem;
  min-height: 100vh; box-sizing: border-box; padding: 0.6rem 1rem !important;
  background: var(--bg); color: var(--ink); font-size: var(--size);
  --bokeh-font-size: var(--size); --bokeh-base-font: system-ui, "DejaVu Sans", sans-serif;
  --design-background-color: var(--bg); --design-background-text-color: var(--ink);
  --design-surface-color: var(--surface); --design-surface-text-color: var(--ink);
  --design-primary-color: var(--accent); --design-primary-text-color: var(--on-accent);
}
:host(.dark) {
  --bg: #14161a; --ink: #f1f3f5; --quiet: #b4bcc6; --surface: #23272e; --line: #7d8794;
  --accent: #6cb6ff; --on-accent: #0c1116; --bad: #ff8080; color-scheme: dark;
}
:host(.projector) { --size: 1.45rem; }
@media (max-width: 700px) { :host(.projector) { --size: 1.2rem; } }
"""

PARTS = """
:host { font-size: var(--size) !important; color: var(--ink); }
label, .bk-input-group > label { color: var(--ink); font-weight: 600; }
.bk-input {
  background-color: var(--bg) !important; color: var(--ink) !important;
  border: 1px solid var(--line); font-size: var(--size); min-height: 2.3em; height: auto;
}
select.bk-input {
  padding: 0.2em 1.5em 0.2em 0.5em; background-repeat: no-repeat !important;
  background-size: 6px 6px !important; background-image:
    linear-gradient(45deg, transparent 50%, currentColor 50%),
    linear-gradient(135deg, currentColor 50%, transparent 50%) !important;
  background-position: right 14px center, right 8px center !important;
}
textarea.bk-input { font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
.bk-btn, .bk-btn-group > .bk-btn {
  font-size: var(--size); min-height: 2.4em; border: 1px solid var(--line); font-weight: 600;
  background: var(--surface) !important; color: var(--ink) !important; white-space: normal;
  line-height: 1.2; padding: 0.3em 0.85em;
}
.bk-btn.bk-active, .bk-btn-group > .bk-btn.bk-btn-primary {
  background: var(--accent) !important; color: var(--on-accent) !important;
}
.bk-btn[disabled] { opacity: 0.55; }
.bk-input:focus-visible, .bk-btn:focus-visible, a:focus-visible, .noUi-handle:focus-visible {
  outline: 3px solid var(--accent) !important; outline-offset: 2px !important;
}
.bk-btn-group { flex-wrap: wrap; }
.noUi-target { background: var(--surface); border-color: var(--line); }
.noUi-connect { background: var(--accent) !important; }
.bk-slider-title { color: var(--ink); font-weight: 600; }
[role=alert] { color: var(--bad); font-weight: 600; }
.number { font-size: 1.5em; font-weight: 700; }
.quiet, .quiet * { color: var(--quiet); }
.intro { margin: 0; line-height: 1.35; max-width: 75em; }
.scene { padding: 0.2em 0.8em; font-size: 1.2em; line-height: 1.35; }
.scene p { margin: 0.2em 0; }
.scene .quiet { font-weight: 400; font-size: 0.8em; margin-left: 0.8em; }
.card { padding: 1.2em 1.6em; background: var(--surface); border-radius: 0.5em; font-size: 1.5em;
        line-height: 1.5; max-width: 46em; }
.card p { margin: 0 0 0.6em; }
pre, .mono { font-family: ui-monospace, "DejaVu Sans Mono", monospace; white-space: pre-wrap; }
pre { margin: 0; overflow-wrap: anywhere; }
h1 { font-size: 1.25em; margin: 0; } h2 { font-size: 1.1em; margin: 0.2em 0; }
"""

# The text size of the root element, on which all other sizes depend: 15 pixels on a laptop, more on
# larger screens.
REM = "clamp(15px, 0.86vw, 48px)"

# The layout: controls beside figures, or above them on a phone. Figures fill the remaining height
# of the window, but have a minimum height.
FILLS = """
:host { flex: 1 1 auto !important; height: auto !important; width: 100%;
        align-self: stretch !important; }
"""
SIDE_BY_SIDE = """
:host { display: grid !important; grid-template-columns: minmax(0, 19em) minmax(0, 1fr);
        gap: 4px 1.2em; width: 100%; flex: 1 1 auto !important; height: auto !important;
        align-items: stretch; grid-template-rows: minmax(min-content, 1fr); }
:host(.projector) { grid-template-columns: minmax(0, 16em) minmax(0, 1fr); }
@media (max-width: 700px) {
  :host { grid-template-columns: minmax(0, 1fr); grid-template-rows: auto auto; }
}
"""
# The text of a lecture, with its buttons at the right.
STAGE = """
:host { display: grid !important; grid-template-columns: minmax(0, 1fr) auto; width: 100%;
        border-left: 0.4em solid var(--accent); background: var(--surface); margin: 0.3em 0; }
"""
IN_PAIRS = """
:host { display: grid !important; grid-template-columns: repeat(2, minmax(0, 1fr));
        align-items: start; width: 100%; }
"""
IN_A_ROW = """
:host { display: flex !important; flex-flow: row wrap; gap: 6px 10px; align-items: end;
        width: 100%; }
"""


@dataclass
class Theme:
    """The theme of the page of one session."""

    name: str = "light"
    projector: bool = False
    rem: float = 15.0  # the size of text in the browser, in pixels

    @property
    def dark(self) -> bool:
        """Whether the theme is dark."""
        return self.name == "dark"

    @property
    def ink(self) -> str:
        """The colour of text."""
        return "#f1f3f5" if self.dark else "#16181d"

    @property
    def paper(self) -> str:
        """The background colour."""
        return "#14161a" if self.dark else "#ffffff"

    @property
    def text_size(self) -> str:
        """The size of text in figures."""
        return f"{round((1.35 if self.projector else 0.9) * self.rem)}px"

    @property
    def line_width(self) -> float:
        """The width of curves in figures."""
        return (5 if self.projector else 3) * self.rem / 15

    @property
    def classes(self) -> list[str]:
        """The CSS classes of the page."""
        return [self.name, *(["projector"] if self.projector else [])]

    def colour(self, index: int) -> str:
        """Return the colour of the curve with index ``index``, brighter in the dark theme."""
        dark = ("#56B4E9", "#E69F00", "#2fd6a3", "#f0a6cf", "#F0E442", "#b9c3cf")
        colours = dark if self.dark else plot.COLOURS
        return colours[index % len(colours)]

    def dress(self, figure: Any) -> None:
        """Apply the theme to a Bokeh figure."""
        figure.background_fill_color = figure.border_fill_color = self.paper
        figure.outline_line_color = None
        for axis in figure.axis:
            axis.axis_label_text_color = axis.major_label_text_color = self.ink
            axis.axis_line_color = axis.major_tick_line_color = axis.minor_tick_line_color = (
                self.ink
            )
            axis.axis_label_text_font_size = axis.major_label_text_font_size = self.text_size
            axis.axis_label_text_font_style = "normal"
            axis.major_label_standoff = axis.axis_label_standoff = round(self.rem / 3)
            axis.axis_line_width = axis.major_tick_line_width = self.rem / 15
        figure.grid.grid_line_color = "#3a414b" if self.dark else "#dfe3e8"
        figure.title.text_color, figure.title.text_font_size = self.ink, self.text_size
        for legend in figure.legend:
            legend.background_fill_color, legend.background_fill_alpha = self.paper, 0.8
            legend.label_text_color, legend.label_text_font_size = self.ink, self.text_size
            legend.border_line_color = None
            legend.glyph_width = legend.glyph_height = round(1.6 * self.rem)
            legend.label_standoff = legend.spacing = legend.padding = round(0.5 * self.rem)
        for renderer in figure.renderers:
            if isinstance(renderer, models.GlyphRenderer) and "curve" in renderer.tags:
                renderer.glyph.line_color = self.colour(renderer.tags[1])
                renderer.glyph.line_width = self.line_width
            elif isinstance(renderer, models.GlyphRenderer) and "dot" in renderer.tags:
                renderer.glyph.fill_color = renderer.glyph.line_color = self.colour(0)
                renderer.glyph.size = 3 * self.line_width
            elif isinstance(renderer, models.GlyphRenderer) and "bars" in renderer.tags:
                renderer.glyph.fill_color = self.colour(0)
        for part in figure.center:
            if isinstance(part, models.Label):
                part.background_fill_color, part.background_fill_alpha = self.paper, 0.8
                part.text_color, part.text_font_size = self.ink, self.text_size
            elif isinstance(part, models.Span):
                part.line_color = self.ink


def new_figure(height: int, *, share: int = 1, **settings: Any) -> Any:
    """Return an empty Bokeh figure that fills a share of the available height.

    Args:
        height: the minimum height in pixels.
        share: the weight of this figure when the remaining height is divided among all figures.
        settings: keyword arguments of Bokeh's figure.
    """
    return plotting.figure(
        min_height=height,
        sizing_mode="stretch_both",
        stylesheets=[f":host {{ flex: {share} 1 {height}px !important; }}"],
        tools="pan,wheel_zoom,reset,save",
        active_drag=None,
        toolbar_location=None,
        **settings,
    )


def round_ticks(figure: Any, *more: float) -> None:
    """Set the ticks of a logarithmic axis to 1, 2 and 5 times powers of ten, and some more."""
    ticks = [mantissa * 10.0**power for power in range(-9, 10) for mantissa in (1, 2, 5)]
    figure.yaxis.ticker = models.FixedTicker(ticks=sorted({*ticks, *more}))
    figure.yaxis.formatter = models.PrintfTickFormatter(format="%g")


def curve(figure: Any, index: int, source: Any, x: str, y: str, **settings: Any) -> Any:
    """Draw a curve with the colour and dash of that index, and return its renderer."""
    dashes: Sequence[Any] = ("solid", [12, 4], [12, 4, 3, 4], [3, 3], [8, 3, 3, 3, 3, 3])
    dash = dashes[index % len(dashes)]
    line = figure.line(x, y, source=source, **{"line_dash": dash, **settings})
    line.tags = ["curve", index]
    return line


NARROWEST = 2.6  # minimum ratio of the ends of a logarithmic axis, so that it has a tick


def fit(axis: Any, values: Sequence[float], *, log: bool = False) -> None:
    """Set the range of an axis to contain all finite values, with a margin if it is logarithmic."""
    finite = [value for value in values if math.isfinite(value) and (value > 0 or not log)]
    if not finite:
        return
    low, high = min(finite), max(finite)
    if log:
        room = max((high / low) ** 0.06, math.sqrt(NARROWEST * low / high))
        axis.start, axis.end = low / room, high * room
    else:
        axis.start, axis.end = low, high if high > low else low + 1


def shade(share: float, dark: bool) -> tuple[str, str]:
    """Return a colour from blue (0) over the background (0.5) to red (1), and its text colour."""
    share = min(1.0, max(0.0, share))
    middle = (20, 22, 26) if dark else (255, 255, 255)
    end = (214, 69, 46) if share > 0.5 else (33, 113, 181)
    part = abs(2 * share - 1)
    red, green, blue = (round(m + part * (e - m)) for m, e in zip(middle, end, strict=True))
    bright = 0.299 * red + 0.587 * green + 0.114 * blue > 140
    return f"#{red:02x}{green:02x}{blue:02x}", "#000000" if bright else "#ffffff"


def palette(dark: bool) -> list[str]:
    """Return the colours of shade from 0 to 1, for a Bokeh colour mapper."""
    return [shade(step / 64, dark)[0] for step in range(65)]


def alert(message: str) -> str:
    """Return a message as HTML that screen readers announce, or "" for an empty message."""
    return f'<div role="alert">{html.escape(message)}</div>' if message else ""
