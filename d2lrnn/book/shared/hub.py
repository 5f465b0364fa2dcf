"""Files of the book by name: found at hand, or downloaded (section 4.10).

Three folders are looked through: the one that D2LRNN_DATA names; ``cache_dir``, which is the book's
``../data`` unless told otherwise; our per-user cache. A file counts only if its SHA-1 is the one in
DATA_HUB; None there takes any.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pooch

from d2lrnn.book import archives
from d2lrnn.data import corpora
from d2lrnn.training.progress import say

d2l = sys.modules[__package__]


def download(name: str, cache_dir: str = os.path.join("..", "data")) -> str:
    """Return the path of a file in DATA_HUB; download it into cache_dir if it is nowhere at hand.

    Raises:
        AssertionError: DATA_HUB has no such name, as in the book.
        DownloadError: an OSError; it is not at hand and there is no network.
    """
    url, sha1 = _entry(name)
    for path in _places(url.split("/")[-1], cache_dir):
        if path.is_file() and sha1 in (None, hashlib.sha1(path.read_bytes()).hexdigest()):
            return os.fspath(path)
    os.makedirs(cache_dir, exist_ok=True)
    path = Path(cache_dir) / url.split("/")[-1]
    say(f"Downloading {path} from {url}...")
    downloader = pooch.HTTPDownloader(timeout=corpora.TIMEOUT)
    try:
        known = sha1 and f"sha1:{sha1}"
        pooch.retrieve(url, known, path.name, cache_dir, downloader=downloader)
    except (OSError, ValueError) as error:
        raise corpora.DownloadError(
            f"cannot download {path.name} from {url} ({type(error).__name__}: {error}); connect "
            f"to the internet and try again, or put the file into {cache_dir} or into the folder "
            f"that the environment variable {corpora.DATA_FOLDER} names"
        ) from error
    return os.fspath(path)


def download_extract(name: str, folder: str | None = None) -> str:
    """Download a zip or tar file, unpack it beside itself and return the folder that it makes.

    A folder of that name in the folder that D2LRNN_DATA names is taken as it is. The folder is
    called as the file is, without its ending, or ``folder``.

    Raises:
        ValueError: it is neither a zip nor a tar file, or would write outside its folder.
    """
    if d2l.download is download and (unpacked := _unpacked(name, folder)):
        return os.fspath(unpacked)
    path: str = d2l.download(name)
    archives.unpack(path, os.path.dirname(path))
    if folder:
        return os.path.join(os.path.dirname(path), folder)
    return os.path.splitext(path)[0]


def download_all() -> None:
    """Download every file in DATA_HUB."""
    for name in d2l.DATA_HUB:
        d2l.download(name)


def _entry(name: str) -> tuple[str, str | None]:
    """Return the address and the SHA-1 of a file."""
    hub: dict[str, tuple[str, str | None]] = d2l.DATA_HUB
    assert name in hub, f"DATA_HUB has no {name!r}; it has {', '.join(hub)}"
    return hub[name]


def _unpacked(name: str, folder: str | None) -> Path | None:
    """Return the folder in D2LRNN_DATA that an archive's content lies in, if there is one."""
    stem = os.path.splitext(_entry(name)[0].split("/")[-1])[0]
    data = os.environ.get(corpora.DATA_FOLDER)
    path = Path(data, folder or stem) if data else None
    return path if path and path.is_dir() else None


def _places(filename: str, cache_dir: str) -> Iterator[Path]:
    if folder := os.environ.get(corpora.DATA_FOLDER):
        yield Path(folder) / filename
    yield Path(cache_dir) / filename
    yield Path(pooch.os_cache("d2lrnn")) / filename
