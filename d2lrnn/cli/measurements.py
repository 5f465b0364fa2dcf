"""Measurements as files: what ``d2lrnn bench --json`` writes, and writes over nothing else."""

from __future__ import annotations

import json
import os
from typing import Any

import click

from d2lrnn.data import reading
from d2lrnn.files import atomic
from d2lrnn.measure import speed

MAX_BYTES = 100_000_000


def save(rows: list[dict[str, Any]], file: str | None) -> None:
    """Write measurements into a file, if one is named."""
    if file:
        atomic.replace(file, (json.dumps(rows, indent=1) + "\n").encode())
        click.echo(f"saved the measurements to {file}")


def check_replaceable(file: str | None) -> None:
    """Check that measurements can be written into a file, and over nothing but measurements."""
    if file is None:
        return
    atomic.check_writable(file)
    if not os.path.isfile(file) or os.path.getsize(file) == 0:
        return
    try:
        measured = [_measured(entry) for entry in json.loads(reading.content(file, MAX_BYTES))]
    except (KeyError, TypeError, ValueError, RecursionError):
        measured = []
    if not measured:
        raise FileExistsError(
            f"{file} already exists and does not hold measurements; choose another name, or "
            "remove it"
        )


def _measured(entry: dict[str, Any]) -> Any:
    from d2lrnn.measure.growth import Curve
    from d2lrnn.measure.lengths import Line
    from d2lrnn.measure.scaling import Point

    if "form" in entry:
        return Line(**entry)
    if "axis" in entry:
        return Curve(**entry)
    return Point(**entry) if "processes" in entry else row(entry)


def row(entry: dict[str, Any]) -> speed.Timing:
    """Return what was measured of a training step, of what a file holds of it."""
    entry = {"card": "", **entry}  # which those before had not
    return speed.Timing(**{name: entry[name] for name in speed.Timing.__dataclass_fields__})
