"""Which cell of a notebook begins a slide, for ``jupyter nbconvert --to slides``.

A chapter begins at a heading of the first or second level and goes to the right; what follows in it
goes downwards, a slide for as many cells as fit. What only sets things up is left out.
"""

from __future__ import annotations

import math
import re
from typing import Any

HEIGHT = 26  # lines of text that a slide takes
FIGURE = 19  # lines that a figure takes the place of
# Cells that a class does not look at: what installs, imports, chooses the backend.
ABOUT_SETTING_UP = re.compile(r"find_spec\(|backends\.prepare\(|^from d2lrnn import \w+ as rnn")
CHAPTER, EXERCISE = re.compile(r"##? "), re.compile(r"#{3,} ")


def on_slides(notebook: Any) -> Any:
    """Return a notebook whose cells say which of them begins a slide, by their metadata."""
    room = 0.0
    for cell in notebook.cells:
        kind, height = kind_of(cell), height_of(cell)
        if kind is None and height > room:
            kind = "subslide"
        if kind in ("slide", "subslide"):
            room = HEIGHT
        if kind is not None:
            cell.metadata = {"slideshow": {"slide_type": kind}}
        if kind != "skip":
            room -= height
    return notebook


def kind_of(cell: Any) -> str | None:
    """Return the kind of slide that a cell begins by what it is, whatever there is room for."""
    if cell.cell_type == "code":
        return "skip" if ABOUT_SETTING_UP.search(cell.source) else None
    if CHAPTER.search(cell.source) and is_head(cell, CHAPTER):
        return "slide"
    return "subslide" if is_head(cell, EXERCISE) else None


def is_head(cell: Any, level: re.Pattern[str]) -> bool:
    """Return whether a cell begins with a heading of a level, badges left aside."""
    lines = (line for line in cell.source.splitlines() if line and not line.startswith("[!["))
    return bool(level.match(next(lines, "")))


def height_of(cell: Any) -> float:
    """Return about how many lines of text a cell is high, with its outputs."""
    lines = cell.source.splitlines()
    if cell.cell_type != "code":
        return sum(max(0.5, math.ceil(len(line) / 80)) for line in lines) + 1
    return 0.9 * len(lines) + 1 + sum(map(_height_of_output, cell.get("outputs", [])))


def _height_of_output(output: Any) -> float:
    """Return about how many lines of text an output is high."""
    data = output.get("data", {})
    if "image/svg+xml" in data:
        return FIGURE
    shown = output.get("text") or data.get("text/markdown") or data.get("text/plain") or ""
    return 0.9 * (shown.count("\n") + 1)
