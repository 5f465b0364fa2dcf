"""Locks on files, so that two processes do not write the same file.

The operating system releases a lock when its process ends, for any reason. Where file locks
are not supported (Windows, some network drives), nothing is locked, and files that might belong to
another process are not removed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


class LockedError(OSError):
    """Another process saves its training run in the same file; the message contains its id.

    Examples:
        >>> from d2lrnn.files.locks import LockedError
        >>> try:  # as raised by train_ch8 if another process uses the same checkpoint
        ...     raise LockedError("another process, 4711, saves its run in run.safetensors")
        ... except OSError as error:
        ...     print(error)
        another process, 4711, saves its run in run.safetensors
    """


def acquire(handle: int, name: str | os.PathLike[str]) -> bool:
    """Lock an open file; return whether it is locked now and still has its name."""
    return _try(handle) is not False and _is_named(handle, name)


def remove_if_free(path: Path) -> bool:
    """Remove a file unless a running process has locked it; return whether it was removed."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDWR)
        try:
            if _try(handle) is True and _is_named(handle, path):
                path.unlink()
                return True
        finally:
            os.close(handle)
    return False


@contextlib.contextmanager
def held(path: Path, what: Path) -> Iterator[None]:
    """Hold a lock during the block: create the lock file path, and remove it at the end.

    Raises:
        LockedError: an OSError; another process holds the lock, and saves a run in the file
            ``what``.
    """
    if fcntl is None:
        yield
        return
    follow_no_link = getattr(os, "O_NOFOLLOW", 0)  # the lock file is written to
    while not acquire(
        handle := os.open(path, os.O_RDWR | os.O_CREAT | follow_no_link, 0o666), path
    ):
        with os.fdopen(handle, "r+b") as file:
            if _is_named(handle, path):
                raise LockedError(
                    f"another process{_holder(file.read(64))} saves its run in {what}; "
                    "wait until it has ended, end it, or choose another file"
                )
    try:
        with contextlib.suppress(OSError):  # with a full disk the lock is held, too
            os.ftruncate(handle, 0)
            os.write(handle, str(os.getpid()).encode())
        yield
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)
        os.close(handle)


def _try(handle: int) -> bool | None:
    """Lock an open file if it is free; return whether it was, or None without file locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_named(handle: int, name: str | os.PathLike[str]) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(name))
    except FileNotFoundError:
        return False


def _holder(content: bytes) -> str:
    return f", {content.decode()}," if content.isdigit() else ""
