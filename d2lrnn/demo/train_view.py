"""The view Train: a network is trained while the class watches."""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from typing import Any

import panel as pn
from bokeh import models

from d2lrnn.demo import course, theme, train_fields, turns, worker
from d2lrnn.demo.fields import Choice, Typed, button, first_error, number, pane
from d2lrnn.demo.runs import Runs
from d2lrnn.demo.view import (
    View,
    backend_field,
    cell_field,
    figure_pane,
    in_a_row,
    in_pairs,
    readout,
)
from d2lrnn.training.history import in_short

PERIOD = 200  # milliseconds between two updates of the view
TITLES = {False: "solid: training", True: "solid: training; dotted: validation"}


def crowd(trainer: worker.Trainer | None) -> str:
    """Return, as HTML, the number of other waiting computations, or "" if there are none."""
    others = len(turns.LINE) if trainer is not None and trainer.alive else 0
    words = f'<span class="quiet">shared with other viewers; {others} in the queue</span>'
    return words if others else ""


class Train(View):
    """The curves of perplexity and gradient norm, and text that the network generates."""

    title = "Train"
    see = (
        "The network is trained on a text for many epochs. Its perplexity, the effective number of "
        "equally likely next characters, falls from about 50 towards 1, and the generated text "
        "becomes readable. The dotted curve is that of a held-out part of the text."
    )
    experiment = (
        "train until the dotted curve rises; keep this run, then train a GRU and compare; change "
        "the learning rate during training; with learning rate 50 and clipping at 1000, "
        "the training diverges."
    )
    words = (
        "<p>Train a network to predict the next character of a text.</p>"
        "<p><b>Start</b> trains it continuously; <b>Step</b> trains it on one minibatch.</p>"
        "<p>The perplexity, the norm of the gradients and a generated text appear here.</p>"
    )

    def __init__(self, look: theme.Theme) -> None:
        """Create the widgets and the figures."""
        super().__init__(look)
        self.trainer: worker.Trainer | None = None
        self._num_drawn = 0
        self._began_as, self._changes = course.Settings(), list[str]()
        self._ticking: Callable[[], Any] | None = None
        self.corpus = Choice("corpus", "Text", train_fields.CORPORA)
        limits: dict[str, Any] = {"rows": 4, "max_length": train_fields.MOST_PASTED}
        self.pasted = Typed("pasted", "Paste a text here", lambda text: text, "", **limits)
        self.pasted.check = train_fields.check_pasted
        self.cell, self.backend = cell_field(), backend_field()
        self.hiddens = Typed("hiddens", "Hidden units", number(1, 512, int), "128")
        self.lr = Typed("lr", "Learning rate", number(0, 100, above=True), "1")
        self.clip = Typed("clip", "Clip at", number(0, 1000, above=True), "1")
        self.validation = Typed("validation", "Validation part", number(0, 0.5), "0.1")
        fields = self.corpus, self.cell, self.hiddens, self.lr, self.clip, self.validation
        self.ready(*fields, self.backend)
        self.pasted.row.visible = False
        self._make_buttons()
        self._make_pictures()

    def _make_buttons(self) -> None:
        self.go = button("Start", self._start_or_pause, color="primary")
        self.one, self.again = button("Step", self._one_step), button("Reset", self._reset)
        self.name = Typed("name", "Name of the run", train_fields.check_name, "")
        self.keep = button("Keep to compare", self._keep, disabled=True)
        self.forget = button("Forget kept", self._forget, disabled=True)
        self.file = pn.widgets.FileDownload(
            callback=self._model_file,
            filename="run.safetensors",
            label="Save the model",
            disabled=True,
            stylesheets=[theme.PARTS],
            margin=3,
        )
        self.deeds = {
            "Start": self._start,
            "Pause": self._pause,
            "Step": self._one_step,
            "Reset": self._reset,
            "Keep to compare": self._keep,
            "Forget kept": self._forget,
        }

    def _make_pictures(self) -> None:
        self.runs, epochs = Runs("epoch", "perplexity", "norm", "validation"), models.Range1d(0, 1)
        self.now = self.runs.now
        self.curves, self.norms = (
            theme.new_figure(
                height,
                share=share,
                x_range=epochs,
                y_range=models.Range1d(low, high),
                y_axis_type="log",
                x_axis_label="epoch",
                y_axis_label=name,
            )
            for height, share, low, high, name in (
                (220, 3, 1.0, 60.0, "perplexity"),
                (130, 2, 0.1, 1.0, "gradient norm"),
            )
        )
        theme.round_ticks(self.norms)
        theme.round_ticks(self.curves, 1.5, 3)
        self.curves.title.text = TITLES[True]  # the figure reserves the height of its title now
        self.runs.draw(self.curves, "perplexity", legend=True)
        self.runs.draw(self.curves, "validation", line_dash="dotted")
        self.runs.draw(self.norms, "norm")
        self._make_lines()

    def _make_lines(self) -> None:
        """Make the lines of the lowest perplexities, possible and reached, and of clipping."""
        self.floor = models.Span(dimension="width", line_dash="dashed", visible=False)
        self.floor_label = models.Label(x=6, x_units="screen", y=1, text="", visible=False)
        self.limit = models.Span(dimension="width", line_dash="dashed", location=1.0)
        self.onset = models.Span(dimension="height", line_dash="dotted", visible=False)
        self.onset_label = models.Label(x=0, y=1, text="", visible=False)
        for part in (self.floor, self.floor_label, self.onset, self.onset_label):
            self.curves.add_layout(part)
        self.norms.add_layout(self.limit)
        self.figures = [self.curves, self.norms]
        self.numbers, self.message, self.sample = pane(), pane(), pane()

    def layout(self) -> Any:
        """Return the content of the view."""
        controls = [
            self.corpus.row,
            self.pasted.row,
            in_pairs(self.cell.row, self.hiddens.row, self.lr.row, self.clip.row),
            in_pairs(self.validation.row, self.backend.row),
            in_a_row(self.go, self.one, self.again),
            self.message,
            self.name.row,
            in_a_row(self.keep, self.forget, self.file),
        ]
        pictures = [figure_pane(self.curves), self.sample, figure_pane(self.norms)]
        return self.beside(controls, [self.numbers, *pictures])

    def start(self) -> None:
        """Show the view before the first run."""
        self.changed()

    def changed(self) -> None:
        """Update the view and the run after a change of the fields."""
        self.pasted.row.visible = self.corpus.value == "pasted"
        self.limit.location = self.clip.value
        if (trainer := self._going_on()) is not None and trainer.settings != self._settings():
            trainer.change(self._settings())  # a new learning rate takes effect during the run
            if trainer.points:
                words = f"lr {self.lr.value:g}, clip {self.clip.value:g}"
                self._changes.append(f"from epoch {trainer.points[-1].epoch:.1f} {words}")
        self._show()

    def close(self) -> None:
        """Stop the run."""
        if self.trainer is not None:
            self.trainer.stop()

    def _settings(self) -> course.Settings:
        """Return the settings in the fields."""
        return course.Settings(**{field.name: field.value for field in self.fields})

    def _going_on(self) -> worker.Trainer | None:
        """Return the run if it can continue with the settings in the fields, otherwise None."""
        trainer = self.trainer
        if trainer is None or trainer.status in ("failed", "stopped"):
            return None
        return trainer if trainer.settings.goes_on_as(self._settings()) else None

    # The actions of the buttons

    def _ready(self) -> worker.Trainer | None:
        """Return the run, or a new run if necessary, or None if a field is not valid."""
        fields = list(self.fields)
        if self.corpus.value == "pasted":
            self.pasted.look(self.pasted.text)
            fields.append(self.pasted)
        if error := first_error(fields):
            self.message.object = theme.alert(f"Correct the field first. {error}")
            return None
        if self._going_on() is None:
            self._reset()
            self._began_as = self._settings()
            self.trainer = worker.Trainer(
                self._settings(), self.pasted.text, looked_at=turns.looked_at()
            )
        return self.trainer

    def _start_or_pause(self) -> None:
        if self.trainer is not None and self.trainer.alive:
            self._pause()
        else:
            self._start()

    def _start(self) -> None:
        if (trainer := self._ready()) is not None:
            trainer.run()
            self._show()

    def _pause(self) -> None:
        if self.trainer is not None:
            self.trainer.pause()
            self._show()

    def _one_step(self) -> None:
        if (trainer := self._ready()) is not None:
            trainer.step()
            self._show()

    def _reset(self) -> None:
        self.close()
        self.trainer, self._num_drawn, self._changes = None, 0, []
        self.runs.begin_again()
        self._show()

    def _keep(self) -> None:
        self.runs.keep(self.name.value.strip())
        self.name.take("")
        self._show()

    def _forget(self) -> None:
        self.runs.forget()
        self._fit()
        self._show()

    def _model_file(self) -> Any:
        import io

        trainer = self.trainer
        return io.BytesIO(trainer.model_file() if trainer and trainer.net else b"")

    # What is shown

    def _tick(self) -> None:
        trainer = self.trainer
        if trainer is not None:
            points, self._num_drawn = trainer.points[self._num_drawn :], len(trainer.points)
            if points:
                self.runs.go_on(points)
                self._fit()
        self._show()

    def _fit(self) -> None:
        """Set the ranges of the axes to contain all runs and the lowest possible perplexity."""
        floor = [self.trainer.floor] if self.trainer and self.trainer.floor else []
        theme.fit(self.curves.x_range, [0, *self.runs.all("epoch")])
        perplexities = self.runs.all("perplexity") + self.runs.all("validation")
        theme.fit(self.curves.y_range, perplexities + floor, log=True)
        theme.fit(self.norms.y_range, self.runs.all("norm"), log=True)

    def _show(self) -> None:
        """Update the buttons, the numbers and the sample."""
        trainer = self.trainer
        alive = trainer is not None and trainer.alive
        self._look_again(alive)
        goes_on = self._going_on() is not None and trainer is not None and trainer.points
        self.go.label = "Pause" if alive else "Continue" if goes_on else "Start"
        self.keep.disabled = self.file.disabled = not self._num_drawn
        self.forget.disabled = not self.runs.earlier
        self.show_pictures(bool(self._num_drawn or self.runs.earlier))
        self.message.object = theme.alert(trainer.message if trainer else "") or crowd(trainer)
        self.numbers.object = readout(self._numbers())
        sample = html.escape(trainer.sample) if trainer and trainer.sample else "…"
        content = f'<h2>Generated text</h2><pre class="sample">{sample}</pre>'
        self.sample.object = content if self._num_drawn else ""
        self._label()

    def _look_again(self, alive: bool) -> None:
        """Update the view from time to time while the run is active or has new points."""
        waiting = self.trainer is not None and self._num_drawn < len(self.trainer.points)
        if (alive or waiting) and self._ticking is None:
            self._ticking = turns.every(PERIOD, self._tick)
        elif not (alive or waiting) and self._ticking is not None:
            self._ticking()
            self._ticking = None

    def _numbers(self) -> dict[str, str]:
        trainer = self.trainer
        last = trainer.points[-1] if trainer and trainer.points else None
        words = {"running": "training", "loading": "preparing", "failed": "ended"}
        state = words.get(trainer.status, "paused") if trainer else "ready"
        if trainer and trainer.status == "loading" and trainer.before:
            state = f"queue position {trainer.before + 1}"
        held_out, dash = last and not math.isnan(last.validation), "-"
        return {
            "state": state,
            "epoch": f"{last.epoch:.1f}" if last else dash,
            "perplexity": in_short(last.perplexity) if last else dash,
            "validation": in_short(last.validation) if last and held_out else dash,
            "gradient norm": f"{last.norm:.3g}" if last and math.isfinite(last.norm) else dash,
            "tokens / s": f"{last.speed:,.0f}" if last else dash,
        }

    def _label(self) -> None:
        """Name the curves, and draw the lowest possible perplexity if it is known."""
        trainer = self.trainer
        if trainer is not None:
            self.now.name = "; ".join([str(self._began_as), *self._changes])
        self.runs.name()
        self._mark_onset()
        floor = trainer.floor if trainer else None
        self.floor.visible = self.floor_label.visible = floor is not None
        if floor is not None and self.floor.location != floor:
            self.floor.location = self.floor_label.y = floor
            self.floor_label.text = f"floor {floor:.2f}"

    def _mark_onset(self) -> None:
        """Mark the epoch with the lowest validation perplexity, if it has risen since then."""
        points = self.trainer.points[: self._num_drawn] if self.trainer else []
        lowest = course.onset(points)
        self.curves.title.text = TITLES[not points or not math.isnan(points[-1].validation)]
        self.onset.visible = self.onset_label.visible = lowest is not None
        if lowest is None:
            return
        is_late = lowest.epoch > self.curves.x_range.end / 2
        words = f"epoch {lowest.epoch:.0f}: lowest validation, {in_short(lowest.validation)}"
        self.onset.location = lowest.epoch
        self.onset_label.update(
            x=lowest.epoch,
            y=self.curves.y_range.start,
            x_offset=-6 if is_late else 6,
            y_offset=6,
            text_align="right" if is_late else "left",
            text=f"{words}; from here on, the network overfits",
        )
