"""Read files after checking their kind, and limit the number of bytes.

Without these checks, reading would never end for a pipe without a writer, or for some devices.
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
MAX_PIPED = 2**30  # the maximum number of bytes of a pipe
PATIENCE = 10.0  # seconds to wait for a program that writes to a pipe
BLOCK = 2**20  # bytes per read


def kind(path: StrPath) -> str | None:
    """Return the kind of file at a path, such as "a pipe", or None for a regular file.

    Raises:
        OSError: the path does not exist, or is not accessible.
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
    """Check that a path is a regular file or, with pipes=True, a pipe.

    Raises:
        OSError: the path is something else or does not exist; the message contains the path.
    """
    actual = kind(path)
    if actual is None or (pipes and actual == PIPE):
        return
    error = IsADirectoryError if actual == FOLDER else OSError
    expected = "a regular file or a pipe" if pipes else "a regular file"
    remedy = "copy its content into a file" if actual == PIPE else "give the name of a file"
    raise error(f"{os.fspath(path)} is {actual}; expected {expected}; {remedy}")


@contextlib.contextmanager
def opened(path: StrPath, *, pipes: bool = False) -> Iterator[BinaryIO]:
    """Open a file, or with pipes=True a pipe, for reading; errors while reading contain its name.

    Raises:
        OSError: the file cannot be read, or is of another kind.
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
    """Wait until a program has opened a pipe for writing, and return its file descriptor.

    Raises:
        OSError: no program has opened it within PATIENCE seconds.
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
            os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))  # this ends the wait
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
    """Yield the content of a file, or of a pipe, in blocks of ``size`` bytes.

    Raises:
        OSError: the file cannot be read, or is of another kind; the message contains its name.
        ValueError: a pipe yields more than MAX_PIPED bytes.
    """
    num_bytes = 0
    with opened(path, pipes=pipes) as file:
        is_sized = os.fstat(file.fileno()).st_size > 0
        while block := file.read(size):
            num_bytes += len(block)
            if not is_sized and num_bytes > MAX_PIPED:
                raise ValueError(
                    f"{os.fspath(path)} yields more than {MAX_PIPED:,} bytes without an end; "
                    "expected fewer from a pipe; save them in a file first"
                )
            yield block


def content(path: StrPath, max_size: int | None = None, *, pipes: bool = False) -> bytes:
    """Return the whole content of a file, or of a pipe.

    Args:
        path: the file.
        max_size: the maximum number of bytes, or None for no limit.
        pipes: whether the path may be a pipe.

    Raises:
        OSError: the file cannot be read, or is of another kind; the message contains its name.
        ValueError: the file is larger than max_size.
    """
    parts, size = [], 0
    for block in blocks(path, pipes=pipes):
        parts.append(block)
        size += len(block)
        if max_size is not None and size > max_size:
            raise ValueError(f"{os.fspath(path)} is larger than {max_size:,} bytes; expected less")
    return b"".join(parts)
