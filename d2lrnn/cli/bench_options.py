"""Options that ``d2lrnn bench`` and its subcommands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from d2lrnn import backends
from d2lrnn.cli.common import BACKEND, load_backend

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

backend = click.option("--backend", type=BACKEND, default="numpy", help="The backend to use.")
everything = click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Measure all installed backends, each in a separate process.",
)
rounds = click.option(
    "--rounds", default=21, help="Number of rounds, of which the median is shown."
)
json = click.option(
    "--json", "file", type=click.Path(), help="Save all measurements to this file as JSON."
)
plot = click.option(
    "--plot", type=click.Path(), help="Save a plot of the measurements to this file (.png, .svg)."
)


def distinct(context: click.Context, option: click.Parameter, values: Sequence[Any]) -> Any:
    """Return the values of an option that may be given several times, each once."""
    return tuple(dict.fromkeys(values))


def _only_one(context: click.Context, option: click.Parameter, values: Sequence[Any]) -> Any:
    """Return the value of an option; raise an error if it is given twice with different values."""
    if len(set(values)) > 1:
        raise click.BadParameter(f"it is given {len(values)} times ({', '.join(values)}); choose 1")
    return values[0]


def one_cell(allowed: Sequence[str], default: str) -> Callable[[Decorated], Decorated]:
    """Return the option ``--cell`` of a command that measures one cell."""
    return click.option(
        "--cell",
        multiple=True,
        default=[default],
        type=click.Choice(list(allowed)),
        callback=_only_one,
        help="The recurrent cell.",
    )


def cells(
    allowed: Sequence[str], words: str, *, choice: type[click.Choice[str]] = click.Choice
) -> Callable[[Decorated], Decorated]:
    """Return the option ``--cell``, which may be given several times; words end its help.

    choice is the type of the names: click.Choice, or own_cells.CellName for custom cells too.
    """
    help = f"Can be repeated{words}"
    return click.option(
        "--cell",
        "kinds",
        multiple=True,
        type=choice(list(allowed)),
        callback=distinct,
        help=help,
    )


def names(backend: str, everything: bool) -> list[str]:
    """Return the backends that ``--backend`` or ``--all`` asks for."""
    if everything:
        return backends.available()
    load_backend(backend)
    return [backend]
