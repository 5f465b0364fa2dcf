"""The names of edition 1.0 exist as in the book; errors for other chapters' names say where."""

import dataclasses
import importlib
import inspect
import re

import pytest

from d2lrnn.book import names

ALIASES = [
    "nn_Module",
    "ones_like",
    "ones",
    "zeros_like",
    "zeros",
    "tensor",
    "arange",
    "meshgrid",
    "sin",
    "sinh",
    "cos",
    "cosh",
    "tanh",
    "linspace",
    "exp",
    "log",
    "matmul",
    "int32",
    "int64",
    "float32",
    "concat",
    "stack",
    "abs",
    "eye",
    "sigmoid",
    "numpy",
    "reshape",
    "reduce_sum",
    "argmax",
    "astype",
    "transpose",
    "reduce_mean",
    "expand_dims",
    "repeat",
    "DATA_HUB",
    "DATA_URL",
    "plt",
]
SOME = {
    "torch": "normal rand randn to size swapaxes batch_matmul",
    "tensorflow": "normal rand size batch_matmul",
    "jax": "to swapaxes get_seed get_key",
    "mxnet": "normal rand randn to size swapaxes batch_matmul",
}


def arguments(thing):
    """The arguments of a function or method, as text; of a dataclass, its fields."""
    parameters = list(inspect.signature(thing).parameters.values())
    shown = [str(p.replace(annotation=p.empty)) for p in parameters if p.name != "self"]
    return ", ".join(re.sub(r"\[\]", "()", one) for one in shown)


def fields(cls):
    """The fields that a JAX model is made with, as text."""
    own = inspect.get_annotations(cls)
    listed = [f for f in dataclasses.fields(cls) if f.init and f.name in own]
    return ", ".join(f.name + _default(f) for f in listed if f.name not in ("parent", "name"))


def _default(field):
    return "" if field.default is dataclasses.MISSING else f"={field.default!r}"


def test_a_name_accepts_the_arguments_of_the_book(signature):
    backend, line = signature
    d2l = importlib.import_module(f"d2lrnn.book.{backend}")
    name, expected = re.fullmatch(r"([\w.]+)\((.*)\)", line).groups()
    owner, _, method = name.rpartition(".")
    thing = getattr(d2l, owner or name)
    if method == "fields":
        assert fields(thing) == expected
    else:
        assert arguments(getattr(thing, method) if owner else thing) == expected


@pytest.mark.parametrize("name", ALIASES)
def test_an_alias_exists(d2l, name):
    assert hasattr(d2l, name)


def test_the_aliases_of_the_framework_exist(d2l, backend):
    assert [name for name in SOME[backend].split() if not hasattr(d2l, name)] == []


KEPT = [name for name, known in names.names().items() if "1.0" in known.old]
OF_ANOTHER_CHAPTER = {"get_fashion_mnist_labels"}


@pytest.mark.parametrize("name", sorted({*KEPT, "evaluate_loss"} - OF_ANOTHER_CHAPTER))
def test_a_name_of_0_17_exists_in_1_0_where_the_book_has_it(d2l, backend, name):
    assert hasattr(d2l, name) == ("1.0" in names.names()[name].editions([backend]))
