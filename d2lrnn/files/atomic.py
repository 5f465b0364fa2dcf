"""Files that are whole or not there: written beside their place, then put into it in one go.

Whatever happens in between (a full disk, a lost process, a power cut), the file that was there
before stays as it was, byte for byte.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from d2lrnn.data import reading
from d2lrnn.files import locks

StrPath = str | os.PathLike[str]

SUFFIX = ".tmp"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def check_writable(path: StrPath) -> None:
    """Check that a file can be written, and remove what killed processes left beside it.

    It is a regular file that may be written to, or there is none yet, and its folder takes new
    files: what is written has another name at first.

    Raises:
        OSError: it cannot be written; the message names it and says what to do.
        ValueError: path is neither a string nor a path.
    """
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise ValueError(
            f"the file to write is given as {path!r}; expected its name, a string or a path"
        )
    name = os.fspath(path)
    if not name:
        raise FileNotFoundError("a file to write has an empty name; give it one")
    try:
        found, exists = reading.kind(path), True
    except (FileNotFoundError, NotADirectoryError):
        found, exists = None, False
    except OSError as error:
        raise _unwritable(name, f"{error.strerror}; give another name", type(error)) from None
    if name.endswith(("/", os.sep)):
        found = reading.FOLDER
    _check_kind(name, found)
    if exists and not os.access(path, os.W_OK):
        reason = "the file is write-protected; give another name, or make it writable"
        raise _unwritable(name, reason, PermissionError)
    _check_folder(name)
    remove_strays(path)


def _check_kind(name: str, found: str | None) -> None:
    """Check that what a name leads to is a regular file, or nothing."""
    if found is not None:
        kind = IsADirectoryError if found == reading.FOLDER else OSError
        raise _unwritable(name, f"it is {found}; give the name of a file", kind)


def _check_folder(name: str) -> None:
    """Check that the folder of a file to write takes new files."""
    path = Path(os.path.realpath(name))
    kind = PermissionError if path.parent.is_dir() else FileNotFoundError
    if kind is FileNotFoundError or not os.access(path.parent, os.W_OK):
        raise _unwritable(name, f"the folder {path.parent} is missing or read-only", kind)
    try:
        temporary, handle = _new_file(path, 0o600)
        os.close(handle)
        os.unlink(temporary)
    except OSError as error:
        reason = f"the folder {path.parent} takes no new file ({error.strerror}); choose another"
        raise _unwritable(name, reason, type(error)) from None


def _unwritable(name: str, reason: str, kind: type[OSError]) -> OSError:
    return kind(f"cannot write {name}: {reason}")


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
            Or there is something else than a regular file.
    """
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        _check_kind(os.fspath(path), reading.kind(path))
    path = Path(os.path.realpath(path))
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
