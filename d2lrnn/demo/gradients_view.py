"""The view Gradients: how much of the last step's loss comes back to each hidden state."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh import models

from d2lrnn import backends
from d2lrnn.demo import theme, turns
from d2lrnn.demo.fields import Slider, Typed, button, number, pane
from d2lrnn.demo.view import (
    View,
    backend_field,
    cell_field,
    figure_pane,
    in_a_row,
    in_pairs,
    readout,
)
from d2lrnn.measure import gradient_flow

MOST_CURVES = 5
TINY = 1e-30  # what a norm of 0 is drawn as


class Gradients(View):
    """The norm of dL/dH_t over t, as it vanishes or explodes."""

    title = "Gradients"

    def __init__(self, look: theme.Theme) -> None:
        """Make the widgets and the picture."""
        super().__init__(look)
        self.cell, self.backend = cell_field(), backend_field()
        self.radius = Slider("radius", "Spectral radius of W_hh", 0.1, 3.0, 1.0, step=0.05)
        self.steps = Typed("steps", "Time steps", number(2, 200, int), "100")
        self.clip = Typed("clip", "Clip at", number(0, 1000, above=True), "1")
        self.ready(self.cell, self.radius, self.steps, self.clip, self.backend)
        self.keep = button("Keep to compare", self._keep)
        self.clear = button("Clear", self._clear)
        self.sources: list[Any] = []
        self.figure = theme.new_figure(
            460,
            x_range=models.Range1d(1, 100),
            y_range=models.Range1d(1e-6, 1),
            y_axis_type="log",
            x_axis_label="time step t",
            y_axis_label="norm of dL/dH_t",
        )
        self.legend = models.Legend(items=[], location="bottom_right")
        self.figure.add_layout(self.legend)
        self.lines = []
        for index in range(MOST_CURVES):
            source = models.ColumnDataSource({"t": [], "norm": []})
            self.lines.append(theme.curve(self.figure, index, source, "t", "norm"))
        self.figures, self.shown = [self.figure], 0
        self.numbers, self.message = pane(), pane()
        self._asked = 0

    def layout(self) -> Any:
        """Return what the page shows."""
        controls = [
            self.cell.row,
            self.radius.row,
            in_pairs(self.steps.row, self.clip.row),
            self.backend.row,
            in_a_row(self.keep, self.clear),
            self.message,
        ]
        return self.beside(controls, [self.numbers, figure_pane(self.figure)])

    def start(self) -> None:
        """Draw the first curve."""
        self.changed()

    def changed(self) -> None:
        """Compute the curve of what the fields say, away from the page."""
        self._asked += 1
        asked, cell, radius = self._asked, self.cell.value, self.radius.value
        steps, backend = self.steps.value, self.backend.value
        self.message.object = '<span class="quiet">computing …</span>'

        def work() -> Any:
            return gradient_flow.flow(backends.load(backend), cell, radius, num_steps=steps)

        def then(found: Any, message: str) -> None:
            if asked == self._asked:  # nothing newer has been asked for
                self.message.object = theme.alert(message)
                if found is not None:
                    norms, norm = found
                    self._draw(norms, norm, f"{cell}, radius {radius:g}, {backend}")

        turns.in_background(work, then)

    def _draw(self, norms: Any, norm: float, label: str) -> None:
        line = self.lines[self.shown]
        line.data_source.data = {
            "t": np.arange(1, len(norms) + 1),
            "norm": np.maximum(norms, TINY),
        }
        line.data_source.name = label
        self._fit()
        ratio = norms[0] / norms[-1]
        verdict = "explodes" if ratio > 10 else "vanishes" if ratio < 0.1 else "carries"
        self.numbers.object = readout(
            {
                "on its way back, it": verdict,
                "first step / last step": f"{ratio:.2g}",
                "norm of all gradients": f"{norm:.3g}",
                "after clipping": f"{min(norm, self.clip.value):.3g}",
            }
        )

    def _fit(self) -> None:
        full = [line for line in self.lines if len(line.data_source.data["t"])]
        items = [models.LegendItem(label=s.data_source.name, renderers=[s]) for s in full]
        self.legend.items = items
        norms = np.concatenate([line.data_source.data["norm"] for line in full])
        theme.fit(self.figure.y_range, [*norms], log=True)
        theme.fit(self.figure.x_range, [1, max(len(s.data_source.data["t"]) for s in full)])

    def _keep(self) -> None:
        """Leave the curve where it is, and draw the next in another colour."""
        if len(self.lines[self.shown].data_source.data["t"]):
            self.shown = (self.shown + 1) % MOST_CURVES

    def _clear(self) -> None:
        """Forget all curves but that of the fields."""
        self.shown = 0
        for line in self.lines:
            line.data_source.data = {"t": [], "norm": []}
        self.changed()
