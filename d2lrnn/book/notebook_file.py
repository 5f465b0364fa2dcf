"""Read notebooks with checks, and write executed notebooks at once, with a mark of d2lrnn."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from typing import Any

from d2lrnn import checks
from d2lrnn.data import reading
from d2lrnn.files import atomic

REMEDY = "open a notebook in Jupyter and save it again"
MARK = "d2lrnn"  # in the metadata of a notebook that has been executed


def read(path: str | os.PathLike[str]) -> Any:
    """Return a notebook, in the newest format.

    Raises:
        ValueError: it is not a notebook; the message gives the reason.
    """
    name = os.fspath(path)
    if os.path.exists(path) and not os.path.isfile(path):
        raise _refusal(name, "not a file", "give the name of a file .ipynb")
    try:
        text = reading.content(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refusal(name, "not encoded as UTF-8") from None
    if not text.strip():
        raise _refusal(name, "the file is empty")
    _check_cells(text, name)
    return _parse(text, name)


def _refusal(name: str, why: str, remedy: str = REMEDY) -> ValueError:
    """Return the error for a file that is not a notebook."""
    return ValueError(f"{name} is not a notebook ({why}); {remedy}")


def _parse(text: str, name: str) -> Any:
    with checks.needed("the book's interface needs", "nbformat"):
        import nbformat
    nbformat_: Any = nbformat
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cells without ids, which it gives them
            notebook = nbformat_.reads(text, as_version=4)
            nbformat_.validator.normalize(notebook)
        for cell in notebook["cells"]:
            _ = cell["cell_type"], cell["source"]
    except MemoryError:
        raise
    except Exception as error:  # JSON of another shape ends in nbformat's errors, or in any other
        why, *_ = f"{type(error).__name__}: {error}".split("\n")
        why = "NotJSONError" if "NotJSONError" in why else why
        if isinstance(error, AttributeError | KeyError | TypeError) or "no attribute" in why:
            why = "its JSON does not have the structure of a notebook"
        raise _refusal(name, why) from None
    return notebook


def _check_cells(text: str, name: str) -> None:
    """Check that a file has cells with texts or lists of lines, which nbformat does not check.

    Raises:
        ValueError: a part is something else; the message counts cells from 1.
    """
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):
        return  # nbformat reports what is wrong
    if not isinstance(notebook, dict):
        raise _refusal(name, f"expected a JSON object, got {_shortened(notebook)}")
    cells = notebook.get("cells", [])
    if not isinstance(cells, list):
        raise _refusal(name, f"cells must be a list, got {_shortened(cells)}")
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict):
            why = f"cell {number} must be a JSON object, got {_shortened(cell)}"
            raise _refusal(name, why, "correct the cell, or remove it")
    try:
        sheets = notebook.get("worksheets", [notebook])  # until format 3
        cells = [cell for sheet in sheets for cell in sheet["cells"]]
        sources = [cell.get("source", cell.get("input", "")) for cell in cells]
    except (AttributeError, KeyError, TypeError):
        return  # nbformat reports this, too
    for number, source in enumerate(sources, 1):
        lines = source if isinstance(source, list) else [source]
        if wrong := [line for line in lines if not isinstance(line, str)]:
            why = f"the source of cell {number} must be text or a list of lines, got "
            raise _refusal(name, why + _shortened(wrong[0]), "correct the cell, or remove it")


def _shortened(value: Any) -> str:
    return json.dumps(value)[:40]


def write(notebook: Any, path: str | os.PathLike[str]) -> None:
    """Write an executed notebook into a file at once, with a mark of d2lrnn."""
    import nbformat

    nbformat_: Any = nbformat
    notebook = _parse(nbformat_.writes(notebook), os.fspath(path))  # as it will be read
    notebook["metadata"][MARK] = {"executed": _digest(notebook)}
    text = nbformat_.writes(notebook) + "\n"
    atomic.replace(path, text.encode("utf-8", "backslashreplace"))


def was_written_here(notebook: Any) -> bool:
    """Return whether ``write`` wrote a notebook whose cells have not been changed since."""
    mark = notebook["metadata"].get(MARK)
    return isinstance(mark, dict) and mark.get("executed") == _digest(notebook)


def _digest(notebook: Any) -> str:
    cells = [[c["cell_type"], c["source"], c.get("outputs")] for c in notebook["cells"]]
    return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()
