"""Where a figure that changes is seen: in a notebook, in a window, or not at all."""

from __future__ import annotations

import io
import itertools
import time
from typing import Any

from d2lrnn import teaching

PAUSE = 0.3  # seconds between two pictures in a notebook: drawing must not hold up training

_numbers = itertools.count(1)


def new_figure(figsize: tuple[float, float]) -> Any:
    """Return an empty figure: one with a window where windows can be, otherwise one on its own.

    One on its own is nobody's current figure, and nobody needs to close it.
    """
    from matplotlib import figure, pyplot

    if windows():
        return pyplot.figure(figsize=figsize, layout="constrained")
    return figure.Figure(figsize=figsize, layout="constrained")


def windows() -> bool:
    """Return whether this is a script, or a terminal, whose matplotlib opens windows."""
    import matplotlib

    interactive = {
        name.lower()
        for name in matplotlib.backends.backend_registry.list_builtin(
            matplotlib.backends.BackendFilter.INTERACTIVE
        )
    }
    return not teaching.in_notebook() and matplotlib.get_backend().lower() in interactive


class Screen:
    """Shows one figure again and again, in the same place, and not too often."""

    def __init__(self) -> None:
        """Nothing has been shown yet."""
        self.name = f"d2lrnn-{next(_numbers)}"  # of its place in a notebook
        self.last = 0.0  # when it was shown
        self.shown = self.waiting = False

    def show(self, figure: Any, *, now: bool = False) -> None:
        """Show the figure as it is; soon rather than at once, if it was shown only just before.

        Args:
            figure: a matplotlib Figure.
            now: show what is still waiting, however short the time.
        """
        if windows():
            self._draw_window(figure)
        elif not teaching.in_notebook():
            return  # it can still be saved: nothing is lost
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
        """Remember that there is more to see, for the end of the cell at the latest."""
        if self.waiting:
            return
        self.waiting = True
        from IPython import get_ipython

        events = get_ipython().events

        def at_the_end(*_: Any) -> None:
            events.unregister("post_run_cell", at_the_end)
            self.show(figure, now=True)

        events.register("post_run_cell", at_the_end)
