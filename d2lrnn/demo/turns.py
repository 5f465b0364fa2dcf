"""Schedule changes of the page, and computations in the background.

Code that changes a figure must hold Bokeh's lock on the document of the session. Callbacks of Panel
do not hold it, but callbacks of Bokeh do; the functions of this module use the latter.

All computations wait in one queue. Two run at a time, the others in the order of their arrival. A
long computation is divided into short intervals and returns to the end of the queue after each, so
that all viewers get equal shares.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import panel as pn

PLACES = 2  # computations at a time; few, so that the thread of the page is not delayed
SHARE = 0.1  # seconds of computing before the next in the queue continues
SENT = 150  # milliseconds within which Panel sends new parts of a page
LOOK = 0.25  # seconds between checks whether a waiting computation is still wanted


class Line:
    """A queue that lets several computations run at a time, in the order of their arrival."""

    def __init__(self, places: int) -> None:
        """Create an empty queue with ``places`` places."""
        self._free, self._waiting = places, dict[object, None]()  # in order of arrival
        self._changed = threading.Condition()

    def join(self) -> object:
        """Join the end of the queue, and return a ticket for ``turn``."""
        ticket = object()
        with self._changed:
            self._waiting[ticket] = None
        return ticket

    def leave(self, ticket: object) -> None:
        """Leave the queue; a ticket whose turn has started is ignored."""
        with self._changed:
            self._waiting.pop(ticket, None)
            self._changed.notify_all()

    def before(self, ticket: object) -> int:
        """Return the number of tickets before this one; 0 for a ticket not in the queue."""
        with self._changed:
            tickets = list(self._waiting)
        return tickets.index(ticket) if ticket in tickets else 0

    def __len__(self) -> int:
        """Return the number of waiting tickets."""
        return len(self._waiting)

    @contextlib.contextmanager
    def turn(self, ticket: object, wanted: Callable[[], bool] = lambda: True) -> Iterator[bool]:
        """Wait for a turn, and hold it during the block.

        Yields True, or False if the computation is no longer wanted before its turn.

        Args:
            ticket: the result of ``join``; it is valid for one turn.
            wanted: a function that returns whether the computation is still wanted.
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
    """Return a function that tells whether a browser is connected to the current session.

    A browser that has not connected yet, while the page is created, counts as connected.
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
    """Call work as soon as the page may be changed."""
    document = _document()
    if document is None:
        work()
    else:
        document.add_next_tick_callback(work)


def once_sent(work: Callable[[], Any]) -> None:
    """Call work shortly later, when Panel has sent new parts of the page to the browser.

    A change that arrived before a new part would refer to a part that the browser does not have.
    """
    document = _document()
    if document is None:
        work()
    else:
        document.add_timeout_callback(work, SENT)


def every(period: int, work: Callable[[], Any]) -> Callable[[], Any]:
    """Call work every ``period`` milliseconds; return a function that stops this."""
    document = _document()
    if document is None:
        callback = pn.state.add_periodic_callback(work, period)
        return lambda: callback.stop()
    callback = document.add_periodic_callback(work, period)
    return lambda: document.remove_periodic_callback(callback)


class Job:
    """A computation in the thread pool, which waits for its turn."""

    def __init__(self, work: Callable[[], Any], then: Callable[[Any, str], Any]) -> None:
        """Join the queue."""
        self._work, self._then, self._document = work, then, _document()
        self._ticket, self._wanted = LINE.join(), looked_at()

    @property
    def before(self) -> int:
        """The number of computations before this one."""
        return LINE.before(self._ticket)

    def do(self) -> None:
        """Wait for the turn, compute, and report the result or the error."""
        result, message = None, ""
        with LINE.turn(self._ticket, self._wanted) as mine:
            if not mine:
                return
            try:
                result = self._work()
            except Exception as error:  # shown on the page; the server continues
                message = str(error) or type(error).__name__
        if self._document is None:
            self._then(result, message)
        elif self._wanted():
            self._document.add_next_tick_callback(lambda: self._then(result, message))


def in_background(work: Callable[[], Any], then: Callable[[Any, str], Any]) -> Job:
    """Call work in the thread pool, then then(result, message) when the page may be changed.

    message is the text of an exception, or empty.
    """
    job = Job(work, then)
    JOBS.submit(job.do)
    return job


def state_text(job: Job) -> str:
    """Return, as HTML, the state of a job: computing, or its position in the queue."""
    before = job.before
    state = f"queue position {before + 1}" if before else "computing"
    return f'<span class="quiet">{state} …</span>'
