"""``d2lrnn bench cells``: every form of a cell over sequences of several lengths."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from d2lrnn.cli import bench_options as options
from d2lrnn.cli import measurements, threads
from d2lrnn.cli.common import (
    check_apart,
    check_outputs,
    counted,
    plain_errors,
    save_picture,
)
from d2lrnn.cli.output import go_on_without_output
from d2lrnn.measure import apart, speed
from d2lrnn.nets.build import FUSED
from d2lrnn.training.progress import bar

if TYPE_CHECKING:
    from d2lrnn.measure.lengths import Line

CELLS = ("gru_reset_after", "lstm", "mingru", "minlstm", "s4d", "mamba")  # by default


class Several(click.Command):
    """A command in which several numbers may follow ``--steps``."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Write ``--steps 32 128`` as ``--steps 32 --steps 128``."""
        written: list[str] = []
        follows = False
        for arg in args:
            if follows and arg.isdecimal() and written[-1] != "--steps":
                written.append("--steps")
            written.append(arg)
            follows = arg == "--steps" or (follows and arg.isdecimal())
        return super().parse_args(context, written)


@click.command(
    "cells", cls=Several, short_help="Time loops, scans and layers over sequences of many lengths."
)
@options.backend
@options.everything
@options.cells(tuple(FUSED), ".  [default: " + " ".join(CELLS) + "]")
@click.option(
    "--steps",
    multiple=True,
    type=click.IntRange(1),
    metavar="N...",
    help="Numbers of time steps.  [default: 32 128 512 2048 16384]",
)
@click.option("--hiddens", default=64, type=click.IntRange(1), help="Number of hidden units.")
@click.option("--batch-size", default=4, type=click.IntRange(1), help="Rows of a minibatch.")
@click.option("--rounds", default=5, help="Number of rounds, of which the median is shown.")
@click.option(
    "--limit",
    default=20.0,
    metavar="SECONDS",
    help="Leave out a form where its first training step, which includes the time to compile, "
    "would take longer; it is shown as -, with the reason below the table.",
)
@click.option("--memory/--no-memory", default=True, help="Measure the memory too.")
@threads.option
@options.json
@options.plot
def cells(
    backend: str,
    everything: bool,
    kinds: tuple[str, ...],
    steps: tuple[int, ...],
    hiddens: int,
    batch_size: int,
    rounds: int,
    limit: float,
    memory: bool,
    file: str | None,
    plot: str | None,
) -> None:
    """Time the forms of each cell over sequences of several lengths.

    The forms are the loop over time, the scan or fused form, and the framework's own layer that
    computes the same cell. All forms of all cells run in turn, in an order that differs in each
    round. The slope is the power of the number of time steps in the time and in the memory: 1 means
    that twice the steps take twice as long.
    """
    settings = {"num_hiddens": hiddens, "batch_size": batch_size, "rounds": rounds}
    with plain_errors():
        check_apart(json=file, plot=plot)
        check_outputs(None, plot)
        measurements.check_replaceable(file)
        go_on_without_output(file, plot)
        lines = measured(
            options.names(backend, everything),
            kinds or CELLS,
            steps,
            {**settings, "limit": limit, "memory": memory},
        )
        show(lines, settings)
        measurements.save([asdict(line) for line in lines], file)
        if plot:
            from d2lrnn import plot as drawing

            save_picture(drawing.lengths(lines), plot)


def measured(
    names: list[str], kinds: tuple[str, ...], steps: tuple[int, ...], settings: dict[str, Any]
) -> list[Line]:
    """Measure one backend in this process, and several each in a separate process."""
    from d2lrnn.measure import lengths

    steps = steps or lengths.STEPS
    if len(names) == 1:
        with bar(total=len(set(steps)), desc=names[0], leave=False) as shown:
            return lengths.measure(names[0], kinds, steps, **settings, progress=shown.update)
    lines = []
    with bar(total=len(names), leave=False) as shown:
        for name in names:
            shown.set_description_str(name)
            arguments = {"name": name, "kinds": kinds, "steps": steps, **settings}
            rows = apart.result("d2lrnn.measure.lengths", {"measure": arguments})
            lines += [lengths.Line(**row) for row in rows]
            shown.update()
    return lines


def show(lines: list[Line], settings: dict[str, int]) -> None:
    """Print the tables, and why times are missing."""
    from d2lrnn.measure import lengths

    sizes = f"{settings['num_hiddens']} hidden units, {counted(settings['batch_size'], 'row')}"
    click.echo(
        "milliseconds of a training step by the number of time steps, medians of "
        f"{counted(settings['rounds'], 'round')},\n{counted(speed.num_threads(), 'thread')}, "
        f"float32, {sizes}; "
        f"MiB: memory beyond that of {lengths.SMALL} time steps"
    )
    click.echo(lengths.table(lines))
    click.echo(lengths.ratios(lines))
    for line in lines:
        if line.reason:
            click.echo(f"- of {line.backend} {line.name}: {line.reason}")
