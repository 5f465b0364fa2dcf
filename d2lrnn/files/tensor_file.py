"""safetensors files with two seals, so that no damage goes unnoticed.

safetensors checks that a file's parts add up, not what is in them: a flipped bit in a weight, or in
a letter of the metadata, loads without a word. Here the metadata carry two SHA-256 digests:
``payload_sha256``, of the tensors' bytes, which are what follows the header, and
``header_sha256``, of the header itself, from its brace to its last space, with these 64 digits
taken as zeros. Any other reader of safetensors can read the file, and ignore them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

Array = np.ndarray[Any, Any]
Metadata = dict[str, str]

LONGEST_HEADER = 100_000_000  # bytes; safetensors itself takes no longer one
SEALS = ("payload_sha256", "header_sha256")
ZEROS = "0" * 64
HEADER_SEAL = re.compile(rb'"header_sha256":"([^"]*)"')  # within a value, \" would stand


class DamageError(ValueError):
    """The content of a file is not what was written; the message is the reason."""


def pack(tensors: Mapping[str, Array], metadata: Metadata) -> bytes:
    """Return tensors by name, and metadata, as the content of a sealed safetensors file."""
    contiguous = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    content = save(contiguous, {**metadata, **dict.fromkeys(SEALS, ZEROS)})
    end = 8 + struct.unpack("<Q", content[:8])[0]
    header = _with_seal(_in_order(content[8:end]), "payload_sha256", _digest(content[end:]))
    header = _with_seal(header, "header_sha256", _digest(header))
    return struct.pack("<Q", len(header)) + header + content[end:]


def unpack(path: str | os.PathLike[str]) -> tuple[dict[str, Array], Metadata]:
    """Return the tensors and the metadata of a file, the seals among them.

    A file with no seals is read as it is; whether it may be is for the caller to say.

    Raises:
        DamageError: a seal is broken, or the file is no safetensors file.
        OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        start, header = _read_header(file, size)
        metadata, expected = _parse(header)
        if start + expected != size:
            raise DamageError(f"it is {size:,} bytes long; its header says {start + expected:,}")
        payload = file.read()
    if (seal := metadata.get("payload_sha256")) is not None and seal != _digest(payload):
        raise DamageError("its tensors are damaged: they do not have the SHA-256 of the header")
    try:
        tensors = load(struct.pack("<Q", len(header)) + header + payload)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise DamageError(str(error)) from error
    return tensors, metadata


def _read_header(file: BinaryIO, size: int) -> tuple[int, bytes]:
    """Return where the payload starts, and the header, its seal checked if there is one."""
    first = file.read(8)
    if len(first) < 8:
        raise DamageError(f"it is {size:,} bytes long, too short for a header")
    length = struct.unpack("<Q", first)[0]
    if length > min(size - 8, LONGEST_HEADER):
        raise DamageError(f"its header claims {length:,} bytes of a file of {size:,}")
    header = file.read(length)
    if (found := HEADER_SEAL.search(header)) is not None:
        start, end = found.span(1)
        if _digest(header[:start] + ZEROS.encode() + header[end:]) != found.group(1).decode():
            raise DamageError("its header is damaged: it does not have the SHA-256 that it says")
    return 8 + length, header


def _parse(header: bytes) -> tuple[Metadata, int]:
    """Return the metadata of a header, and the length of the payload that it describes."""
    try:
        entries = json.loads(header)
        metadata = entries.pop("__metadata__", {})
        ends = [entry["data_offsets"][1] for entry in entries.values()]
        if not all(isinstance(text, str) for text in metadata.values()):
            raise TypeError("metadata that are no text")
        return metadata, int(max(ends, default=0))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise DamageError(f"its header is no header of safetensors ({reason})") from None


def _in_order(header: bytes) -> bytes:
    """Return a header with its metadata in order, so that the same model is the same file.

    safetensors writes them in any order. The payload begins at a multiple of 8.
    """
    entries = json.loads(header)
    entries["__metadata__"] = dict(sorted(entries["__metadata__"].items()))
    text = json.dumps(entries, separators=(",", ":")).encode()
    return text + b" " * (-len(text) % 8)


def _with_seal(header: bytes, name: str, digest: str) -> bytes:
    blank = f'"{name}":"{ZEROS}"'.encode()
    if header.count(blank) != 1:
        raise ValueError(f"the header of safetensors has no single {name}; update d2lrnn")
    return header.replace(blank, f'"{name}":"{digest}"'.encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
