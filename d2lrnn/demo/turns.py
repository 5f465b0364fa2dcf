"""Whose turn it is: what may change the page, and what computes away from it.

Panel calls back without Bokeh's lock on the session's document, which whoever changes a figure must
hold. Bokeh's own callbacks hold it; these functions ask for those.

Whatever computes waits in one line: two at a time, and the others in the order in which they came.
Who has computed for a moment, and has more to do, goes to its end, so that each gets a share.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import panel as pn

PLACES = 2  # so many compute at a time: the page's own thread always gets a word in
SHARE = 0.1  # seconds of computing, after which it is another's turn
SENT = 150  # milliseconds within which Panel has sent what is new on a page
LOOK = 0.25  # seconds after which who waits looks whether it is still wanted


class Line:
    """Who may compute: some at a time, the others in the order in which they came."""

    def __init__(self, places: int) -> None:
        """Begin with nobody in it."""
        self._free, self._waiting = places, dict[object, None]()  # in order of arrival
        self._changed = threading.Condition()

    def join(self) -> object:
        """Take a place at the end of the line; returns the ticket for ``turn``."""
        ticket = object()
        with self._changed:
            self._waiting[ticket] = None
        return ticket

    def leave(self, ticket: object) -> None:
        """Give up a place in the line; nothing happens where the turn has come already."""
        with self._changed:
            self._waiting.pop(ticket, None)
            self._changed.notify_all()

    def before(self, ticket: object) -> int:
        """Return how many in the line come first; 0 as well for who is not in it."""
        with self._changed:
            tickets = list(self._waiting)
        return tickets.index(ticket) if ticket in tickets else 0

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    @contextlib.contextmanager
    def turn(self, ticket: object, wanted: Callable[[], bool] = lambda: True) -> Iterator[bool]:
        """Wait for the turn, and hold it; gives False where it is no longer wanted before it comes.

        Args:
            ticket: what ``join`` returned; it is good for one turn.
            wanted: looked at while waiting.
        """
        if not self._come_first(ticket, wanted):
            yield False
            return
        try:
            yield True
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def _come_first(self, ticket: object, wanted: Callable[[], bool]) -> bool:
        with self._changed:
            while wanted() and ticket in self._waiting:
                if self._free and next(iter(self._waiting)) is ticket:
                    self._free -= 1
                    del self._waiting[ticket]
                    self._changed.notify_all()
                    return True
                self._changed.wait(LOOK)
            self._waiting.pop(ticket, None)
            self._changed.notify_all()
            return False


LINE = Line(PLACES)
JOBS = ThreadPoolExecutor(PLACES, "d2lrnn-demo")


def _document() -> Any:
    """Return the document of a session on a server, or None, as in a notebook cell or a test."""
    document = pn.state.curdoc
    return document if document is not None and document.session_context is not None else None


def looked_at() -> Callable[[], bool]:
    """Return what tells whether a browser is still there to look at the session of now.

    One that is yet to come, while the page is made, counts as there.
    """
    document = _document()
    if document is None:
        return lambda: True
    context, came = document.session_context, False

    def looked_at() -> bool:
        nonlocal came
        session = context.session
        if session is None or session.destroyed:
            return session is None
        came = came or session.connection_count > 0
        return session.connection_count > 0 or not came

    looked_at()
    return looked_at


def on_page(work: Callable[[], Any]) -> None:
    """Do work as soon as the page may be changed."""
    document = _document()
    if document is None:
        work()
    else:
        document.add_next_tick_callback(work)


def once_sent(work: Callable[[], Any]) -> None:
    """Do work on the page a moment later: Panel sends new parts by a way of its own.

    A change of such a part that overtook it on the way would name what the browser does not have.
    """
    document = _document()
    if document is None:
        work()
    else:
        document.add_timeout_callback(work, SENT)


def every(period: int, work: Callable[[], Any]) -> Callable[[], Any]:
    """Do work on the page every so many milliseconds; returns what stops it."""
    document = _document()
    if document is None:
        callback = pn.state.add_periodic_callback(work, period)
        return lambda: callback.stop()
    callback = document.add_periodic_callback(work, period)
    return lambda: document.remove_periodic_callback(callback)


class Job:
    """Some work in the pool, which waits for its turn."""

    def __init__(self, work: Callable[[], Any], then: Callable[[Any, str], Any]) -> None:
        """Take a place in the line."""
        self._work, self._then, self._document = work, then, _document()
        self._ticket, self._wanted = LINE.join(), looked_at()

    @property
    def before(self) -> int:
        """How many come first."""
        return LINE.before(self._ticket)

    def do(self) -> None:
        """Wait, work, and tell what was found or what went wrong."""
        result, message = None, ""
        with LINE.turn(self._ticket, self._wanted) as mine:
            if not mine:
                return
            try:
                result = self._work()
            except Exception as error:  # shown on the page; the server goes on
                message = str(error) or type(error).__name__
        if self._document is None:
            self._then(result, message)
        elif self._wanted():
            self._document.add_next_tick_callback(lambda: self._then(result, message))


def in_background(work: Callable[[], Any], then: Callable[[Any, str], Any]) -> Job:
    """Do work in the pool, then call then(result, message) where the page may be changed.

    message is what went wrong, or nothing.
    """
    job = Job(work, then)
    JOBS.submit(job.do)
    return job


def told(job: Job) -> str:
    """Return, as HTML, that a job is at work, or how many come before it."""
    before = job.before
    return f'<span class="quiet">{f"{before} before you" if before else "computing"} …</span>'
