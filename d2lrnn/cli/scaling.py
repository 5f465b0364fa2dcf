"""``d2lrnn bench processes``: one process against several."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from d2lrnn.cli import bench_options as options
from d2lrnn.cli import launch, measurements
from d2lrnn.cli import threads as thread_options
from d2lrnn.cli.common import check_apart, check_outputs, counted, plain_errors, save_picture
from d2lrnn.cli.output import go_on_without_output
from d2lrnn.cli.workers import INTERRUPTED
from d2lrnn.measure import apart, scaling
from d2lrnn.training import threads

CELLS = ("rnn", "gru", "lstm")
SIZES = (64, 256, 512)


@click.command(short_help="Measure the speed of training in several processes.")
@click.argument("numbers", nargs=-1, type=click.IntRange(1), metavar="[PROCESSES]...")
@options.backend
@options.one_cell(CELLS, default="rnn")
@thread_options.option
@options.rounds
@options.json
@options.plot
def processes(
    numbers: tuple[int, ...],
    backend: str,
    cell: str,
    rounds: int,
    file: str | None,
    plot: str | None,
) -> None:
    """Measure the speed of training with each number of PROCESSES, such as 1 2.

    Without PROCESSES, one and two are measured.
    """
    with plain_errors():
        check_apart(json=file, plot=plot)
        check_outputs(None, plot)
        measurements.check_replaceable(file)
        go_on_without_output(file, plot)
        points = measured(backend, cell, numbers or (1, 2), rounds)
    click.echo(f"{backend}, {cell}: medians of {counted(rounds, 'step')}, float32")
    click.echo("all processes together use as many threads as one")
    click.echo("strong: 32 rows in all, weak: 32 rows in each process")
    click.echo(scaling.table(points))
    alone = [point for point in points if point.processes == 1]
    if alone:
        click.echo("largest possible speedup with 32 rows in all, by the speed of the network:")
        click.echo(scaling.on_paper(alone))
    with plain_errors():
        measurements.save([asdict(point) for point in points], file)
        if plot:
            from d2lrnn import plot as drawing

            save_picture(drawing.scaling(points, scaling.seconds_on), plot)


def measured(backend: str, cell: str, counts: Sequence[int], rounds: int) -> list[scaling.Point]:
    """Return what each number of processes came to, all having the same threads together."""
    points = []
    for count in counts:
        kinds = ["strong", "weak"] if count > 1 else ["strong"]
        settings = {"backend": backend, "cell": cell, "rounds": rounds}
        points += _run(backend, count, {**settings, "kinds": kinds, "sizes": SIZES})
    return points


def _run(backend: str, count: int, settings: dict[str, Any]) -> list[scaling.Point]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "points.json"
        command = [sys.executable, "-m", "d2lrnn.measure.scaling", str(file), json.dumps(settings)]
        if count > 1:
            status = launch.start(backend, count, None, command)
        else:
            number = threads.chosen() or threads.cores()
            alone = {**os.environ, threads.CHOSEN: f"{number}"}
            status = apart.run(command, env=alone, check=False).returncode
        if status in INTERRUPTED:
            raise KeyboardInterrupt
        if status:
            raise OSError(f"{count} processes of {backend} ended with status {status}")
        return [scaling.Point(**point) for point in json.loads(file.read_text(encoding="utf-8"))]
