"""The command ``d2lrnn notebooks``."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from d2lrnn.cli.common import BACKEND, plain_errors
from d2lrnn.files import atomic

SOURCE = Path(__file__).resolve().parents[2] / "notebooks"


@click.command()
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--student", is_flag=True, help="Blanks in place of solutions; without outputs.")
@click.option("--backend", type=BACKEND, default="torch", help="What the notebooks are to use.")
def notebooks(folder: str, student: bool, backend: str) -> None:
    """Copy the notebooks into FOLDER, for teachers or for students, and say how to open them.

    They come with a checkout of the repository, in which, or installed from which by pip -e, this
    is to be run. On another backend than torch the outputs are left out: they were torch's.
    """
    with plain_errors():
        grid, students = _tools()
        Path(folder).mkdir(parents=True, exist_ok=True)
        copied = [name for name in grid.names() if backend in grid.backends_of(name)]
        for name in copied:
            path = Path(folder) / f"{name}.ipynb"
            if path.exists():
                raise FileExistsError(f"{path} is there already; choose another folder")
        for name in copied:
            notebook = json.loads((SOURCE / f"{name}.ipynb").read_text(encoding="utf-8"))
            _change(notebook, grid, backend, students.without_solutions if student else None)
            content = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
            atomic.replace(Path(folder) / f"{name}.ipynb", content.encode())
    click.echo(f"{len(copied)} notebooks on {backend} are in {folder}")
    click.echo(f"next: pip install jupyterlab matplotlib && jupyter lab {folder}")


def _tools() -> tuple[ModuleType, ModuleType]:
    """Return grid and student, the scripts beside the notebooks."""
    if not (SOURCE / "grid.py").exists():
        raise FileNotFoundError(
            "the notebooks come with a checkout, and this d2lrnn is not installed from one by "
            "pip install -e; run the command there"
        )
    sys.path.insert(0, str(SOURCE))
    try:
        return importlib.import_module("grid"), importlib.import_module("student")
    finally:
        sys.path.remove(str(SOURCE))


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
