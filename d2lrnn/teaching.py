"""What a lesson needs beside the networks: source to read, figures, exercises, shorter runs.

It works alike in JupyterLab, VS Code, Colab and the classic notebook, and in a plain script, where
source is printed and figures are windows or files. The environment variables D2LRNN_FAST,
D2LRNN_FIGURES and D2LRNN_PROGRESS (training.progress) say how much, where to and whether.
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

from d2lrnn.data import corpora

FAST = "D2LRNN_FAST"  # if it is neither empty nor 0, lessons compute with small sizes
FIGURES = "D2LRNN_FIGURES"  # the folder that a script's figures are saved in

NO_ANSWER = "No answer yet"

T = TypeVar("T")


def in_notebook() -> bool:
    """Return whether this runs in a notebook's kernel, of whatever make."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel")


def full_or_fast(full: T, fast: T) -> T:
    """Return full, or fast where the environment variable D2LRNN_FAST asks for a quick run.

    Examples:
        >>> from d2lrnn.teaching import full_or_fast
        >>> num_epochs = full_or_fast(400, 4)  # 4 where D2LRNN_FAST is 1
        >>> num_epochs in (400, 4)
        True
    """
    return fast if os.environ.get(FAST, "0") not in ("", "0") else full


def time_machine_at_hand() -> bool:
    """Return whether The Time Machine can be read without a download.

    It can if it lies in the folder that the environment variable D2LRNN_DATA names, or was
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
    import pooch  # here: it takes as long to import as NumPy

    folders = [os.environ.get(corpora.DATA_FOLDER), pooch.os_cache("d2lrnn")]
    return any(Path(folder, name).exists() for folder in folders if folder)


def show(function: Callable[..., Any], *, helpers: bool = False) -> None:
    """Show the source of a function or class, highlighted in a notebook and plain in a script.

    The text is read from the package itself, so it is the code that runs.

    Args:
        function: a function or class written in Python, such as rnn.rnn.
        helpers: whether to show first, in order, the functions of its module that it calls, and
            those that they call in turn, such as the step that rnn.rnn runs over time.

    Returns:
        None; the source is displayed or printed.

    Raises:
        ValueError: it has no source in Python.

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
            f"show was given {function!r}, which has no source in Python; "
            "expected a function or a class, not what it returned"
        ) from None
    where = function.__module__.replace(".", "/")
    source = f"# {where}.py\n\n" + "\n\n\n".join(parts)
    _display(source, {"text/markdown": f"```python\n{source}\n```"})


def present(axes: Any, alt: str) -> None:
    """Show the figure of one or more matplotlib Axes, and close it.

    In a notebook it is an SVG. In a script it is a window; where there is no display, or where the
    environment variable D2LRNN_FIGURES names a folder, it is a PNG file in that folder (otherwise
    ``figures``), named after the script and numbered.

    Args:
        axes: what the functions of d2lrnn.plot and d2lrnn.plot.diagrams return.
        alt: one sentence that says what there is to see, for those who do not see it.

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
    """Print whether the answer to an exercise is right, and the hint where it is not.

    Args:
        answer: a value, or a function of no arguments that computes it; whatever goes wrong in it
            is a wrong answer. ``...`` and None are no answer yet; nor is what comes of a name or of
            a function that still holds the student's ``...``.
        expected: the right value: a number, text, an array, or lists of them; or a function that
            computes it, called once there is an answer.
        hint: a sentence that helps without telling.
        tolerance: how far numbers may be off, relative to the largest expected one.

    Raises:
        ValueError: expected is ``...`` or None, which would take a blank for an answer.

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
        found = answer() if callable(answer) else answer
    except Exception as error:
        said = f"Not yet: {type(error).__name__}: {error}"
        print(f"{NO_ANSWER if _blank_in(answer) else said}. Hint: {hint}")
        return
    if _is_blank(found):
        print(f"{NO_ANSWER}. Hint: {hint}")
        return
    right = expected() if callable(expected) else expected
    if right is ... or right is None:
        raise ValueError(f"expected is {right!r}; give check the right value to compare with")
    if _equals(found, right, tolerance):
        print("Right.")
    else:
        said = f"Not yet: the answer is {reprlib.repr(found)}"
        print(f"{NO_ANSWER if _blank_in(answer) else said}. Hint: {hint}")


def _is_blank(value: Any) -> bool:
    """Return whether a value is what stands where an answer is to be, or holds it."""
    if isinstance(value, (list, tuple)):
        return any(_is_blank(one) for one in value)
    return value is ... or value is None


def _blank_in(answer: Any) -> bool:
    """Return whether a function still holds a blank, or names what does, or names a blank."""
    seen: set[int] = set()

    def look(function: Any) -> bool:
        if not inspect.isfunction(function) or id(function) in seen:
            return False
        seen.add(id(function))
        named = [function.__globals__.get(name) for name in _names_in(function.__code__)]
        own = (one for one in named if getattr(one, "__module__", None) == function.__module__)
        return any(one is ... for one in named) or _has_dots(function) or any(map(look, own))

    return look(answer)


def _names_in(code: Any) -> list[str]:
    """Return the names that code uses, those in its comprehensions included."""
    inner = (one for one in code.co_consts if inspect.iscode(one))
    return [*code.co_names, *(name for one in inner for name in _names_in(one))]


def _has_dots(function: Any) -> bool:
    """Return whether the statement ``...`` stands in a function."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):  # a lambda, whose source may begin anywhere
        return False
    statements = (node.value for node in ast.walk(tree) if isinstance(node, ast.Expr))
    return any(isinstance(one, ast.Constant) and one.value is ... for one in statements)


def _equals(found: Any, right: Any, tolerance: float) -> bool:
    """Return whether an answer is the right one, numbers within the tolerance."""
    try:
        numbers, rights = (np.asarray(value, dtype=np.float64) for value in (found, right))
    except (TypeError, ValueError):  # text, or lists of unequal lengths
        return bool(type(found) is type(right) and found == right)
    if numbers.shape != rights.shape or isinstance(found, str) != isinstance(right, str):
        return False
    scale = np.abs(rights).max(initial=0) or 1.0
    return bool((np.abs(numbers - rights) <= tolerance * scale).all())


def _called_by(function: Any) -> list[Any]:
    """Return the functions of the same module that a function names, and what they name in turn."""
    found: dict[str, Any] = {}

    def look(code: Any) -> None:
        for name in code.co_names:
            one = function.__globals__.get(name)
            if name not in found and getattr(one, "__module__", None) == function.__module__:
                found[name] = one
                look(getattr(one, "__code__", code))

    look(getattr(function, "__code__", compile("", "", "exec")))
    return [one for one in found.values() if inspect.isfunction(one) and one is not function]


def _display(plain: str, rich: dict[str, str]) -> None:
    """Show the rich form in a notebook, with the plain one for whoever cannot; print it elsewhere.

    In a notebook, Markdown gets the colours that the notebook itself gives to code.
    """
    if in_notebook():
        from IPython.display import display

        display({"text/plain": plain, **rich}, raw=True)
    else:
        print(plain)


def _small(svg: str) -> str:
    """Return an SVG without what is not seen: comments, indents, names, thousandths of a point."""
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)  # only shapes are referred to, not groups
    svg = re.sub(r'style="[^"]*"', lambda style: re.sub(r"(?<=[:;]) ", "", style[0]), svg)
    svg = re.sub(r">\s+<", "><", re.sub(r"\s*\n\s*", " ", svg))
    svg = re.sub(r'(?<=["#])DejaVuSans', "D", svg)  # in the names of letters
    places = re.compile(r'(?<= )(?:d|x|y)="[^"]*"|translate\([^)]*\)')
    svg = places.sub(lambda place: re.sub(r"(\.\d\d)\d+", r"\1", place[0]), svg)
    return re.sub(r' d="[^"]*"', lambda path: re.sub(r" ([A-Z]) ?", r"\1", path[0]), svg)


_numbers = itertools.count(1)


def _next_file(folder: Path) -> Path:
    """Return the name of the next figure of this script; the folder is made if there is none."""
    script = getattr(sys.modules["__main__"], "__file__", None) or "figure"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{Path(script).stem}-{next(_numbers)}.png"
