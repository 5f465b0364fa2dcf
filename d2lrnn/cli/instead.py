"""``d2lrnn bench memory``, ``growth`` and ``generation``."""

from __future__ import annotations

import itertools
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from d2lrnn.cli import bench_options as options
from d2lrnn.cli import measurements, threads
from d2lrnn.cli.common import (
    check_apart,
    check_outputs,
    counted,
    load_backend,
    plain_errors,
    save_picture,
)
from d2lrnn.cli.output import go_on_without_output
from d2lrnn.training.progress import bar

if TYPE_CHECKING:
    from d2lrnn.measure.growth import Curve

CELLS = ("rnn", "gru", "lstm")
LENGTHS = (1000, 4000, 16000)


@click.command()
@options.backend
@options.cells(CELLS, ".  [default: rnn]")
@threads.option
def memory(backend: str, kinds: tuple[str, ...]) -> None:
    """Measure the memory that long sequences take, also in segments."""
    from d2lrnn.measure import memory

    for kind in kinds or ("rnn",):
        with (
            plain_errors(),
            bar(total=2 * len(LENGTHS), desc=backend, leave=False) as shown,
        ):
            load_backend(backend)
            peaks = memory.survey(backend, kind, LENGTHS, progress=shown.update)
        sizes = f"batch {memory.BATCH_SIZE}, {memory.NUM_HIDDENS} hidden units"
        click.echo(f"{backend} {kind}, {sizes}: memory beyond that of {memory.SHORT} steps")
        click.echo(memory.table(peaks))


@click.command(short_help="Measure how time and memory grow with the sizes.")
@options.backend
@options.everything
@options.cells(CELLS, ".  [default: rnn gru lstm]")
@click.option("--quick", is_flag=True, help="Measure only two small sizes of each kind.")
@threads.option
@options.json
@options.plot
def growth(
    backend: str,
    everything: bool,
    kinds: tuple[str, ...],
    quick: bool,
    file: str | None,
    plot: str | None,
) -> None:
    """Measure how time and memory grow with time steps, hidden units, vocabulary and text."""
    with plain_errors():
        check_apart(json=file, plot=plot)
        check_outputs(None, plot)
        measurements.check_replaceable(file)
        go_on_without_output(file, plot)
        curves = _grown(options.names(backend, everything), kinds or CELLS, quick)
        measurements.save([asdict(curve) for curve in curves], file)
        if plot:
            from d2lrnn import plot as drawing

            save_picture(drawing.growth(curves), plot)


def _grown(names: list[str], kinds: tuple[str, ...], quick: bool) -> list[Curve]:
    """Measure how time and memory grow, print it and return it."""
    from d2lrnn.measure import growth

    curves: list[Curve] = []
    sizes = growth.QUICK if quick else growth.SIZES
    total = len(names) * len(kinds) * sum(map(len, sizes.values()))
    with bar(total=total, leave=False) as shown:
        for name, kind in itertools.product(names, kinds):
            shown.set_description_str(f"{name} {kind}")
            curves += growth.survey(name, kind, sizes, progress=shown.update)
    click.echo("one training step in the fused form, float32; memory: beyond that of a small step")
    click.echo(growth.table(curves))
    return curves


@click.command(short_help="Measure the speed of text generation.")
@options.backend
@options.everything
@options.cells(CELLS, ".  [default: rnn gru lstm]")
@threads.option
@options.rounds
def generation(backend: str, everything: bool, kinds: tuple[str, ...], rounds: int) -> None:
    """Measure the characters generated per second after one prefix, and after many in one batch."""
    from d2lrnn.measure import generation

    with plain_errors():
        go_on_without_output()
        names, kinds = options.names(backend, everything), kinds or CELLS
        with bar(total=len(names) * len(kinds), leave=False) as shown:
            speeds = generation.survey(names, kinds, rounds=rounds, progress=shown.update)
    click.echo(
        f"characters per second, medians of {counted(rounds, 'round')}, "
        f"{generation.NUM_HIDDENS} hidden units,"
    )
    click.echo(
        f"{generation.NUM_PREDS} characters after one prefix, "
        f"and after each of {generation.NUM_PREFIXES} prefixes in one batch:"
    )
    click.echo(generation.table(speeds))
