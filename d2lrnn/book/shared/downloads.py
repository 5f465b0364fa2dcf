"""The book's files by address, and archives of them (section 23.8)."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import zipfile
from pathlib import Path

from d2lrnn.book import archives
from d2lrnn.book.replaced import replaced
from d2lrnn.data import corpora, data_files, datasets, reading

d2l = sys.modules[__package__]
DATA_URL = "http://d2l-data.s3-accelerate.amazonaws.com/"
DATA_HUB: dict[str, tuple[str, str | None]] = {
    "time_machine": (DATA_URL + "timemachine.txt", corpora.TIME_MACHINE_HASH.partition(":")[2]),
    "fra-eng": (DATA_URL + "fra-eng.zip", datasets.FRA_ENG_HASH.partition(":")[2]),
}
ARCHIVES = (".zip", ".tar", ".gz")


def download(url: str, folder: str = "../data", sha1_hash: str | None = None) -> str:
    """Return the path of a file in folder, copied or downloaded into it if needed.

    The file is copied from the folder that the environment variable D2LRNN_DATA names or from the
    per-user cache, or it is downloaded. D2LRNN_DATA may also contain an unpacked archive, as a
    folder with the name of the archive; it is packed again.

    Args:
        url: an address, or a name in DATA_HUB.
        folder: created if it does not exist.
        sha1_hash: of the content. None accepts any file of the name.

    Raises:
        DownloadError: an OSError; the file is not available and cannot be downloaded.
    """
    if not url.startswith("http"):
        url, sha1_hash = d2l.DATA_HUB[url]
    name = url.rsplit("/", 1)[-1]
    path = Path(folder, name)
    if is_valid(path, sha1_hash):
        return os.path.join(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if unpacked := _unpacked(name, sha1_hash):
        _pack(unpacked, path)
    else:
        shutil.copyfile(_fetched(name, url, sha1_hash), path)
    return os.path.join(folder, name)


def extract(filename: str, folder: str | None = None) -> None:
    """Unpack a zip or tar file into folder, or into the folder that contains it.

    Raises:
        AssertionError: the name does not end in .zip, .tar or .gz, as in the book.
        ValueError: it is not an archive, or would write outside the folder.
    """
    if os.path.splitext(filename)[1] not in ARCHIVES:
        raise AssertionError(
            f"{filename} ends in none of {', '.join(ARCHIVES)}; expected an archive"
        )
    archives.unpack(filename, os.path.dirname(filename) if folder is None else folder)


def download_extract(name: str, folder: str | None = None) -> str:
    """Download an archive, unpack it into the folder that contains it, and return its own folder.

    That has the name of the file without its ending, or is ``folder``. If the folder that
    D2LRNN_DATA names has a folder of this name, its path is returned instead.

    Raises:
        ValueError: it is neither a zip nor a tar file, or would write outside its folder.
    """
    if "download" not in replaced(d2l) and name in d2l.DATA_HUB:
        filename = d2l.DATA_HUB[name][0].rsplit("/", 1)[-1]
        if unpacked := _in_data(folder or os.path.splitext(filename)[0]):
            return os.fspath(unpacked)
    path: str = d2l.download(name)
    archives.unpack(path, os.path.dirname(path))
    if folder:
        return os.path.join(os.path.dirname(path), folder)
    return os.path.splitext(path)[0]


def is_valid(path: Path, sha1_hash: str | None) -> bool:
    """Return whether a file exists, and has this SHA-1 unless it is None."""
    return path.exists() and sha1_hash in (None, _sha1(path))


def _sha1(path: Path) -> str:
    return hashlib.sha1(reading.content(path)).hexdigest()


def _unpacked(name: str, sha1_hash: str | None) -> Path | None:
    """Return the folder of an unpacked archive in D2LRNN_DATA; None if the archive exists, too."""
    stem, ending = os.path.splitext(name)
    folder = _in_data(stem) if ending == ".zip" else None
    return None if folder and is_valid(folder.parent / name, sha1_hash) else folder


def _in_data(name: str) -> Path | None:
    """Return a folder in the folder that D2LRNN_DATA names, or None if it does not exist."""
    data = os.environ.get(data_files.DATA_FOLDER)
    path = Path(data, name) if data else None
    return path if path and path.is_dir() else None


def _pack(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as zipped:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            zipped.write(file, str(file.relative_to(folder.parent)))


def _fetched(name: str, url: str, sha1_hash: str | None) -> Path:
    if sha1_hash is None and (data := os.environ.get(data_files.DATA_FOLDER)):
        local = Path(data, name)
        sha1_hash = _sha1(local) if local.exists() else None  # so that fetch accepts it
    known_hash = f"sha1:{sha1_hash}" if sha1_hash else None
    return data_files.fetch(name, url, known_hash, instead="leave out what reads it")
