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
from d2lrnn.cli import gpu as on_gpu
from d2lrnn.cli import instead, measurements, scaling, threads
from d2lrnn.cli.common import (
    BACKEND,
    check_apart,
    check_outputs,
    load_backend,
    plain_errors,
    save_picture,
)
from d2lrnn.cli.output import go_on_without_output
from d2lrnn.measure import apart, speed
from d2lrnn.training.progress import bar

KINDS = (*speed.CELLS, "input")


@click.command(
    "bench", cls=on_gpu.GPUCommand, short_help="Time training steps, fused and in other ways."
)
@click.option("--backend", type=BACKEND, default="numpy", help="What computes.")
@click.option("--all", "everything", is_flag=True, help="All backends, each in its own process.")
@click.option(
    "--size",
    "sizes",
    multiple=True,
    type=click.Choice(list(speed.SIZES)),
    help="Size of the net; may be given several times.  "
    "[default: all but tiny with --all, else h256]",
)
@click.option(
    "--cell",
    "kinds",
    multiple=True,
    type=click.Choice(KINDS),
    help="May be given several times; input is an RNN's input layer alone.  "
    "[default: rnn gru lstm]",
)
@click.option(
    "--processes",
    is_flag=True,
    help="Instead: how fast so many PROCESSES are, such as --processes 1 2.",
)
@click.argument("numbers", nargs=-1, type=click.IntRange(1), metavar="[PROCESSES]...")
@click.option(
    "--memory", is_flag=True, help="Instead: the memory that long sequences take, in segments too."
)
@click.option(
    "--growth",
    is_flag=True,
    help="Instead: time and memory as steps, hidden units, vocabulary and text grow.",
)
@click.option(
    "--generation",
    is_flag=True,
    help="Instead: characters a second, after one prefix and after many as one batch.",
)
@click.option("--quick", is_flag=True, help="With --growth: two small sizes of each.")
@on_gpu.option
@threads.option
@click.option("--rounds", default=21, help="Take the median of so many rounds.")
@click.option(
    "--json", "file", type=click.Path(), help="Write all that was measured into this file."
)
@click.option(
    "--plot", type=click.Path(), help="Draw what was measured into this file (.png, .svg)."
)
def bench_command(
    backend: str,
    everything: bool,
    sizes: tuple[str, ...],
    kinds: tuple[str, ...],
    processes: bool,
    numbers: tuple[int, ...],
    memory: bool,
    growth: bool,
    generation: bool,
    quick: bool,
    gpu: str | None,
    rounds: int,
    file: str | None,
    plot: str | None,
) -> None:
    """Time training steps: how many times as long as the fused one do the others take?

    All take turns within each round, so that a busy machine slows each alike. What the columns
    and sizes are is printed below the table.
    """
    if numbers and not processes:
        raise click.UsageError(f"what is {numbers[0]}? Write --processes before it")
    with plain_errors():
        _check_options(
            {
                "--processes": processes,
                "--memory": memory,
                "--growth": growth,
                "--generation": generation,
            },
            {"--json": file, "--plot": plot, "--quick": quick, "--gpu": gpu},
        )
    if processes:
        scaling.scale(backend, (kinds or ("rnn",))[0], numbers or (1, 2), rounds, file, plot)
        return
    if memory:
        instead.print_memory(backend, kinds or ("rnn",))
        return
    with plain_errors():
        check_apart(json=file, plot=plot)
        check_outputs(None, plot)
        measurements.check_replaceable(file)
        go_on_without_output(file, plot)
        sizes, kinds = sizes or _default_sizes(everything), kinds or tuple(speed.CELLS)
        if generation:
            instead.generate(_names(backend, everything), kinds, rounds)
            return
        if growth:
            instead.grow(_names(backend, everything), kinds, quick, file, plot)
            return
        if everything:
            rows = _in_processes(sizes, kinds, rounds, gpu)
        else:
            device = on_gpu.device(load_backend(backend), gpu)
            rows = _here(backend, sizes, kinds, rounds, device)
    _print_speeds(rows, sizes, rounds)
    with plain_errors():
        measurements.save(speed.as_json(rows), file)
        if plot:
            from d2lrnn import plot as drawing

            save_picture(drawing.bench(rows), plot)


def _default_sizes(everything: bool) -> tuple[str, ...]:
    return tuple(size for size in speed.SIZES if size != "tiny") if everything else ("h256",)


def _print_speeds(rows: list[speed.Timing], sizes: tuple[str, ...], rounds: int) -> None:
    """Print what was measured, and what the columns and sizes are."""
    cards = ", ".join(sorted({row.card for row in rows} - {""}))
    where = f"on {cards}" if cards else f"{speed.num_threads()} threads"
    click.echo(f"Medians of {rounds} rounds, {where}, float32.")
    click.echo("How many times as long as a step with the fused cell takes:")
    click.echo(speed.table(rows))
    for column, meaning in speed.MEANINGS.items():
        click.echo(f"{column}: {meaning}")
    for size in sizes:
        click.echo(f"{size}: {speed.SIZES[size]}")


def _check_options(instead: dict[str, bool], beside: dict[str, Any]) -> None:
    """Check that one thing is measured, and that what is asked for beside belongs to it."""
    chosen = [option for option, is_chosen in instead.items() if is_chosen]
    if len(chosen) > 1:
        raise ValueError(f"{' and '.join(chosen)} are both given; choose one")
    if chosen and beside["--gpu"]:
        raise ValueError(f"{chosen[0]} is not measured on a GPU; leave out --gpu")
    if beside["--quick"] and not instead["--growth"]:
        raise ValueError("--quick is of --growth; add it, or use --rounds for fewer rounds")
    lost = [option for option in ("--json", "--plot") if beside[option] is not None]
    printed = [option for option in ("--memory", "--generation") if instead[option]]
    if printed and lost:
        raise ValueError(f"{printed[0]} only prints; leave out {' and '.join(lost)}")


def _names(backend: str, everything: bool) -> list[str]:
    if everything:
        return backends.available()
    load_backend(backend)
    return [backend]


def _here(
    backend: str, sizes: tuple[str, ...], kinds: tuple[str, ...], rounds: int, device: Any
) -> list[speed.Timing]:
    rows, total = [], len(sizes) * len(kinds) * rounds
    with bar(total=total, desc=backend, leave=False) as shown:
        for size in sizes:
            for kind in kinds:
                shown.set_description_str(f"{backend} {kind} {size}")
                settings = {"rounds": rounds, "device": device, "progress": shown.update}
                row = speed.measure(backend, kind, size, **settings)
                rows.append(row)
    return rows


def _in_processes(
    sizes: tuple[str, ...], kinds: tuple[str, ...], rounds: int, gpu: str | None
) -> list[speed.Timing]:
    """Measure every installed backend, one after the other, in a process of its own."""
    if gpu == "require":
        raise ValueError("--all takes NumPy too, which has no GPU; name one --backend instead")
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
                measurements.row(found) for found in json.loads(file.read_text(encoding="utf-8"))
            ]
    return rows
