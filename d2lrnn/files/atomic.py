"""Files that are whole or not there: written beside their place, then put into it in one go.

Whatever happens in between (a full disk, a lost process, a power cut), the file that was there
before stays as it was, byte for byte.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from d2lrnn.files import locks

StrPath = str | os.PathLike[str]

SUFFIX = ".tmp"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def replace(path: StrPath, content: bytes) -> None:
    """Put content into the file path, in one go; see replacing."""
    with replacing(path, len(content)) as file:
        file.write(content)


@contextlib.contextmanager
def replacing(path: StrPath, size: int) -> Iterator[BinaryIO]:
    """Give a file to write to, which takes the place of path when all went well; a link stays one.

    It has a temporary name in the same folder, is flushed to the disk and renamed, and then the
    folder is flushed, so that the new name survives a power cut too. Whose it is, and who may read
    and write it, stays as it was where there was a file before.

    Args:
        path: the file.
        size: how many bytes are to be written, at least; for an error to say.

    Raises:
        OSError: the folder cannot be written to, or is full; the message says how much is needed.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():  # a device or a pipe
        content = io.BytesIO()
        yield content
        path.write_bytes(content.getvalue())
        return
    before = path.stat() if path.exists() else None
    mode = 0o666 if before is None else 0o600  # until all is written
    with _saying_what_is_needed(path, size), _temporary(path, mode) as temporary:
        with open(temporary, "r+b") as file:
            yield cast(BinaryIO, file)
            file.flush()
            if before is not None:
                _take_over(temporary, before)
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _flush_folder(path.parent)


def remove_strays(path: StrPath) -> list[Path]:
    """Remove what processes that were killed while they wrote path have left beside it.

    What a living process is writing is locked, and left alone.

    Returns:
        the files removed.
    """
    path = Path(os.path.realpath(path))
    strays = re.compile(re.escape(prefix(path)) + r"\w{8}" + re.escape(SUFFIX))
    names = os.listdir(path.parent) if path.parent.is_dir() else []
    found = [path.parent / name for name in names if strays.fullmatch(name)]
    return [stray for stray in found if locks.remove_if_free(stray)]


@contextlib.contextmanager
def locked(path: StrPath) -> Iterator[None]:
    """Let no other process do the same with path, until this is over.

    Raises:
        LockedError: an OSError; another process does.
        OSError: the folder cannot be written to.
    """
    path = Path(os.path.realpath(path))
    with contextlib.ExitStack() as stack:
        with _saying_what_is_needed(path, 0):
            stack.enter_context(locks.held(path.parent / f"{prefix(path)}lock", path))
        yield


def _take_over(name: str, before: os.stat_result) -> None:
    """Give a file the owner, if that can be, and the mode of the one that it replaces."""
    if hasattr(os, "chown"):
        with contextlib.suppress(OSError):
            os.chown(name, before.st_uid, before.st_gid)
    os.chmod(name, stat.S_IMODE(before.st_mode))


@contextlib.contextmanager
def _temporary(path: Path, mode: int = 0o666) -> Iterator[str]:
    """Make an empty file beside path, locked, and remove it if what follows fails."""
    name, handle = _new_file(path, mode)
    try:
        yield name
    except BaseException:
        with contextlib.suppress(FileNotFoundError):  # it has its own name already
            os.unlink(name)
        raise
    finally:
        os.close(handle)


def _new_file(path: Path, mode: int) -> tuple[str, int]:
    """Return the name and the handle of a new file that is locked before another can take it."""
    while True:
        name = os.path.join(path.parent, f"{prefix(path)}{secrets.token_hex(4)}{SUFFIX}")
        with contextlib.suppress(FileExistsError):
            handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
            if locks.acquire(handle, name):
                return name, handle
            os.close(handle)  # taken for a stray, and gone


def prefix(path: Path) -> str:
    """Return how the temporary names for path begin: of one length, however long its name is."""
    return f".d2lrnn.{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]}."


@contextlib.contextmanager
def _saying_what_is_needed(path: Path, size: int) -> Iterator[None]:
    try:
        yield
    except locks.LockedError:
        raise
    except OSError as error:
        before = "; the file that was there is as it was" if path.exists() else ""
        remedy = "make room there, or" if error.errno in FULL else "make the folder writable, or"
        told = type(error)(
            f"cannot write {path} ({os.strerror(error.errno or 0)}): it needs {size:,} bytes, and "
            f"{_free(path.parent)}{before}; {remedy} choose another folder"
        )
        told.errno = error.errno
        raise told from error


def _free(folder: Path) -> str:
    try:
        return f"{shutil.disk_usage(folder).free:,} are free in {folder}"
    except OSError:
        return f"{folder} is not there"


def _flush_folder(folder: Path) -> None:
    """Flush a folder's names to the disk, where the system can open a folder."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
