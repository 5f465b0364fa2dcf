"""The command ``d2lrnn bench``."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from d2lrnn import backends, checks
from d2lrnn.cli import gpu as on_gpu
from d2lrnn.cli import scaling
from d2lrnn.cli.common import (
    BACKEND,
    check_apart,
    check_outputs,
    check_writable,
    load_backend,
    plain_errors,
    save_picture,
)
from d2lrnn.files import atomic
from d2lrnn.measure import scaling as paper
from d2lrnn.measure import speed
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
        _scale(backend, (kinds or ("rnn",))[0], numbers or (1, 2), rounds, file, plot)
        return
    if memory:
        _print_memory(backend, kinds or ("rnn",))
        return
    with plain_errors():
        check_apart(json=file, plot=plot)
        check_outputs(None, plot)
        _check_replaceable(file)
        if generation:
            _generate(_names(backend, everything), kinds or ("rnn", "gru", "lstm"), rounds)
            return
        if growth:
            _grow(_names(backend, everything), kinds or ("rnn", "gru", "lstm"), quick, file, plot)
            return
        sizes, kinds = sizes or _default_sizes(everything), kinds or tuple(speed.CELLS)
        if everything:
            rows = _in_processes(sizes, kinds, rounds, gpu)
        else:
            device = on_gpu.device(load_backend(backend), gpu)
            rows = _here(backend, sizes, kinds, rounds, device)
    _print_speeds(rows, sizes, rounds)
    with plain_errors():
        _save(speed.as_json(rows), file)
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


def _save(found: list[dict[str, Any]], file: str | None) -> None:
    if file:
        atomic.replace(file, (json.dumps(found, indent=1) + "\n").encode())
        click.echo(f"measurements saved in {file}")


def _names(backend: str, everything: bool) -> list[str]:
    if everything:
        return backends.available()
    load_backend(backend)
    return [backend]


def _grow(
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
    _save([asdict(curve) for curve in curves], file)
    if plot:
        from d2lrnn import plot as drawing

        save_picture(drawing.growth(curves), plot)


def _generate(names: list[str], kinds: tuple[str, ...], rounds: int) -> None:
    """Print how fast text is generated."""
    from d2lrnn.measure import generation

    for kind in kinds:
        checks.choice(kind, "cell", tuple(speed.CELLS))
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


def _check_replaceable(file: str | None) -> None:
    """Check that measurements can be written into a file, and over nothing but measurements."""
    if file is None:
        return
    check_writable(file)
    if not os.path.isfile(file) or os.path.getsize(file) == 0:
        return
    try:
        measured = [_measured(found) for found in json.loads(Path(file).read_bytes())]
    except (KeyError, TypeError, ValueError, RecursionError):
        measured = []
    if not measured:
        raise FileExistsError(
            f"{file} is there already, and holds no measurements; choose another name, or remove it"
        )


def _scale(
    backend: str,
    cell: str,
    counts: tuple[int, ...],
    rounds: int,
    file: str | None,
    plot: str | None,
) -> None:
    """Print how fast one process and several are, and what other networks would make of it."""
    with plain_errors():
        check_apart(json=file, plot=plot)
        check_outputs(None, plot)
        _check_replaceable(file)
        points = scaling.measured(backend, cell, counts, rounds)
    click.echo(f"{backend}, {cell}: medians of {rounds} steps, float32, all processes together")
    click.echo("having the threads of one; strong: 32 rows shared, weak: 32 rows each.")
    click.echo(paper.table(points))
    alone = [point for point in points if point.processes == 1]
    if alone:
        click.echo("On paper, 32 rows shared: how many times as fast as one, by the network alone:")
        click.echo(paper.on_paper(alone))
    with plain_errors():
        _save([asdict(point) for point in points], file)
        if plot:
            from d2lrnn import plot as drawing

            save_picture(drawing.scaling(points, paper.seconds_on), plot)


LENGTHS = (1000, 4000, 16000)


def _print_memory(backend: str, kinds: tuple[str, ...]) -> None:
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
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            rows += [_row(found) for found in json.loads(file.read_text(encoding="utf-8"))]
    return rows


def _measured(found: dict[str, Any]) -> Any:
    from d2lrnn.measure.growth import Curve
    from d2lrnn.measure.scaling import Point

    if "axis" in found:
        return Curve(**found)
    return Point(**found) if "processes" in found else _row(found)


def _row(found: dict[str, Any]) -> speed.Timing:
    found = {"card": "", **found}  # which those before had not
    return speed.Timing(**{name: found[name] for name in speed.Timing.__dataclass_fields__})
