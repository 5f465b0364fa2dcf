"""``d2lrnn book``: run a notebook of the book as it stands."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from d2lrnn.book import notebook
from d2lrnn.cli.common import check_writable, plain_errors


@click.command(short_help="Run a notebook of the book, with d2lrnn in place of d2l.")
@click.argument("path", metavar="NOTEBOOK.ipynb", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--edition",
    type=click.Choice(list(notebook.PACKAGES)),
    help="Edition of the book; classic is 0.17.  [default: that of the notebook]",
)
@click.option(
    "--output", type=click.Path(), help="File to write.  [default: NOTEBOOK.executed.ipynb]"
)
@click.option(
    "--timeout",
    type=click.IntRange(min=1),
    help="Seconds that a cell may take.  [default: no limit]",
)
def book(path: str, edition: str | None, output: str | None, timeout: int | None) -> None:
    """Run a notebook that imports d2l, as those of the book do, with d2lrnn in its place.

    What installs d2l in it is skipped. The executed notebook is written into another file. Exit
    status 1 says that cells failed; which and why is printed.
    """
    from tqdm.auto import tqdm

    output = output or str(Path(path).with_suffix(".executed.ipynb"))
    with plain_errors():
        cells = notebook.code_of(notebook.read(path))
        _check_replaceable(output, path)
        found = edition or notebook.edition_of([cell["source"] for cell in cells])
        with tqdm(total=len(cells), unit="cell", disable=None, leave=False) as bar:
            executed, ours, failures = notebook.run(
                path, found, timeout=timeout, after_cell=bar.update
            )
        notebook.write(executed, output)
    who = f"d2lrnn, edition {found}" if ours else "the d2l that is installed"
    for failure in failures:
        click.echo(f"cell {failure.number} failed: {failure.first_line}\n    {failure.error}")
    failed = len({failure.number for failure in failures})
    click.echo(f"{len(cells) - failed} of {len(cells)} cells passed, with {who}; see {output}")
    if failures:
        sys.exit(1)


def _check_replaceable(output: str, path: str) -> None:
    """Check that an executed notebook may take a file's place: that there is none, or one."""
    check_writable(output)
    if os.path.exists(output) and os.path.samefile(output, path):
        raise ValueError(f"{output} is the notebook itself; give what is executed another name")
    if not os.path.isfile(output) or os.path.getsize(output) == 0:
        return
    try:
        notebook.read(output)
    except ValueError:
        raise FileExistsError(
            f"{output} is there already, and is no notebook; choose another name, or remove it"
        ) from None
