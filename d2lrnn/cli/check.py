"""The command ``d2lrnn check``."""

from __future__ import annotations

import inspect
import sys
import types
from typing import Any

import click

from d2lrnn import backends
from d2lrnn.cli import own_cells
from d2lrnn.cli.common import BACKEND, load_backend, plain_errors
from d2lrnn.nets import cells, kinds

BY_FILE = "  [default: the one that the file imports, otherwise numpy]"


@click.command(short_help="Compare your own cell with a reference, and name its mistake.")
@click.argument("function", metavar=own_cells.FORM)
@click.option(
    "--reference",
    help="The name of a cell or function, such as gru, or FILE.py:FUNCTION.  [default: finite "
    "differences of the gradients]",
)
@click.option("--backend", type=BACKEND, help=f"The backend of the function.{BY_FILE}")
@click.option(
    "--reference-backend",
    type=BACKEND,
    help=f"The backend of --reference.{BY_FILE}",
)
@click.option(
    "--cell",
    type=click.Choice(list(cells.CELLS)),
    help="The cell whose parameters both functions have; needed only if this is not clear.",
)
@click.option(
    "--no-gradients",
    is_flag=True,
    help="Compare only the outputs and the last state; needs --reference.",
)
@click.option("--steps", type=click.IntRange(1), default=6, help="Number of time steps.")
@click.option("--batch-size", type=click.IntRange(1), default=3, help="Rows of a minibatch.")
@click.option("--inputs", type=click.IntRange(1), default=5, help="Number of inputs.")
@click.option("--hiddens", type=click.IntRange(1), default=4, help="Number of hidden units.")
@click.option("--seed", type=int, default=0, help="Seed of the random numbers.")
def check(
    function: str,
    reference: str | None,
    backend: str | None,
    reference_backend: str | None,
    cell: str | None,
    no_gradients: bool,
    steps: int,
    batch_size: int,
    inputs: int,
    hiddens: int,
    seed: int,
) -> None:
    """Check the forward function or cell that FUNCTION in FILE.py is or returns.

    FUNCTION is forward(inputs, state, params), or a function of a backend, FUNCTION(rnn), that
    returns a cell of new_cell, a forward function, or three functions. The exit status is 0 if it
    agrees with the reference, and 1 if not.
    """
    with plain_errors():
        forward, name = _load("FILE.py:FUNCTION", function, backend)
        other: Any = reference
        if reference is not None and own_cells.is_custom(reference):
            other, reference_backend = _load("--reference", reference, reference_backend)
        report = load_backend(name).check_cell(
            forward,
            other,
            cell=cell,
            reference_backend=reference_backend,
            gradients=not no_gradients,
            num_steps=steps,
            batch_size=batch_size,
            num_inputs=inputs,
            num_hiddens=hiddens,
            seed=seed,
        )
    click.echo(str(report))
    if not report.ok:
        sys.exit(1)


def _load(what: str, name: str, backend: str | None) -> tuple[Any, str]:
    """Return what check_cell needs of FILE.py:FUNCTION, and the name of its backend.

    Raises:
        ValueError: the file has no such function, or the function fails.
    """
    module, function = own_cells.load_module(what, name, "my_cell.py:my_gru")
    value, path = getattr(module, function, None), module.__file__
    if value is None:
        raise ValueError(
            f"{path} has no function {function!r}; expected forward(inputs, state, params), or a "
            "function of a backend that returns a cell"
        )
    backend = backend or _backend_of(module)
    if callable(value) and not _takes(value, 3) and _takes(value, 1):
        value = own_cells.call_maker(function, path, value, load_backend(backend))
    return value, backend


def _takes(function: Any, number: int) -> bool:
    """Return whether a function can be called with a number of arguments."""
    try:
        inspect.signature(function).bind(*[None] * number)
    except TypeError:
        return False
    except ValueError:  # not known, as for some compiled functions
        return number == 3
    return True


def _backend_of(module: Any) -> str:
    """Return the backend that a file imports; "numpy" unless it is exactly one other."""
    names = set()
    for value in vars(module).values():
        if isinstance(value, types.ModuleType):
            package, _, rest = value.__name__.partition(".")
            name = rest.partition(".")[0] if package == "d2lrnn" else package
            names.add(kinds.PACKAGES.get(name, name))
    names &= {*backends.BACKENDS} - {"numpy"}
    return names.pop() if len(names) == 1 else "numpy"
