"""Arbitrary arguments of functions, and the comparison of the results of all backends.

Tensors are drawn as what makes them, because each backend has its own.
"""

import itertools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from d2lrnn import backends

V, H = 5, 4
NUMPY = backends.load("numpy")

INTEGERS = ["int8", "int16", "int32", "int64", "uint8"]
OTHERS = ["uint16", "uint32", "uint64", "bool", "float16", "float32", "float64", "complex64", "U1"]
ERRORS = {"ValueError", "CheckpointError", "DivergenceError", "FileNotFoundError", "OSError"}

sizes = st.integers(0, 3)
shapes = st.lists(sizes, max_size=4).map(tuple)
odd_numbers = st.sampled_from(
    [0, -1, 1, 2, 2**40, True, 0.5, 2.0, float("nan"), float("inf"), "3", None, np.int8(2), [1]]
)
small_numbers = odd_numbers.filter(lambda number: number != 2**40)  # which would fill the memory


@dataclass(frozen=True)
class Made:
    """A value that each backend makes for itself."""

    make: Callable[..., Any]
    value: Any

    def __repr__(self):
        return f"made of {self.value!r}"


def made(strategy, make):
    """Draw values that a backend makes as make(backend, value)."""
    return strategy.map(lambda value: Made(make, value))


def of(rnn, value):
    """Return a value, converted for a backend."""
    return value.make(rnn, value.value) if isinstance(value, Made) else value


@st.composite
def tokens(draw, shape=shapes):
    """Arrays that might be token ids: of any dtype and shape, most of them within 0..4."""
    shape = draw(shape)
    dtype = draw(st.sampled_from(INTEGERS * 3 + OTHERS))
    ids = np.array(draw(st.lists(st.integers(0, V - 1), min_size=81, max_size=81)))
    array = np.resize(ids, shape).astype(dtype)
    if array.size and draw(st.integers(0, 3)) == 0:
        array.flat[draw(st.integers(0, array.size - 1))] = draw(st.sampled_from(odd_ids(array)))
    return array


def odd_ids(array):
    """Arrays that are not token ids."""
    if array.dtype.kind == "f":
        return [np.nan, np.inf, -np.inf]
    if array.dtype.kind in "iu":
        top = np.iinfo(array.dtype).max
        odd = [V, top, min(2**32 + 1, top), min(2**31, top)]
        return odd if array.dtype.kind == "u" else [*odd, -1, np.iinfo(array.dtype).min]
    return [array.flat[0]]


pairs = st.tuples(sizes, sizes)
batches = tokens(st.one_of(pairs, pairs, pairs, shapes))
floats = st.one_of(st.tuples(sizes, sizes, st.just(V)), shapes)
states = st.lists(
    st.one_of(st.tuples(sizes, st.just(H)), st.tuples(sizes, sizes), shapes), min_size=0, max_size=3
)


def answer(rnn, call):
    """Return the shapes and dtypes of a result, or the class and the message of an error."""
    try:
        # NumPy tells of numbers that are none, as it is set to, and goes on.
        with warnings.catch_warnings(), np.errstate(invalid="ignore", over="ignore"):
            warnings.simplefilter("error")
            return "a value", described(rnn, call(rnn))
    except Exception as error:
        return type(error).__name__, str(error)


def described(rnn, value):
    """Return what can be compared across backends."""
    if isinstance(value, dict):
        return {name: described(rnn, part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [described(rnn, part) for part in value]
    if isinstance(value, (str, int)) or value is None:
        return value
    if hasattr(value, "idx_to_token"):  # a Vocab
        return value.idx_to_token
    if hasattr(value, "arrays") and callable(value.arrays):  # a net
        return described(rnn, value.arrays())
    if callable(value):
        return "a function"
    if hasattr(value, "__iter__") and not hasattr(value, "shape"):  # a loader
        return described(rnn, list(itertools.islice(iter(value), 2)))
    array = rnn.to_numpy(value)
    kind = "integers" if array.dtype.kind in "iu" else array.dtype.name  # MXNet has fewer of them
    return (array.shape, kind) if array.ndim else "a number"


def assert_same_answer(rnn, call, reference=None):
    """Check that the result equals NumPy's; an error must be one of this package."""
    expected = answer(NUMPY, reference or call)
    assert expected[0] in {"a value", *ERRORS}, expected
    assert answer(rnn, call) == expected


def drive(many, strategies, check):
    """Check a function with values that the strategies draw."""
    many(given(**strategies)(check))()


def unchanged(net, call):
    """Call with a net; after an error, its parameters must be unchanged, bit for bit."""
    before = net.arrays()
    try:
        return call(net)
    except ValueError:
        for param, array in zip(net.arrays(), before, strict=True):
            np.testing.assert_array_equal(param, array)
        raise


def tensors(rnn, shapes):
    return tuple(rnn.from_numpy(np.full(shape, 0.5, "float32")) for shape in shapes)
