"""The view Gradients: the gradient of the last step's loss for each hidden state."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh import models

from d2lrnn import backends
from d2lrnn.demo import theme, turns
from d2lrnn.demo.fields import Choice, Slider, Typed, button, number, pane
from d2lrnn.demo.view import (
    View,
    backend_field,
    figure_pane,
    in_a_row,
    in_pairs,
    readout,
)
from d2lrnn.measure import gradient_flow

MOST_CURVES = 9
TINY = 1e-40  # a norm of 0 is drawn at this value
CELLS = {"All three": "all", "RNN": "rnn", "GRU": "gru", "LSTM": "lstm"}


class Gradients(View):
    """The norm of dL/dH_t over t, which may vanish or explode."""

    title = "Gradients"
    words = "<p>The gradients are being computed.</p>"
    see = (
        "Backpropagation starts at the last step, at the right, and passes through all earlier "
        "steps. In an RNN the gradient shrinks at each step; with open gates, it reaches the first."
    )
    experiment = (
        "set the bias to 0, so that the gates are half closed and the gradient shrinks faster than "
        "in the RNN; set the radius to 2, so that the gradient of the RNN explodes."
    )

    def __init__(self, look: theme.Theme) -> None:
        """Create the widgets and the figure."""
        super().__init__(look)
        self.cell, self.backend = Choice("cell", "Cell", CELLS), backend_field()
        self.radius = Slider("radius", "Spectral radius of W_hh", 0.1, 3.0, 0.5, step=0.05)
        self.bias = Typed("bias", "Bias b_f (LSTM), b_z (GRU)", number(-10, 10), "5")
        self.steps = Typed("steps", "Time steps", number(2, 200, int), "100")
        self.clip = Typed("clip", "Clip at", number(0, 1000, above=True), "1")
        self.ready(self.cell, self.radius, self.bias, self.steps, self.clip, self.backend)
        self.keep = button("Keep to compare", self._keep)
        self.clear = button("Clear", self._clear)
        self.deeds = {"Keep to compare": self._keep, "Clear": self._clear}
        self.figure = theme.new_figure(
            300,
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
        self.figures, self.shown, self.num_shown = [self.figure], 0, 0
        self.show_pictures(False)
        self.numbers, self.message = pane(), pane()
        self._request = 0

    def layout(self) -> Any:
        """Return the content of the view."""
        controls = [
            self.cell.row,
            self.radius.row,
            self.bias.row,
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
        """Compute the curves for the current fields in the background."""
        self._request += 1
        request, cell, radius = self._request, self.cell.value, self.radius.value
        bias, steps, backend = self.bias.value, self.steps.value, self.backend.value
        chosen = ["rnn", "gru", "lstm"] if cell == "all" else [cell]
        labels = [
            f"{cell}, radius {radius:g}{'' if cell == 'rnn' else f', bias {bias:g}'}, {backend}"
            for cell in chosen
        ]

        def work() -> Any:
            rnn, settings = backends.load(backend), {"num_steps": steps, "forget_bias": bias}
            return [gradient_flow.flow(rnn, cell, radius, **settings) for cell in chosen]

        def then(flows: Any, message: str) -> None:
            if request == self._request:  # this is the latest request
                self.message.object = theme.alert(message)
                if flows is not None:
                    self._draw(dict(zip(labels, flows, strict=True)))

        self.message.object = turns.state_text(turns.in_background(work, then))

    def _draw(self, flows: dict[str, Any]) -> None:
        """Draw the norms, with one line for each label, and show a summary."""
        for line in self.lines[self.shown : self.shown + self.num_shown]:
            line.data_source.data, line.data_source.name = {"t": [], "norm": []}, None
        self.num_shown = len(flows)
        self.shown = min(self.shown, MOST_CURVES - len(flows))
        for line, (label, (norms, _)) in zip(self.lines[self.shown :], flows.items()):
            steps = np.arange(1, len(norms) + 1)
            line.data_source.data = {"t": steps, "norm": np.maximum(norms, TINY)}
            line.data_source.name = label
        self._fit()
        self.show_pictures(True)
        self.numbers.object = readout(
            summary_of_all(flows) if len(flows) > 1 else self._summary_of_one(*flows.values())
        )

    def _summary_of_one(self, flow: tuple[Any, float]) -> dict[str, str]:
        norms, norm = flow
        return {
            "gradient over time": verdict(norms),
            "first step / last step": f"{norms[0] / norms[-1]:.2g}",
            "norm of all gradients": f"{norm:.3g}",
            "after clipping": f"{min(norm, self.clip.value):.3g}",
        }

    def _fit(self) -> None:
        full = [line for line in self.lines if len(line.data_source.data["t"])]
        items = [models.LegendItem(label=s.data_source.name, renderers=[s]) for s in full]
        self.legend.items = items
        norms = np.concatenate([line.data_source.data["norm"] for line in full])
        theme.fit(self.figure.y_range, [*norms], log=True)
        theme.fit(self.figure.x_range, [1, max(len(s.data_source.data["t"]) for s in full)])

    def _keep(self) -> None:
        """Keep the current curves, and draw later curves in other colours."""
        if self.shown + self.num_shown < MOST_CURVES:
            self.shown, self.num_shown = self.shown + self.num_shown, 0

    def _clear(self) -> None:
        """Remove all curves, and draw those for the current fields."""
        self.shown = self.num_shown = 0
        for line in self.lines:
            line.data_source.data = {"t": [], "norm": []}
        self.changed()


def verdict(norms: Any) -> str:
    """Return a word for the change of the gradient from the last step to the first."""
    ratio = norms[0] / norms[-1]
    return "explodes" if ratio > 100 else "vanishes" if ratio < 0.01 else "persists"


def summary_of_all(flows: dict[str, tuple[Any, float]]) -> dict[str, str]:
    """Return the ratio of the norms at the first and the last step for each cell."""
    return {
        f"{label.split(',')[0].upper()}: first / last step": (
            f"{norms[0] / norms[-1]:.2g}, {verdict(norms)}"
        )
        for label, (norms, _) in flows.items()
    }
