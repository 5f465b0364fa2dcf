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
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

StrPath = str | os.PathLike[str]

SUFFIX = ".tmp"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def replace(path: StrPath, content: bytes) -> None:
    """Put content into the file path, in one go; a link stays one.

    It is written under a temporary name in the same folder, flushed to the disk and renamed, and
    then the folder is flushed, so that the new name survives a power cut too.

    Raises:
        OSError: the folder cannot be written to, or is full; the message says how much is needed.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():  # a device or a pipe
        path.write_bytes(content)
        return
    with _saying_what_is_needed(path, len(content)), _temporary(path) as temporary:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
        _flush_folder(path.parent)


def remove_strays(path: StrPath) -> list[Path]:
    """Remove what processes that were killed while they wrote path have left beside it.

    A file is written by one process at a time: this removes the temporary file of a live one too.

    Returns:
        the files removed.
    """
    path = Path(os.path.realpath(path))
    strays = re.compile(re.escape(_prefix(path)) + r"\w{8}" + re.escape(SUFFIX))
    names = os.listdir(path.parent) if path.parent.is_dir() else []
    found = [path.parent / name for name in names if strays.fullmatch(name)]
    for stray in found:
        stray.unlink(missing_ok=True)
    return found


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[str]:
    """Make an empty file beside path, and remove it if what follows fails."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_prefix(path), suffix=SUFFIX)
    os.close(handle)
    try:
        yield name
    except BaseException:
        with contextlib.suppress(FileNotFoundError):  # it has its own name already
            os.unlink(name)
        raise


def _prefix(path: Path) -> str:
    """Return how the temporary names for path begin: of one length, however long its name is."""
    return f".d2lrnn.{hashlib.sha256(path.name.encode()).hexdigest()[:12]}."


@contextlib.contextmanager
def _saying_what_is_needed(path: Path, size: int) -> Iterator[None]:
    try:
        yield
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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
