"""The options that say how tokens are drawn, of ``d2lrnn generate`` and ``d2lrnn train``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

NAMES = ("temperature", "top_k", "top_p", "min_p")
OPTIONS = (
    click.option(
        "--temperature",
        type=float,
        help="0 always takes the most probable token; above 0, tokens are sampled, and a larger "
        "value gives less probable tokens more often.  [default: 0, or 1 with one of the next "
        "three options]",
    ),
    click.option(
        "--top-k", type=click.IntRange(1), help="Sample from the K most probable tokens only."
    ),
    click.option(
        "--top-p",
        type=click.FloatRange(0, 1, min_open=True),
        help="Sample from the fewest most probable tokens whose probabilities add up to P.",
    ),
    click.option(
        "--min-p",
        type=click.FloatRange(0, 1),
        help="Sample from tokens whose probability is at least P times that of the most probable "
        "token.",
    ),
)


def chosen(record: Any) -> dict[str, Any]:
    """Return those options of a record of options that were given, by name."""
    values = {name: getattr(record, name) for name in NAMES}
    return {name: value for name, value in values.items() if value is not None}


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which receives them under the names of NAMES."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command
