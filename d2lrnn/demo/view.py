"""What the five views have in common."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Any

import panel as pn

from d2lrnn import backends
from d2lrnn.demo import theme
from d2lrnn.demo.fields import Choice, Field, first_error, pane
from d2lrnn.demo.theme import Theme


class View:
    """Fields on one side, pictures on the other.

    A view fills ``fields`` and ``figures`` and gives ``layout``. ``linked`` is what the page gives:
    called whenever the link to the view changes.
    """

    title = ""
    see = ""  # a sentence: what there is to see
    experiment = ""  # another: what to try
    words = ""  # what stands in the place of pictures before there are any

    def __init__(self, look: Theme) -> None:
        """Make the widgets; nothing is computed before start."""
        self.look = look
        self.fields: list[Field] = []
        self.figures: list[Any] = []
        self.linked: Callable[[], Any] = lambda: None
        self.deeds: dict[str, Callable[[], Any]] = {}  # what a lecture may press, by name
        self.quiet = False  # a lecture has words of its own
        self.card = pane()

    def layout(self) -> Any:
        """Return what the page shows."""
        raise NotImplementedError

    def start(self) -> None:
        """Compute what is to be seen first."""

    def close(self) -> None:
        """End what still runs, as the session ends."""

    def ready(self, *fields: Field) -> None:
        """Take the fields, and keep the link and the view up to date with them."""
        self.fields = list(fields)
        for field in fields:
            field.changed = self._field_changed

    def _field_changed(self) -> None:
        self.linked()
        if not first_error(self.fields):
            self.changed()

    def changed(self) -> None:
        """Show what follows from the fields, which are all good."""

    def query(self) -> dict[str, str]:
        """Return the view's state, as a link has it: what differs from the defaults."""
        return {field.name: field.text for field in self.fields if field.text != field.default}

    def take(self, query: Mapping[str, str]) -> None:
        """Fill the fields from a link."""
        for field in self.fields:
            if field.name in query:
                field.take(query[field.name])

    def dress(self) -> None:
        """Give the pictures the page's look."""
        for figure in self.figures:
            self.look.dress(figure)

    def show_pictures(self, shown: bool) -> None:
        """Let the pictures be seen, or, before there is anything in them, the card."""
        for figure in self.figures:
            figure.visible = shown
        self.card.object = "" if shown else f'<div class="card">{self.words}</div>'

    def beside(self, controls: list[Any], pictures: list[Any]) -> Any:
        """Return controls and pictures side by side, or on top of one another on a phone."""
        told = f'<p class="told">{self.see} <b>Try:</b> {self.experiment}</p>'
        told = "" if self.quiet else told
        return pn.Column(
            pn.Column(*controls, sizing_mode="stretch_width", margin=0),
            filling(pane(told), *pictures, self.card),
            stylesheets=[theme.SIDE_BY_SIDE],
            sizing_mode="stretch_both",
            margin=0,
        )


def filling(*parts: Any, **settings: Any) -> Any:
    """Return parts one below the other, of which pictures share the height that is left."""
    settings = {"stylesheets": [theme.FILLS], **settings}
    return pn.Column(*parts, sizing_mode="stretch_both", margin=0, **settings)


def in_a_row(*parts: Any) -> Any:
    """Return parts in a row that wraps."""
    return pn.Column(*parts, stylesheets=[theme.IN_A_ROW], sizing_mode="stretch_width", margin=0)


def in_pairs(*parts: Any) -> Any:
    """Return parts two by two."""
    return pn.Column(*parts, stylesheets=[theme.IN_PAIRS], sizing_mode="stretch_width", margin=0)


def figure_pane(figure: Any) -> Any:
    """Return a Bokeh figure as a part of the page."""
    return pn.pane.Bokeh(figure, sizing_mode="stretch_both", margin=(3, 0))


def backend_field() -> Choice:
    """Return the choice among the backends that are installed."""
    names = {backends.BACKENDS[name].title: name for name in backends.available()}
    return Choice("backend", "Backend", names, "numpy")


def cell_field(default: str = "rnn") -> Choice:
    """Return the choice of a cell."""
    names = {"RNN": "rnn", "GRU": "gru", "LSTM": "lstm"}
    return Choice("cell", "Cell", names, default)


def readout(pairs: Mapping[str, str]) -> str:
    """Return numbers, each below its name, as HTML."""
    cells = "".join(
        f'<div><div class="quiet">{html.escape(name)}</div>'
        f'<div class="number">{html.escape(value)}</div></div>'
        for name, value in pairs.items()
    )
    return f'<div style="display:flex; flex-wrap:wrap; gap:2px 1.6em">{cells}</div>'
