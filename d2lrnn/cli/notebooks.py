"""The command ``d2lrnn notebooks``."""

from __future__ import annotations

import importlib
import json
import site
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from d2lrnn.cli.common import BACKEND, as_argument, plain_errors
from d2lrnn.cli.output import go_on_without_output
from d2lrnn.files import atomic

CHECKOUT = Path(__file__).resolve().parents[2]
INSTALLED = Path("share", "d2lrnn")


@click.command(short_help="Copy the notebooks to a folder.")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--student", is_flag=True, help="Replace solutions by blanks, and remove outputs.")
@click.option(
    "--backend", type=BACKEND, default="torch", help="The backend that the notebooks use."
)
def notebooks(folder: str, student: bool, backend: str) -> None:
    """Copy the notebooks to FOLDER, for teachers or for students, and show how to open them.

    With a backend other than torch, the copies do not contain outputs, because the stored outputs
    were made with torch.
    """
    with plain_errors():
        source = _source()
        grid, students = _tools(source)
        Path(folder).mkdir(parents=True, exist_ok=True)
        copied = [name for name in grid.names() if backend in grid.backends_of(name)]
        for name in copied:
            path = Path(folder) / f"{name}.ipynb"
            if path.exists():
                raise FileExistsError(f"{path} already exists; choose another folder")
        go_on_without_output(folder)
        for name in copied:
            notebook = json.loads((source / f"{name}.ipynb").read_text(encoding="utf-8"))
            _change(notebook, grid, backend, students.without_solutions if student else None)
            content = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
            atomic.replace(Path(folder) / f"{name}.ipynb", content.encode())
    click.echo(f"copied {len(copied)} notebooks for {backend} to {folder}")
    click.echo(
        f"to open them, run: pip install jupyterlab matplotlib && jupyter lab {as_argument(folder)}"
    )


def _source() -> Path:
    """Return the folder of the notebooks: in a checkout, or where pip has put them."""
    places = [CHECKOUT, *(Path(base) / INSTALLED for base in (sys.prefix, site.getuserbase()))]
    for place in places:
        if (place / "notebooks" / "grid.py").exists():
            return place / "notebooks"
    raise FileNotFoundError(
        f"the notebooks are in none of {', '.join(map(str, places))}; install d2lrnn again, or run "
        "the command in a checkout"
    )


def _tools(source: Path) -> tuple[ModuleType, ModuleType]:
    """Return grid and student, the scripts beside the notebooks."""
    sys.path.insert(0, str(source))
    try:
        return importlib.import_module("grid"), importlib.import_module("student")
    finally:
        sys.path.remove(str(source))


def _change(notebook: dict[str, Any], grid: ModuleType, backend: str, blank: Any) -> None:
    """Choose the backend in a notebook, and take out solutions and what no longer holds."""
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        if grid.LINE in source:
            source = source.replace(grid.LINE, f"from d2lrnn import {backend} as rnn")
        if blank is not None:
            source = blank(source).rstrip("\n")
        cell["source"] = source.splitlines(keepends=True)
        if blank is not None or backend != grid.BUILT_ON:
            cell["outputs"], cell["execution_count"] = [], None
