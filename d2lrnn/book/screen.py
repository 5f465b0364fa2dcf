"""Show a figure that changes, in a notebook or in a window."""

from __future__ import annotations

import io
import itertools
import time
from typing import Any

from d2lrnn import teaching

PAUSE = 0.3  # seconds between two pictures in a notebook: drawing slows down training

_numbers = itertools.count(1)


def new_figure(figsize: tuple[float, float]) -> Any:
    """Return an empty figure, in a window if windows are available.

    Without a window, pyplot does not manage the figure, so that it does not need to be closed.
    """
    from matplotlib import figure, pyplot

    if windows():
        return pyplot.figure(figsize=figsize, layout="constrained")
    return figure.Figure(figsize=figsize, layout="constrained")


def windows() -> bool:
    """Return whether matplotlib opens windows, which it does not do in a notebook."""
    import matplotlib

    backends: Any = matplotlib.backends  # whose registry does not have types
    names = backends.backend_registry.list_builtin(backends.BackendFilter.INTERACTIVE)
    return not teaching.in_notebook() and matplotlib.get_backend().lower() in map(str.lower, names)


class Screen:
    """A place in the output where a figure is shown again after changes, but not too often."""

    def __init__(self) -> None:
        """Choose the name of the place; nothing is shown yet."""
        self.name = f"d2lrnn-{next(_numbers)}"  # the display_id in a notebook
        self.last = 0.0  # the time when the figure was last shown
        self.shown = self.waiting = False

    def show(self, figure: Any, *, now: bool = False) -> None:
        """Show the figure; in a notebook, at the earliest PAUSE seconds after the last time.

        Args:
            figure: a matplotlib Figure.
            now: show the latest changes at once.
        """
        if windows():
            self._draw_window(figure)
        elif not teaching.in_notebook():
            return  # the figure can still be saved
        elif not now and time.monotonic() - self.last < PAUSE:
            self._wait(figure)
        elif not now or self.waiting:
            self._draw_notebook(figure)

    def _draw_window(self, figure: Any) -> None:
        if not self.shown:
            figure.show()
            self.shown = True
        figure.canvas.draw_idle()
        figure.canvas.flush_events()

    def _draw_notebook(self, figure: Any) -> None:
        from IPython.display import display

        svg = io.StringIO()
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        picture = {"image/svg+xml": svg.getvalue(), "text/plain": "a picture of the training"}
        display(picture, raw=True, display_id=self.name, update=self.shown)
        self.shown, self.waiting, self.last = True, False, time.monotonic()

    def _wait(self, figure: Any) -> None:
        """Show the figure at the end of the cell, unless it is shown earlier."""
        if self.waiting:
            return
        self.waiting = True
        from IPython import get_ipython

        events = get_ipython().events

        def at_the_end(*_: Any) -> None:
            events.unregister("post_run_cell", at_the_end)
            self.show(figure, now=True)

        events.register("post_run_cell", at_the_end)
