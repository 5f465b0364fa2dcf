"""Execute the notebooks and write the .ipynb that are committed, outputs included.

python notebooks/build.py [--fast] [--tidy] [NAME ...]

Each .py runs in a new kernel, on PyTorch, with The Time Machine. Ids, versions and metadata that
change from run to run are removed, so that differences of the files are differences of content.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import tempfile
import time
from typing import Any

import jupytext
import nbclient
import nbformat

import grid
import slides
from d2lrnn import teaching

LARGEST = 400_000  # bytes of an .ipynb
SLOWEST = 360  # seconds for one notebook
# Folders of a machine, which outputs must not contain.
MACHINE = re.compile(r"/(?:home|root|tmp|usr|opt|var|work|Users|mnt)/|[A-Z]:\\+Users|site-packages")


def build(name: str) -> Any:
    """Return a notebook with the outputs of running it now."""
    notebook = jupytext.read(grid.script(name))
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        client = nbclient.NotebookClient(
            notebook,
            timeout=SLOWEST,
            kernel_name="python3",
            resources=resources,
            coalesce_streams=True,
        )
        client.execute()
    return tidy(notebook)


def tidy(notebook: Any) -> Any:
    """Return a notebook without metadata that differ from run to run."""
    kernelspec = notebook.metadata["kernelspec"]
    notebook.metadata = {"kernelspec": kernelspec, "language_info": {"name": "python"}}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: list[str] = []
    for cell in notebook.cells:
        cell.metadata = {}
        digest = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        cell.id = f"{digest}-{seen.count(digest)}" if digest in seen else digest
        seen.append(digest)
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output.metadata = {}
    return slides.on_slides(notebook)


def complaints(notebook: Any) -> list[str]:
    """Return the faults of a built notebook; an empty list if it can be committed."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            words = json.dumps(output)
            where = f"after {cell.source.splitlines()[0]!r}"
            if output.output_type == "error":
                found.append(f"an error {where}: {output.ename}: {output.evalue}")
            if output.get("name") == "stderr":
                found.append(f"output on stderr {where}: {output.text[:200]}")
            if match := MACHINE.search(words):
                found.append(f"a path of this machine {where}: {words[match.start() :][:80]}")
            if "Not yet:" in words or teaching.NO_ANSWER in words:
                found.append(f"a wrong solution {where}: {words[:200]}")
    size = len(nbformat.writes(notebook).encode())
    if size >= LARGEST:
        found.append(f"it has {size:,} bytes; expected fewer than {LARGEST:,}")
    return found


def main() -> None:
    """Build the notebooks given as arguments, or all notebooks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as 03-rnn-from-scratch")
    parser.add_argument("--fast", action="store_true", help="small sizes; nothing is written")
    again = "update metadata and slide types of the committed files; nothing is run"
    parser.add_argument("--tidy", action="store_true", help=again)
    arguments = parser.parse_args()
    os.environ[teaching.FAST] = "1" if arguments.fast else "0"
    os.environ["D2LRNN_PROGRESS"] = "0"
    if not (arguments.fast or arguments.tidy) and not teaching.time_machine_at_hand():
        raise SystemExit("the outputs need The Time Machine; set D2LRNN_DATA to its folder")
    for name in arguments.names or grid.names():
        if arguments.tidy:
            path = grid.script(name).with_suffix(".ipynb")
            nbformat.write(tidy(nbformat.read(path, as_version=4)), path)
            continue
        start = time.perf_counter()
        notebook = build(name)
        wrong = complaints(notebook)
        if wrong:
            raise SystemExit("\n".join([f"{name} is not written:", *wrong]))
        if not arguments.fast:
            nbformat.write(notebook, grid.script(name).with_suffix(".ipynb"))
        seconds, size = time.perf_counter() - start, len(nbformat.writes(notebook))
        print(f"{name}: {seconds:.0f} s, {size:,} bytes")


if __name__ == "__main__":
    main()
