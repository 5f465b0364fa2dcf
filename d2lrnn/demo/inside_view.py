"""The view Inside: what each hidden unit does while the network reads, and what it expects."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import numpy as np
from bokeh import events, models

from d2lrnn import backends
from d2lrnn.data.text import UNKNOWN
from d2lrnn.demo import theme, turns, worker
from d2lrnn.demo.fields import Choice, Slider, Typed, button, pane
from d2lrnn.demo.view import (
    View,
    backend_field,
    cell_field,
    figure_pane,
    in_a_row,
    in_pairs,
)
from d2lrnn.measure.inside import Inside, look_inside
from d2lrnn.nets import build, cells, prediction

LONGEST = 300  # characters typed
MOST = 600  # characters, the network's own included
NUM_BARS = 12
PERIOD = 1000  # milliseconds between two looks at a network that still learns
SPOKEN = 20  # characters that one press of a button adds
NAMES = {
    "H": "H, hidden state",
    "Z": "Z, update gate",
    "R": "R, reset gate",
    "I": "I, input gate",
    "F": "F, forget gate",
    "O": "O, output gate",
    "C": "C, memory",
}
SHOWN = {" ": "␣", "\n": "¶", "\t": "→"}


def check_text(text: str) -> str:
    """Return a text that is neither empty nor too long."""
    if not 0 < len(text) <= LONGEST:
        raise ValueError(f"Expected 1 to {LONGEST} characters; these are {len(text)}.")
    return text


class Look(View):
    """A text coloured by one unit, all units over time, and the next character."""

    title = "Inside"
    words = "<p>A network is getting ready to read the text.</p>"
    see = (
        "The text in the colours of one hidden unit, below it all units over time, and what the "
        "network expects next after the framed character."
    )
    experiment = (
        "slide from unit to unit, or click into the map: which one knows where a word ends? Then "
        "let it go on by itself, at a low temperature and at a high one."
    )

    def __init__(self, look: theme.Theme) -> None:
        """Make the widgets and the pictures."""
        super().__init__(look)
        self.own_run: Any = lambda: None  # the page puts here what gives the run of Train
        self.typed = Typed("text", "Text", check_text, "Listen, said the old captain", rows=2)
        sources = {"Trained on the built-in story": "story", "The run of Train": "train"}
        self.source = Choice("source", "Network", sources)
        self.cell, self.backend = cell_field("gru"), backend_field()
        self.what = Choice("what", "Coloured by", {n: w for w, n in NAMES.items()})
        self.unit = Slider("unit", "Hidden unit", 1, worker.SHARED_HIDDENS, 1)
        self.position = Slider("position", "Position in the text", 1, MOST, 1)
        self.temperature = Slider("temperature", "Temperature", 0.1, 3.0, 1.0, step=0.1)
        self.mode = Choice("mode", "Goes on by", {"The likeliest": "greedy", "A draw": "sampled"})
        fields = (self.typed, self.source, self.cell, self.what, self.unit, self.position)
        self.ready(*fields, self.temperature, self.mode, self.backend)
        self.one = button("Next character", lambda: self._speak(1), color="primary")
        self.more = button(f"{SPOKEN} more", lambda: self._speak(SPOKEN))
        self.back = button("Back", self._take_back)
        self.deeds = {
            "Next character": lambda: self._speak(1),
            f"{SPOKEN} more": lambda: self._speak(SPOKEN),
            "Back": self._take_back,
        }
        self.said, self._asked, self._reading = "", 0, False
        self._owed = 0  # characters that are still to be said
        self._ticking: Callable[[], Any] | None = None
        self.seen: Inside | None = None
        self._make_pictures()

    def _make_pictures(self) -> None:
        self.text, self.message = pane(), pane()
        self.mapper = models.LinearColorMapper(low=-1, high=1, palette=theme.palette(False))
        self.grid = models.ColumnDataSource({"image": [], "width": [], "height": []})
        self.map = theme.new_figure(
            190,
            share=3,
            x_range=models.Range1d(0.5, 20.5),
            y_range=models.Range1d(0.5, 64.5),
            x_axis_label="position in the text",
            y_axis_label="hidden unit",
        )
        image = {"dw": "width", "dh": "height", "color_mapper": self.mapper}
        self.map.image("image", x=0.5, y=0.5, source=self.grid, **image)
        self.here = models.Span(dimension="height", line_width=2)
        self.row = models.Span(dimension="width", line_width=2)
        for span in (self.here, self.row):
            self.map.add_layout(span)
        self.map.on_event(events.Tap, self._tapped)
        self.next = models.ColumnDataSource({"token": [], "probability": []})
        self.bars = theme.new_figure(
            160,
            share=2,
            x_range=[],
            y_range=models.Range1d(0, 1),
            y_axis_label="probability",
        )
        bars = self.bars.vbar("token", top="probability", source=self.next, width=0.75)
        bars.tags = ["bars"]
        self.bars.xgrid.visible = False
        self.figures = [self.map, self.bars]
        self.show_pictures(False)

    def layout(self) -> Any:
        """Return what the page shows."""
        controls = [
            self.typed.row,
            self.source.row,
            in_pairs(self.cell.row, self.backend.row),
            self.what.row,
            self.unit.row,
            self.position.row,
            self.temperature.row,
            self.mode.row,
            in_a_row(self.one, self.more, self.back),
            self.message,
        ]
        return self.beside(controls, [self.text, figure_pane(self.map), figure_pane(self.bars)])

    def start(self) -> None:
        """Read the text."""
        self.changed()

    def close(self) -> None:
        """Ask for nothing more."""
        self._asked += 1

    # The network

    def _trainer(self) -> Any:
        """Return the run whose network is looked into, or None."""
        if self.source.value == "train":
            return self.own_run()
        return worker.shared(self.cell.value)

    def changed(self) -> None:
        """Read the text again, away from the page."""
        self._read(0)

    def _take_back(self) -> None:
        self.said, self._owed = "", 0
        self._read(0)

    def _speak(self, num_preds: int) -> None:
        if not self.typed.error:
            self._read(min(num_preds, MOST - len(self.typed.value) - len(self.said)))

    def _read(self, num_preds: int) -> None:
        """Let the network read the text, and go on by so many characters first."""
        self._asked, self._owed = self._asked + 1, max(self._owed, num_preds)
        asked, num_preds, trainer = self._asked, self._owed, self._trainer()
        if trainer is None or not trainer.begun.is_set():
            self._wait(trainer)
            return
        self._reading = True
        text, typed = self.typed.value + self.said, len(self.typed.value)
        temperature, backend = self.temperature.value, self.backend.value
        chosen = temperature if self.mode.value == "sampled" else 0.0

        def work() -> Any:
            net, vocab = network(trainer, backend)
            said = prediction.predict_ch8(text, num_preds, net, vocab, temperature=chosen)
            said = said.replace(UNKNOWN, "\ufffd")  # one character for one token
            return said[typed:], look_inside(net, vocab, said, temperature=temperature), vocab

        def then(found: Any, message: str) -> None:
            if asked != self._asked:
                return
            self._reading, self._owed = False, 0
            if found is None:
                self.message.object = theme.alert(message)
                return
            self.said, self.seen, self.vocab = found
            self._show(jump=bool(num_preds))
            self._wait(trainer)

        turns.in_background(work, then)

    def _wait(self, trainer: Any) -> None:
        """Look again from time to time while the network still learns."""
        learning = trainer is not None and trainer.status in ("loading", "running")
        if trainer is None:
            told = theme.alert("There is no run yet: start one in the view Train.")
        elif trainer.message:
            told = theme.alert(trainer.message)
        else:
            told = '<span class="quiet">the network still learns …</span>' if learning else ""
        self.message.object = told
        if learning and self._ticking is None:
            self._ticking = turns.every(PERIOD, self._again)
        elif not learning and self._ticking is not None:
            self._ticking()
            self._ticking = None

    def _again(self) -> None:
        trainer = self._trainer()
        if trainer is None or trainer.message or not trainer.begun.is_set():
            self._wait(trainer)
        elif not self._reading:
            self._read(0)

    # What is shown

    def _series(self) -> tuple[Any, tuple[float, float]]:
        """Return what the text is coloured by, (T, h), and its limits."""
        assert self.seen is not None
        series, name = self.seen.series(), self.what.value
        self.what.message.object = ""
        if name not in series:
            has = ", ".join(series)
            self.what.message.object = theme.alert(f"This cell has {has} only; H is shown.")
            name = "H"
        return series[name], (0.0, 1.0) if name in "ZRIFO" else (-1.0, 1.0)

    def _show(self, *, jump: bool = False) -> None:
        """Draw the text, the map of all units and the next character."""
        if self.seen is None:
            return
        self.show_pictures(True)
        values, limits = self._series()
        num_steps, num_hiddens = values.shape
        self.unit.reach(num_hiddens)
        self.position.reach(num_steps)
        if jump:
            self.position.widget.value = num_steps
        position, unit = self.position.widget.value, self.unit.widget.value
        self._draw_text(self.seen.tokens, values[:, unit - 1], limits, position)
        self.mapper.update(low=limits[0], high=limits[1], palette=theme.palette(self.look.dark))
        self.grid.data = {"image": [values.T], "width": [num_steps], "height": [num_hiddens]}
        self.map.x_range.update(start=0.5, end=num_steps + 0.5)
        self.map.y_range.update(start=0.5, end=num_hiddens + 0.5)
        self.here.location, self.row.location = position, unit
        self._draw_bars(self.seen, position)

    def _draw_text(
        self, tokens: list[str], values: Any, limits: tuple[float, float], position: int
    ) -> None:
        low, high = limits
        letters = []
        for index, (token, value) in enumerate(zip(tokens, values), 1):
            colour, ink = theme.shade((value - low) / (high - low), self.look.dark)
            style = f"background-color:{colour};color:{ink};padding:.12em .06em;"
            style += "display:inline-block;min-width:.62em;text-align:center;line-height:1.25;"
            if index == position:
                style += "box-shadow:inset 0 0 0 3px var(--ink);"
            if index > len(self.typed.value):
                style += "border-bottom:4px solid var(--ink);"
            shown = html.escape(SHOWN.get(token, token))
            letters.append(f'<span style="{style}" title="{value:.3f}">{shown}</span>')
        self.text.object = (
            f'<div class="mono coloured" style="font-size:1.5em">{"".join(letters)}</div>'
            f'<div class="quiet">blue is {low:g}, red is {high:g}; underlined: by the network</div>'
        )

    def _draw_bars(self, seen: Inside, position: int) -> None:
        probabilities = seen.probabilities[position - 1]
        likeliest = np.argsort(-probabilities, kind="stable")[:NUM_BARS]
        tokens = [SHOWN.get(t, t) for t in self.vocab.to_tokens(likeliest)]
        before = "".join(seen.tokens[max(0, position - 20) : position])
        self.bars.title.text = f"next after “{before}”"
        self.bars.x_range.factors = tokens
        self.next.data = {"token": tokens, "probability": probabilities[likeliest]}
        self.bars.y_range.end = max(0.1, 1.05 * float(probabilities.max()))

    def _tapped(self, event: Any) -> None:
        """Go to the position and the unit that were tapped in the map."""
        if self.seen is not None:
            for field, place in ((self.position, event.x), (self.unit, event.y)):
                field.widget.value = min(max(1, round(place)), field.widget.end)

    def dress(self) -> None:
        """Draw all in the page's look."""
        super().dress()
        for span in (self.here, self.row):
            span.line_color = self.look.ink
        self._show()


def network(trainer: worker.Trainer, backend: str) -> tuple[Any, Any]:
    """Return the network of a run as it is now, in a backend of one's own choice, and its Vocab."""
    arrays, vocab = trainer.copy()
    sizes = len(vocab), trainer.settings.hiddens
    architecture = cells.Architecture(trainer.settings.cell)
    net = build.new_net(backends.load(backend), architecture, *sizes)
    net.load_arrays(arrays)
    return net, vocab
