"""The view Agreement: train with the same seed in every installed backend."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from bokeh import models

from d2lrnn import backends
from d2lrnn.demo import theme, turns
from d2lrnn.demo.fields import Choice, Typed, button, number, pane
from d2lrnn.demo.view import (
    View,
    cell_field,
    figure_pane,
    in_a_row,
    in_pairs,
    readout,
)
from d2lrnn.measure import agreement

SMALLEST = 1e-17  # a difference of 0 is drawn at this value
REFERENCE = "numpy"


class Agreement(View):
    """The losses of all backends, their differences, and the speed of each backend."""

    title = "Agreement"
    see = (
        "Every backend trains the same network from the same seed. The upper curves, the losses, "
        "coincide; the lower curves show their differences from NumPy on a logarithmic scale."
    )
    experiment = (
        "choose float32, in which rounding errors differ and grow during training; choose another "
        "cell; add a hundred steps."
    )
    words = (
        "<p>Do several frameworks compute the same results for one network and one seed?</p>"
        "<p><b>Compare</b> trains the network in each installed framework, one after another.</p>"
    )

    def __init__(self, look: theme.Theme) -> None:
        """Create the widgets and the figures."""
        super().__init__(look)
        self.names = [REFERENCE, *(n for n in backends.available() if n != REFERENCE)]
        self.cell = cell_field()
        self.dtype = Choice("dtype", "Precision", {"float64": "float64", "float32": "float32"})
        self.seed = Typed("seed", "Seed", number(0, 10**6, int), "0")
        self.steps = Typed("steps", "Steps", number(1, 300, int), "100")
        self.ready(self.cell, self.dtype, self.seed, self.steps)
        self.go = button("Compare", self._compare, color="primary")
        self.deeds = {"Compare": self._compare}
        self.losses: dict[str, Any] = {}
        self.speeds: dict[str, float] = {}
        self.failed: dict[str, str] = {}
        self._request = self._num_steps = 0
        self._make_pictures()

    def _make_pictures(self) -> None:
        self._make_curves()
        self._make_bars()
        self.figures = [self.curves, self.gaps, self.bars]
        self.numbers, self.message = pane(), pane()

    def _make_curves(self) -> None:
        """Make the figures of the losses and of their differences."""
        self.curves = theme.new_figure(
            150,
            share=3,
            x_range=models.Range1d(1, 100),
            y_range=models.Range1d(2, 5),
            x_axis_label="training step",
            y_axis_label="loss",
        )
        self.gaps = theme.new_figure(
            140,
            share=3,
            x_range=self.curves.x_range,
            y_range=models.Range1d(SMALLEST, 1e-8),
            y_axis_type="log",
            x_axis_label="training step",
            y_axis_label="difference",
        )
        self.gaps.yaxis.ticker = models.FixedTicker(ticks=[10.0**p for p in range(-18, 1, 3)])
        self.bound = models.Span(dimension="width", line_dash="dashed", visible=False)
        self.gaps.add_layout(self.bound)
        self.lines = {}
        for index, name in enumerate(self.names):
            source = models.ColumnDataSource({"step": [], "loss": [], "gap": []})
            line = theme.curve(self.curves, index, source, "step", "loss")
            theme.curve(self.gaps, index, source, "step", "gap")
            self.lines[name] = line
        items = [models.LegendItem(label=n, renderers=[line]) for n, line in self.lines.items()]
        self.curves.add_layout(models.Legend(items=items, location="top_right"))

    def _make_bars(self) -> None:
        """Make the figure of the speeds."""
        self.bars = theme.new_figure(
            60 + 18 * len(self.names),
            share=2,
            y_range=list(reversed(self.names)),
            x_range=models.Range1d(0, 1),
            x_axis_label="training steps per second",
        )
        self.speed = models.ColumnDataSource({"name": [], "speed": []})
        bars = self.bars.hbar("name", right="speed", source=self.speed, height=0.7)
        bars.tags = ["bars"]

    def layout(self) -> Any:
        """Return the content of the view."""
        controls = [
            in_pairs(self.cell.row, self.dtype.row, self.seed.row, self.steps.row),
            in_a_row(self.go),
            self.message,
        ]
        pictures = [self.numbers, *(figure_pane(figure) for figure in self.figures)]
        return self.beside(controls, pictures)

    def start(self) -> None:
        """Show the view before the first comparison."""
        self._show()

    def close(self) -> None:
        """Stop after the running computation."""
        self._request += 1

    def _compare(self) -> None:
        if any(field.error for field in self.fields):
            self.message.object = theme.alert("Correct the field first.")
            return
        self._request, self._num_steps = self._request + 1, self.steps.value
        self.losses, self.speeds, self.failed = {}, {}, {}
        for line in self.lines.values():
            line.data_source.data = {"step": [], "loss": [], "gap": []}
        self._next(self._request, [self._timing(name) for name in self.names])

    def _timing(self, name: str) -> Timing:
        settings = self.cell.value, self.dtype.value, self.seed.value, self.steps.value
        return Timing(name, *settings)

    def _next(self, request: int, timings: list[Timing]) -> None:
        """Train for a short time in the first backend in the background, then schedule the rest."""
        if request != self._request or not timings:
            return
        timing, *others = timings

        def then(_: Any, message: str) -> None:
            if request != self._request:
                return
            if message:
                self.failed[timing.name] = message
            elif timing.losses:
                self.losses[timing.name] = np.array(timing.losses)
                self.speeds[timing.name] = timing.speed
            self._show()
            self._next(request, others if message or timing.done else timings)

        job = turns.in_background(timing.go_on, then)
        where = backends.BACKENDS[timing.name].title
        failures = theme.alert(self._failures())
        self.message.object = f'{failures}<div class="quiet">{where}</div>{turns.state_text(job)}'

    def _failures(self) -> str:
        return "; ".join(f"{name}: {why}" for name, why in self.failed.items())

    def _show(self) -> None:
        """Draw the results so far."""
        worst = 0.0
        reference = self.losses.get(REFERENCE)
        for name, losses in self.losses.items():
            gap = np.full(len(losses), np.nan)
            if reference is not None and name != REFERENCE:
                both = losses, reference[: len(losses)]
                gap = abs(both[0] - both[1]) / abs(both[1])
                worst = max(worst, float(gap.max()))
            self.lines[name].data_source.data = {
                "step": np.arange(1, len(losses) + 1),
                "loss": losses,
                "gap": np.maximum(gap, SMALLEST),
            }
        self.speed.data = {"name": list(self.speeds), "speed": list(self.speeds.values())}
        limit = agreement.bound("losses", self.dtype.value, 0)
        self.bound.location, self.bound.visible = limit, True
        self._fit(limit)
        whole = [name for name, losses in self.losses.items() if len(losses) == self._num_steps]
        done = f"{len(whole)} of {len(self.names)}"
        self.show_pictures(bool(self.losses))
        apart = f"{worst:.1e}" if len(self.losses) > 1 else "-"
        self.numbers.object = readout(
            {"backends": done, f"difference from {REFERENCE}": apart, "bound": f"{limit:.1e}"}
        )
        self.message.object = theme.alert(self._failures())

    def _fit(self, limit: float) -> None:
        losses = [float(x) for values in self.losses.values() for x in values]
        if losses:
            theme.fit(self.curves.x_range, [1, max(map(len, self.losses.values()))])
            room = 0.05 * (max(losses) - min(losses)) or 0.1
            theme.fit(self.curves.y_range, [min(losses) - room, max(losses) + room])
        theme.fit(self.gaps.y_range, [SMALLEST, 10 * limit], log=True)
        theme.fit(self.bars.x_range, [0, *self.speeds.values()])


class Timing:
    """A training run in one backend, in short intervals, so that other viewers are served, too."""

    def __init__(self, name: str, cell: str, dtype: str, seed: int, num_steps: int) -> None:
        """Store the settings; nothing is computed yet."""
        self.name, self._settings, self._num_steps = name, (cell, dtype), num_steps
        self._seed = seed
        self._losses: Iterator[float] | None = None
        self.losses: list[float] = []
        self._seconds: list[float] = []

    def go_on(self) -> None:
        """Train for a short time, or until all steps are done."""
        if self._losses is None:
            rnn = backends.load(self.name)
            self._losses = agreement.losses_of_training(rnn, *self._settings, seed=self._seed)
        end = time.perf_counter() + turns.SHARE
        while not self.done and time.perf_counter() < end:
            start = time.perf_counter()
            self.losses.append(next(self._losses))
            self._seconds.append(time.perf_counter() - start)

    @property
    def done(self) -> bool:
        """Whether all steps are done."""
        return len(self.losses) == self._num_steps

    @property
    def speed(self) -> float:
        """Steps per second, from the median time of a step, so that compiling has little effect."""
        return 1 / float(np.median(self._seconds))
