"""The page and its server."""

from __future__ import annotations

import errno
import functools
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import panel as pn
from bokeh.settings import settings as bokeh_settings

from d2lrnn import checks
from d2lrnn.demo import door, lecture, picture, theme, turns
from d2lrnn.demo.agreement_view import Agreement
from d2lrnn.demo.fields import button, pane
from d2lrnn.demo.gradients_view import Gradients
from d2lrnn.demo.identity_view import Identity
from d2lrnn.demo.inside_view import Look
from d2lrnn.demo.train_view import Train
from d2lrnn.demo.view import View, filling, in_a_row
from d2lrnn.demo.window import Window

VIEWS: dict[str, type[View]] = {
    "train": Train,
    "inside": Look,
    "gradients": Gradients,
    "identity": Identity,
    "agreement": Agreement,
}
STAGE = {"stylesheets": [theme.STAGE], "sizing_mode": "stretch_width", "margin": 0}
LARGEST_MESSAGE = 2**20  # bytes from a browser; a pasted text is far below


def one_seen() -> str:
    """Return the style of what holds all views: the one is seen that it is classed by."""
    rules = [f":host(.{name}) .view:not(.{name}) {{ display: none !important; }}" for name in VIEWS]
    return "\n".join(rules)


class Page:
    """One session's page: the views, of which one is shown, and the look of all."""

    def __init__(
        self,
        query: Mapping[str, str],
        link: Callable[[str], Any],
        talk: lecture.Lecture | None = None,
    ) -> None:
        """Show what a link asks for.

        Args:
            query: the link's names and values.
            link: called with the query string of what is shown.
            talk: a lecture to step through, or None.
        """
        name = query.get("theme", "light")
        self.look = theme.Theme(
            name if name in theme.NAMES else "light", query.get("projector") == "1"
        )
        self.link = link
        self.views: dict[str, View] = {}
        asked = query.get("view", "train")
        self.shown = asked if asked in VIEWS else "train"
        self.view.take(query)
        self._make_header()
        self.talk, self.scene = talk, 0
        self.place, self.placed = filling(stylesheets=[theme.FILLS, one_seen()]), list[View]()
        self.window = Window(self._sized, self._turn_page if talk else None)
        self._make_stage()
        sheets = [theme.ROOT, theme.FILLS]
        self.root = pn.Column(
            self.header,
            *self.stage,
            self.place,
            *self.window.parts,
            stylesheets=sheets,
            sizing_mode="stretch_both",
        )
        if talk:
            for self.shown in dict.fromkeys(scene.view for scene in talk.scenes):
                self._place()  # so that no scene waits for its view
            asked = query.get("scene", "1")
            self._show_scene(int(asked) - 1 if asked.isdecimal() else 0)
        else:
            self._show_view()

    @property
    def view(self) -> View:
        """The view that is shown, made when it is first asked for."""
        if self.shown not in self.views:
            self.views[self.shown] = made = VIEWS[self.shown](self.look)
            if isinstance(made, Look):
                made.own_run = self._own_run
        return self.views[self.shown]

    def _own_run(self) -> Any:
        """Return the run of the view Train, or None."""
        train = self.views.get("train")
        return train.trainer if isinstance(train, Train) else None

    def _make_header(self) -> None:
        titles = {kind.title: name for name, kind in VIEWS.items()}
        self.choice = pn.widgets.RadioButtonGroup(
            options=titles, value=self.shown, stylesheets=[theme.PARTS], margin=3
        )
        self.choice.param.watch(lambda _: turns.on_page(self._choose), "value")
        self.dark = button("Dark", lambda: self._turn(name=theme.NAMES[not self.look.dark]))
        self.large = button("Projector", lambda: self._turn(projector=not self.look.projector))
        self.save = button("Save picture")
        self.save.js_on_click(code=picture.SCRIPT)
        title = pane("<h1>d2lrnn</h1>", sizing_mode=None)
        self.header = in_a_row(title, self.choice, self.dark, self.large, self.save)

    def _choose(self) -> None:
        if self.shown == self.choice.value:
            return  # a scene has chosen it
        self.shown = self.choice.value
        self._show_view()
        self._link()

    def _turn(self, **changes: Any) -> None:
        for attribute, value in changes.items():
            setattr(self.look, attribute, value)
        self._dress()
        self._link()

    def _make_stage(self) -> None:
        """Make what a lecture says, and the buttons that turn its pages."""
        self.words = pane()
        back = button("\N{BLACK LEFT-POINTING TRIANGLE} Back", lambda: self._turn_page(-1))
        on = button("Next \N{BLACK RIGHT-POINTING TRIANGLE}", lambda: self._turn_page(1))
        self.stage = [pn.Column(self.words, in_a_row(back, on), **STAGE)] if self.talk else []

    def _turn_page(self, by: int) -> None:
        """Show the scene so many on, or as far as there are any."""
        assert self.talk is not None
        scene = min(max(0, self.scene + by), len(self.talk.scenes) - 1)
        if scene != self.scene:
            self._show_scene(scene)
            self._link()

    def _show_scene(self, index: int) -> None:
        """Show a view as a scene has prepared it, and press what it presses."""
        assert self.talk is not None
        self.scene = min(max(0, index), len(self.talk.scenes) - 1)
        scene = self.talk.scenes[self.scene]
        self.shown = scene.view
        self.choice.value = scene.view
        for field in self.view.fields:
            field.put(scene.settings.get(field.name, field.default))
        if "theme" in scene.settings:
            self.look.name = scene.settings["theme"]
        if "projector" in scene.settings:
            self.look.projector = scene.settings["projector"] == "1"
        self.words.object = self.talk.told(self.scene)
        self._show_view(scene.press)

    def _sized(self, rem: float) -> None:
        """Draw with text of another size."""
        self.look.rem = rem
        self._dress()

    def _place(self) -> None:
        """Put a view on the page, once.

        One that was shown stays there, unseen: a message that is on its way may still name what is
        in it. And a new one changes only after it has been sent.
        """
        self.view.linked, self.view.quiet = self._link, self.talk is not None
        self._dress()
        if self.view not in self.placed:
            self.place.append(filling(self.view.layout(), css_classes=["view", self.shown]))
            self.placed.append(self.view)

    def _show_view(self, press: Sequence[str] = ()) -> None:
        """Show the view, start it, and then press some of its buttons, in this order.

        All of it is one callback: Bokeh keeps callbacks in a set until the session exists, and so
        several of them would run in any order. Nothing is pressed once another scene is shown.
        """
        self._place()
        self.place.css_classes = [self.shown]
        view = self.view

        def begin() -> None:
            view.start()
            for name in press if self.begin is begin else ():
                view.deeds[name]()

        self.begin = begin
        turns.once_sent(begin)

    def _dress(self) -> None:
        self.root.css_classes = self.look.classes
        self.dark.label = "Light" if self.look.dark else "Dark"
        self.large.label = "Desk" if self.look.projector else "Projector"
        self.view.dress()

    def _link(self) -> None:
        query = {"view": self.shown, **self.view.query()}
        if self.look.dark:
            query["theme"] = self.look.name
        if self.look.projector:
            query["projector"] = "1"
        if self.talk:
            query["scene"] = str(self.scene + 1)
        self.link("?" + urlencode(query))

    def close(self) -> None:
        """End what the session still runs."""
        for view in self.views.values():
            view.close()


# The scripts come last, so that something is painted while they load.
TEMPLATE = """
{% block js_resources %}{% endblock %}
{% block contents %}
<style>
  html { background: PAPER; color: INK; font-size: SIZE; }
  body { margin: 0; }
  #first { font: 600 1.25em system-ui, "DejaVu Sans", sans-serif; margin: 22px; }
  #first:has(~ [data-root-id] > *) { display: none; }
</style>
<div id="first">d2lrnn</div>
{{ super() }}
{{ bokeh_js }}
{% endblock %}
"""


def page(talk: lecture.Lecture | None = None) -> Any:
    """Return a page of its own for whoever asks: a browser's session, or a notebook cell.

    Args:
        talk: a lecture to step through, as read_lecture gives it, or None.
    """
    location, session = pn.state.location, pn.state.session_args

    def link(query: str) -> None:
        if location is not None:
            location.search = query

    query = {name: values[-1].decode("utf-8", "replace") for name, values in session.items()}
    made = Page(query, link, talk)
    if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
        pn.state.on_session_destroyed(lambda _: made.close())
        made.window.listen(pn.state.curdoc)
        look = made.look
        words = {"PAPER": look.paper, "INK": look.ink, "SIZE": theme.REM}
        pn.state.curdoc.template = functools.reduce(
            lambda text, pair: text.replace(*pair), words.items(), TEMPLATE
        )
    return made.root


def read_lecture(path: str | Path = lecture.OWN) -> lecture.Lecture:
    """Return the lecture of a file, or the one that comes with the package.

    Raises:
        OSError: it cannot be read.
        ValueError: a scene is not as it should be; the message says where.
    """
    return lecture.read(path, VIEWS)


def check_free(port: int, address: str) -> None:
    """Check that nothing else listens there.

    Raises:
        OSError: it cannot be listened at; the message says why.
        ValueError: there is no such port.
    """
    checks.port(port)
    try:
        socket.create_server((address, port)).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise OSError(f"port {port} is in use; choose another with --port") from None
        raise OSError(f"cannot listen at {address}:{port} ({error.strerror})") from None


def serve(
    port: int = 5006,
    address: str = "127.0.0.1",
    *,
    show: bool = True,
    more_hosts: Sequence[str] = (),
    start: bool = True,
    talk: lecture.Lecture | None = None,
) -> Any:
    """Serve the page; returns the server, or never where it is started.

    Args:
        port: where to listen.
        address: 127.0.0.1 for this machine only, 0.0.0.0 for all that reach it.
        show: whether to open a browser.
        more_hosts: names by which browsers know it, each with a port or without.
        start: whether to serve at once, for ever.
        talk: a lecture to step through, or None.

    Raises:
        OSError: the port is in use, or the address is none of this machine's.
        ValueError: there is no such port.
    """
    check_free(port, address)
    bokeh_settings.resources = "server"  # all that the page needs comes from here
    pn.extension()
    known = door.Names(address, port, more_hosts)
    server = pn.serve(
        {"/": lambda: page(talk)},
        port=port,
        address=address,
        websocket_origin=list(known.names),
        websocket_max_message_size=LARGEST_MESSAGE,
        title="d2lrnn",
        show=show,
        start=False,
        verbose=False,
    )
    door.guard(server, known)
    server.io_loop.asyncio_loop.set_exception_handler(door.complain)
    if start:
        server.start()
        server.io_loop.start()
    return server
