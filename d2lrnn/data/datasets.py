"""Data sets other than texts: images of digits, and sentences in two languages.

Files are searched for in the D2LRNN_DATA folder before they are downloaded, as in ``corpora``.
``load_digits`` and everything in ``generated`` need no download.
"""

from __future__ import annotations

import gzip
import io
import math
import os
import re
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from d2lrnn import checks
from d2lrnn.data import corpora, data_files, reading

Array = np.ndarray[Any, Any]

MNIST_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
MNIST_HASHES = {
    "train-images-idx3": "sha256:440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1": "sha256:3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3": "sha256:8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1": "sha256:f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
# For each split: the prefix of its file names, and its number of images.
MNIST_SPLITS = {"train": ("train", 60000), "test": ("t10k", 10000)}
DIGITS_INSTEAD = "use the 8x8 digits, which need no download (load_digits)"

FRA_ENG_URL = "https://d2l-data.s3-accelerate.amazonaws.com/fra-eng.zip"
FRA_ENG_HASH = "sha1:94646ad1522d915e7b0f9296181140edcf86a4f5"
FRA_ENG_MEMBER = "fra-eng/fra.txt"
FRA_ENG_LIMIT = 64 * 2**20  # bytes: several times the size of the file
# The exceptions that zipfile raises for damaged files, according to its source and random tests.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    IndexError,
    OSError,
    OverflowError,
    RuntimeError,  # encrypted; NotImplementedError, an unknown compression, is one too
    ValueError,
)
DATES_INSTEAD = "translate dates, which need no download (date_pairs)"


class Digits(NamedTuple):
    """Images (N, height, width) of handwritten digits and their labels (N,), in two parts."""

    train_images: Array
    train_labels: Array
    test_images: Array
    test_labels: Array


def read_mnist(split: str = "train") -> tuple[Array, Array]:
    """Return the images and the labels of MNIST, in the files' order.

    Args:
        split: "train" (N is 60,000) or "test" (N is 10,000).

    Returns:
        images uint8 (N, 28, 28), from 0 (paper) to 255 (ink), and labels uint8 (N,), 0 to 9.

    Raises:
        DownloadError: an OSError; a file is not available and cannot be downloaded.
        ValueError: split has another value, or a file does not have the expected content.

    Source: LeCun, Bottou, Bengio and Haffner, 1998.

    Examples:
        >>> images, labels = rnn.read_mnist()
        >>> images.shape, labels.shape
        ((60000, 28, 28), (60000,))
    """
    checks.choice(split, "split", tuple(MNIST_SPLITS))
    prefix, num_images = MNIST_SPLITS[split]
    images = _read_mnist_file(f"{prefix}-images-idx3", (num_images, 28, 28))
    labels = _read_mnist_file(f"{prefix}-labels-idx1", (num_images,))
    return images, labels


def read_idx(path: str | os.PathLike[str], shape: tuple[int, ...]) -> Array:
    """Return the bytes of a gzipped idx file as an array uint8 of the expected shape.

    The header is checked first, and no more bytes are unpacked than the shape needs, so that a
    small file cannot fill the memory.

    Raises:
        ValueError: the file is not a gzip file or is damaged; or its elements are not bytes, its
            shape is another one, or the number of elements does not match its header.

    Source: the idx format: two zero bytes, 8 for unsigned bytes, the number of axes, the length
    of each axis as a big-endian 32-bit integer, and then the elements, the last axis fastest.
    """
    name, size = os.fspath(path), math.prod(shape)
    try:
        with reading.opened(path) as packed, gzip.open(packed) as file:
            _check_header(name, file.read(4 + 4 * len(shape)), shape)
            content = file.read(size + 1)  # one byte more, to check that the file ends there
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(
            f"{name} is not a complete gzip file ({error}); download it again"
        ) from None
    if len(content) != size:
        amount = f"only {len(content)}" if len(content) < size else f"more than {size}"
        raise ValueError(
            f"{name} holds {amount} bytes after its header; expected {size}; download it again"
        )
    return np.frombuffer(content, np.uint8).reshape(shape).copy()  # a copy is writeable


def load_digits(*, test_share: float = 0.2, seed: int = 0) -> Digits:
    """Return the 1,797 digits of 8x8 pixels from scikit-learn, shuffled, in two parts.

    Args:
        test_share: the share of the images for testing, between 0 and 1: the last after shuffling.
        seed: an integer, 0 or above, that determines the order and so the two parts.

    Returns:
        Digits: images float32 (N, 8, 8), from 0 (paper) to 1 (ink); labels int64 (N,), 0 to 9.

    Raises:
        ImportError: scikit-learn is not installed.
        ValueError: test_share leaves one of the parts without images.

    Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998.

    Examples:
        >>> digits = rnn.load_digits()
        >>> digits.train_images.shape, digits.test_images.shape
        ((1438, 8, 8), (359, 8, 8))
    """
    checks.count(seed=seed)
    checks.positive(test_share=test_share)
    try:
        from sklearn import datasets
    except ModuleNotFoundError:
        raise ImportError(
            "the 8x8 digits come with scikit-learn, which is not installed; "
            "run: pip install scikit-learn"
        ) from None
    digits = datasets.load_digits()
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(digits.target))
    num_train = len(order) - round(test_share * len(order))
    if not 0 < num_train < len(order):
        raise ValueError(
            f"test_share is {test_share}, which leaves {num_train} of {len(order)} images to train "
            f"on; expected a share that leaves images to train on and to test on"
        )
    images = (digits.images / 16).astype(np.float32)[order]  # (N, 8, 8), from 0..16
    labels = digits.target.astype(np.int64)[order]
    return Digits(images[:num_train], labels[:num_train], images[num_train:], labels[num_train:])


def read_fra_eng() -> list[tuple[str, str]]:
    """Return the book's sentences in English and French.

    Each line of the file holds an English sentence, a tab and a French one. Further columns are
    ignored, and lines without a tab are left out.

    Returns:
        Pairs (English, French), unchanged, shortest first.

    Raises:
        DownloadError: an OSError; the file is not available and cannot be downloaded.
        ValueError: the file does not have the expected content.

    Source: the book's section 10.5; the Tatoeba project, through manythings.org/anki.

    Examples:
        >>> english, french = rnn.read_fra_eng()[0]
        >>> english, french
        ('Go.', 'Va !')
    """
    columns = [line.split("\t") for line in read_fra_eng_text().split("\n") if "\t" in line]
    return [(english, french) for english, french, *_ in columns]


def read_fra_eng_text() -> str:
    """Return the book's file of English and French sentences, line ends as newlines.

    A file ``fra-eng/fra.txt`` in the D2LRNN_DATA folder is used first, without a check of its
    content; otherwise the zip file is looked up or downloaded. Raises the errors of read_fra_eng.
    """
    folder = os.environ.get(data_files.DATA_FOLDER)
    if folder and (unpacked := Path(folder, FRA_ENG_MEMBER)).is_file():
        return corpora.decode(unpacked.read_bytes(), str(unpacked))
    path = data_files.fetch("fra-eng.zip", FRA_ENG_URL, FRA_ENG_HASH, instead=DATES_INSTEAD)
    content = _read_member(path, FRA_ENG_MEMBER, FRA_ENG_LIMIT)
    return corpora.decode(content, f"{FRA_ENG_MEMBER} in {path}")


def normalise(text: str) -> str:
    """Return a text in lower case, with a space inserted before each of , . ! and ?

    No space is inserted after another space or at the start of the text. Non-breaking spaces, which
    precede some punctuation in French, become ordinary spaces.

    Source: the book's section 10.5.
    """
    plain = text.replace("\u202f", " ").replace("\u00a0", " ").lower()
    return re.sub(r"(?<=[^ ])(?=[,.!?])", " ", plain)


def _read_mnist_file(stem: str, shape: tuple[int, ...]) -> Array:
    name = f"{stem}-ubyte.gz"
    path = data_files.fetch(name, MNIST_URL + name, MNIST_HASHES[stem], instead=DIGITS_INSTEAD)
    return read_idx(path, shape)


def _check_header(name: str, header: bytes, shape: tuple[int, ...]) -> None:
    magic = bytes([0, 0, 8, len(shape)])
    if header[:4] != magic:
        raise ValueError(
            f"{name} starts with {header[:4].hex(' ')}; expected {magic.hex(' ')}, "
            f"an idx file of bytes with {len(shape)} axes"
        )
    if len(header) < 4 + 4 * len(shape):
        raise ValueError(f"{name} ends within its header; download it again")
    if (actual := struct.unpack(f">{len(shape)}I", header[4:])) != shape:
        raise ValueError(f"{name} has the shape {actual} in its header; expected {shape}")


def _read_member(path: str | os.PathLike[str], member: str, limit: int) -> bytes:
    """Return the content of one member of a zip file, unpacking at most limit bytes.

    Nothing is written to disk. An archive that holds links, or members outside its folder, cannot
    be the expected file and is refused.
    """
    whole = io.BytesIO(Path(path).read_bytes())
    try:
        with zipfile.ZipFile(whole) as archive:
            members = archive.infolist()
            with archive.open(member) as file:
                content = file.read(limit + 1)
    except KeyError:
        raise ValueError(
            f"{os.fspath(path)} does not contain {member}; expected the book's file"
        ) from None
    except ZIP_ERRORS as error:
        raise ValueError(
            f"{os.fspath(path)} is not a complete zip file ({error}); download it again"
        ) from None
    _check_members(os.fspath(path), members)
    if len(content) > limit:
        raise ValueError(
            f"{member} in {os.fspath(path)} is larger than {limit} bytes; expected the book's file"
        )
    return content


def _check_members(name: str, members: list[zipfile.ZipInfo]) -> None:
    """Raise a ValueError if a member is a link, or has a path outside the folder."""
    for info in members:
        parts = re.split(r"[/\\]", info.orig_filename)
        outside = ".." in parts or parts[0] == "" or parts[0][1:2] == ":"  # / or a drive, C:
        if outside or stat.S_ISLNK(info.external_attr >> 16):
            what = "is outside its folder" if outside else "is a link"
            raise ValueError(
                f"{name} holds {info.orig_filename!r}, which {what}; expected the book's file; "
                "remove it and download it again"
            )
