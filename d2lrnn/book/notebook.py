"""Run a notebook of the book without changes, with our interface instead of d2l."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from d2lrnn import checks
from d2lrnn.book import environment, installs
from d2lrnn.book.editions import edition_of, package_of
from d2lrnn.book.notebook_file import read as read
from d2lrnn.training import interrupts

IMPORTS = re.compile(r"^\s*(?:from d2l import|from d2l\.|import d2l\.|import|from) ?(\w+)", re.M)


MAX_OUTPUT = 10_000_000  # characters of output of a cell


class Failure(NamedTuple):
    """A cell that failed: its number among the cells of code, its first line, and the error."""

    number: int
    first_line: str
    error: str


@dataclass
class Run:
    """A notebook that has been executed, perhaps in part, and a report.

    ``skipped`` and ``notes`` are pairs: the number of a cell of code, and a command that was
    skipped in it, or a note about it. ``signum`` is the signal that stopped the run, or None.
    """

    notebook: Any
    ours: bool = False
    ended: int = 0
    failures: list[Failure] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)
    signum: int | None = None


def code_of(notebook: Any) -> list[Any]:
    """Return the cells of code."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def without_pip(source: str) -> str:
    """Return a cell without commands that install or remove packages."""
    return installs.skip_installs(source)[0]


def setup_code(sources: Sequence[str], edition: str) -> str:
    """Return the code that the kernel runs first: the hook, and imports of d2lrnn's modules.

    MXNet, and TensorFlow with Keras 2, must be imported by d2lrnn first.
    """
    package = package_of(edition)
    names = {name for source in sources for name in IMPORTS.findall(source)}
    lines = ["import importlib as _importlib, importlib.util as _util"]
    lines.append(f"_d2l = _importlib.import_module('{package}.d2l')")
    for name in sorted(names & {"mxnet", "tensorflow"}):
        lines.append(f"if _util.find_spec('{name}') and _util.find_spec('{package}.{name}'):")
        lines.append(f"    _importlib.import_module('{package}.{name}')")
    lines += ["print(_d2l.standing_in)", "del _importlib, _util, _d2l"]
    return "\n".join(lines)


def run(
    path: str | os.PathLike[str],
    edition: str | None = None,
    *,
    timeout: int | None = None,
    max_output: int = MAX_OUTPUT,
    allow_install: bool = False,
    after_cell: Callable[[], Any] = lambda: None,
) -> Run:
    """Run a notebook in its folder, in a temporary environment.

    A signal to end stops the current cell; the notebook is returned with the outputs so far.

    Args:
        path: a file .ipynb; it is not changed.
        edition: "classic" or "1.0"; None detects it.
        timeout: seconds a cell may take; None for no limit. One that takes longer is interrupted.
        max_output: the largest number of characters of output of a cell.
        allow_install: run in this environment, where cells may install packages other than d2l.
        after_cell: called after each cell.

    Raises:
        ImportError: Jupyter's nbclient, nbformat or ipykernel is not installed.
        OSError: the environment cannot be made, or the kernel does not start.
        ValueError: it is not a notebook.
    """
    with checks.needed("the book's interface needs", "nbclient", "nbformat", "ipykernel", "psutil"):
        import ipykernel  # noqa: F401
        from nbclient.util import run_sync
    notebook = read(path)
    cells = code_of(notebook)
    for cell in cells:
        cell["outputs"], cell["execution_count"] = [], None
    sources = [cell["source"] for cell in cells]
    setup = setup_code(sources, edition or edition_of(sources))
    with _kernel(notebook, setup, path, timeout, max_output, allow_install) as runner:
        result = Run(notebook)
        run_sync(_run_cells)(runner, result, allow_install, after_cell)
        result.signum = runner.listener.signum
    return result


@contextlib.contextmanager
def _kernel(
    notebook: Any,
    setup: str,
    path: str | os.PathLike[str],
    timeout: int | None,
    max_output: int,
    allow_install: bool,
) -> Iterator[Any]:
    """Yield a kernel in a temporary folder, which is removed whenever this process ends."""
    from d2lrnn.book import kernel, leftovers

    working_folder = os.path.dirname(os.path.abspath(path))
    limits = kernel.Limits(timeout, max_output)
    with (
        tempfile.TemporaryDirectory(prefix="d2lrnn-", ignore_cleanup_errors=True) as folder,
        interrupts.listening() as listener,
        leftovers.cleared(Path(folder)),
    ):
        yield kernel.Kernel(
            notebook, setup, Path(folder), working_folder, limits, allow_install, listener
        )


async def _run_cells(
    runner: Any, result: Run, allow_install: bool, after_cell: Callable[[], Any]
) -> None:
    """Run the cells one after the other, until a signal, and report what happens."""
    try:
        result.ours = await runner.start()
        number = 0
        for index, cell in enumerate(result.notebook["cells"]):
            if runner.stopped:
                break
            if cell["cell_type"] != "code":
                continue
            number += 1
            await _run_cell(runner, result, index, number, cell, allow_install)
            lines = dict.fromkeys(environment.skipped(runner.folder / "environment"))
            result.skipped += [(number, line) for line in lines]
            result.notes += [(number, note) for note in runner.take_notes()]
            after_cell()
    finally:
        await runner.stop()
        result.notes += [(result.ended, note) for note in runner.take_notes()]


async def _run_cell(
    runner: Any, result: Run, index: int, number: int, cell: Any, allow_install: bool
) -> None:
    """Run a cell, and report its skipped commands and its errors."""
    source = cell["source"]
    cell["source"], lines = installs.skip_installs(source, d2l_only=allow_install)
    result.skipped += [(number, line) for line in lines]
    if not allow_install and installs.is_script(cell["source"]):
        cell["source"] = environment.redirect(cell["source"], runner.python)
    try:
        problem = await runner.execute(cell, index)
    except Exception as error:  # the cell cannot be sent, say
        problem = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}"
    finally:
        cell["source"] = source
    result.ended = number
    errors = [o for o in cell["outputs"] if o["output_type"] == "error"]
    reasons = [problem] if problem else [f"{e['ename']}: {e['evalue']}" for e in errors]
    first_line = next((line for line in source.split("\n") if line.strip()), "")
    result.failures += [Failure(number, first_line, reason) for reason in reasons]
