"""The book's files by name, as edition 0.17 downloads them (section 4.10)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pooch

from d2lrnn.data import data_files
from d2lrnn.training.progress import say

from . import downloads

d2l = sys.modules[__package__]


def download(name: str, cache_dir: str = os.path.join("..", "data")) -> str:
    """Return the path of a file in DATA_HUB, downloaded into cache_dir if it is not available.

    It is searched for in the folder that the environment variable D2LRNN_DATA names, in cache_dir
    and in the per-user cache. A file is used only if its SHA-1 is the one in DATA_HUB; if that
    is None, any file of the name is used.

    Raises:
        AssertionError: DATA_HUB does not have the name, as in the book.
        DownloadError: an OSError; the file is not available and cannot be downloaded.
    """
    hub: dict[str, tuple[str, str | None]] = d2l.DATA_HUB
    assert name in hub, f"DATA_HUB has no {name!r}; it has {', '.join(hub)}"
    url, sha1 = hub[name]
    filename = url.split("/")[-1]
    for folder in (os.environ.get(data_files.DATA_FOLDER), cache_dir, pooch.os_cache("d2lrnn")):
        if folder and downloads.is_valid(path := Path(folder, filename), sha1):
            return os.fspath(path)
    say(f"Downloading {os.path.join(cache_dir, filename)} from {url}...")
    return downloads.download(url, cache_dir, sha1)


def download_all() -> None:
    """Download every file in DATA_HUB."""
    for name in d2l.DATA_HUB:
        d2l.download(name)
