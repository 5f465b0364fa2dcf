"""A trained model as one safetensors file that any backend can read.

The tensors are the parameters, under the names of the book. The metadata in the header hold the
vocabulary and the settings as JSON, and the digests of ``tensor_file``. Nothing in the file is ever
executed. A checkpoint of ``d2lrnn.training.run_file`` is such a file with additional content.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from d2lrnn import backends, checks
from d2lrnn.data.text import Vocab
from d2lrnn.files import atomic, json_text, tensor_file
from d2lrnn.files.model_content import (
    FORMAT,
    NAME,
    RUN,
    CheckpointError,
    StrPath,
    check_format,
    check_keys,
    check_tensors,
    layout_of,
    model_of,
    naming,
)
from d2lrnn.nets import build, cells, custom, first_values
from d2lrnn.nets.function_layout import FunctionLayout
from d2lrnn.nets.language_model import RNNModelScratch
from d2lrnn.nets.ops import Ops

__all__ = [
    "FORMAT",
    "NAME",
    "RUN",
    "CheckpointError",
    "StrPath",
    "check_keys",
    "check_replaceable",
    "check_tensors",
    "describe",
    "for_backend",
    "model_of",
    "naming",
    "read",
    "read_model",
    "save_model",
    "warn_if_not_finite",
    "write",
]


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
    """Write the result of describe to a file, which is replaced atomically."""
    with atomic.replacing(path, tensor_file.size(tensors)) as file:
        tensor_file.write(file, tensors, metadata)


def check_replaceable(path: StrPath, *, run: bool = False) -> None:
    """Check that a model may replace a file: that it does not exist, is empty or is a model.

    With run=True, a checkpoint of a training run may be replaced too.

    Raises:
        FileExistsError: it is another kind of file; the message contains its name.
    """
    if not os.path.isfile(path) or os.path.getsize(path) == 0:
        return
    header = tensor_file.header_of(path)
    what = "" if f'"format":"{NAME} '.encode() in header else "is not a model of d2lrnn"
    if not run and f'"{RUN}":"'.encode() in header:
        what = what or "holds a training run"
    if what:
        raise FileExistsError(
            f"{os.fspath(path)} already exists and {what}; choose another name, or remove it"
        )


def describe(
    net: Any, vocab: Vocab, settings: Mapping[str, Any]
) -> tuple[dict[str, first_values.Array | tensor_file.Later], dict[str, str]]:
    """Return a model as metadata and tensors by name, whose arrays are created when written.

    Raises:
        ValueError: the vocabulary is not that of the net, two parameters have the same name, or
            JSON cannot hold a setting.
    """
    if len(vocab) != net.vocab_size:
        raise ValueError(
            f"the vocabulary has {len(vocab)} tokens, but the net has vocab_size {net.vocab_size}; "
            "save the Vocab that the net was trained with"
        )
    _check_different(net.layout.parameters)
    tensors = dict(zip(net.layout.parameters, _arrays(net), strict=True))
    net_settings = {
        **net.layout.settings(),
        "num_hiddens": net.num_hiddens,
        "dtype": net.dtype,
    }
    metadata = {
        "format": FORMAT,
        "vocab": json.dumps(vocab.table()),
        "settings": _as_json({**settings, **net_settings}),
    }
    return tensors, metadata


def _check_different(names: Sequence[str]) -> None:
    """Check that no two parameters have the same name, because a file would lose one of them."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"the name {', '.join(twice)} is used for two parameters of the net, and a file needs "
            "different names; give the parameter of the custom cell another name"
        )


def _as_json(settings: Mapping[str, Any]) -> str:
    """Return settings as JSON; NumPy's numbers and arrays become numbers and lists.

    Raises:
        ValueError: a setting cannot be represented in JSON; the message contains its name.
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
    """Convert a number or an array of NumPy to a number or a list of Python."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"it holds something of type {type(value).__name__}")


def _arrays(net: Any) -> list[tensor_file.Later]:
    """Return the parameters of a net, whose arrays are created when they are written."""
    shapes = net.layout.shapes(net.vocab_size, net.num_hiddens)
    if hasattr(net, "forward_fn"):
        to_numpy = net.tensors.to_numpy
        makers = [functools.partial(to_numpy, param) for param in net.params]
    else:  # the arrays of a framework's layer are computed together and cached
        size = len(net.architecture.kind.parameters)
        layer = functools.lru_cache(1)(net.layer_arrays)
        makers = [functools.partial(_part, layer, *divmod(i, size)) for i in range(len(shapes))]
    described = zip(shapes, makers, strict=True)
    return [tensor_file.Later(shape, net.dtype, make) for shape, make in described]


def _part(layer: Callable[[int], list[Any]], number: int, place: int) -> Any:
    return layer(number)[place]


def for_backend(ops: Ops) -> dict[str, Callable[..., tuple[RNNModelScratch, Vocab]]]:
    """Return the function load_model of a backend, by name."""
    new_net = functools.partial(build.new_net, backends.load(ops.name))

    def load_model(path: StrPath, *, cell: Any = None, device: Any = None) -> tuple[Any, Vocab]:
        """Load a net and its Vocab from a file, which any backend may have saved.

        A UserWarning is issued if parameters are not finite, because such a net is useless.

        Raises:
            CheckpointError: a ValueError; the file is not a model of d2lrnn, or is damaged, or its
                custom cell is not the argument cell.
            OSError: the file cannot be read.
        """
        return _build(path, new_net, cell, device)

    return {"load_model": load_model}


def _build(path: StrPath, new_net: Callable[..., Any], cell: Any, device: Any) -> tuple[Any, Vocab]:
    tensors, vocab, settings = read_model(path)
    layout, num_hiddens = layout_of(settings), settings["num_hiddens"]
    settings = {"dtype": settings["dtype"], "device": device}
    if isinstance(layout, FunctionLayout):
        net = _of_functions(path, layout, cell, new_net, (len(vocab), num_hiddens), settings)
    else:
        if cell is not None or layout.custom is not None:
            layout = _with_step(path, layout, cell)
        net = new_net(layout, len(vocab), num_hiddens, **settings)
    net.load_arrays([tensors[name] for name in layout.parameters])
    return net, vocab


def _of_functions(
    path: StrPath,
    layout: FunctionLayout,
    functions: Any,
    new_net: Callable[..., Any],
    sizes: tuple[int, int],
    settings: Mapping[str, Any],
) -> Any:
    """Return a net of the three functions, after checking that its parameters fit the file."""
    stored = f"{os.fspath(path)} holds a net of the custom function {layout}"
    if not isinstance(functions, (tuple, list)) or len(functions) != 3:
        raise CheckpointError(
            f"{stored}; a file does not hold functions; load it with load_model(path, "
            "cell=(get_params, init_state, forward_fn))"
        )
    net = new_net(tuple(functions), *sizes, **settings)
    shapes = [tuple(param.shape) for param in net.params]
    if shapes != layout.shapes(*sizes):
        raise CheckpointError(
            f"{stored}; the functions given make parameters of shapes "
            f"{', '.join(map(str, shapes))}; give those with which the net was made"
        )
    return net


def _with_step(path: StrPath, architecture: cells.Architecture, cell: Any) -> cells.Architecture:
    """Return the architecture of a file with a custom cell, after checking that the two agree."""
    stored = (
        f"{os.fspath(path)} holds the {'cell' if architecture.custom is None else 'custom cell'}"
    )
    if cell is None:
        raise CheckpointError(
            f"{stored} {custom.in_words(architecture.kind)}; a file does not hold the function of "
            "a custom cell; load it with load_model(path, cell=new_cell(...))"
        )
    combined = dataclasses.replace(architecture, cell=cell, custom=None)
    if combined.settings() != architecture.settings():
        raise CheckpointError(
            f"{stored} {custom.in_words(architecture.kind)}; the argument cell is "
            f"{custom.in_words(combined.kind)}; give the cell with which the net was made"
        )
    return combined


def read_model(path: StrPath) -> tuple[dict[str, first_values.Array], Vocab, dict[str, Any]]:
    """Return the tensors by name, the Vocab and the settings of a model file."""
    tensors, metadata = read(path)
    with naming(path):
        parameters, vocab, settings = model_of(tensors, metadata)
    warn_if_not_finite(path, parameters)
    return parameters, vocab, settings


def settings_of(path: StrPath) -> dict[str, Any]:
    """Return the settings of a model file that load_model has read: those given to save_model."""
    header = json_text.read(tensor_file.header_of(path).decode("utf-8"))
    settings: dict[str, Any] = json_text.read(header["__metadata__"]["settings"])
    return settings


def warn_if_not_finite(path: StrPath, parameters: Mapping[str, first_values.Array]) -> None:
    """Warn if parameters contain NaN or infinity, which means that training diverged."""
    broken = [name for name, array in parameters.items() if not np.isfinite(array).all()]
    if broken:
        checks.warn(
            f"{os.fspath(path)} holds numbers that are not finite, in {', '.join(broken)}: "
            "the network diverged, and text that it generates is meaningless; train it again with "
            "a smaller lr"
        )


def read(path: StrPath) -> tuple[dict[str, first_values.Array], dict[str, str]]:
    """Return the tensors and the metadata of a model file, after checking digests and format.

    Raises:
        CheckpointError: a ValueError; the file is not a model of d2lrnn, or is damaged.
        OSError: the file cannot be read.
    """
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise CheckpointError(
            f"path is of type {type(path).__name__}; expected the name of a file written by "
            "save_model"
        )
    with naming(path):
        tensors, metadata = tensor_file.unpack(path)
        wanted = {"format", "vocab", "settings"}
        if check_format(path, metadata) > 1:  # the first format did not have digests
            wanted |= set(tensor_file.SEALS)
        check_keys("metadata", metadata, wanted, optional={RUN})
        return tensors, metadata
