"""Form fields: each checks its input, shows an error message, and has a value in the link."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import panel as pn

from d2lrnn.demo import theme, turns

Check = Callable[[str], Any]


def number(low: float, high: float, kind: type = float, *, above: bool = False) -> Check:
    """Return a check for a number from low to high; with above=True, low itself is excluded."""
    noun = "a whole number" if kind is int else "a number"
    span = f"above {low:g}, up to {high:g}" if above else f"from {low:g} to {high:g}"

    def check(text: str) -> Any:
        try:
            value = kind(text.strip())
        except ValueError:
            value = None
        if value is None or not low <= value <= high or (above and value == low):
            shown = f"“{text.strip()[:20]}”" if text.strip() else "empty"
            raise ValueError(f"Expected {noun} {span}; this is {shown}.")
        return value

    return check


class Field:
    """A widget with a message below it; ``value`` is the last valid value, ``error`` the error."""

    def __init__(self, name: str, widget: Any, check: Check, default: str) -> None:
        """Show the default."""
        self.name, self.widget, self.check, self.default = name, widget, check, default
        self.message = pn.pane.HTML("", stylesheets=[theme.PARTS], margin=(0, 5))
        self.error, self._silent = "", False
        self.value = check(default)
        self.changed: Callable[[], Any] = lambda: None
        self.take(default)
        widget.param.watch(self._settle, "value")
        self.row = pn.Column(widget, self.message, sizing_mode="stretch_width", margin=0)

    def _settle(self, event: Any) -> None:
        self.look(str(event.new))
        if not self._silent:
            turns.on_page(self.changed)

    def put(self, text: str) -> None:
        """Set the field from the text in a link, without calling ``changed``."""
        self._silent = True
        try:
            self.take(text)
        finally:
            self._silent = False

    def look(self, text: str) -> None:
        """Check a text; store its value if it is valid, otherwise show the error."""
        try:
            self.value, self.error = self.check(text), ""
        except ValueError as error:
            self.error = str(error)
        self.message.object = theme.alert(self.error)

    @property
    def text(self) -> str:
        """The content of the field as text for a link."""
        return str(self.widget.value)

    def take(self, text: str) -> None:
        """Set the field from the text in a link."""
        self.widget.value = text


class Choice(Field):
    """A choice among several words; for any other word in a link, a message and the default."""

    def __init__(
        self, name: str, label: str, options: Mapping[str, str], default: str | None = None
    ) -> None:
        """Offer options, a mapping from labels to words."""
        self.words = list(options.values())
        widget = pn.widgets.Select(
            label=label, options=dict(options), stylesheets=[theme.PARTS], **WIDE
        )
        super().__init__(name, widget, self._word, default or self.words[0])

    def _word(self, text: str) -> str:
        if text not in self.words:
            raise ValueError(f"Expected one of {', '.join(self.words)}; this is “{text[:20]}”.")
        return text

    def take(self, text: str) -> None:
        """Select the word of a link, or show a message and leave the default."""
        if text in self.words:
            self.widget.value = text
        else:
            self.look(text)
            self.error = ""


class Typed(Field):
    """A text input that is checked at every key press."""

    def __init__(self, name: str, label: str, check: Check, default: str, **settings: Any) -> None:
        """Create one line, or several lines with rows=."""
        kind = pn.widgets.TextAreaInput if "rows" in settings else pn.widgets.TextInput
        widget = kind(label=label, stylesheets=[theme.PARTS], **WIDE, **settings)
        super().__init__(name, widget, check, default)
        widget.param.watch(lambda event: self.look(event.new), "value_input")


class Slider(Field):
    """A slider for a number."""

    def __init__(
        self, name: str, label: str, low: float, high: float, default: float, step: float = 1
    ) -> None:
        """Offer the numbers from low to high."""
        kind = pn.widgets.IntSlider if step == 1 else pn.widgets.FloatSlider
        self.kind = int if step == 1 else float
        widget = kind(
            label=label,
            start=low,
            end=max(high, low + step),
            step=step,
            value=default,
            stylesheets=[theme.PARTS],
            **{**WIDE, "margin": (3, 14)},
        )
        super().__init__(name, widget, number(low, high, self.kind), f"{default:g}")

    @property
    def text(self) -> str:
        """The number as text for a link."""
        return f"{self.widget.value:g}"

    def take(self, text: str) -> None:
        """Set the number of a link, or show a message if it is out of range."""
        self.look(text)
        if not self.error:
            self.widget.value = self.value

    def reach(self, high: int) -> None:
        """Change the maximum of the slider."""
        self.check = number(self.widget.start, high, self.kind)
        if self.widget.value > high:
            self.widget.value = high
        self.widget.end = max(high, self.widget.start + 1)


WIDE = {"sizing_mode": "stretch_width", "margin": (3, 5)}


def button(label: str, work: Callable[[], Any] | None = None, **settings: Any) -> Any:
    """Return a button in the style of the page that calls work."""
    widget = pn.widgets.Button(label=label, stylesheets=[theme.PARTS], margin=3, **settings)
    if work is not None:
        widget.on_click(lambda _: turns.on_page(work))
    return widget


def pane(content: str = "", **settings: Any) -> Any:
    """Return a pane for HTML in the style of the page."""
    settings = {"sizing_mode": "stretch_width", "margin": (3, 5), **settings}
    return pn.pane.HTML(content, stylesheets=[theme.PARTS], **settings)


def first_error(fields: Sequence[Field]) -> str:
    """Return the first error of some fields, or an empty string."""
    return next((field.error for field in fields if field.error), "")
