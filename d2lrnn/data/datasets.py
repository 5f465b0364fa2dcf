"""Images of digits, and sentences in two languages: what a network reads besides novels.

What must be downloaded is looked for in the D2LRNN_DATA folder first, as in ``corpora``. What needs
no download at all is ``load_digits`` here and everything in ``generated``.
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
from d2lrnn.data import corpora, reading

Array = np.ndarray[Any, Any]

MNIST_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
MNIST_HASHES = {
    "train-images-idx3": "sha256:440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1": "sha256:3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3": "sha256:8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1": "sha256:f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
# How the names of a split's files start, and how many images it has.
MNIST_SPLITS = {"train": ("train", 60000), "test": ("t10k", 10000)}
DIGITS_INSTEAD = "use the 8x8 digits, which need no download (load_digits)"

FRA_ENG_URL = "https://d2l-data.s3-accelerate.amazonaws.com/fra-eng.zip"
FRA_ENG_HASH = "sha1:94646ad1522d915e7b0f9296181140edcf86a4f5"
FRA_ENG_MEMBER = "fra-eng/fra.txt"
FRA_ENG_LIMIT = 64 * 2**20  # bytes: several times what the file holds
# What a damaged zip file makes zipfile raise, seen by damaging one at random, and by its source.
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
        images uint8 (N, 28, 28), 0 for paper and 255 for ink, and labels uint8 (N,), 0 to 9.

    Raises:
        DownloadError: an OSError; a file is not at hand and there is no network.
        ValueError: split is neither, or a file is not what it should be.

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
    """Return the bytes of a gzipped idx file as an array uint8 of the shape that it must have.

    The header is checked before anything behind it is read, and no more than shape holds is ever
    unpacked: a small file that would fill the memory is refused instead.

    Raises:
        ValueError: it is not a gzip file, or damaged; it holds something other than bytes, another
            shape, or more or less than its header says.

    Source: the idx format: two zero bytes, 8 for unsigned bytes, the number of axes, the length
    of each axis as a big-endian 32-bit integer, and then the elements, the last axis fastest.
    """
    name, size = os.fspath(path), math.prod(shape)
    try:
        with reading.opened(path) as packed, gzip.open(packed) as file:
            _check_header(name, file.read(4 + 4 * len(shape)), shape)
            content = file.read(size + 1)  # the one too many tells whether the file ends there
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(
            f"{name} is not a complete gzip file ({error}); download it again"
        ) from None
    if len(content) != size:
        found = f"only {len(content)}" if len(content) < size else f"more than {size}"
        raise ValueError(
            f"{name} holds {found} bytes after its header; expected {size}; download it again"
        )
    return np.frombuffer(content, np.uint8).reshape(shape).copy()  # a copy can be written to


def load_digits(*, test_share: float = 0.2, seed: int = 0) -> Digits:
    """Return the 1,797 digits of 8x8 pixels that come with scikit-learn, shuffled and divided.

    Args:
        test_share: the share of the images held out, between 0 and 1: the last after shuffling.
        seed: an integer, 0 or above: another seed, another order and division.

    Returns:
        Digits: images float32 (N, 8, 8), 0 for paper and 1 for ink; labels int64 (N,), 0 to 9.

    Raises:
        ImportError: scikit-learn is not installed.
        ValueError: test_share leaves no image on one side.

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
            f"on; expected a share that leaves some to train on and some to test"
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
        DownloadError: an OSError; the file is not available and there is no network.
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

    A file ``fra-eng/fra.txt`` in the D2LRNN_DATA folder is used first, whatever it holds; otherwise
    the zip file is found or downloaded. Raises as read_fra_eng does.
    """
    folder = os.environ.get(corpora.DATA_FOLDER)
    if folder and (unpacked := Path(folder, FRA_ENG_MEMBER)).is_file():
        return corpora.decode(unpacked.read_bytes(), str(unpacked))
    path = corpora.fetch("fra-eng.zip", FRA_ENG_URL, FRA_ENG_HASH, instead=DATES_INSTEAD)
    content = _read_member(path, FRA_ENG_MEMBER, FRA_ENG_LIMIT)
    return corpora.decode(content, f"{FRA_ENG_MEMBER} in {path}")


def normalise(text: str) -> str:
    """Return a text in lower case with a space before each of , . ! and ? that has none.

    Non-breaking spaces, which French puts before some punctuation, become plain ones. At the very
    start of the text nothing is put before the punctuation.

    Source: the book's section 10.5.
    """
    plain = text.replace("\u202f", " ").replace("\u00a0", " ").lower()
    return re.sub(r"(?<=[^ ])(?=[,.!?])", " ", plain)


def _read_mnist_file(stem: str, shape: tuple[int, ...]) -> Array:
    name = f"{stem}-ubyte.gz"
    path = corpora.fetch(name, MNIST_URL + name, MNIST_HASHES[stem], instead=DIGITS_INSTEAD)
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
    if (found := struct.unpack(f">{len(shape)}I", header[4:])) != shape:
        raise ValueError(f"{name} says that its shape is {found}; expected {shape}")


def _read_member(path: str | os.PathLike[str], member: str, limit: int) -> bytes:
    """Return the content of one file in a zip file, unpacking limit bytes at most.

    Nothing is written. Still, an archive that would write outside its folder if it were unpacked,
    or that holds links, is not the one that it should be, and is refused.
    """
    whole = io.BytesIO(Path(path).read_bytes())
    try:
        with zipfile.ZipFile(whole) as archive:
            members = archive.infolist()
            with archive.open(member) as file:
                content = file.read(limit + 1)
    except KeyError:
        raise ValueError(f"{os.fspath(path)} holds no {member}; expected the book's file") from None
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
    """Refuse an archive with a member that is a link, or is to lie outside its folder."""
    for info in members:
        parts = re.split(r"[/\\]", info.orig_filename)
        outside = ".." in parts or parts[0] == "" or parts[0][1:2] == ":"  # / or a drive, C:
        if outside or stat.S_ISLNK(info.external_attr >> 16):
            what = "is outside its folder" if outside else "is a link"
            raise ValueError(
                f"{name} holds {info.orig_filename!r}, which {what}; expected the book's file; "
                "remove it and download it again"
            )
