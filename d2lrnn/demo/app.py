"""The page of the demo and its server."""

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
LARGEST_MESSAGE = 2**20  # bytes from a browser; a pasted text is much smaller


def one_seen() -> str:
    """Return the style of the container of all views: only the view with its class is visible."""
    rules = [f":host(.{name}) .view:not(.{name}) {{ display: none !important; }}" for name in VIEWS]
    return "\n".join(rules)


class Page:
    """The page of one session: the views, of which one is shown, and the theme of all."""

    def __init__(
        self,
        query: Mapping[str, str],
        link: Callable[[str], Any],
        talk: lecture.Lecture | None = None,
    ) -> None:
        """Show the page for a link.

        Args:
            query: the names and values in the query string of the link.
            link: a function called with the query string for the current content.
            talk: a lecture to step through, or None.
        """
        name = query.get("theme", "light")
        self.look = theme.Theme(
            name if name in theme.NAMES else "light", query.get("projector") == "1"
        )
        self.link = link
        self.views: dict[str, View] = {}
        view_name = query.get("view", "train")
        self.shown = view_name if view_name in VIEWS else "train"
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
                self._place()  # so that all views exist before the scenes need them
            view_name = query.get("scene", "1")
            self._show_scene(int(view_name) - 1 if view_name.isdecimal() else 0)
        else:
            self._show_view()

    @property
    def view(self) -> View:
        """The current view, which is created when it is first used."""
        if self.shown not in self.views:
            self.views[self.shown] = view = VIEWS[self.shown](self.look)
            if isinstance(view, Look):
                view.own_run = self._own_run
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
            return  # already selected by a scene
        self.shown = self.choice.value
        self._show_view()
        self._link()

    def _turn(self, **changes: Any) -> None:
        for attribute, value in changes.items():
            setattr(self.look, attribute, value)
        self._dress()
        self._link()

    def _make_stage(self) -> None:
        """Create the text of a lecture, and the buttons for the previous and the next scene."""
        self.words = pane()
        back = button("\N{BLACK LEFT-POINTING TRIANGLE} Back", lambda: self._turn_page(-1))
        on = button("Next \N{BLACK RIGHT-POINTING TRIANGLE}", lambda: self._turn_page(1))
        self.stage = [pn.Column(self.words, in_a_row(back, on), **STAGE)] if self.talk else []

    def _turn_page(self, by: int) -> None:
        """Move by a number of scenes, but not beyond the first and the last scene."""
        assert self.talk is not None
        scene = min(max(0, self.scene + by), len(self.talk.scenes) - 1)
        if scene != self.scene:
            self._show_scene(scene)
            self._link()

    def _show_scene(self, index: int) -> None:
        """Show the view of a scene with its settings, and press its buttons."""
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
        self.words.object = self.talk.scene_html(self.scene)
        self._show_view(scene.press)

    def _sized(self, rem: float) -> None:
        """Redraw the figures for a new text size."""
        self.look.rem = rem
        self._dress()

    def _place(self) -> None:
        """Add the current view to the page if it has not been added yet.

        Views are hidden, not removed, because a message from the browser may still refer to their
        parts. A new view is changed only after it has been sent to the browser.
        """
        self.view.linked, self.view.quiet = self._link, self.talk is not None
        self._dress()
        if self.view not in self.placed:
            self.place.append(filling(self.view.layout(), css_classes=["view", self.shown]))
            self.placed.append(self.view)

    def _show_view(self, press: Sequence[str] = ()) -> None:
        """Show the view, start it, and then press some of its buttons, in this order.

        All of this is one callback, because Bokeh stores callbacks in a set until the session
        exists, and would run several callbacks in any order. If another scene is shown by then, no
        button is pressed.
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
        """Stop all computations of the session."""
        for view in self.views.values():
            view.close()


# The scripts are last, so that the title is visible while they load.
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
    """Return a new page for the current session of a browser, or for a notebook cell.

    Args:
        talk: a lecture to step through, as returned by read_lecture, or None.
    """
    location, session = pn.state.location, pn.state.session_args

    def link(query: str) -> None:
        if location is not None:
            location.search = query

    query = {name: values[-1].decode("utf-8", "replace") for name, values in session.items()}
    session_page = Page(query, link, talk)
    if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
        pn.state.on_session_destroyed(lambda _: session_page.close())
        session_page.window.listen(pn.state.curdoc)
        look = session_page.look
        words = {"PAPER": look.paper, "INK": look.ink, "SIZE": theme.REM}
        pn.state.curdoc.template = functools.reduce(
            lambda text, pair: text.replace(*pair), words.items(), TEMPLATE
        )
    return session_page.root


def read_lecture(path: str | Path = lecture.BUNDLED) -> lecture.Lecture:
    """Return the lecture in a file, by default the one included in the package.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is not a valid lecture; the message contains the line number.
    """
    return lecture.read(path, VIEWS)


def check_free(port: int, address: str) -> None:
    """Check that a port is free.

    Raises:
        OSError: a server cannot use this port and address; the message contains the reason.
        ValueError: port is not a valid port number.
    """
    checks.port(port)
    try:
        socket.create_server((address, port)).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise OSError(f"port {port} is in use; choose another with --port") from None
        raise OSError(f"cannot listen on {address}:{port} ({error.strerror})") from None


def serve(
    port: int = 5006,
    address: str = "127.0.0.1",
    *,
    show: bool = True,
    more_hosts: Sequence[str] = (),
    start: bool = True,
    talk: lecture.Lecture | None = None,
) -> Any:
    """Serve the page.

    Args:
        port: the port to listen on.
        address: 127.0.0.1 to accept only browsers on this machine, 0.0.0.0 to accept all.
        show: whether to open a browser.
        more_hosts: more host names of this server, each with or without a port.
        start: whether to start the server, in which case this function does not return.
        talk: a lecture to step through, or None.

    Returns:
        The server.

    Raises:
        OSError: the port is in use, or the address is not an address of this machine.
        ValueError: port is not a valid port number.
    """
    check_free(port, address)
    bokeh_settings.resources = "server"  # all resources of the page are served from here
    pn.extension()
    names = door.Names(address, port, more_hosts)
    server = pn.serve(
        {"/": lambda: page(talk)},
        port=port,
        address=address,
        websocket_origin=list(names.names),
        websocket_max_message_size=LARGEST_MESSAGE,
        title="d2lrnn",
        show=show,
        start=False,
        verbose=False,
    )
    door.guard(server, names)
    server.io_loop.asyncio_loop.set_exception_handler(door.complain)
    if start:
        server.start()
        server.io_loop.start()
    return server
