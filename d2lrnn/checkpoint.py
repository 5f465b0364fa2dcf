"""A trained model as one safetensors file that any backend can read.

The tensors are the parameters under the book's names; the header's metadata hold the vocabulary
and the settings as JSON. Nothing in the file is ever executed.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from d2lrnn import cells, checks
from d2lrnn.text import Vocab

FORMAT = "d2lrnn model 1"

StrPath = str | os.PathLike[str]


class CheckpointError(ValueError):
    """A file is no model of ours, or is damaged; the message names the file and the reason."""


def save_model(path: StrPath, net: Any, vocab: Vocab, **settings: Any) -> None:
    """Write a net made by new_net, with its vocabulary, into one file.

    Args:
        path: the file, replaced in one go if it exists.
        net: an RNNModelScratch; ``net.arrays()`` gives its parameters as NumPy arrays.
        vocab: the Vocab it was trained with.
        settings: whatever else is to be known of it, as JSON allows.
    """
    if len(vocab) != net.vocab_size:
        raise ValueError(
            f"the vocabulary has {len(vocab)} tokens, the net is for {net.vocab_size}; "
            "save the Vocab that the net was trained with"
        )
    tensors = dict(zip(net.architecture.parameters, net.arrays(), strict=True))
    known = {
        **dataclasses.asdict(net.architecture),
        "num_hiddens": net.num_hiddens,
        "dtype": net.dtype,
    }
    header = {
        "format": FORMAT,
        "vocab": json.dumps(
            {
                "token": vocab.token,
                "tokens": vocab.idx_to_token,
                "unk": vocab.idx_to_token[vocab.unk],
            }
        ),
        "settings": json.dumps({**settings, **known}),
    }
    contiguous = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    _replace(Path(path), save(contiguous, header))


def loader(backend: str) -> Callable[..., tuple[Any, Vocab]]:
    """Return load_model as the backend whose module has that name has it."""

    def load_model(path: StrPath, *, device: Any = None) -> tuple[Any, Vocab]:
        """Return the net that a file holds, whichever backend saved it, and its Vocab.

        Raises:
            CheckpointError: a ValueError; the file is no model of ours, or is damaged.
            OSError: the file cannot be read.
        """
        return _build(path, sys.modules[backend], device)

    return load_model


def _build(path: StrPath, backend: Any, device: Any) -> tuple[Any, Vocab]:
    tensors, vocab, settings = read_model(path)
    architecture, num_hiddens = _architecture(settings), settings["num_hiddens"]
    expected = architecture.shapes(len(vocab), num_hiddens)
    for name, shape in zip(architecture.parameters, expected, strict=True):
        if tensors[name].shape != shape:
            raise CheckpointError(f"{path}: {name} has shape {tensors[name].shape}, not {shape}")
    settings = {"dtype": settings["dtype"], "device": device}
    net = cells.new_net(backend, architecture, len(vocab), num_hiddens, **settings)
    net.load_arrays([tensors[name] for name in architecture.parameters])
    return net, vocab


def _architecture(settings: dict[str, Any]) -> cells.Architecture:
    fields = (field.name for field in dataclasses.fields(cells.Architecture))
    return cells.Architecture(**{name: settings[name] for name in fields})


def read_model(path: StrPath) -> tuple[dict[str, cells.Array], Vocab, dict[str, Any]]:
    """Return the tensors by name, the Vocab and the settings that a file holds."""
    with open(path, "rb"):
        pass  # a missing or unreadable file is an OSError, which names the path
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            if header.get("format") != FORMAT:
                found = header.get("format", "no format at all")
                raise CheckpointError(f"{path} holds {found!r}; expected {FORMAT!r}")
            table, settings = json.loads(header["vocab"]), json.loads(header["settings"])
            vocab = Vocab.from_list(table["tokens"], table["token"], table["unk"])
            checks.size(num_hiddens=settings["num_hiddens"])
            checks.floating(settings["dtype"])
            parameters = _architecture(settings).parameters
            tensors = {name: file.get_tensor(name) for name in parameters}
            return tensors, vocab, settings
    except CheckpointError:
        raise
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is not a readable model ({error})") from error


def _replace(path: Path, content: bytes) -> None:
    """Write content under a temporary name beside path, then rename it; a link stays one."""
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():  # a device or a pipe
        path.write_bytes(content)
        return
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".d2lrnn.", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.chmod(file.name, 0o666 & ~_umask())
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
