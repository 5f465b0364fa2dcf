"""The command ``d2lrnn bench``."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from d2lrnn import backends
from d2lrnn.cli import bench_options as options
from d2lrnn.cli import gpu as on_gpu
from d2lrnn.cli import instead, lengths, measurements, own_cells, scaling, threads
from d2lrnn.cli.common import (
    check_apart,
    check_outputs,
    counted,
    load_backend,
    plain_errors,
    save_picture,
    was_given,
)
from d2lrnn.cli.output import go_on_without_output
from d2lrnn.measure import apart, speed
from d2lrnn.training.progress import bar

KINDS = (*speed.CELLS, "input")


class Bench(on_gpu.GPUCommand, click.Group):
    """Time training steps, or run a subcommand; ``bench --memory`` still means ``bench memory``."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Write the option that was a subcommand's name in earlier versions as its name."""
        old_options = [f"--{name}" for name in self.commands]
        old = [arg for arg in dict.fromkeys(args) if arg in old_options]
        if old:
            with plain_errors():
                _check_old_options(old, args)
            args = [old[0].removeprefix("--"), *(arg for arg in args if arg != old[0])]
        return super().parse_args(context, args)


@click.group(
    "bench",
    cls=Bench,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND [OPTIONS]]",
    short_help="Time training steps in the fused form and in other forms.",
)
@options.backend
@options.everything
@click.option(
    "--size",
    "sizes",
    multiple=True,
    type=click.Choice(list(speed.SIZES)),
    callback=options.distinct,
    help="Size of the network; can be repeated.  "
    "[default: all but tiny with --all, otherwise h256]",
)
@options.cells(
    KINDS,
    "; input is an RNN's input layer alone, and FILE.py:FUNCTION a custom cell, which is compared "
    "with the fused GRU.  [default: rnn gru gru_reset_after lstm]",
    choice=own_cells.CellName,
)
@click.option("--quick", is_flag=True, hidden=True, help="An option of growth.")
@on_gpu.option
@threads.option
@options.rounds
@options.json
@options.plot
@click.pass_context
def bench_command(
    context: click.Context,
    backend: str,
    everything: bool,
    sizes: tuple[str, ...],
    kinds: tuple[str, ...],
    quick: bool,
    gpu: str | None,
    rounds: int,
    file: str | None,
    plot: str | None,
) -> None:
    """Time training steps in the fused form and in other forms.

    The slowdown of a form is its time divided by that of the fused form. In each round, the forms
    run in turn, so that other work on the machine slows all of them. The columns and the sizes are
    explained below the table. The subcommands measure other quantities.
    """
    if context.invoked_subcommand:
        _check_options_follow(context, context.invoked_subcommand)
        return
    with plain_errors():
        if quick:
            raise ValueError("--quick is an option of growth; write: d2lrnn bench growth --quick")
        check_apart(json=file, plot=plot)
        check_outputs(None, plot)
        measurements.check_replaceable(file)
        go_on_without_output(file, plot)
        sizes, kinds = sizes or _default_sizes(everything), kinds or tuple(speed.CELLS)
        if everything:
            rows = _in_processes(sizes, kinds, rounds, gpu)
        else:
            device = on_gpu.device(load_backend(backend), gpu)
            rows = _here(backend, sizes, kinds, rounds, device)
    _print_speeds(rows, sizes, rounds)
    with plain_errors():
        _save_speeds(rows, file, plot)


SUBCOMMANDS = instead.memory, instead.growth, instead.generation, scaling.processes, lengths.cells
for subcommand in SUBCOMMANDS:
    bench_command.add_command(subcommand)


def _default_sizes(everything: bool) -> tuple[str, ...]:
    return tuple(size for size in speed.SIZES if size != "tiny") if everything else ("h256",)


def _print_speeds(rows: list[speed.Timing], sizes: tuple[str, ...], rounds: int) -> None:
    """Print what was measured, and what the columns and sizes are."""
    cards = ", ".join(sorted({row.card for row in rows} - {""}))
    where = f"on {cards}" if cards else counted(speed.num_threads(), "thread")
    click.echo(f"medians of {counted(rounds, 'round')}, {where}, float32")
    click.echo(speed.table(rows))
    for column, meaning in speed.MEANINGS.items():
        click.echo(f"{column}: {meaning}")
    for size in sizes:
        click.echo(f"{size}: {speed.SIZES[size]}")


def _save_speeds(rows: list[speed.Timing], file: str | None, plot: str | None) -> None:
    """Save what was measured as JSON and as a picture, each if there is a file for it."""
    measurements.save(speed.as_json(rows), file)
    if plot:
        from d2lrnn import plot as drawing

        save_picture(drawing.bench(rows), plot)


def _check_options_follow(context: click.Context, name: str) -> None:
    """Check that no option was given before the name of a subcommand, which would not read it."""
    for option in bench_command.params:
        if option.name and was_given(context, option.name):
            raise click.UsageError(
                f"{option.opts[0]} is given before {name}; write: "
                f"d2lrnn bench {name} {option.opts[0]} ..."
            )


def _check_old_options(old: list[str], args: list[str]) -> None:
    """Check that one thing is measured, and that the other options belong to it."""
    if len(old) > 1:
        raise ValueError(f"{' and '.join(old)} are both given; choose one")
    written = {arg.partition("=")[0] for arg in args}
    if on_gpu.OPTION in written:
        raise ValueError(f"{old[0]} is not measured on a GPU; leave out --gpu")
    lost = [option for option in ("--json", "--plot") if option in written]
    if old[0] in ("--memory", "--generation") and lost:
        raise ValueError(f"{old[0]} only prints; leave out {' and '.join(lost)}")


def _here(
    backend: str, sizes: tuple[str, ...], kinds: tuple[str, ...], rounds: int, device: Any
) -> list[speed.Timing]:
    rows, total = [], len(sizes) * len(kinds) * rounds
    with bar(total=total, desc=backend, leave=False) as shown:
        for size in sizes:
            for kind in kinds:
                shown.set_description_str(f"{backend} {kind} {size}")
                settings = {"rounds": rounds, "device": device, "progress": shown.update}
                cell = own_cells.load(kind) if own_cells.is_custom(kind) else kind
                row = speed.measure(backend, cell, size, **settings)
                rows.append(row)
    return rows


def _in_processes(
    sizes: tuple[str, ...], kinds: tuple[str, ...], rounds: int, gpu: str | None
) -> list[speed.Timing]:
    """Measure every installed backend, one after the other, each in a separate process."""
    if gpu == "require":
        raise ValueError(
            "--all includes NumPy, which cannot use a GPU; choose one --backend instead"
        )
    rows = []
    for backend in backends.available():
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rows.json"
            command = [sys.executable, "-m", "d2lrnn", "bench", "--backend", backend]
            command += ["--rounds", str(rounds), "--json", str(file)]
            command += [on_gpu.OPTION] if gpu else []
            command += [f"--size={size}" for size in sizes] + [f"--cell={kind}" for kind in kinds]
            apart.run(command, check=True, stdout=subprocess.DEVNULL)
            rows += [
                measurements.row(row_values)
                for row_values in json.loads(file.read_text(encoding="utf-8"))
            ]
    return rows
