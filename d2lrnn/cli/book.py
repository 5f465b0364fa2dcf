"""``d2lrnn book``: run a notebook of the book without changes."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import click

from d2lrnn.book import editions, names, notebook, notebook_file
from d2lrnn.cli.common import plain_errors
from d2lrnn.cli.output import harmless
from d2lrnn.files import atomic
from d2lrnn.training import interrupts, progress

ERROR = 500  # characters of an error that are printed; the notebook has all of them

# Errors of names, arguments and shapes, which cells of another edition raise; a NameError follows
# from a cell that failed before.
MISTAKEN = re.compile(
    "AssertionError|AttributeError|ImportError|TypeError|ValueError|RuntimeError|"
    "InvalidArgumentError|MXNetError|DeferredInitializationError"
)


@click.command(short_help="Run a notebook of the book, with d2lrnn in place of d2l.")
@click.argument("path", metavar="NOTEBOOK.ipynb", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--edition",
    type=click.Choice(list(names.PACKAGES)),
    help="Edition of the book; classic is 0.17.  [default: that of the notebook, which is printed]",
)
@click.option(
    "--output", type=click.Path(), help="The file to write.  [default: NOTEBOOK.executed.ipynb]"
)
@click.option(
    "--force",
    is_flag=True,
    help="Overwrite the output file, even if this command did not write it.",
)
@click.option(
    "--timeout",
    type=click.IntRange(min=1),
    help="Seconds after which a cell is interrupted.  [default: no limit]",
)
@click.option(
    "--max-output",
    type=click.IntRange(min=1),
    default=notebook.MAX_OUTPUT // 10**6,
    show_default=True,
    help="Largest output of a cell that is saved, in millions of characters.",
)
@click.option(
    "--allow-install",
    is_flag=True,
    help="Let cells install packages into this environment (but never d2l itself).",
)
def book(
    path: str,
    edition: str | None,
    output: str | None,
    force: bool,
    timeout: int | None,
    max_output: int,
    allow_install: bool,
) -> None:
    """Run a notebook that imports d2l, such as those of the book, with d2lrnn in place of d2l.

    The cells run in a temporary environment that has all packages of this one. Commands in them
    that install or remove packages are skipped and reported. The executed notebook is written into
    another file, also when the command is stopped, for example by Ctrl-C. Exit status 1 means that
    cells failed; each failure is printed.
    """
    output = output or str(Path(path).with_suffix(".executed.ipynb"))
    with plain_errors():
        cells = notebook.code_of(notebook_file.read(path))
        _check_replaceable(output, path, force)
        verdict = editions.Verdict(edition, "") if edition else _detected(cells)
        with progress.bar(total=len(cells), unit="cell", leave=False) as shown:
            executed = notebook.run(
                path,
                verdict.edition,
                timeout=timeout,
                max_output=max_output * 10**6,
                allow_install=allow_install,
                after_cell=shown.update,
            )
        if executed.ended or executed.signum is None:
            notebook_file.write(executed.notebook, output)
    _report(executed, len(cells), verdict, output, allow_install)


def _report(
    executed: notebook.Run, cells: int, verdict: editions.Verdict, output: str, allow_install: bool
) -> None:
    """Print skipped commands, failed cells and the output file; exit with a matching status."""
    for number, line in executed.skipped:
        click.echo(f"cell {number}: skipped {harmless(_short(line))}")
    if executed.skipped:
        only = "commands that install d2l are never run" if allow_install else "see --allow-install"
        click.echo(
            f"the skipped commands change packages, or settings of tools that install them; {only}"
        )
    for number, note in executed.notes:
        click.echo(f"cell {number}: {harmless(note)}")
    for failure in executed.failures:
        first_line, error = harmless(_short(failure.first_line)), harmless(failure.error[:ERROR])
        click.echo(f"cell {failure.number} failed: {first_line}\n    {error}")
    if executed.ours and (hint := _hint(executed.failures, verdict)):
        click.echo(hint)
    if executed.signum is not None:
        where = (
            f"; the cells that ran are in {output}"
            if executed.ended
            else ", before any cell had run"
        )
        click.echo(f"stopped in cell {executed.ended} of {cells}{where}", err=True)
        sys.exit(interrupts.status(executed.signum))
    who = f"d2lrnn, edition {verdict.edition}" if executed.ours else "the installed package d2l"
    failed = len({failure.number for failure in executed.failures})
    click.echo(f"{cells - failed} of {cells} cells passed, with {who}; see {output}")
    if executed.failures:
        sys.exit(1)


def _hint(failures: list[notebook.Failure], verdict: editions.Verdict) -> str:
    """Return a suggestion if cells fail as cells of another edition would."""
    if verdict.other is None or not any(MISTAKEN.match(one.error) for one in failures):
        return ""
    return (
        f"edition {verdict.edition} was chosen automatically, and the cells may be of "
        f"{names.describe(verdict.other)}: try --edition {verdict.other}"
    )


def _short(line: str) -> str:
    """Return the first line of a statement, shortened."""
    first, *rest = line.split("\n")
    return first[:100] + (" ..." if rest or len(first) > 100 else "")


def _detected(cells: list[Any]) -> editions.Verdict:
    """Return the edition of the cells; print it with the reason."""
    verdict = editions.detect([cell["source"] for cell in cells])
    click.echo(harmless(verdict.reason))
    editions.package_of(verdict.edition)  # which refuses an edition that is not supported
    return verdict


def _check_replaceable(output: str, path: str, force: bool) -> None:
    """Check that an executed notebook may take a file's place: one that this command has written.

    Raises:
        ValueError: it is the notebook itself.
        FileExistsError: it is another file, and ``force`` is not set.
    """
    atomic.check_writable(output)
    if os.path.exists(output) and os.path.samefile(output, path):
        raise ValueError(f"{output} is the notebook itself; choose another name for the output")
    if force or not os.path.isfile(output) or os.path.getsize(output) == 0:
        return
    why = "was not written by d2lrnn book, or has been changed since"
    try:
        if notebook_file.was_written_here(notebook_file.read(output)):
            return
    except ValueError:
        why = "is not a notebook"
    raise FileExistsError(
        f"{output} already exists and {why}; choose another name by --output, or overwrite it "
        "by --force"
    )
