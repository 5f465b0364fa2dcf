"""A trained model as one safetensors file that any backend can read.

The tensors are the parameters under the book's names; the header's metadata hold the vocabulary
and the settings as JSON, and the seals of ``tensor_file``. Nothing in the file is ever executed.
What ``d2lrnn.training.run_file`` keeps of a training run is such a file too, with more in it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.data.text import Vocab
from d2lrnn.files import atomic, json_text, tensor_file
from d2lrnn.nets import cells, first_values
from d2lrnn.nets.language_model import RNNModelScratch

NAME, VERSION = "d2lrnn model", 2
FORMAT = f"{NAME} {VERSION}"
RUN = "training"  # the metadata, and the start of the tensors' names, that a run adds to a model

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


def save_model(path: StrPath, net: Any, vocab: Vocab, **settings: Any) -> None:
    """Write a network and its vocabulary into one file, which load_model reads in any backend.

    The arrays are written one after the other, so that writing needs hardly more memory than the
    net.

    Args:
        path: the file. An existing file is replaced at once if it is a model or empty.
        net: an RNNModelScratch; ``net.arrays()`` returns its parameters as NumPy arrays.
        vocab: the Vocab that it was trained with.
        settings: other facts to store with it, as JSON allows; NumPy's numbers and arrays are
            stored as numbers and lists.

    Returns:
        None.

    Raises:
        FileExistsError: an OSError; the file exists and is not a model.
        OSError: the file cannot be written, or is not a regular file; an existing file is
            unchanged.
        ValueError: the vocabulary is not that of the net, or JSON cannot hold a setting.

    Examples:
        >>> net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
        >>> rnn.save_model("letters.safetensors", net, rnn.Vocab("abcd"), epochs=10)
        >>> loaded, vocab = rnn.load_model("letters.safetensors")
        >>> loaded.num_hiddens, len(vocab)
        (4, 5)
    """
    if not isinstance(path, (str, bytes, os.PathLike)) or not hasattr(vocab, "idx_to_token"):
        kinds = ", ".join(type(value).__name__ for value in (path, net, vocab))
        raise ValueError(f"save_model was called with ({kinds}); expected (path, net, vocab)")
    atomic.check_writable(path)
    check_replaceable(path)
    write(path, *describe(net, vocab, settings))


def write(path: StrPath, tensors: tensor_file.Tensors, metadata: dict[str, str]) -> None:
    """Write what describe returned into a file, which is replaced in one go."""
    with atomic.replacing(path, tensor_file.size(tensors)) as file:
        tensor_file.write(file, tensors, metadata)


def check_replaceable(path: StrPath, *, run: bool = False) -> None:
    """Check that a model, or a run, may take a file's place: that there is none, or one of ours.

    A model does not take a run's place.

    Raises:
        FileExistsError: it is another kind of file; the message names it.
    """
    if not os.path.isfile(path) or os.path.getsize(path) == 0:
        return
    header = tensor_file.header_of(path)
    what = "" if f'"format":"{NAME} '.encode() in header else "is no model of d2lrnn"
    if not run and f'"{RUN}":"'.encode() in header:
        what = what or "holds a training run"
    if what:
        raise FileExistsError(
            f"{os.fspath(path)} is there already, and {what}; choose another name, or remove it"
        )


def describe(
    net: Any, vocab: Vocab, settings: Mapping[str, Any]
) -> tuple[dict[str, first_values.Array | tensor_file.Later], dict[str, str]]:
    """Return a model as tensors by name, which are made when they are written, and metadata."""
    if len(vocab) != net.vocab_size:
        raise ValueError(
            f"the vocabulary has {len(vocab)} tokens, the net is for {net.vocab_size}; "
            "save the Vocab that the net was trained with"
        )
    tensors = dict(zip(net.architecture.parameters, _arrays(net), strict=True))
    known = {
        **dataclasses.asdict(net.architecture),
        "num_hiddens": net.num_hiddens,
        "dtype": net.dtype,
    }
    metadata = {
        "format": FORMAT,
        "vocab": json.dumps(
            {
                "token": vocab.token,
                "tokens": vocab.idx_to_token,
                "unk": vocab.idx_to_token[vocab.unk],
            }
        ),
        "settings": _as_json({**settings, **known}),
    }
    return tensors, metadata


def _as_json(settings: Mapping[str, Any]) -> str:
    """Return settings as JSON; NumPy's numbers and arrays become numbers and lists.

    Raises:
        ValueError: JSON has nothing for one of them; the message names it.
    """
    for name, value in settings.items():
        try:
            json.dumps(value, default=_plain)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"the setting {name} cannot be stored ({error}); expected numbers, texts, None, "
                "and lists or dictionaries of these"
            ) from None
    return json.dumps(settings, default=_plain)


def _plain(value: Any) -> Any:
    """Return a number or an array of NumPy as Python's."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"it holds something of type {type(value).__name__}")


def _arrays(net: Any) -> list[tensor_file.Later]:
    """Return a net's parameters, each to be made when it is written."""
    shapes = net.architecture.shapes(net.vocab_size, net.num_hiddens)
    if hasattr(net, "forward_fn"):
        to_numpy = net.tensors.to_numpy
        makers = [functools.partial(to_numpy, param) for param in net.params]
    else:  # a framework's own layer is taken apart once, for all its arrays
        size = len(cells.CELLS[net.architecture.cell].parameters)
        layer = functools.lru_cache(1)(net.layer_arrays)
        makers = [functools.partial(_part, layer, *divmod(i, size)) for i in range(len(shapes))]
    described = zip(shapes, makers, strict=True)
    return [tensor_file.Later(shape, net.dtype, make) for shape, make in described]


def _part(layer: Callable[[int], list[Any]], number: int, place: int) -> Any:
    return layer(number)[place]


def loader(new_net: Callable[..., Any]) -> Callable[..., tuple[RNNModelScratch, Vocab]]:
    """Return load_model as a backend has it.

    Args:
        new_net: the backend's; new_net(architecture, vocab_size, num_hiddens, dtype=, device=)
            returns an RNNModelScratch.
    """

    def load_model(path: StrPath, *, device: Any = None) -> tuple[Any, Vocab]:
        """Return the net that a file holds, whichever backend saved it, and its Vocab.

        Numbers in it that are not finite are a warning: what such a net says means nothing.

        Raises:
            CheckpointError: a ValueError; the file is not a model of ours, or is damaged.
            OSError: the file cannot be read.
        """
        return _build(path, new_net, device)

    return load_model


def _build(path: StrPath, new_net: Callable[..., Any], device: Any) -> tuple[Any, Vocab]:
    tensors, vocab, settings = read_model(path)
    architecture, num_hiddens = _architecture(settings), settings["num_hiddens"]
    settings = {"dtype": settings["dtype"], "device": device}
    net = new_net(architecture, len(vocab), num_hiddens, **settings)
    net.load_arrays([tensors[name] for name in architecture.parameters])
    return net, vocab


def _architecture(settings: Mapping[str, Any]) -> cells.Architecture:
    fields = (field.name for field in dataclasses.fields(cells.Architecture))
    return cells.Architecture(**{name: settings[name] for name in fields})


def read_model(path: StrPath) -> tuple[dict[str, first_values.Array], Vocab, dict[str, Any]]:
    """Return the tensors by name, the Vocab and the settings that a file holds."""
    tensors, metadata = read(path)
    with naming(path):
        parameters, vocab, settings = model_of(tensors, metadata)
    warn_if_not_finite(path, parameters)
    return parameters, vocab, settings


def warn_if_not_finite(path: StrPath, parameters: Mapping[str, first_values.Array]) -> None:
    """Warn where parameters hold NaN or infinity: the net has diverged, and says nothing."""
    broken = [name for name, array in parameters.items() if not np.isfinite(array).all()]
    if broken:
        checks.warn(
            f"{os.fspath(path)} holds numbers that are not finite, in {', '.join(broken)}: "
            "the network diverged, and what it generates means nothing; train it again with a "
            "smaller lr"
        )


def model_of(
    tensors: Mapping[str, first_values.Array], metadata: Mapping[str, str]
) -> tuple[dict[str, first_values.Array], Vocab, dict[str, Any]]:
    """Return the parameters by name, in order, the Vocab and the settings of what read returned.

    Raises:
        KeyError, TypeError, ValueError: it is not what describe makes.
    """
    settings = _settings(metadata["settings"])
    architecture = _architecture(settings)
    _check_layers(architecture, len(tensors))
    vocab = _vocab(metadata["vocab"], tensors["b_q"].size if "b_q" in tensors else 0)
    shapes = architecture.shapes(len(vocab), settings["num_hiddens"])
    expected = dict(zip(architecture.parameters, shapes, strict=True))
    found = {name: array for name, array in tensors.items() if not name.startswith(f"{RUN}.")}
    check_tensors(found, expected, settings["dtype"])
    return {name: found[name] for name in expected}, vocab, settings


def read(path: StrPath) -> tuple[dict[str, first_values.Array], dict[str, str]]:
    """Return everything in a file of ours, seals and format checked.

    Raises:
        CheckpointError: a ValueError; the file is none of ours, or is damaged.
        OSError: the file cannot be read.
    """
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise CheckpointError(
            f"path is of type {type(path).__name__}; expected the name of a file that save_model "
            "has written"
        )
    with naming(path):
        tensors, metadata = tensor_file.unpack(path)
        wanted = {"format", "vocab", "settings"}
        if _check_format(path, metadata) > 1:  # the first format had no seals
            wanted |= set(tensor_file.SEALS)
        check_keys("metadata", metadata, wanted, optional={RUN})
        return tensors, metadata


def check_keys(what: str, found: Iterable[str], wanted: set[str], optional: Any = ()) -> None:
    """Check that names are those that are wanted, and say which are not."""
    found = set(found)
    if missing := sorted(wanted - found):
        raise ValueError(f"the {what} lack {', '.join(missing)}")
    if unknown := sorted(found - wanted - set(optional)):
        raise ValueError(f"the {what} hold {', '.join(unknown)}, which this version does not know")


def check_tensors(
    found: Mapping[str, first_values.Array], expected: Mapping[str, first_values.Shape], dtype: str
) -> None:
    """Check that tensors have the names, the shapes and the dtype that they must have."""
    check_keys("tensors", found, set(expected))
    for name, shape in expected.items():
        if found[name].shape != shape:
            raise ValueError(f"{name} has shape {found[name].shape}; expected {shape}")
        if found[name].dtype.name != dtype:
            raise ValueError(f"{name} has dtype {found[name].dtype}; expected {dtype}")


@contextlib.contextmanager
def naming(path: StrPath) -> Iterator[None]:
    """Turn what is wrong with a file's content into a CheckpointError that names the file."""
    try:
        yield
    except CheckpointError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise CheckpointError(f"{path} is not a readable model ({reason})") from error
    except (MemoryError, RecursionError) as error:
        reason = "it is nested too deep" if isinstance(error, RecursionError) else "no memory"
        raise CheckpointError(f"{path} is not a readable model ({reason})") from None


def _check_format(path: StrPath, metadata: Mapping[str, str]) -> int:
    """Check that a file is ours and not from the future, and return its format's number."""
    found = metadata.get("format", "no format at all")
    match = re.fullmatch(NAME + r" ([1-9]\d{0,5})", found, re.ASCII)
    if match is None:
        raise CheckpointError(f"{path} holds {found!r}; expected {FORMAT!r}")
    if (version := int(match.group(1))) > VERSION:
        raise CheckpointError(
            f"{path} holds {found!r}, which is newer than {FORMAT!r}, the newest that this version "
            "reads; run: pip install --upgrade d2lrnn"
        )
    return version


def _check_layers(architecture: cells.Architecture, num_tensors: int) -> None:
    """Check that a file holds as many tensors as its layers need, before they are named."""
    layers = architecture.num_layers * architecture.num_directions
    needed = layers * len(cells.CELLS[architecture.cell].parameters)
    if needed > num_tensors + 100:  # where it is a few, their names are more help
        raise ValueError(
            f"num_layers is {architecture.num_layers}, which takes {needed} tensors; "
            f"there are {num_tensors}"
        )


def _vocab(text: str, num_tokens: int) -> Vocab:
    table = json_text.read(text, num_tokens)
    check_keys("vocabulary's keys", table, {"token", "tokens", "unk"})
    tokens = table["tokens"]
    if not (isinstance(tokens, list) and all(isinstance(token, str) for token in tokens)):
        raise ValueError("the vocabulary's tokens are not a list of texts")
    vocab = Vocab.from_list(tokens, table["token"], table["unk"])
    if len(vocab) != len(tokens):
        raise ValueError("the vocabulary holds a token twice")
    return vocab


def _settings(text: str) -> dict[str, Any]:
    settings: dict[str, Any] = json_text.read(text)
    checks.size(num_hiddens=settings["num_hiddens"])
    checks.floating(settings["dtype"])
    if not isinstance(settings["bidirectional"], bool):
        raise ValueError(f"bidirectional is {settings['bidirectional']!r}; expected true or false")
    return settings
