"""Whose turn it is: what may change the page, and what computes away from it.

Panel calls back without Bokeh's lock on the session's document, which whoever changes a figure must
hold. Bokeh's own callbacks hold it; these functions ask for those.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import panel as pn

# However many viewers train at once, two of them compute at a time and the others take turns, so
# that the page's own thread always gets a word in.
TURNS = threading.Semaphore(2)
JOBS = ThreadPoolExecutor(2, "d2lrnn-demo")


def _document() -> Any:
    """Return the document of a session on a server, or None, as in a notebook cell or a test."""
    document = pn.state.curdoc
    return document if document is not None and document.session_context is not None else None


def on_page(work: Callable[[], Any]) -> None:
    """Do work as soon as the page may be changed."""
    document = _document()
    if document is None:
        work()
    else:
        document.add_next_tick_callback(work)


def every(period: int, work: Callable[[], Any]) -> Callable[[], Any]:
    """Do work on the page every so many milliseconds; returns what stops it."""
    document = _document()
    if document is None:
        callback = pn.state.add_periodic_callback(work, period)
        return lambda: callback.stop()
    callback = document.add_periodic_callback(work, period)
    return lambda: document.remove_periodic_callback(callback)


def in_background(work: Callable[[], Any], then: Callable[[Any, str], Any]) -> None:
    """Do work in the pool, then call then(result, message) where the page may be changed.

    message is what went wrong, or nothing.
    """
    document = _document()

    def job() -> None:
        result, message = None, ""
        try:
            with TURNS:
                result = work()
        except Exception as error:  # shown on the page; the server goes on
            message = str(error) or type(error).__name__
        if document is None:
            then(result, message)
        else:
            document.add_next_tick_callback(lambda: then(result, message))

    JOBS.submit(job)
