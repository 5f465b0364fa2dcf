"""Reading texts: The Time Machine, tiny-shakespeare, the built-in story, a user's own file.

Each reader returns lines; ``text`` turns them into token ids, ``batches`` ids into minibatches.
"""

from __future__ import annotations

import codecs
import io
import itertools
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from d2lrnn.data import reading
from d2lrnn.data.data_files import fetch

TIME_MACHINE_URL = "https://d2l-data.s3-accelerate.amazonaws.com/timemachine.txt"
SHAKESPEARE_URL = (
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
)
SHAKESPEARE_HASH = "sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
TIME_MACHINE_HASH = "sha1:090b5e7e70c295757f55df93cb0a180b9691891a"
BUILTIN_INSTEAD = (
    "use the built-in corpus, which needs no download (load_data_builtin, --corpus builtin)"
)

BLOCK = 2**20  # bytes per read
LONGEST_NAME = 1024  # characters of a path; few systems allow more than 4096


def read_time_machine() -> list[str]:
    """Return the lines of The Time Machine (H. G. Wells, 1895), in lower-case letters and spaces.

    Every character that is not a letter becomes a space, and spaces at the ends of a line are
    removed, as in the book's section 9.2. The file is read from the folder that the environment
    variable D2LRNN_DATA names, or from the cache of the user, or is downloaded.

    Returns:
        3,221 strings without line ends.

    Raises:
        DownloadError: an OSError; the file is not available and cannot be downloaded.

    Examples:
        >>> lines = rnn.read_time_machine()
        >>> len(lines), lines[0]
        (3221, 'the time machine by h g wells')
    """
    path = fetch("timemachine.txt", TIME_MACHINE_URL, TIME_MACHINE_HASH, instead=BUILTIN_INSTEAD)
    return [letters_only(line) for line in read_lines(path)]


def letters_only(line: str) -> str:
    """Return a line in lower case, with one space for every run of characters other than a to z."""
    return re.sub("[^A-Za-z]+", " ", line).strip().lower()


def read_tiny_shakespeare() -> list[str]:
    """Return the lines of tiny-shakespeare, 1,115,394 characters, 65 different ones.

    The file is looked up or downloaded in the same way as that of read_time_machine.

    Returns:
        40,000 strings with their line ends.

    Raises:
        DownloadError: an OSError; the file is not available and cannot be downloaded.

    Source: Karpathy, 2015, "The unreasonable effectiveness of recurrent neural networks".

    Examples:
        >>> lines = rnn.read_tiny_shakespeare()
        >>> len(lines), lines[0]
        (40000, 'First Citizen:\\n')
    """
    path = fetch("tinyshakespeare.txt", SHAKESPEARE_URL, SHAKESPEARE_HASH, instead=BUILTIN_INSTEAD)
    return read_text(path)


def read_builtin() -> list[str]:
    """Return the story that comes with the package.

    Returns:
        One string per paragraph, each with a newline at its end, so that a model learns paragraphs
        too.

    Examples:
        >>> paragraphs = rnn.read_builtin()
        >>> len(paragraphs), paragraphs[0]
        (57, 'The Clock That Listened\\n')
    """
    from importlib import resources  # imported here: it is slow to import

    story = resources.files("d2lrnn.data").joinpath("corpus.txt").read_text(encoding="utf-8")
    paragraphs = [" ".join(paragraph.split()) for paragraph in story.split("\n\n")]
    return [paragraph + "\n" for paragraph in paragraphs if paragraph]


@dataclass(frozen=True)
class Corpus:
    """A text that the command and the demo offer by name.

    read: a function that returns its lines, or None for text that is generated for each epoch.
    prefix: the default prefix of generated samples.
    """

    read: Callable[[], list[str]] | None
    prefix: str


# The corpora that the command and the demo offer by name.
CORPORA = {
    "builtin": Corpus(read_builtin, "Listen, "),
    "time-machine": Corpus(read_time_machine, "time traveller"),
    "tiny-shakespeare": Corpus(read_tiny_shakespeare, "First Citizen:"),
    "grammar": Corpus(None, "the "),
}


def check_path(path: Any) -> None:
    """Check that a path can be the name of a file, and is not the text itself.

    Raises:
        ValueError: it is of another type, or is a string that cannot be the name of a file.
    """
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise ValueError(f"path is a {type(path).__name__}; expected the name of a text file")
    name = os.fspath(path)
    newline = b"\n" if isinstance(name, bytes) else "\n"
    if (len(name) > LONGEST_NAME or newline in name) and not _exists(path):
        raise ValueError(
            f"path has {len(name)} characters and begins with {name[:20]!r}, so it is a text; "
            "expected the name of a file; pass a text to load_data_string(text, batch_size, "
            "num_steps)"
        )


def _exists(path: Any) -> bool:
    try:
        return os.path.exists(path)
    except (OSError, ValueError):  # too long, or with a null byte
        return False


def check_encoding(encoding: Any) -> str:
    """Check that Python knows an encoding of texts, and return its name.

    Raises:
        ValueError: it does not.
    """
    try:
        "".encode(encoding)
    except (LookupError, TypeError, ValueError):
        raise ValueError(
            f"encoding is {encoding!r}; expected the name of an encoding, such as 'utf-8' or "
            "'latin-1'"
        ) from None
    return str(encoding)


def read_text(path: str | os.PathLike[str], encoding: str = "utf-8") -> list[str]:
    """Return the lines of a text file.

    Args:
        path: a file, or a pipe such as /dev/stdin.
        encoding: the encoding of the file, such as "utf-8", "latin-1" or "utf-16".

    Returns:
        The lines with their line ends. "\\r\\n" and "\\r" become "\\n"; a last line without a line
        end stays without one; a byte order mark is dropped.

    Raises:
        ValueError: the file is empty, or is not in that encoding (the message says where), or a
            pipe does not end.
        OSError: the file cannot be read, or is neither a regular file nor a pipe.

    Examples:
        >>> with open("mine.txt", "w") as file:
        ...     print("one line\\nand another", file=file)
        >>> rnn.read_text("mine.txt")
        ['one line\\n', 'and another\\n']
    """
    check_path(path)
    text = decode(reading.content(path, pipes=True), os.fspath(path), check_encoding(encoding))
    if not text.strip():
        raise ValueError(f"{os.fspath(path)} holds no text; expected a text file to train on")
    return list(io.StringIO(text))  # which ends lines at "\n" alone, unlike str.splitlines


def read_blocks(path: str | os.PathLike[str], encoding: str = "utf-8") -> Iterator[str]:
    """Yield the text of a file in blocks of about a million characters, divided between words.

    The file is read during the iteration, so memory does not limit its size.

    Raises:
        ValueError: as for read_text.
        OSError: as for read_text.
    """
    check_path(path)
    begun: list[str] = []  # a word that may continue in the next block
    holds_text = False
    for block in _decoded(path, check_encoding(encoding)):
        holds_text = holds_text or (block != "" and not block.isspace())
        if cut := _end_of_words(block):
            yield "".join([*begun, block[:cut]])
            begun = []
        begun.append(block[cut:])
    if not holds_text:
        raise ValueError(f"{os.fspath(path)} holds no text; expected a text file to train on")
    yield "".join(begun)


def _decoded(path: str | os.PathLike[str], encoding: str) -> Iterator[str]:
    """Yield the text of a file in blocks, its line ends as newlines."""
    decoder = codecs.getincrementaldecoder(encoding)()
    newlines = io.IncrementalNewlineDecoder(decoder, translate=True)
    start, begun = 0, False
    for content in itertools.chain(reading.blocks(path, BLOCK, pipes=True), [b""]):
        try:
            block = newlines.decode(content, final=not content)
        except UnicodeDecodeError as error:
            place = start - (len(error.object) - len(content)) + error.start
            byte = error.object[error.start]
            raise _not_encoded(os.fspath(path), encoding, place, byte) from None
        except UnicodeError as error:  # such as UTF-16 without a byte order mark
            raise ValueError(f"{os.fspath(path)} is not {encoding}: {error}") from None
        start += len(content)
        if not begun:
            begun, block = block != "", block.removeprefix("\ufeff")
        yield block


def _end_of_words(text: str) -> int:
    """Return the index of the last word, which may continue in the next block."""
    if not text or text[-1].isspace():
        return len(text)
    return len(text) - len(text.rsplit(maxsplit=1)[-1])


def _not_encoded(name: str, encoding: str, place: int, byte: int) -> ValueError:
    remedy = "save the file as UTF-8, or give its encoding, such as encoding='latin-1' (--encoding)"
    if encoding == "utf-8":
        encoding = "UTF-8"
    return ValueError(f"{name} is not {encoding}: byte {place} is 0x{byte:02x}; {remedy}")


def read_lines(path: str | os.PathLike[str]) -> list[str]:
    """Return the lines of a UTF-8 file without their line ends; see decode."""
    lines = decode(reading.content(path, pipes=True), os.fspath(path)).split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def decode(content: bytes, name: str, encoding: str = "utf-8") -> str:
    """Return a file's content as text, its line ends as newlines, without a byte order mark.

    Args:
        content: the bytes of the file.
        name: the name of the file in error messages.
        encoding: its encoding.

    Raises:
        ValueError: it is not in that encoding.
    """
    try:  # not "utf-8-sig", whose error.start does not count the mark
        text = content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise _not_encoded(name, encoding, error.start, content[error.start]) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
