"""The base class of the five views."""

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
    """A view with fields on one side and figures on the other.

    A subclass sets ``fields`` and ``figures`` and implements ``layout``. The page sets ``linked``,
    a function called whenever the link to the view changes.
    """

    title = ""
    see = ""  # what the figures show
    experiment = ""  # what to try
    words = ""  # shown in place of the figures while they are empty

    def __init__(self, look: Theme) -> None:
        """Create the widgets; nothing is computed before start."""
        self.look = look
        self.fields: list[Field] = []
        self.figures: list[Any] = []
        self.linked: Callable[[], Any] = lambda: None
        self.deeds: dict[str, Callable[[], Any]] = {}  # button label to action, for lectures
        self.quiet = False  # the texts see and experiment are not shown in a lecture
        self.card = pane()

    def layout(self) -> Any:
        """Return the content of the view."""
        raise NotImplementedError

    def start(self) -> None:
        """Compute the initial content."""

    def close(self) -> None:
        """Stop all computations at the end of the session."""

    def ready(self, *fields: Field) -> None:
        """Register the fields; changes of fields update the link and the view."""
        self.fields = list(fields)
        for field in fields:
            field.changed = self._field_changed

    def _field_changed(self) -> None:
        self.linked()
        if not first_error(self.fields):
            self.changed()

    def changed(self) -> None:
        """Update the view after a change; all fields are valid."""

    def query(self) -> dict[str, str]:
        """Return the fields that differ from their defaults, as text for a link."""
        return {field.name: field.text for field in self.fields if field.text != field.default}

    def take(self, query: Mapping[str, str]) -> None:
        """Set the fields from a link."""
        for field in self.fields:
            if field.name in query:
                field.take(query[field.name])

    def dress(self) -> None:
        """Apply the theme of the page to the figures."""
        for figure in self.figures:
            self.look.dress(figure)

    def show_pictures(self, shown: bool) -> None:
        """Show the figures, or the card while the figures are empty."""
        for figure in self.figures:
            figure.visible = shown
        self.card.object = "" if shown else f'<div class="card">{self.words}</div>'

    def beside(self, controls: list[Any], pictures: list[Any]) -> Any:
        """Return controls and figures side by side, or one above the other on a phone."""
        intro = f'<p class="intro">{self.see} <b>Try:</b> {self.experiment}</p>'
        intro = "" if self.quiet else intro
        return pn.Column(
            pn.Column(*controls, sizing_mode="stretch_width", margin=0),
            filling(pane(intro), *pictures, self.card),
            stylesheets=[theme.SIDE_BY_SIDE],
            sizing_mode="stretch_both",
            margin=0,
        )


def filling(*parts: Any, **settings: Any) -> Any:
    """Return parts one below the other; figures share the remaining height."""
    settings = {"stylesheets": [theme.FILLS], **settings}
    return pn.Column(*parts, sizing_mode="stretch_both", margin=0, **settings)


def in_a_row(*parts: Any) -> Any:
    """Return parts in a row that wraps."""
    return pn.Column(*parts, stylesheets=[theme.IN_A_ROW], sizing_mode="stretch_width", margin=0)


def in_pairs(*parts: Any) -> Any:
    """Return parts in two columns."""
    return pn.Column(*parts, stylesheets=[theme.IN_PAIRS], sizing_mode="stretch_width", margin=0)


def figure_pane(figure: Any) -> Any:
    """Return a Bokeh figure as a part of the page."""
    return pn.pane.Bokeh(figure, sizing_mode="stretch_both", margin=(3, 0))


def backend_field() -> Choice:
    """Return the field for the choice of an installed backend."""
    names = {backends.BACKENDS[name].title: name for name in backends.available()}
    return Choice("backend", "Backend", names, "numpy")


def cell_field(default: str = "rnn") -> Choice:
    """Return the field for the choice of a cell."""
    names = {"RNN": "rnn", "GRU": "gru", "LSTM": "lstm", "minGRU": "mingru", "minLSTM": "minlstm"}
    names |= {"S4D": "s4d", "Mamba": "mamba"}
    return Choice("cell", "Cell", names, default)


def readout(pairs: Mapping[str, str]) -> str:
    """Return values, each below its name, as HTML."""
    cells = "".join(
        f'<div><div class="quiet">{html.escape(name)}</div>'
        f'<div class="number">{html.escape(value)}</div></div>'
        for name, value in pairs.items()
    )
    return f'<div style="display:flex; flex-wrap:wrap; gap:2px 1.6em">{cells}</div>'
