"""Measure the defaults of the frameworks: a table of docs/frameworks.md.

``python docs/surprises.py`` prints the table for the installed frameworks, and
``python docs/surprises.py torch jax`` for two of them. tests/test_docs.py measures each row again
and compares it with the page. docs/words.py has the functions of each framework.
"""

from __future__ import annotations

import math
import sys
import warnings

import numpy as onp
import words

NAMES = {
    "numpy": "NumPy",
    "torch": "PyTorch",
    "tensorflow": "TensorFlow",
    "jax": "JAX",
    "mxnet": "MXNet",
}
FACTS = {}  # by name: (the question, the function that finds the answer)


def fact(question):
    """Register a function of a framework's operations, which computes a row of the table."""

    def note(function):
        FACTS[function.__name__] = question, function
        return function

    return note


def outcome(function):
    """Return what a function returns, as text, or the error's name."""
    try:
        return str(function())
    except Exception as error:
        return type(error).__name__


def numbers(array):
    """Return an array of a few numbers as text."""
    return ", ".join(f"{x:g}" for x in onp.asarray(array, dtype=float).reshape(-1))


@fact("one-hot of 3, of 3 classes")
def one_hot_too_large(fw):
    return outcome(lambda: numbers(fw.one_hot([3], 3)))


@fact("one-hot of -1")
def one_hot_negative(fw):
    return outcome(lambda: numbers(fw.one_hot([-1], 3)))


@fact("integer types that one-hot accepts, of int8, int32, int64")
def one_hot_types(fw):
    taken = []
    for dtype in ("int8", "int32", "int64"):
        ids = fw.tensor(onp.array([1], dtype))
        if outcome(lambda ids=ids: numbers(fw.one_hot(ids, 3))) == "0, 1, 0":
            taken.append(dtype)
    return ", ".join(taken)


@fact("2³² + 1 in int64, converted to a tensor")
def large_id(fw):
    return outcome(lambda: int(fw.tensor(onp.array([2**32 + 1]))[0]))


@fact("one-hot of 2³² + 1, of 3 classes")
def large_one_hot(fw):
    return outcome(lambda: numbers(fw.one_hot(fw.tensor(onp.array([2**32 + 1])), 3)))


@fact("int32: 2³¹ - 1 plus 1")
def int32_overflow(fw):
    ids = fw.tensor(onp.array([2**31 - 1], "int32"))
    return outcome(lambda: int((ids + fw.tensor(onp.array([1], "int32")))[0]))


@fact("row 3 of a table of 3 rows")
def row_out_of_range(fw):
    return outcome(lambda: numbers(fw.row(fw.tensor(onp.array([[0.5], [1.5], [2.5]])), 3)))


@fact("cross-entropy of target 3, scores of 3 classes")
def target_out_of_range(fw):
    scores = fw.tensor(onp.zeros((1, 3), "float32"))
    return outcome(lambda: numbers(fw.cross_entropy(scores, fw.tensor(onp.array([3])))))


@fact("type of a tensor of [1.5]")
def default_float(fw):
    return dtype_of(fw.tensor([1.5]))


@fact("type of a tensor of NumPy's float64")
def default_of_float64(fw):
    return dtype_of(fw.tensor(onp.array([1.5])))


@fact("type of argmax")
def argmax_type(fw):
    return dtype_of(fw.argmax(fw.tensor(onp.array([1.0, 2.0], "float32"))))


@fact("1 - tanh(infinity) in float64")
def tanh_of_infinity(fw):
    gap = 1 - float(onp.asarray(fw.double(fw.tanh, onp.array([math.inf])))[0])
    return "up to 1e-15" if 0 < gap <= 1e-15 else f"{gap:.1g}"  # depends on XLA's settings


@fact("tanh of NaN")
def tanh_of_nan(fw):
    return numbers(fw.tanh(fw.tensor(onp.array([math.nan], "float32"))))


@fact("gradient of a weight for an empty batch")
def empty_gradient(fw):
    X, W = onp.zeros((0, 3), "float32"), onp.ones((3, 2), "float32")
    found = {bool(onp.array_equal(fw.gradient(X, W), onp.zeros((3, 2)))) for _ in range(5)}
    return "zeros" if found == {True} else "arbitrary old values"


@fact("mean of an empty tensor")
def empty_mean(fw):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        mean = numbers(fw.mean(fw.tensor(onp.zeros(0, "float32"))))
    return mean + (" and a warning" if said else "")


@fact("A[0] = 1")
def assignment(fw):
    def assign():
        A = fw.tensor(onp.zeros(2, "float32"))
        A[0] = 1.0
        return "changes A"

    return outcome(assign)


@fact("B = A; B += 1: is A changed?")
def augmented(fw):
    A = fw.tensor(onp.zeros(2, "float32"))
    B = A
    B += 1
    return "yes" if float(onp.asarray(A)[0]) else "no"


@fact("first two normal random numbers, seed 0")
def random_stream(fw):
    return ", ".join(f"{x:.4f}" for x in onp.asarray(fw.normal(0, 2)))


@fact("gradient settings of the main thread apply to other threads")
def threads(fw):
    return fw.no_gradient_elsewhere()


def dtype_of(tensor):
    """Return the name of a tensor's type, as NumPy calls it."""
    return str(getattr(tensor.dtype, "name", tensor.dtype)).removeprefix("torch.")


def measure(backend):
    """Return the results of one framework, by the name of the row."""
    framework = getattr(words, f"{backend}_words")()
    with onp.errstate(all="warn"):
        return {name: find(framework) for name, (_, find) in FACTS.items()}


def table(backends):
    """Return the results of several frameworks as a Markdown table."""
    found = {backend: measure(backend) for backend in backends}
    heads = ["", *(NAMES[backend] for backend in backends)]
    lines = [heads, ["---"] * len(heads)]
    for name, (question, _) in FACTS.items():
        lines.append([question, *(found[backend][name] for backend in backends)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    from d2lrnn import backends

    print(table(sys.argv[1:] or backends.available()))
