"""Unpack archives into a folder, and refuse archives with files outside it."""

from __future__ import annotations

import os
import tarfile
import zipfile

from d2lrnn.data import reading


def unpack(filename: str, base: str) -> None:
    """Unpack a zip or tar file into the folder base.

    Raises:
        OSError: the file cannot be read, or is not a regular file.
        ValueError: it is neither a zip nor a tar file, or an entry or a link in it leads outside
            the folder.
    """
    reading.check(filename)
    if zipfile.is_zipfile(filename):
        with zipfile.ZipFile(filename) as zipped:
            _check_inside(base, zipped.namelist())
            zipped.extractall(base)
    elif tarfile.is_tarfile(filename):
        with tarfile.open(filename) as tarred:
            links = [m.linkname for m in tarred.getmembers() if m.issym() or m.islnk()]
            _check_inside(base, [*tarred.getnames(), *links])
            if hasattr(tarfile, "data_filter"):
                tarred.extractall(base, filter="data")
            else:
                tarred.extractall(base)
    else:
        raise ValueError(f"{filename} is neither a zip nor a tar file; expected one to unpack")


def _check_inside(base: str, members: list[str]) -> None:
    root = os.path.realpath(base)
    for member in members:
        if not os.path.realpath(os.path.join(root, member)).startswith(root + os.sep):
            raise ValueError(f"the archive holds {member!r}, which is outside its folder")
