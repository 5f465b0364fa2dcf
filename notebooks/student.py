"""Make the student's version of the notebooks: replace solutions by blanks.

python notebooks/student.py [--to FOLDER] [NAME ...]

A solution is between the lines ``### BEGIN SOLUTION`` and ``### END SOLUTION``. It is replaced by
``name = ...  # your answer`` for each name that it assigns outside of a function, and by
``...  # your code`` within a function. Outputs are removed.
"""

from __future__ import annotations

import argparse
import ast
import textwrap
from pathlib import Path

import grid

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


def without_solutions(source: str) -> str:
    """Return a percent script with a blank for each solution.

    Raises:
        ValueError: a solution has no beginning or no end, or begins within another.
    """
    kept: list[str] = []
    solution: list[str] | None = None
    for number, line in enumerate(source.splitlines(), 1):
        mark = line.strip()
        if mark == BEGIN and solution is None:
            solution = []
        elif mark == END and solution is not None:
            kept += _blank(solution)
            solution = None
        elif mark in (BEGIN, END):
            raise ValueError(f"line {number} is {mark!r}; expected {BEGIN!r} and {END!r} in turn")
        else:
            (kept if solution is None else solution).append(line)
    if solution is not None:
        raise ValueError(f"a solution does not end; put {END!r} after its last line")
    return "\n".join(kept) + "\n"


def _blank(solution: list[str]) -> list[str]:
    """Return the lines that replace a solution."""
    code = textwrap.dedent("\n".join(solution))
    first = next((line for line in solution if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    if indent:
        return [f"{indent}...  # your code"]
    names = [
        name.id
        for statement in ast.parse(code).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name)
    ]
    if not names:
        raise ValueError(f"a solution assigns no name; expected one that check can use:\n{code}")
    return [f"{name} = ...  # your answer" for name in dict.fromkeys(names)]


def main() -> None:
    """Write the student's version of the notebooks given as arguments, or of all notebooks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as 03-rnn-from-scratch")
    parser.add_argument("--to", type=Path, default=Path("student"), metavar="FOLDER")
    arguments = parser.parse_args()
    import jupytext

    arguments.to.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or grid.names():
        source = without_solutions(grid.script(name).read_text(encoding="utf-8"))
        path = arguments.to / f"{name}.ipynb"
        jupytext.write(jupytext.reads(source, fmt="py:percent"), path)
        print(path)


if __name__ == "__main__":
    main()
