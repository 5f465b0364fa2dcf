"""Which cell of a notebook begins a slide, for nbconvert's ``--to slides``.

A chapter begins at a heading of the first or second level and is to the
right of the one before; its sections are below it, with as many cells on a
slide as fit. Cells that only set up the notebook are not on slides.
"""

from __future__ import annotations

import math
import re
from typing import Any

DRAWING = "drawing"  # the tag of a cell of which slides show only the figure
SHORT = 8  # lines of code that a slide shows above a figure
HEIGHT = 26  # lines of text that a slide takes
FIGURE = 19  # the height of a figure, in lines of text
# Cells that are not shown: they install, import or choose the backend.
ABOUT_SETTING_UP = re.compile(
    r"find_spec\(|backends\.prepare\(|^from d2lrnn import \w+ as rnn"
)
CHAPTER = re.compile(r"^##? ", re.MULTILINE)
EXERCISE = re.compile(r"^###+ ", re.MULTILINE)


def on_slides(notebook: Any) -> Any:
    """Return a notebook with metadata for the cells that begin a slide."""
    room = 0.0
    for cell in notebook.cells:
        kind, height = kind_of(cell), height_of(cell)
        if kind is None and height > room:
            kind = "subslide"
        if kind in ("slide", "subslide"):
            room = HEIGHT
        if kind is not None:
            cell.metadata["slideshow"] = {"slide_type": kind}
        if is_drawing(cell):
            cell.metadata["tags"] = [DRAWING]
        if kind != "skip":
            room -= height
    return notebook


def kind_of(cell: Any) -> str | None:
    """Return the kind of slide that a cell begins, without its height."""
    if cell.cell_type == "code":
        return "skip" if ABOUT_SETTING_UP.search(cell.source) else None
    if CHAPTER.search(cell.source):
        return "slide"
    return "subslide" if EXERCISE.search(cell.source) else None


def is_drawing(cell: Any) -> bool:
    """Return whether a cell is so long that its figure is hidden."""
    figures = any(
        "image/svg+xml" in output.get("data", {})
        for output in cell.get("outputs", [])
    )
    return figures and len(cell.source.splitlines()) > SHORT


def height_of(cell: Any) -> float:
    """Return the approximate height of a cell and its outputs in lines."""
    lines = cell.source.splitlines()
    if cell.cell_type != "code":
        return sum(max(0.5, math.ceil(len(line) / 80)) for line in lines) + 1
    code = 0 if is_drawing(cell) else 0.9 * len(lines)
    return code + 1 + sum(map(_height_of_output, cell.get("outputs", [])))


def _height_of_output(output: Any) -> float:
    """Return the approximate height of an output, in lines of text."""
    data = output.get("data", {})
    if "image/svg+xml" in data:
        return FIGURE
    shown = (
        output.get("text")
        or data.get("text/markdown")
        or data.get("text/plain")
        or ""
    )
    return 0.9 * (shown.count("\n") + 1)
