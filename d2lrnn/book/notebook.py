"""A notebook of the book, run as it stands with our interface in the place of d2l."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from d2lrnn.book.classic.requirements import needed

PACKAGES = {"1.0": "d2lrnn.book", "classic": "d2lrnn.book.classic"}

# Names that only one of the editions has: words of 0.17, and what follows "d2l." in 1.0.
CLASSIC = frozenset(
    [
        "RNNModelScratch",
        "SeqDataLoader",
        "count_corpus",
        "load_corpus_time_machine",
        "load_data_time_machine",
        "predict_ch3",
        "predict_ch8",
        "read_time_machine",
        "seq_data_iter_random",
        "seq_data_iter_sequential",
        "train_ch3",
        "train_ch8",
        "train_epoch_ch3",
        "train_epoch_ch8",
        "transpose_output",
        "transpose_qkv",
    ]
)
NEWER = frozenset(
    [
        "Classifier",
        "DataModule",
        "FashionMNIST",
        "GRU",
        "HyperParameters",
        "LinearRegression",
        "MTFraEng",
        "Module",
        "ProgressBoard",
        "RNN",
        "RNNLM",
        "RNNLMScratch",
        "RNNScratch",
        "SGD",
        "Seq2Seq",
        "SyntheticRegressionData",
        "TimeMachine",
        "Trainer",
        "TransformerEncoderBlock",
        "add_to_class",
        "check_len",
        "check_shape",
        "init_seq2seq",
        "num_gpus",
    ]
)

PIP = re.compile(r"\s*[!%]?\s*(\S*python\S*\s+-m\s+|uv\s+)?pip3?\s+install\b.*\bd2l\b")
PINNED = re.compile(r"\bd2l\s*[=~><]=\s*(\d+)\.")
IMPORTS = re.compile(r"^\s*(?:from d2l import|from d2l\.|import d2l\.|import|from) ?(\w+)", re.M)


class Failure(NamedTuple):
    """A cell that failed: its number among the cells of code, its first line, and why."""

    number: int
    first_line: str
    error: str


def code_of(notebook: Any) -> list[Any]:
    """Return the cells of code."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def edition_of(sources: Sequence[str]) -> str:
    """Return "classic" or "1.0": what the cells pin, or by the names that they use; 1.0 if none."""
    text = "\n".join(sources)
    if pinned := PINNED.search(text):
        return "classic" if pinned[1] == "0" else "1.0"
    classic = CLASSIC & set(re.findall(r"\w+", text))
    newer = NEWER & set(re.findall(r"\bd2l\.(\w+)", text))
    return "classic" if len(classic) > len(newer) else "1.0"


def without_pip(source: str) -> str:
    """Return a cell without the lines that install d2l, each with those that it goes on in."""
    lines = re.findall(r"(?:[^\n]*\\\n)*[^\n]*(?:\n|$)", source)
    kept = [line for line in lines if not PIP.match(line.replace("\\\n", " "))]
    return "".join(kept).rstrip("\n")


def setup_code(sources: Sequence[str], edition: str) -> str:
    """Return what the kernel runs first: the hook, and our modules of the frameworks at hand.

    Those come before the frameworks themselves, which MXNet and TensorFlow's Keras 2 need.
    """
    package = PACKAGES[edition]
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
    after_cell: Callable[[], Any] = lambda: None,
) -> tuple[Any, bool, list[Failure]]:
    """Run a notebook in its folder and return it, whether d2l was ours, and what failed.

    Args:
        path: a file .ipynb; it is not changed.
        edition: "classic" or "1.0"; None to find out.
        timeout: seconds a cell may take; None for as long as it likes.
        after_cell: called after each cell.

    Raises:
        ImportError: Jupyter's nbclient, nbformat or ipykernel is not installed.
        ValueError: it is no notebook.
    """
    with needed("nbclient", "nbformat", "ipykernel"):
        import ipykernel  # noqa: F401
        import nbclient
    notebook = read(path)
    sources = [cell["source"] for cell in code_of(notebook)]
    setup = setup_code(sources, edition or edition_of(sources))
    client: Any = nbclient.NotebookClient(
        notebook, kernel_name="python3", timeout=timeout, allow_errors=True
    )
    client.resources = {"metadata": {"path": os.path.dirname(os.path.abspath(path))}}
    failures = []
    with client.setup_kernel():
        ours = _set_up(client, setup)
        for index, number, cell in _numbered(notebook):
            failures += _run_cell(client, index, number, cell)
            after_cell()
    return notebook, ours, failures


def read(path: str | os.PathLike[str]) -> Any:
    """Return a notebook, in the newest format."""
    with needed("nbformat"):
        import nbformat
    nbformat_: Any = nbformat
    try:
        notebook = nbformat_.reads(Path(path).read_text(encoding="utf-8"), as_version=4)
        nbformat_.validator.normalize(notebook)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # JSON of another shape ends in nbformat's errors, or in any other
        raise ValueError(f"{os.fspath(path)} is no notebook ({type(error).__name__})") from None
    return notebook


def write(notebook: Any, path: str | os.PathLike[str]) -> None:
    """Write a notebook into a file."""
    import nbformat

    writes: Any = nbformat.writes
    Path(path).write_text(writes(notebook) + "\n", encoding="utf-8")


def _numbered(notebook: Any) -> Iterator[tuple[int, int, Any]]:
    number = 0
    for index, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            number += 1
            yield index, number, cell


def _set_up(client: Any, code: str) -> bool:
    """Run code in the kernel before the cells, without a trace in the notebook."""
    import nbformat

    new_code_cell: Any = nbformat.v4.new_code_cell
    cells = client.nb["cells"]
    cells.insert(0, new_code_cell(code))
    client.execute_cell(cells[0], 0, store_history=False)
    outputs = cells.pop(0)["outputs"]
    for output in outputs:
        if output["output_type"] == "error":
            raise ImportError(f"{output['ename']}: {output['evalue']}")
    return "True" in "".join(output.get("text", "") for output in outputs)


def _run_cell(client: Any, index: int, number: int, cell: Any) -> list[Failure]:
    """Run a cell and return how it failed, if it did."""
    source, cell["outputs"] = cell["source"], []
    cell["source"] = without_pip(source)
    try:
        client.execute_cell(cell, index)
        errors = [o for o in cell["outputs"] if o["output_type"] == "error"]
        found = [f"{error['ename']}: {error['evalue']}" for error in errors]
    except Exception as error:  # the kernel died, or took too long
        found = [f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"]
    finally:
        cell["source"] = source
    first_line = next((line for line in source.split("\n") if line.strip()), "")
    return [Failure(number, first_line, error) for error in found]
