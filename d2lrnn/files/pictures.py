"""Save pictures atomically, without overwriting files of another kind."""

from __future__ import annotations

import io
import os
from typing import Any

from d2lrnn.data import reading
from d2lrnn.files import atomic

# The first bytes of files of each kind. Files of other kinds are not checked.
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
    """Save a matplotlib figure to a file, in the format given by the extension of its name.

    Raises:
        FileExistsError: an OSError; the file exists and is of another kind.
        OSError: the file cannot be written; the message contains its name, and an existing file is
            unchanged.
    """
    atomic.check_writable(path)
    check_replaceable(path)
    content = io.BytesIO()
    figure.savefig(content, format=_ending(path), dpi=150)
    atomic.replace(path, content.getvalue())


def check_replaceable(path: atomic.StrPath) -> None:
    """Check that a picture may replace a file: that it does not exist, is empty or has its format.

    Raises:
        FileExistsError: it is another kind of file; the message contains its name.
    """
    if not os.path.isfile(path) or os.path.getsize(path) == 0:
        return
    with reading.opened(path) as file:
        start = file.read(32)
    if not start.startswith(BEGINNINGS.get(_ending(path), ())):
        raise FileExistsError(
            f"{os.fspath(path)} already exists and is not a picture of that kind; "
            "choose another name, or remove it"
        )


def _ending(path: atomic.StrPath) -> str:
    return os.path.splitext(path)[1].removeprefix(".")
