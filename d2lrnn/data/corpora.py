"""Where texts come from: The Time Machine, the built-in story, a user's own file.

Each reader returns lines; ``text`` makes tokens of them and ``batches`` minibatches.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from importlib import resources
from pathlib import Path

import pooch

from d2lrnn import checks

DATA_FOLDER = "D2LRNN_DATA"  # the environment variable that names a folder to look in first

TIME_MACHINE_URL = "http://d2l-data.s3-accelerate.amazonaws.com/timemachine.txt"
SHAKESPEARE_URL = (
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
)
SHAKESPEARE_HASH = "sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
TIME_MACHINE_HASH = "sha1:090b5e7e70c295757f55df93cb0a180b9691891a"
BUILTIN_INSTEAD = (
    "use the built-in corpus, which needs no download (load_data_builtin, --corpus builtin)"
)

HASHES = ("sha1", "sha256")

TIMEOUT = 30  # seconds without an answer


class DownloadError(OSError):
    """A file is neither at hand nor to be had; the message names the ways out."""


def read_time_machine() -> list[str]:
    """Return The Time Machine (H. G. Wells, 1895) as 3,221 lines of lower-case letters and spaces.

    Everything that is no letter becomes one space, and lines lose the spaces at their ends, as in
    the book's section 9.2. The file is looked for in the folder that the environment variable
    D2LRNN_DATA names, then in the per-user cache, then downloaded.

    Raises:
        DownloadError: an OSError; there is no file and no network.
    """
    path = fetch("timemachine.txt", TIME_MACHINE_URL, TIME_MACHINE_HASH, instead=BUILTIN_INSTEAD)
    return [re.sub("[^A-Za-z]+", " ", line).strip().lower() for line in read_lines(path)]


def read_tiny_shakespeare() -> list[str]:
    """Return 40,000 lines of Shakespeare, ends included: 1,115,394 characters, 65 different.

    Found or downloaded as The Time Machine is. Source: Karpathy, 2015, "The unreasonable
    effectiveness of recurrent neural networks".

    Raises:
        DownloadError: an OSError; there is no file and no network.
    """
    path = fetch("tinyshakespeare.txt", SHAKESPEARE_URL, SHAKESPEARE_HASH, instead=BUILTIN_INSTEAD)
    return [line + "\n" for line in read_lines(path)]


def read_builtin() -> list[str]:
    """Return the story that comes with the package, one string per paragraph, ends included.

    Every string but the last ends with a newline, so that a model learns paragraphs too.
    """
    story = resources.files("d2lrnn.data").joinpath("corpus.txt").read_text(encoding="utf-8")
    paragraphs = [" ".join(paragraph.split()) for paragraph in story.split("\n\n")]
    return [paragraph + "\n" for paragraph in paragraphs if paragraph]


def read_text(path: str | os.PathLike[str]) -> list[str]:
    """Return a UTF-8 text file as its lines, nothing changed, line ends (as newlines) included.

    Raises:
        ValueError: the file is empty, or is not UTF-8 (the message says where).
        OSError: the file cannot be read.
    """
    lines = [line + "\n" for line in read_lines(path)]
    if not any(line.strip() for line in lines):
        raise ValueError(f"{os.fspath(path)} holds no text; expected a UTF-8 file to learn from")
    return lines


def read_lines(path: str | os.PathLike[str]) -> list[str]:
    """Return the lines of a UTF-8 file without their ends; a byte order mark is dropped."""
    return decode_lines(Path(path).read_bytes(), os.fspath(path))


def decode_lines(content: bytes, name: str) -> list[str]:
    """Return the lines of a UTF-8 file's content; name is what an error calls it."""
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")  # "utf-8-sig" counts from behind it
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{name} is not UTF-8: byte {error.start} is "
            f"0x{content[error.start]:02x}; save the file as UTF-8"
        ) from None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def fetch(name: str, url: str, known_hash: str | None, *, instead: str) -> Path:
    """Return the path of a data file: from the D2LRNN_DATA folder, the cache or the network.

    Args:
        name: the file's name in the folder and the cache.
        url: where to download it from.
        known_hash: the hash of its content, as "sha1:..." or "sha256:..." and hexadecimal digits;
            nothing else is accepted. None takes what the address gives, and not from the folder.
        instead: the way out that needs no download, as an error is to name it.

    Raises:
        DownloadError: it could not be had; the message names the ways out.
        ValueError: the D2LRNN_DATA folder holds a different file of that name.
    """
    if known_hash is not None:
        checks.choice(known_hash.partition(":")[0], "the kind of known_hash", HASHES)
    if known_hash and (folder := os.environ.get(DATA_FOLDER)):
        path = Path(folder) / name
        if path.exists():
            return _verified(path, known_hash)
    cache = pooch.os_cache("d2lrnn")
    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=TIMEOUT)
    try:
        return Path(pooch.retrieve(url, known_hash, name, cache, downloader=downloader))
    except (OSError, ValueError) as error:  # no network; or the content is not what it should be
        raise DownloadError(
            f"cannot download {name} from {url} ({_brief(error)}). Three ways out: "
            f"connect to the internet and try again; put the file into a folder and set the "
            f"environment variable {DATA_FOLDER} to that folder; or {instead}"
        ) from error


def _verified(path: Path, known_hash: str) -> Path:
    kind, _, expected = known_hash.partition(":")
    found = hashlib.new(kind, path.read_bytes()).hexdigest()
    if found != expected:
        raise ValueError(
            f"{path} has the {kind} {found}; expected {expected}; "
            f"remove it or set {DATA_FOLDER} to another folder"
        )
    return path


def _brief(error: Exception) -> str:
    name, line = type(error).__name__, str(error).partition("\n")[0]
    return name if "Pool(" in line else f"{name}: {line}"  # urllib3's inner life is no news
