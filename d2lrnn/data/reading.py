"""Files that are read: what kind of file each is, and how much it gives, is checked.

A pipe that nobody writes to, or a device that never ends, would otherwise be read for ever.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Iterator
from typing import BinaryIO

StrPath = str | os.PathLike[str]

FOLDER, PIPE = "a folder", "a pipe"
KINDS = {
    stat.S_IFDIR: FOLDER,
    stat.S_IFIFO: PIPE,
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
MAX_PIPED = 2**30  # bytes of a pipe that are read
PATIENCE = 10.0  # seconds to wait for a program that writes to a pipe
BLOCK = 2**20  # bytes that are read at once


def kind(path: StrPath) -> str | None:
    """Return what a path leads to, such as "a pipe", or None for a regular file.

    Raises:
        OSError: there is nothing, or it cannot be reached.
    """
    try:
        return KINDS.get(stat.S_IFMT(os.stat(path).st_mode))
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        name = os.fspath(path)
        raise OSError(
            error.errno,
            f"the name of the file has {len(name)} characters and begins with {name[:20]!r}, which "
            "is too long; give the name of a file, not a text",
        ) from None


def check(path: StrPath, *, pipes: bool = False) -> None:
    """Check that a path leads to a regular file, or also to a pipe.

    Raises:
        OSError: it leads to something else, or to nothing; the message names it.
    """
    found = kind(path)
    if found is None or (pipes and found == PIPE):
        return
    error = IsADirectoryError if found == FOLDER else OSError
    expected = "a regular file or a pipe" if pipes else "a regular file"
    remedy = "copy what it gives into a file" if found == PIPE else "give the name of a file"
    raise error(f"{os.fspath(path)} is {found}; expected {expected}; {remedy}")


@contextlib.contextmanager
def opened(path: StrPath, *, pipes: bool = False) -> Iterator[BinaryIO]:
    """Give a file to read, or a pipe; an error while it is read names it.

    Raises:
        OSError: it cannot be read, or is another kind of file.
    """
    check(path, pipes=pipes)
    try:
        with open(_opened_pipe(path) if kind(path) == PIPE else path, "rb") as file:
            yield file
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = os.fspath(path)
        raise


def _opened_pipe(path: StrPath) -> int:
    """Return the handle of a pipe, once a program has opened it for writing.

    Raises:
        OSError: no program has, within PATIENCE seconds.
    """
    handles: list[int | OSError] = []

    def wait() -> None:
        try:
            handles.append(os.open(path, os.O_RDONLY))
        except OSError as error:
            handles.append(error)

    opener = threading.Thread(target=wait, daemon=True)
    opener.start()
    opener.join(PATIENCE)
    if is_late := not handles:
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))  # which ends the waiting
            opener.join()
    handle = handles[0] if handles else -1
    if isinstance(handle, OSError):
        raise handle
    if is_late:
        with contextlib.suppress(OSError):
            os.close(handle)
        raise TimeoutError(
            f"{os.fspath(path)} is a pipe that no program has opened for writing within "
            f"{PATIENCE:g} seconds; start the program that writes to it first"
        )
    return handle


def blocks(path: StrPath, size: int = BLOCK, *, pipes: bool = False) -> Iterator[bytes]:
    """Yield the content of a file, or of a pipe, in blocks of that many bytes.

    Raises:
        OSError: it cannot be read, or is another kind of file; the message names it.
        ValueError: a pipe gives more than MAX_PIPED bytes.
    """
    num_bytes = 0
    with opened(path, pipes=pipes) as file:
        is_sized = os.fstat(file.fileno()).st_size > 0
        while block := file.read(size):
            num_bytes += len(block)
            if not is_sized and num_bytes > MAX_PIPED:
                raise ValueError(
                    f"{os.fspath(path)} gives more than {MAX_PIPED:,} bytes without an end; "
                    "expected less of what is not a file; save it in a file first"
                )
            yield block


def content(path: StrPath, max_size: int | None = None, *, pipes: bool = False) -> bytes:
    """Return the whole content of a file, or of a pipe.

    Args:
        path: the file.
        max_size: the bytes that it may have, or None for any number.
        pipes: whether it may be a pipe.

    Raises:
        OSError: it cannot be read, or is another kind of file; the message names it.
        ValueError: it is larger than max_size.
    """
    found, size = [], 0
    for block in blocks(path, pipes=pipes):
        found.append(block)
        size += len(block)
        if max_size is not None and size > max_size:
            raise ValueError(f"{os.fspath(path)} is larger than {max_size:,} bytes; expected less")
    return b"".join(found)
