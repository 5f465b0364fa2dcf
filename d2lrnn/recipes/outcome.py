"""The result of a task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from d2lrnn.training.history import Scores


class Outcome(NamedTuple):
    """The result of a task: the network, the scores, lines of text, and a function that plots."""

    net: Any
    scores: Scores
    lines: list[str]
    draw: Callable[[], Any]  # returns matplotlib Axes
