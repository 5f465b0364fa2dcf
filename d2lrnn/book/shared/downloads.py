"""The book's files by their addresses (its section 23.8): at hand first, downloaded otherwise."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import zipfile
from pathlib import Path

from d2lrnn.book import archives
from d2lrnn.book.replaced import replaced
from d2lrnn.data import corpora, datasets, reading

d2l = sys.modules[__package__]
DATA_URL = "http://d2l-data.s3-accelerate.amazonaws.com/"
DATA_HUB: dict[str, tuple[str, str | None]] = {
    "time_machine": (DATA_URL + "timemachine.txt", corpora.TIME_MACHINE_HASH.partition(":")[2]),
    "fra-eng": (DATA_URL + "fra-eng.zip", datasets.FRA_ENG_HASH.partition(":")[2]),
}
ARCHIVES = (".zip", ".tar", ".gz")


def download(url: str, folder: str = "../data", sha1_hash: str | None = None) -> str:
    """Return the path of a file in folder: as it lies there, or copied or downloaded to it.

    It is looked for in the folder that the environment variable D2LRNN_DATA names, then in the
    per-user cache, then in the network. In D2LRNN_DATA an archive may also lie unpacked, as a
    folder of its name: it is packed again.

    Args:
        url: an address, or a name in DATA_HUB.
        folder: made if there is none.
        sha1_hash: of the content. Without it, a file of the name will do.

    Raises:
        DownloadError: an OSError; the file is not at hand and there is no network.
    """
    if not url.startswith("http"):
        url, sha1_hash = d2l.DATA_HUB[url]
    name = url.rsplit("/", 1)[-1]
    path = Path(folder, name)
    if path.exists() and (sha1_hash is None or _sha1(path) == sha1_hash):
        return os.path.join(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if unpacked := _unpacked(name, sha1_hash):
        _pack(unpacked, path)
    else:
        shutil.copyfile(_found(name, url, sha1_hash), path)
    return os.path.join(folder, name)


def extract(filename: str, folder: str | None = None) -> None:
    """Unpack a zip or tar file into folder, or where it lies.

    Raises:
        AssertionError: its name says that it is another kind of file, as in the book.
        ValueError: it is no archive, or would write outside the folder.
    """
    if os.path.splitext(filename)[1] not in ARCHIVES:
        raise AssertionError(
            f"{filename} ends in none of {', '.join(ARCHIVES)}; expected an archive"
        )
    archives.unpack(filename, os.path.dirname(filename) if folder is None else folder)


def download_extract(name: str, folder: str | None = None) -> str:
    """Download an archive, unpack it beside itself and return the folder that it makes.

    The folder is called as the file is, without its ending, or ``folder``. A folder of that name in
    the folder that D2LRNN_DATA names is taken as it is.

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


def _sha1(path: Path) -> str:
    return hashlib.sha1(reading.content(path)).hexdigest()


def _unpacked(name: str, sha1_hash: str | None) -> Path | None:
    """Return the folder of D2LRNN_DATA that an archive's content lies in, if there is one.

    The archive itself comes first, if it lies there too.
    """
    stem, ending = os.path.splitext(name)
    folder = _in_data(stem) if ending == ".zip" else None
    packed = folder.parent / name if folder else None
    if packed and packed.exists() and sha1_hash in (None, _sha1(packed)):
        return None
    return folder


def _in_data(name: str) -> Path | None:
    """Return a folder in the folder that D2LRNN_DATA names, if it is there."""
    data = os.environ.get(corpora.DATA_FOLDER)
    path = Path(data, name) if data else None
    return path if path and path.is_dir() else None


def _pack(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as zipped:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            zipped.write(file, str(file.relative_to(folder.parent)))


def _found(name: str, url: str, sha1_hash: str | None) -> Path:
    if sha1_hash is None and (data := os.environ.get(corpora.DATA_FOLDER)):
        at_hand = Path(data, name)
        sha1_hash = _sha1(at_hand) if at_hand.exists() else None
    known = f"sha1:{sha1_hash}" if sha1_hash else None
    return corpora.fetch(name, url, known, instead="leave out what reads it")
