"""What ``d2lrnn bench`` measures instead of training steps: memory, growth, generation."""

from __future__ import annotations

import itertools
from dataclasses import asdict

import click

from d2lrnn import checks
from d2lrnn.cli import measurements
from d2lrnn.cli.common import load_backend, plain_errors, save_picture
from d2lrnn.training.progress import bar

CELLS = ("rnn", "gru", "lstm")
LENGTHS = (1000, 4000, 16000)


def print_memory(backend: str, kinds: tuple[str, ...]) -> None:
    """Print the memory that value and gradient of long sequences take, whole and in segments."""
    from d2lrnn.measure import memory

    for kind in kinds:
        with (
            plain_errors(),
            bar(total=2 * len(LENGTHS), desc=backend, leave=False) as shown,
        ):
            load_backend(backend)
            peaks = memory.survey(backend, kind, LENGTHS, progress=shown.update)
        sizes = f"batch {memory.BATCH_SIZE}, {memory.NUM_HIDDENS} hidden units"
        click.echo(f"{backend} {kind}, {sizes}: memory beyond that of {memory.SHORT} steps")
        click.echo(memory.table(peaks))


def grow(
    names: list[str], kinds: tuple[str, ...], quick: bool, file: str | None, plot: str | None
) -> None:
    """Print how time and memory grow, and save and draw it."""
    from d2lrnn.measure import growth

    sizes, curves = growth.QUICK if quick else growth.SIZES, []
    total = len(names) * len(kinds) * sum(map(len, sizes.values()))
    with bar(total=total, leave=False) as shown:
        for name, kind in itertools.product(names, kinds):
            shown.set_description_str(f"{name} {kind}")
            curves += growth.survey(name, kind, sizes, progress=shown.update)
    click.echo("One step with the fused cell, float32; memory beyond that of a small one.")
    click.echo(growth.table(curves))
    measurements.save([asdict(curve) for curve in curves], file)
    if plot:
        from d2lrnn import plot as drawing

        save_picture(drawing.growth(curves), plot)


def generate(names: list[str], kinds: tuple[str, ...], rounds: int) -> None:
    """Print how fast text is generated."""
    from d2lrnn.measure import generation

    for kind in kinds:
        checks.choice(kind, "cell", CELLS)
    with bar(total=len(names) * len(kinds), leave=False) as shown:
        speeds = generation.survey(names, kinds, rounds=rounds, progress=shown.update)
    click.echo(
        f"Characters a second, medians of {rounds} rounds, {generation.NUM_HIDDENS} hidden units,"
    )
    click.echo(
        f"{generation.NUM_PREDS} characters after one prefix, "
        f"and after each of {generation.NUM_PREFIXES} as one batch:"
    )
    click.echo(generation.table(speeds))
