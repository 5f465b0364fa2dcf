"""Helpers for lessons: display source code and figures, check exercises, shorten runs.

The functions work the same in JupyterLab, VS Code, Colab and the classic notebook. In a plain
script, source is printed, and figures are windows or files. Three environment variables change the
behaviour: D2LRNN_FAST shortens runs, D2LRNN_FIGURES is the folder of figures, and D2LRNN_PROGRESS
turns progress bars on or off (see training.progress).
"""

from __future__ import annotations

import ast
import inspect
import io
import itertools
import os
import re
import reprlib
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from d2lrnn.data import data_files

FAST = "D2LRNN_FAST"  # unless it is empty or 0, lessons use small sizes
FIGURES = "D2LRNN_FIGURES"  # the folder in which scripts save figures

NO_ANSWER = "No answer yet"

T = TypeVar("T")


def in_notebook() -> bool:
    """Return whether this code runs in the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel")


def full_or_fast(full: T, fast: T) -> T:
    """Return full, or fast if the environment variable D2LRNN_FAST is set to shorten runs.

    Examples:
        >>> from d2lrnn.teaching import full_or_fast
        >>> num_epochs = full_or_fast(400, 4)  # 4 if D2LRNN_FAST is 1
        >>> num_epochs in (400, 4)
        True
    """
    return fast if os.environ.get(FAST, "0") not in ("", "0") else full


def time_machine_at_hand() -> bool:
    """Return whether The Time Machine can be read without a download.

    This is so if the file is in the folder named by the environment variable D2LRNN_DATA, or was
    downloaded before.

    Examples:
        >>> from d2lrnn.teaching import time_machine_at_hand
        >>> book = time_machine_at_hand()
        >>> load_data = rnn.load_data_time_machine if book else rnn.load_data_builtin
        >>> train_iter, vocab = load_data(batch_size=32, num_steps=35)
        >>> len(vocab) in (28, 55)
        True
    """
    return _at_hand("timemachine.txt")


def tiny_shakespeare_at_hand() -> bool:
    """Return whether tiny-shakespeare can be read without a download; see time_machine_at_hand."""
    return _at_hand("tinyshakespeare.txt")


def _at_hand(name: str) -> bool:
    import pooch  # imported here: it is slow to import

    folders = [os.environ.get(data_files.DATA_FOLDER), pooch.os_cache("d2lrnn")]
    return any(Path(folder, name).exists() for folder in folders if folder)


def show(function: Callable[..., Any], *, helpers: bool = False) -> None:
    """Show the source of a function or class, highlighted in a notebook and plain in a script.

    The source is read from the installed package, so it is the code that runs.

    Args:
        function: a function or class written in Python, such as rnn.rnn.
        helpers: whether to show also the functions of the same module that it calls, directly or
            indirectly, such as the step that rnn.rnn repeats over time.

    Returns:
        None; the source is displayed or printed.

    Raises:
        ValueError: function does not have source in Python.

    Examples:
        >>> rnn.show(rnn.rnn)
        # d2lrnn/.../scratch.py
        ...
            return output_layer(Hs, W_hq, b_q), state
    """
    function = inspect.unwrap(function)
    shown = [*_called_by(function), function] if helpers else [function]
    try:
        shown.sort(key=lambda one: inspect.getsourcelines(one)[1])
        parts = [textwrap.dedent(inspect.getsource(one)).rstrip() for one in shown]
    except (TypeError, OSError):
        raise ValueError(
            f"show was given {function!r}, which does not have source in Python; "
            "expected a function or a class, not its result"
        ) from None
    where = function.__module__.replace(".", "/")
    source = f"# {where}.py\n\n" + "\n\n\n".join(parts)
    _display(source, {"text/markdown": f"```python\n{source}\n```"})


def present(axes: Any, alt: str) -> None:
    """Show the figure of one or more matplotlib Axes, and close it.

    In a notebook, the figure is displayed as SVG. In a script, it is shown in a window; or, without
    a display or if the environment variable D2LRNN_FIGURES names a folder, it is saved as a PNG
    file in that folder (by default ``figures``), with the name of the script and a number.

    Args:
        axes: the Axes that functions of d2lrnn.plot and d2lrnn.plot.diagrams return.
        alt: one sentence that describes the figure for readers who cannot see it.

    Examples:
        >>> from d2lrnn import plot
        >>> from d2lrnn.teaching import present
        >>> ax = plot.new_axes()
        >>> present(ax, "Empty axes.")
        figure saved in figures/...-1.png: Empty axes.
    """
    from matplotlib import pyplot

    figure = np.ravel(np.asarray(axes, dtype=object))[0].figure
    folder = os.environ.get(FIGURES)
    if in_notebook():
        svg = io.StringIO()
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None, "Title": alt})
        _display(alt, {"image/svg+xml": _small(svg.getvalue())})
    elif folder or figure.canvas.required_interactive_framework is None:
        path = _next_file(Path(folder or "figures"))
        figure.savefig(path)
        print(f"figure saved in {path}: {alt}")
    else:
        pyplot.show()
    pyplot.close(figure)


def check(answer: Any, expected: Any, hint: str, *, tolerance: float = 1e-6) -> None:
    """Print whether the answer to an exercise is right, and the hint if it is not.

    Args:
        answer: a value, or a function without arguments that computes it; an exception in the
            function counts as a wrong answer. ``...`` and None count as a missing answer, and so
            does a function that still contains ``...`` or uses a name whose value is ``...``. The
            report of check_cell, for which True is expected, is printed if it is not true.
        expected: the right value: a number, a text, an array, or lists of these; or a function that
            computes it, which is called only if there is an answer.
        hint: a sentence that helps without giving the answer.
        tolerance: the tolerance for numbers, relative to the largest expected number.

    Raises:
        ValueError: expected is ``...`` or None, which stand for a missing answer.

    Examples:
        >>> from d2lrnn.teaching import check
        >>> check(2 + 2, 4, "count on your fingers")
        Right.
        >>> check(..., 4, "count on your fingers")  # a blank
        No answer yet. Hint: count on your fingers
        >>> check(lambda: 1 / 0, 4, "count on your fingers")
        Not yet: ZeroDivisionError: division by zero. Hint: count on your fingers
    """
    try:
        value = answer() if callable(answer) else answer
    except Exception as error:
        verdict = f"Not yet: {type(error).__name__}: {error}"
        print(f"{NO_ANSWER if _blank_in(answer) else verdict}. Hint: {hint}")
        return
    if _is_blank(value):
        print(f"{NO_ANSWER}. Hint: {hint}")
        return
    right = expected() if callable(expected) else expected
    if right is ... or right is None:
        raise ValueError(f"expected is {right!r}; pass the right answer to check")
    if _equals(value, right, tolerance):
        print("Right.")
    elif _blank_in(answer):
        print(f"{NO_ANSWER}. Hint: {hint}")
    elif _is_report(value):
        print(f"Not yet: {value}\nHint: {hint}")
    else:
        print(f"Not yet: the answer is {reprlib.repr(value)}. Hint: {hint}")


def _is_report(value: Any) -> bool:
    """Return whether a value is a report, such as that of check_cell, which is true or false."""
    return isinstance(getattr(value, "ok", None), bool)


def _is_blank(value: Any) -> bool:
    """Return whether a value is a placeholder for an answer, or a list that contains one."""
    if isinstance(value, (list, tuple)):
        return any(_is_blank(one) for one in value)
    return value is ... or value is None


def _blank_in(answer: Any) -> bool:
    """Return whether a function, or one that it uses, still contains or uses a blank."""
    visited: set[int] = set()

    def look(function: Any) -> bool:
        if not inspect.isfunction(function) or id(function) in visited:
            return False
        visited.add(id(function))
        named = [function.__globals__.get(name) for name in _names_in(function.__code__)]
        local = (one for one in named if getattr(one, "__module__", None) == function.__module__)
        return any(one is ... for one in named) or _has_dots(function) or any(map(look, local))

    return look(answer)


def _names_in(code: Any) -> list[str]:
    """Return the names that a code object uses, including those in its comprehensions."""
    inner = (one for one in code.co_consts if inspect.iscode(one))
    return [*code.co_names, *(name for one in inner for name in _names_in(one))]


def _has_dots(function: Any) -> bool:
    """Return whether a function contains the statement ``...``."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):  # such as a lambda, whose source is a part of a line
        return False
    statements = (node.value for node in ast.walk(tree) if isinstance(node, ast.Expr))
    return any(isinstance(one, ast.Constant) and one.value is ... for one in statements)


def _equals(answer: Any, right: Any, tolerance: float) -> bool:
    """Return whether an answer is right, for numbers to within the tolerance."""
    if _is_report(answer):
        return bool(answer.ok == right)
    try:
        numbers, rights = (np.asarray(value, dtype=np.float64) for value in (answer, right))
    except (TypeError, ValueError):  # text, or lists of unequal lengths
        return bool(type(answer) is type(right) and answer == right)
    if numbers.shape != rights.shape or isinstance(answer, str) != isinstance(right, str):
        return False
    scale = np.abs(rights).max(initial=0) or 1.0
    return bool((np.abs(numbers - rights) <= tolerance * scale).all())


def _called_by(function: Any) -> list[Any]:
    """Return the functions of the same module that a function uses, directly or indirectly."""
    named: dict[str, Any] = {}

    def look(code: Any) -> None:
        for name in code.co_names:
            one = function.__globals__.get(name)
            if name not in named and getattr(one, "__module__", None) == function.__module__:
                named[name] = one
                look(getattr(one, "__code__", code))

    look(getattr(function, "__code__", compile("", "", "exec")))
    return [one for one in named.values() if inspect.isfunction(one) and one is not function]


def _display(plain: str, rich: dict[str, str]) -> None:
    """Display the rich form in a notebook, with the plain form as a fallback; otherwise print it.

    In a notebook, code in Markdown has the syntax highlighting of the notebook.
    """
    if in_notebook():
        from IPython.display import display

        display({"text/plain": plain, **rich}, raw=True)
    else:
        print(plain)


def _small(svg: str) -> str:
    """Reduce the size of an SVG: remove comments, indentation, names and superfluous digits."""
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)  # groups are not referenced, only shapes are
    svg = re.sub(r'style="[^"]*"', lambda style: re.sub(r"(?<=[:;]) ", "", style[0]), svg)
    svg = re.sub(r">\s+<", "><", re.sub(r"\s*\n\s*", " ", svg))
    svg = re.sub(r'(?<=["#])DejaVuSans', "D", svg)  # in the names of glyphs
    places = re.compile(r'(?<= )(?:d|x|y)="[^"]*"|translate\([^)]*\)')
    svg = places.sub(lambda place: re.sub(r"(\.\d\d)\d+", r"\1", place[0]), svg)
    return re.sub(r' d="[^"]*"', lambda path: re.sub(r" ([A-Z]) ?", r"\1", path[0]), svg)


_numbers = itertools.count(1)


def _next_file(folder: Path) -> Path:
    """Return the path of the next figure of this script; create the folder if necessary."""
    script = getattr(sys.modules["__main__"], "__file__", None) or "figure"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{Path(script).stem}-{next(_numbers)}.png"
