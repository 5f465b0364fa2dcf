"""Check the content of a model file: format, names and shapes of tensors, vocabulary."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from d2lrnn import checks
from d2lrnn.data.bpe_vocab import BPEVocab
from d2lrnn.data.vocab import BPE, Vocab
from d2lrnn.files import json_text
from d2lrnn.nets import cells, custom, first_values, function_layout
from d2lrnn.nets.function_layout import FunctionLayout

NAME, VERSION = "d2lrnn model", 2
FORMAT = f"{NAME} {VERSION}"
RUN = "training"  # the metadata key, and the prefix of tensor names, of a training run

StrPath = str | os.PathLike[str]


class CheckpointError(ValueError):
    """A file is not a model of d2lrnn, or is damaged; the message names the file and the reason.

    Examples:
        >>> with open("notes.txt", "w") as file:
        ...     print("a poem", file=file)
        >>> try:
        ...     rnn.load_model("notes.txt")
        ... except rnn.CheckpointError as error:
        ...     print(error)
        notes.txt is not a readable model (it is 7 bytes long, too short for a header)
    """


@contextlib.contextmanager
def naming(path: StrPath) -> Iterator[None]:
    """Convert errors about the content of a file to a CheckpointError that names the file."""
    try:
        yield
    except CheckpointError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else error
        raise CheckpointError(f"{path} is not a readable model ({reason})") from error
    except (MemoryError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else "not enough memory"
        raise CheckpointError(f"{path} is not a readable model ({reason})") from None


def check_keys(what: str, names: Iterable[str], expected: set[str], optional: Any = ()) -> None:
    """Raise a ValueError that lists the missing names, or the unknown ones, if there are any."""
    names = set(names)
    if missing := sorted(expected - names):
        raise ValueError(f"the {what} lack {', '.join(missing)}")
    if unknown := sorted(names - expected - set(optional)):
        raise ValueError(
            f"the {what} hold {', '.join(unknown)}, which this version does not support"
        )


def check_tensors(
    tensors: Mapping[str, first_values.Array],
    expected: Mapping[str, first_values.Shape],
    dtype: str,
) -> None:
    """Check that tensors have the expected names, shapes and dtype."""
    check_keys("tensors", tensors, set(expected))
    for name, shape in expected.items():
        if tensors[name].shape != shape:
            raise ValueError(f"{name} has shape {tensors[name].shape}; expected {shape}")
        if tensors[name].dtype.name != dtype:
            raise ValueError(f"{name} has dtype {tensors[name].dtype}; expected {dtype}")


def check_format(path: StrPath, metadata: Mapping[str, str]) -> int:
    """Check that a file has a format that this version can read; return the format version."""
    text = metadata.get("format", "no format")
    match = re.fullmatch(NAME + r" ([1-9]\d{0,5})", text, re.ASCII)
    if match is None:
        raise CheckpointError(f"{path} has the format {text!r}; expected {FORMAT!r}")
    if (version := int(match.group(1))) > VERSION:
        raise CheckpointError(
            f"{path} has the format {text!r}, which is newer than {FORMAT!r}, the newest that this "
            "version can read; run: pip install --upgrade d2lrnn"
        )
    return version


def model_of(
    tensors: Mapping[str, first_values.Array], metadata: Mapping[str, str]
) -> tuple[dict[str, first_values.Array], Vocab, dict[str, Any]]:
    """Return the parameters by name, in order, the Vocab and the settings from the result of read.

    Raises:
        KeyError, TypeError, ValueError: the content does not describe a model.
    """
    settings = _settings(metadata["settings"])
    layout = layout_of(settings)
    _check_layers(layout, len(tensors))
    vocab = _vocab(metadata["vocab"], tensors["b_q"].size if "b_q" in tensors else 0)
    shapes = layout.shapes(len(vocab), settings["num_hiddens"])
    expected = dict(zip(layout.parameters, shapes, strict=True))
    parameters = {name: a for name, a in tensors.items() if not name.startswith(f"{RUN}.")}
    check_tensors(parameters, expected, settings["dtype"])
    return {name: parameters[name] for name in expected}, vocab, settings


def layout_of(settings: Mapping[str, Any]) -> cells.Architecture | FunctionLayout:
    """Return the architecture that the settings of a file describe, or the layout of functions.

    A custom cell has no step.
    """
    if settings["cell"] == function_layout.CELL:
        return function_layout.from_settings(settings["custom"])
    axes = settings.get("custom") if settings["cell"] not in cells.CELLS else None
    cell = None if axes is None else custom.from_settings(settings["cell"], axes)
    names = ("cell", "num_layers", "bidirectional")
    known = {name: settings[name] for name in names}
    return cells.Architecture(**known, custom=cell, embedding=settings.get("embedding"))


def _check_layers(architecture: cells.Architecture | FunctionLayout, num_tensors: int) -> None:
    """Check that a file holds about as many tensors as its layers need."""
    if isinstance(architecture, FunctionLayout):
        return
    layers = architecture.num_layers * architecture.num_directions
    needed = layers * len(architecture.kind.parameters)
    if needed > num_tensors + 100:  # if few are missing, check_tensors lists their names
        raise ValueError(
            f"num_layers is {architecture.num_layers}, which needs {needed} tensors; "
            f"there are {num_tensors}"
        )


def _vocab(text: str, num_tokens: int) -> Vocab:
    table = json_text.read(text, num_tokens)
    is_bpe = isinstance(table, dict) and table.get("token") == BPE
    pattern = {"pattern"} if is_bpe else set()
    check_keys("vocabulary's keys", table, {"token", "tokens", "unk", *pattern})
    tokens = table["tokens"]
    if not (isinstance(tokens, list) and all(isinstance(token, str) for token in tokens)):
        raise ValueError("the tokens of the vocabulary are not a list of strings")
    if is_bpe:
        return BPEVocab.from_names(tokens, table["pattern"])
    vocab = Vocab.from_list(tokens, table["token"], table["unk"])
    if len(vocab) != len(tokens):
        raise ValueError("the vocabulary contains a token twice")
    return vocab


def _settings(text: str) -> dict[str, Any]:
    settings: dict[str, Any] = json_text.read(text)
    checks.size(num_hiddens=settings["num_hiddens"])
    checks.floating(settings["dtype"])
    if not isinstance(settings["bidirectional"], bool):
        raise ValueError(f"bidirectional is {settings['bidirectional']!r}; expected true or false")
    return settings
