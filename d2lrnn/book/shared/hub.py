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

from d2lrnn.data import corpora
from d2lrnn.training.progress import say

d2l = sys.modules[__package__]


def download(name: str, cache_dir: str = os.path.join("..", "data")) -> str:
    """Return the path of a file in DATA_HUB; download it into cache_dir if it is nowhere at hand.

    Raises:
        AssertionError: DATA_HUB has no such name, as in the book.
        DownloadError: an OSError; it is not at hand and there is no network.
    """
    hub: dict[str, tuple[str, str | None]] = d2l.DATA_HUB
    assert name in hub, f"DATA_HUB has no {name!r}; it has {', '.join(hub)}"
    url, sha1 = hub[name]
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


def download_all() -> None:
    """Download every file in DATA_HUB."""
    for name in d2l.DATA_HUB:
        d2l.download(name)


def _places(filename: str, cache_dir: str) -> Iterator[Path]:
    if folder := os.environ.get(corpora.DATA_FOLDER):
        yield Path(folder) / filename
    yield Path(cache_dir) / filename
    yield Path(pooch.os_cache("d2lrnn")) / filename
