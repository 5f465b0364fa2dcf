"""What the browser tells of its window: the size of its text, and the keys that turn pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn
from bokeh import models

from d2lrnn.demo import turns

# Bokeh measures text in pixels only, and so it is told how many the page's text has.
SIZE = """
const tell = () => { size.value = parseFloat(getComputedStyle(document.documentElement).fontSize) }
window.addEventListener("resize", tell)
tell()
"""
# A presenter's remote control presses PageDown and PageUp, wherever the focus is; arrows and the
# space bar mean something else in a field.
KEYS = """
const steps = {PageDown: 1, PageUp: -1, ArrowRight: 1, ArrowLeft: -1, " ": 1}
window.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || !(event.key in steps)) return
  let node = document.activeElement
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement
  const inField = node && node != document.body && !event.key.startsWith("Page")
  if (inField && (event.key == " " || node.matches("input, select, textarea, [role=slider]")))
    return
  event.preventDefault()
  turned.value += steps[event.key]
})
"""


class Window:
    """Two numbers that the browser changes, and nobody sees."""

    def __init__(
        self, sized: Callable[[float], Any], turned: Callable[[int], Any] | None = None
    ) -> None:
        """Make them.

        Args:
            sized: told the size of text in pixels, whenever it changes.
            turned: told how many pages on to turn, or back below 0; None for no pages.
        """
        self.size = models.Spinner(value=15, visible=False)
        self.turned = models.Spinner(value=0, visible=False)
        self.size.on_change("value", told(lambda _, new: sized(float(new))))
        self.code = SIZE
        if turned is not None:
            self.turned.on_change("value", told(lambda old, new: turned(int(new - old))))
            self.code += KEYS
        self.parts = [pn.pane.Bokeh(part, visible=False) for part in (self.size, self.turned)]

    def listen(self, document: Any) -> None:
        """Let the browser tell, as soon as it shows the page."""
        arguments = {"size": self.size, "turned": self.turned}
        script = models.CustomJS(args=arguments, code=self.code)
        document.js_on_event("document_ready", script)


def told(work: Callable[[float, float], Any]) -> Callable[[str, float, float], Any]:
    """Return a callback for a number that changes, which does work(old, new) on the page."""

    def changed(_attribute: str, old: float, new: float) -> None:
        turns.on_page(lambda: work(old, new))

    return changed
