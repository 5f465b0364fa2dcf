"""The names of edition 1.0 are there, as in the book; other chapters' say where they are."""

import dataclasses
import importlib
import inspect
import re

import pytest

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


# Names of 0.17 that the package of 1.0 keeps beside its own.
FORMER = (
    "MaskedSoftmaxCELoss",
    "build_array_nmt",
    "evaluate_loss",
    "load_data_nmt",
    "predict_seq2seq",
    "preprocess_nmt",
    "read_data_nmt",
    "sequence_mask",
    "tokenize_nmt",
    "train_seq2seq",
    "truncate_pad",
)


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


def test_a_name_takes_the_arguments_that_it_takes_in_the_book(signature):
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
def test_an_alias_is_there(d2l, name):
    assert hasattr(d2l, name)


def test_the_aliases_of_the_framework_are_there(d2l, backend):
    assert [name for name in SOME[backend].split() if not hasattr(d2l, name)] == []


def test_a_name_of_another_chapter_says_which(d2l, backend):
    expected = (
        r"d2l\.LeNet belongs to another chapter of the book, on convolutional neural networks; "
        rf"d2lrnn\.book\.{backend} has the names of the chapters on recurrent networks"
    )
    with pytest.raises(AttributeError, match=expected):
        _ = d2l.LeNet


def test_a_name_that_is_nobodys_is_an_ordinary_error(d2l, backend):
    with pytest.raises(AttributeError, match=f"module 'd2lrnn.book.{backend}' has no attribute"):
        _ = d2l.no_such_name


@pytest.mark.parametrize("name", FORMER)
def test_a_name_that_1_0_keeps_of_0_17_is_there_where_the_book_has_it(d2l, backend, name):
    absent = backend == "jax" or (backend, name) == ("mxnet", "sequence_mask")
    assert hasattr(d2l, name) != absent
