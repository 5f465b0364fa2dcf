"""Safetensors files with two checksums, which detect any damage.

A plain safetensors file with a flipped bit in a weight or in the metadata loads without an error.
Here the metadata contain two SHA-256 digests, called seals: ``payload_sha256``, of the bytes of the
tensors, and ``header_sha256``, of the header, from its first brace to its last space, computed with
zeros in place of its own 64 digits. Other readers of safetensors can read the file and ignore the
digests.

The library safetensors is not used: it writes all tensors at once, and the digest of a header needs
control over its bytes. The tests read the files with the library. Tensors are written and read one
at a time. Sizes in a header are compared with the size of the file before memory is allocated.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from d2lrnn.data import reading
from d2lrnn.files import json_text

Array = np.ndarray[Any, Any]
Metadata = dict[str, str]

# The names of NumPy dtypes in safetensors, which orders tensors by the reverse of this list.
DTYPES = {
    name: np.dtype(dtype)
    for name, dtype in {
        "BOOL": "?",
        "U8": "u1",
        "I8": "i1",
        "I16": "<i2",
        "U16": "<u2",
        "F16": "<f2",
        "I32": "<i4",
        "U32": "<u4",
        "F32": "<f4",
        "F64": "<f8",
        "I64": "<i8",
        "U64": "<u8",
    }.items()
}
LONGEST_HEADER = 100_000_000  # bytes; the limit of safetensors itself
# A header is limited to LONG_HEADER bytes, plus PER_BYTE for each byte of the tensors. This is
# enough for a large vocabulary, which has many weights, and for a history of 300,000 epochs.
LONG_HEADER, PER_BYTE = 12_000_000, 4
MOST_AXES = 32
SEALS = ("payload_sha256", "header_sha256")
ZEROS = "0" * 64
HEADER_SEAL = re.compile(rb'"header_sha256":"([^"]*)"')  # quotes within a value are escaped


class DamageError(ValueError):
    """The content of a file is damaged; the message is the reason."""


@dataclass(frozen=True)
class Later:
    """An array that is created when it is written, so that not all are in memory at once."""

    shape: tuple[int, ...]
    dtype: Any
    make: Callable[[], Array]


@dataclass(frozen=True)
class Entry:
    """The dtype and shape of a tensor, and the position of its bytes in the payload."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    end: int


Tensors = Mapping[str, "Array | Later"]


def pack(tensors: Tensors, metadata: Metadata) -> bytes:
    """Return tensors by name, and metadata, as the content of a sealed safetensors file."""
    file = io.BytesIO()
    write(file, tensors, metadata)
    return file.getvalue()


def write(file: BinaryIO, tensors: Tensors, metadata: Metadata) -> None:
    """Write the content that pack returns to an empty file, one tensor after the other."""
    entries = _entries(tensors)
    file.write(_header(entries, metadata, ZEROS))
    digest = hashlib.sha256()
    for name, entry in entries.items():
        content = _content(name, tensors[name], entry)
        digest.update(content.data)
        file.write(content.data)
        del content  # before the next is made
    file.seek(0)
    file.write(_header(entries, metadata, digest.hexdigest()))  # as long as the first
    file.seek(0, os.SEEK_END)


def size(tensors: Tensors) -> int:
    """Return the number of bytes of the tensors in a file, without its header."""
    return max((entry.end for entry in _entries(tensors).values()), default=0)


def unpack(path: str | os.PathLike[str]) -> tuple[dict[str, Array], Metadata]:
    """Return the tensors and the metadata of a file, including the seals.

    A file without seals is read without a check of its content; callers can require seals.

    Raises:
        DamageError: a seal is broken, or the file is not a safetensors file.
        OSError: the file cannot be read, or is not a regular file.
    """
    digest = hashlib.sha256()
    with reading.opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        start, header = _read_header(file, size)
        metadata, entries = _parse(header)
        expected = start + max((entry.end for entry in entries.values()), default=0)
        if expected != size:
            raise DamageError(f"it is {size:,} bytes long; expected {expected:,} from its header")
        tensors = {name: _read(file, entry, digest) for name, entry in entries.items()}
    if metadata.get("payload_sha256", digest.hexdigest()) != digest.hexdigest():
        raise DamageError("its tensors are damaged: they do not have the SHA-256 of the header")
    return tensors, metadata


def _entries(tensors: Tensors) -> dict[str, Entry]:
    """Return the position of each tensor, in the order of safetensors."""
    names = {dtype: name for name, dtype in DTYPES.items()}
    little = {name: np.dtype(tensor.dtype).newbyteorder("<") for name, tensor in tensors.items()}
    if unknown := {str(dtype) for dtype in little.values() if dtype not in names}:
        raise ValueError(f"a tensor is of {', '.join(unknown)}, which safetensors does not have")
    ranks = {name: list(DTYPES).index(names[dtype]) for name, dtype in little.items()}
    entries, start = {}, 0
    for name in sorted(tensors, key=lambda name: (-ranks[name], name.encode())):
        shape = tuple(map(int, tensors[name].shape))
        end = start + math.prod(shape) * little[name].itemsize
        entries[name], start = Entry(little[name], shape, start, end), end
    return entries


def _header(entries: Mapping[str, Entry], metadata: Metadata, payload_seal: str) -> bytes:
    """Return the length of the header and the header with its seals."""
    names = {dtype: name for name, dtype in DTYPES.items()}
    described = {
        name: {
            "dtype": names[entry.dtype],
            "shape": list(entry.shape),
            "data_offsets": [entry.start, entry.end],
        }
        for name, entry in entries.items()
    }

    def text(header_seal: str) -> bytes:
        seals = {"payload_sha256": payload_seal, "header_sha256": header_seal}
        all_metadata = dict(sorted({**metadata, **seals}.items()))  # equal models: equal files
        content = json.dumps(
            {"__metadata__": all_metadata, **described}, separators=(",", ":")
        ).encode()
        return content + b" " * (-len(content) % 8)  # the payload begins at a multiple of 8

    content = text(hashlib.sha256(text(ZEROS)).hexdigest())
    payload = max((entry.end for entry in entries.values()), default=0)
    if len(content) > _longest_header(payload):
        raise ValueError(
            f"vocabulary, settings and history take {len(content):,} bytes; a file with "
            f"{payload:,} bytes of weights has room for {_longest_header(payload):,}"
        )
    return struct.pack("<Q", len(content)) + content


def _content(name: str, tensor: Array | Later, entry: Entry) -> Array:
    """Return a tensor's bytes."""
    array = tensor.make() if isinstance(tensor, Later) else tensor
    if array.shape != entry.shape or array.dtype.newbyteorder("<") != entry.dtype:
        raise ValueError(f"{name} is {array.dtype} of shape {array.shape}; expected {entry}")
    content: Array = np.ascontiguousarray(array, entry.dtype).reshape(-1).view(np.uint8)
    return content


def _read(file: BinaryIO, entry: Entry, digest: Any) -> Array:
    """Return the next tensor of a file, and add its bytes to a digest."""
    try:
        content = np.empty(entry.end - entry.start, np.uint8)
    except MemoryError:
        raise DamageError(f"not enough memory for {entry.end - entry.start:,} bytes") from None
    if file.readinto(content.data) != len(content):  # type: ignore[attr-defined]
        raise DamageError("it ends before its last tensor does")
    digest.update(content.data)
    return content.view(entry.dtype).reshape(entry.shape)


def _longest_header(payload: int) -> int:
    return min(LONGEST_HEADER, LONG_HEADER + PER_BYTE * payload)


def header_of(path: str | os.PathLike[str]) -> bytes:
    """Return the unchecked header of a file, or b"" if the file does not have one."""
    with reading.opened(path) as file:
        try:
            return _header_bytes(file, os.fstat(file.fileno()).st_size)
        except DamageError:
            return b""


def _read_header(file: BinaryIO, size: int) -> tuple[int, bytes]:
    """Return the start of the payload, and the header, after checking its seal if it has one."""
    header = _header_bytes(file, size)
    if (seal := HEADER_SEAL.search(header)) is not None:
        start, end = seal.span(1)
        digest = hashlib.sha256(memoryview(header)[:start])
        digest.update(ZEROS.encode())
        digest.update(memoryview(header)[end:])
        if digest.hexdigest() != seal.group(1).decode("latin-1"):
            raise DamageError("its header is damaged: it does not have the SHA-256 that it states")
    return 8 + len(header), header


def _header_bytes(file: BinaryIO, size: int) -> bytes:
    """Return the bytes of the header, after checking its length and the memory that it needs."""
    first = file.read(8)
    if len(first) < 8:
        raise DamageError(f"it is {size:,} bytes long, too short for a header")
    length = struct.unpack("<Q", first)[0]
    if length > size - 8 or length > _longest_header(size - 8 - length):
        raise DamageError(
            f"its header claims {length:,} bytes of a file of {size:,}; expected a file written by "
            "save_model or d2lrnn train --out; to train on a text, run d2lrnn train --text"
        )
    counts, start = json_text.Counts(), file.tell()
    while part := file.read(min(2**20, start + length - file.tell())):
        counts.add(part)
    try:
        counts.check()
    except ValueError as error:
        raise DamageError(str(error)) from None
    file.seek(start)
    return file.read(length)


def _parse(header: bytes) -> tuple[Metadata, dict[str, Entry]]:
    """Return the metadata of a header, and the tensors in the order of their bytes."""
    try:
        described = json.loads(header.decode("utf-8"))
        metadata = described.pop("__metadata__", {})
        if not all(isinstance(text, str) for text in metadata.values()):
            raise TypeError("metadata that are not text")
        entries = {name: _entry(name, **about) for name, about in described.items()}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise DamageError(f"its header is not one of safetensors ({reason})") from None
    entries = dict(sorted(entries.items(), key=lambda item: (item[1].start, item[1].end)))
    end = 0
    for name, entry in entries.items():
        if entry.start != end:
            raise DamageError(f"its header says that {name} begins at {entry.start}, not at {end}")
        end = entry.end
    return metadata, entries


def _entry(name: str, *, dtype: str, shape: list[int], data_offsets: list[int]) -> Entry:
    """Return the Entry of a tensor, after checking that its dtype, shape and position agree."""
    start, end = data_offsets
    if not all(type(number) is int and number >= 0 for number in (*shape, start, end)):
        raise ValueError(f"{name} has sizes that are not integers, 0 or above")
    if len(shape) > MOST_AXES:
        raise ValueError(f"{name} has {len(shape)} axes; expected {MOST_AXES} at most")
    element = DTYPES[dtype]
    if end - start != math.prod(shape) * element.itemsize:
        raise ValueError(f"{name} has {end - start} bytes, which do not match its shape and dtype")
    return Entry(element, tuple(shape), start, end)
