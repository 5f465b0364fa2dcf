"""Pictures as files: written whole or not at all, and over nothing that is none."""

from __future__ import annotations

import io
import os
from typing import Any

from d2lrnn.data import reading
from d2lrnn.files import atomic

# How files of each kind begin; what is not here cannot be told from others.
BEGINNINGS: dict[str, tuple[bytes, ...]] = {
    "eps": (b"%!PS",),
    "gif": (b"GIF8",),
    "jpeg": (b"\xff\xd8\xff",),
    "jpg": (b"\xff\xd8\xff",),
    "pdf": (b"%PDF",),
    "pgf": (b"%% Creator: Matplotlib",),
    "png": (b"\x89PNG",),
    "ps": (b"%!PS",),
    "svg": (b"<?xml", b"<svg", b"<!DOCTYPE svg"),
    "svgz": (b"\x1f\x8b",),
    "tif": (b"II*\0", b"MM\0*"),
    "tiff": (b"II*\0", b"MM\0*"),
    "webp": (b"RIFF",),
}


def save(figure: Any, path: atomic.StrPath) -> None:
    """Write a matplotlib figure into a file, of the kind that its name ends in.

    Raises:
        FileExistsError: an OSError; there is a file of another kind.
        OSError: the file cannot be written; the message names it, and the one before is as it was.
    """
    atomic.check_writable(path)
    check_replaceable(path)
    content = io.BytesIO()
    figure.savefig(content, format=_ending(path), dpi=150)
    atomic.replace(path, content.getvalue())


def check_replaceable(path: atomic.StrPath) -> None:
    """Check that a picture may take a file's place: that there is none, or one of its kind.

    Raises:
        FileExistsError: it is another kind of file; the message names it.
    """
    if not os.path.isfile(path) or os.path.getsize(path) == 0:
        return
    with reading.opened(path) as file:
        start = file.read(32)
    if not start.startswith(BEGINNINGS.get(_ending(path), ())):
        raise FileExistsError(
            f"{os.fspath(path)} is there already, and is no picture of that kind; "
            "choose another name, or remove it"
        )


def _ending(path: atomic.StrPath) -> str:
    return os.path.splitext(path)[1].removeprefix(".")
