"""Write files atomically: to a temporary file in the same folder, which then replaces the old one.

If writing fails (a full disk, a killed process, a power failure), the old file is unchanged.
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
    """Check that a file can be written, and remove temporary files of killed processes.

    The path must be a writable regular file, or must not exist; and its folder must accept new
    files, since content is written to a temporary file first.

    Raises:
        OSError: the file cannot be written; the message contains its name and what to do.
        ValueError: path is neither a string nor a path.
    """
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise ValueError(
            f"the file to write is given as {path!r}; expected its name, a string or a path"
        )
    name = os.fspath(path)
    if not name:
        raise FileNotFoundError("the name of the file to write is empty; give a name")
    try:
        kind, exists = reading.kind(path), True
    except (FileNotFoundError, NotADirectoryError):
        kind, exists = None, False
    except OSError as error:
        raise _unwritable(name, f"{error.strerror}; give another name", type(error)) from None
    if name.endswith(("/", os.sep)):
        kind = reading.FOLDER
    _check_kind(name, kind)
    if exists and not os.access(path, os.W_OK):
        reason = "the file is write-protected; give another name, or make it writable"
        raise _unwritable(name, reason, PermissionError)
    _check_folder(name)
    remove_strays(path)


def _check_kind(name: str, kind: str | None) -> None:
    """Raise an error unless kind is None, which stands for a regular file or a missing one."""
    if kind is not None:
        error = IsADirectoryError if kind == reading.FOLDER else OSError
        raise _unwritable(name, f"it is {kind}; give the name of a file", error)


def _check_folder(name: str) -> None:
    """Check that new files can be created in the folder of a file to write."""
    path = Path(os.path.realpath(name))
    kind = PermissionError if path.parent.is_dir() else FileNotFoundError
    if kind is FileNotFoundError or not os.access(path.parent, os.W_OK):
        raise _unwritable(name, f"the folder {path.parent} is missing or read-only", kind)
    try:
        temporary, handle = _new_file(path, 0o600)
        os.close(handle)
        os.unlink(temporary)
    except OSError as error:
        reason = f"no new file can be created in {path.parent} ({error.strerror}); choose another"
        raise _unwritable(name, reason, type(error)) from None


def _unwritable(name: str, reason: str, kind: type[OSError]) -> OSError:
    return kind(f"cannot write {name}: {reason}")


def replace(path: StrPath, content: bytes) -> None:
    """Replace the content of a file atomically; see replacing."""
    with replacing(path, len(content)) as file:
        file.write(content)


@contextlib.contextmanager
def replacing(path: StrPath, size: int) -> Iterator[BinaryIO]:
    """Open a temporary file for writing, which replaces path if the block ends without an error.

    The temporary file is in the same folder. It is flushed to the disk and renamed, and then the
    folder is flushed, so that the change survives a power failure. Owner and mode of an existing
    file are preserved. If path is a symbolic link, the file that it points to is replaced.

    Args:
        path: the file.
        size: the minimum number of bytes to be written, for error messages.

    Raises:
        OSError: the folder is not writable or is full (the message contains the size needed), or
            path is not a regular file.
    """
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        _check_kind(os.fspath(path), reading.kind(path))
    path = Path(os.path.realpath(path))
    before = path.stat() if path.exists() else None
    mode = 0o666 if before is None else 0o600  # until everything is written
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
    """Remove the temporary files of processes that were killed while they wrote path.

    The temporary files of running processes are locked, and are not removed.

    Returns:
        The list of removed files.
    """
    path = Path(os.path.realpath(path))
    strays = re.compile(re.escape(prefix(path)) + r"\w{8}" + re.escape(SUFFIX))
    names = os.listdir(path.parent) if path.parent.is_dir() else []
    candidates = [path.parent / name for name in names if strays.fullmatch(name)]
    return [stray for stray in candidates if locks.remove_if_free(stray)]


@contextlib.contextmanager
def locked(path: StrPath) -> Iterator[None]:
    """Lock path against other processes that use this function, until the block ends.

    Raises:
        LockedError: an OSError; another process has locked it.
        OSError: the folder is not writable.
    """
    path = Path(os.path.realpath(path))
    with contextlib.ExitStack() as stack:
        with _saying_what_is_needed(path, 0):
            stack.enter_context(locks.held(path.parent / f"{prefix(path)}lock", path))
        yield


def _take_over(name: str, before: os.stat_result) -> None:
    """Copy the mode, and if possible the owner, of the file that is replaced."""
    if hasattr(os, "chown"):
        with contextlib.suppress(OSError):
            os.chown(name, before.st_uid, before.st_gid)
    os.chmod(name, stat.S_IMODE(before.st_mode))


@contextlib.contextmanager
def _temporary(path: Path, mode: int = 0o666) -> Iterator[str]:
    """Create an empty, locked file in the folder of path, and remove it if the block fails."""
    name, handle = _new_file(path, mode)
    try:
        yield name
    except BaseException:
        with contextlib.suppress(FileNotFoundError):  # it has been renamed
            os.unlink(name)
        raise
    finally:
        os.close(handle)


def _new_file(path: Path, mode: int) -> tuple[str, int]:
    """Create a file and lock it at once; return its name and its file descriptor."""
    while True:
        name = os.path.join(path.parent, f"{prefix(path)}{secrets.token_hex(4)}{SUFFIX}")
        with contextlib.suppress(FileExistsError):
            handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
            if locks.acquire(handle, name):
                return name, handle
            os.close(handle)  # another process removed it before it was locked


def prefix(path: Path) -> str:
    """Return the prefix of the temporary names for path; its length is fixed."""
    return f".d2lrnn.{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]}."


@contextlib.contextmanager
def _saying_what_is_needed(path: Path, size: int) -> Iterator[None]:
    try:
        yield
    except locks.LockedError:
        raise
    except OSError as error:
        before = "; the existing file is unchanged" if path.exists() else ""
        remedy = "free some space, or" if error.errno in FULL else "make the folder writable, or"
        detailed = type(error)(
            f"cannot write {path} ({os.strerror(error.errno or 0)}): it needs {size:,} bytes, and "
            f"{_free(path.parent)}{before}; {remedy} choose another folder"
        )
        detailed.errno = error.errno
        raise detailed from error


def _free(folder: Path) -> str:
    try:
        return f"{shutil.disk_usage(folder).free:,} are free in {folder}"
    except OSError:
        return f"{folder} does not exist"


def _flush_folder(folder: Path) -> None:
    """Flush the entries of a folder to the disk, if the operating system can open a folder."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
