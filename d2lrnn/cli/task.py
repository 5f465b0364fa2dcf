"""The command ``d2lrnn task``: the other kinds of input and output."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import click

from d2lrnn.cli import gpu as on_gpu
from d2lrnn.cli import threads
from d2lrnn.cli.common import (
    BACKEND,
    check_outputs,
    load_backend,
    plain_errors,
    save_picture,
    together,
)
from d2lrnn.cli.output import go_on_without_output
from d2lrnn.nets import cells
from d2lrnn.recipes import characters, memory
from d2lrnn.recipes.tasks import TASKS

XOR = "xor"
TABLES: dict[str, Any] = {"cells": memory.learned, "characters": characters.language_models}
DRAWINGS: dict[str, Callable[..., Any]] = {"cells": memory.draw, "characters": characters.draw}


def _describe() -> str:
    lines = [
        f"  {name:15}{inspect.getdoc(task)}".partition("\n")[0]
        for name, task in (TASKS | TABLES).items()
    ]
    lines.insert(len(TASKS), f"  {XOR:15}No recurrence: exclusive or, in plain NumPy.")
    return "\n".join(lines)


@click.command(
    cls=on_gpu.GPUCommand,
    help=f"Train a network for one of these tasks, and show its results:\n\n\b\n{_describe()}",
    short_help="Train for another task, such as digits, dates or tags.",
)
@click.argument("name", type=click.Choice([*TASKS, XOR, *TABLES]))
@click.option("--backend", type=BACKEND, default="numpy", help="The backend to use.")
@click.option(
    "--cell",
    type=click.Choice(list(cells.CELLS)),
    help="The recurrent cell.  [default: depends on the task]",
)
@click.option(
    "--epochs", type=int, help="Number of passes over the data.  [default: depends on the task]"
)
@click.option("--seed", default=0, help="Seed of the initial parameters and the minibatches.")
@on_gpu.option
@threads.option
@click.option(
    "--plot", type=click.Path(), help="Save a picture of the results to this file (.png, .svg)."
)
def task(
    name: str,
    backend: str,
    cell: str | None,
    epochs: int | None,
    seed: int,
    gpu: str | None,
    plot: str | None,
) -> None:
    """Train a network for one task and show what it does."""
    with plain_errors():
        check_outputs(None, plot)
        go_on_without_output(plot)
        rnn = load_backend(backend)
        settings: dict[str, Any] = {"seed": seed, "device": on_gpu.device(rnn, gpu)}
        if name == XOR:
            _learn_xor(backend, cell, epochs, seed, plot)
            return
        settings |= {"cell": cell} if cell else {}
        settings |= {"num_epochs": epochs} if epochs is not None else {}
        with together(rnn) as processes:
            draw = _print_table if name in TABLES else _print_outcome
            picture = draw(name, rnn, settings)
        if plot and processes.rank == 0:
            save_picture(picture(), plot)


def _print_outcome(name: str, rnn: Any, settings: dict[str, Any]) -> Callable[[], Any]:
    """Train one network, print its results, and return a function that draws them."""
    outcome = TASKS[name](rnn, **settings)
    click.echo(str(outcome.scores))
    click.echo("\n".join(outcome.lines))
    return outcome.draw


def _print_table(name: str, rnn: Any, settings: dict[str, Any]) -> Callable[[], Any]:
    """Train a network of each cell, print a row for each, and return a function that draws them."""
    results = TABLES[name](rnn, report=click.echo, **settings)
    return functools.partial(DRAWINGS[name], results)


def _learn_xor(
    backend: str, cell: str | None, epochs: int | None, seed: int, picture: str | None
) -> None:
    if cell is not None:
        raise ValueError("xor has no recurrent cell; leave out --cell")
    if backend != "numpy":
        raise ValueError("xor is the classic in plain NumPy; leave out --backend")
    from d2lrnn.numpy import xor

    settings = {} if epochs is None else {"num_epochs": epochs}
    params, errors = xor.learn_xor(seed=seed, report=click.echo, **settings)
    _, outputs = xor.xor(xor.X, params)
    for inputs, output in zip(xor.X, outputs):
        click.echo(f"{inputs[0]:.0f} xor {inputs[1]:.0f} = {output[0]:.3f}")
    if picture:
        from d2lrnn import plot

        ax = plot.new_axes()
        ax.plot(errors, **plot.line_style(0))
        ax.set(xlabel="epoch", ylabel="mean absolute error")
        save_picture(ax, picture)
