"""Data files: from the folder that D2LRNN_DATA names, the user's cache or the network."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from d2lrnn import checks
from d2lrnn.data import reading

DATA_FOLDER = "D2LRNN_DATA"  # the environment variable that names a folder to look in first
PROGRESS = "D2LRNN_PROGRESS"  # the environment variable that turns progress bars off if it is 0
HASHES = ("sha1", "sha256")
TIMEOUT = 30  # seconds to wait for the server


class DownloadError(OSError):
    """A file is not available, on this machine or on the network; the message says what to do.

    Examples:
        >>> try:  # as raised without the file and without a network
        ...     raise rnn.DownloadError("cannot download timemachine.txt")
        ... except OSError:
        ...     train_iter, vocab = rnn.load_data_builtin(batch_size=32, num_steps=35)
        >>> len(vocab)
        55
    """


def fetch(name: str, url: str, known_hash: str | None, *, instead: str) -> Path:
    """Return the path of a data file: from the D2LRNN_DATA folder, the cache or the network.

    Args:
        name: the file's name in the folder and the cache.
        url: the address to download it from. If https fails and there is a hash to verify the
            content, http is tried.
        known_hash: the hash of its content, "sha1:..." or "sha256:..." with hexadecimal digits;
            content with another hash is refused. With None the content is not verified, and the
            D2LRNN_DATA folder is not used.
        instead: an alternative that needs no download, for the error message.

    Raises:
        DownloadError: the file is not available; the message lists what to do.
        ValueError: the D2LRNN_DATA folder holds a different file of that name.
    """
    if known_hash is not None:
        checks.choice(known_hash.partition(":")[0], "the kind of known_hash", HASHES)
    if known_hash and (folder := os.environ.get(DATA_FOLDER)):
        path = Path(folder) / name
        if path.exists():
            return _verified(path, known_hash)
    try:
        return _retrieve(name, url, known_hash)
    except (OSError, ValueError) as error:  # no network, or another content
        raise DownloadError(
            f"cannot download {name} from {url} ({_brief(error)}). Do one of the following: "
            f"connect to the internet and try again; put the file into a folder and set the "
            f"environment variable {DATA_FOLDER} to that folder; or {instead}"
        ) from error


def _retrieve(name: str, url: str, known_hash: str | None) -> Path:
    """Return the path of a file in the cache, after downloading it if necessary.

    If https fails, http is tried, but only if there is a hash to verify the content.
    """
    import pooch  # imported here: it is slow to import

    shown = sys.stderr.isatty() and os.environ.get(PROGRESS) != "0"
    downloader = pooch.HTTPDownloader(progressbar=shown, timeout=TIMEOUT)
    cache = pooch.os_cache("d2lrnn")
    try:
        return Path(pooch.retrieve(url, known_hash, name, cache, downloader=downloader))
    except OSError:
        if known_hash is None or not url.startswith("https://"):
            raise
        try:
            plain = "http" + url.removeprefix("https")
            return Path(pooch.retrieve(plain, known_hash, name, cache, downloader=downloader))
        except (OSError, ValueError):
            pass
        raise  # the error of https


def _verified(path: Path, known_hash: str) -> Path:
    kind, _, expected = known_hash.partition(":")
    digest = hashlib.new(kind, reading.content(path)).hexdigest()
    if digest != expected:
        raise ValueError(
            f"{path} has the {kind} {digest}; expected {expected}; "
            f"remove it or set {DATA_FOLDER} to another folder"
        )
    return path


def _brief(error: Exception) -> str:
    name, line = type(error).__name__, str(error).partition("\n")[0]
    is_long = "Pool(" in line  # the text of urllib3
    return name if is_long else f"{name}: {line}"
