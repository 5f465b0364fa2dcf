"""Events of the browser window: changes of the text size, and keys that change the scene."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn
from bokeh import models

from d2lrnn.demo import turns

# Bokeh needs text sizes in pixels, so the browser reports the text size of the page in pixels.
SIZE = """
const tell = () => { size.value = parseFloat(getComputedStyle(document.documentElement).fontSize) }
window.addEventListener("resize", tell)
tell()
"""
# PageDown and PageUp, the keys of a presenter's remote control, always change the scene; arrow keys
# and the space bar do so only outside of fields.
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
    """Two invisible numbers that the browser changes to report events."""

    def __init__(
        self, sized: Callable[[float], Any], turned: Callable[[int], Any] | None = None
    ) -> None:
        """Create the numbers.

        Args:
            sized: a function called with the text size in pixels whenever it changes.
            turned: a function called with the number of scenes to move, negative for back; None
                without scenes.
        """
        self.size = models.Spinner(value=15, visible=False)
        self.turned = models.Spinner(value=0, visible=False)
        self.size.on_change("value", on_page_callback(lambda _, new: sized(float(new))))
        self.code = SIZE
        if turned is not None:
            self.turned.on_change(
                "value", on_page_callback(lambda old, new: turned(int(new - old)))
            )
            self.code += KEYS
        self.parts = [pn.pane.Bokeh(part, visible=False) for part in (self.size, self.turned)]

    def listen(self, document: Any) -> None:
        """Start to report events as soon as the browser shows the page."""
        arguments = {"size": self.size, "turned": self.turned}
        script = models.CustomJS(args=arguments, code=self.code)
        document.js_on_event("document_ready", script)


def on_page_callback(work: Callable[[float, float], Any]) -> Callable[[str, float, float], Any]:
    """Return a callback for a changed number that calls work(old, new) on the page."""

    def changed(_attribute: str, old: float, new: float) -> None:
        turns.on_page(lambda: work(old, new))

    return changed
