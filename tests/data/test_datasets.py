"""Digits and sentences: small files made here, in a data folder or behind a server."""

import gzip
import hashlib
import struct
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import datasets as sklearn_datasets

from d2lrnn.data import data_files, datasets

SHAPE = (2, 3)
HEADER = struct.pack(">4B2I", 0, 0, 8, 2, *SHAPE)


def idx(array):
    lengths = struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + lengths + array.tobytes())


def digest(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.fixture
def mnist(tmp_path, monkeypatch):
    """Put a small MNIST into the data folder and return it by split: three images and two."""
    rng = np.random.default_rng(0)
    monkeypatch.setenv(data_files.DATA_FOLDER, str(tmp_path))
    monkeypatch.setattr(datasets, "MNIST_SPLITS", {"train": ("train", 3), "test": ("t10k", 2)})
    made = {}
    for split, (prefix, num_images) in datasets.MNIST_SPLITS.items():
        images = rng.integers(256, size=(num_images, 28, 28), dtype=np.uint8)
        labels = rng.integers(10, size=num_images, dtype=np.uint8)
        made[split] = images, labels
        for stem, array in ((f"{prefix}-images-idx3", images), (f"{prefix}-labels-idx1", labels)):
            content = idx(array)
            (tmp_path / f"{stem}-ubyte.gz").write_bytes(content)
            monkeypatch.setitem(datasets.MNIST_HASHES, stem, digest(content))
    return made


def assert_same(pair, expected):
    for found, wanted in zip(pair, expected, strict=True):
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("split", ["train", "test"])
def test_images_and_labels_are_read_in_the_files_order(mnist, split):
    assert_same(datasets.read_mnist(split), mnist[split])


def test_the_images_are_writable_arrays(mnist):
    images, labels = datasets.read_mnist()
    assert images.flags.writeable
    assert labels.flags.writeable


def test_mnist_is_downloaded_once_and_then_comes_from_the_cache(
    server, mnist, tmp_path, monkeypatch
):
    for path in tmp_path.glob("*.gz"):
        path.rename(tmp_path / "server" / path.name)
    monkeypatch.setattr(datasets, "MNIST_URL", f"{server}/")
    assert_same(datasets.read_mnist(), mnist["train"])
    monkeypatch.setattr(datasets, "MNIST_URL", "http://127.0.0.1:1/")
    assert_same(datasets.read_mnist(), mnist["train"])


def test_the_error_without_mnist_mentions_the_small_digits(server, monkeypatch):
    monkeypatch.setattr(datasets, "MNIST_URL", "http://127.0.0.1:1/")
    with pytest.raises(data_files.DownloadError, match=r"or use the 8x8 digits.*\(load_digits\)"):
        datasets.read_mnist()


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError) as error:
        datasets.read_mnist("valid")
    assert str(error.value) == "split is 'valid'; expected one of 'train', 'test'"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"\0\0\x09\x02", "starts with 00 00 09 02; expected 00 00 08 02"),
        (b"\0\0\x08\x03", "starts with 00 00 08 03; expected 00 00 08 02"),
        (b"", "starts with ; expected 00 00 08 02"),
        (HEADER[:-1], "ends within its header; download it again"),
        (
            struct.pack(">4B2I", 0, 0, 8, 2, 2**32 - 1, 3),
            "has the shape (4294967295, 3) in its header; expected (2, 3)",
        ),
        (HEADER + b"12345", "holds only 5 bytes after its header; expected 6"),
        (HEADER + b"1234567", "holds more than 6 bytes after its header; expected 6"),
    ],
)
def test_the_error_for_a_wrong_idx_file_says_what_is_wrong(tmp_path, content, complaint):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(ValueError) as error:
        datasets.read_idx(path, SHAPE)
    assert str(error.value).startswith(str(path))
    assert complaint in str(error.value)


def broken(content, kind):
    whole = gzip.compress(content)
    return {
        "plain": content,
        "cut": whole[:-9],
        "checksum": whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:],
        "body": whole[:10] + b"\xff" + whole[11:],
    }[kind]


@pytest.mark.parametrize("kind", ["plain", "cut", "checksum", "body"])
def test_a_damaged_gzip_file_is_refused(tmp_path, kind):
    path = tmp_path / "file.gz"
    path.write_bytes(broken(HEADER + b"123456", kind))
    with pytest.raises(ValueError, match="is not a complete gzip file"):
        datasets.read_idx(path, SHAPE)


def peak_of_refused(function, *arguments):
    """Return the peak of the allocated bytes of a call that raises ValueError."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"(more|larger) than"):
            function(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_gzip_file_that_never_ends_does_not_fill_the_memory(tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(HEADER + bytes(32 * 2**20), 1))
    assert peak_of_refused(datasets.read_idx, path, SHAPE) < 2 * 2**20


def test_the_small_digits_are_numbers_from_0_to_1_and_labels():
    digits = datasets.load_digits()
    assert digits.train_images.shape == (1438, 8, 8)
    assert digits.test_images.shape == (359, 8, 8)
    for images, labels in (digits[:2], digits[2:]):
        assert (images.dtype, labels.dtype) == (np.float32, np.int64)
        assert (images.min(), images.max()) == (0, 1)
        assert sorted(set(labels.tolist())) == list(range(10))


def test_every_digit_has_its_label_and_is_in_one_part():
    def listed(images, labels):
        return sorted((*image.ravel().tolist(), label) for image, label in zip(images, labels))

    train_images, train_labels, test_images, test_labels = datasets.load_digits(test_share=0.5)
    whole = sklearn_datasets.load_digits()
    together = np.concatenate([train_images, test_images]) * 16
    labels = np.concatenate([train_labels, test_labels])
    assert listed(together, labels) == listed(whole.images, whole.target)


def test_the_seed_alone_decides_the_order():
    one, same, other = (datasets.load_digits(seed=seed).train_labels for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("share", [0, -0.1, 1e-6, 0.9999, 1, 1.5, float("nan"), "a fifth"])
def test_a_share_that_leaves_nothing_on_one_side_is_refused(share):
    with pytest.raises(ValueError, match=f"test_share is {share!r}"):
        datasets.load_digits(test_share=share)


def test_a_missing_scikit_learn_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError) as error:
        datasets.load_digits()
    assert str(error.value).endswith("not installed; run: pip install scikit-learn")


@pytest.fixture
def fra_eng(tmp_path, monkeypatch):
    """A function that puts a zip file into the data folder: the members by name."""
    monkeypatch.setenv(data_files.DATA_FOLDER, str(tmp_path))

    def write(members):
        with zipfile.ZipFile(tmp_path / "fra-eng.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        content = (tmp_path / "fra-eng.zip").read_bytes()
        monkeypatch.setattr(datasets, "FRA_ENG_HASH", digest(content))

    return write


def test_sentences_are_read_in_pairs_out_of_the_zip_file(fra_eng, tmp_path):
    lines = "Go.\tVa\u202f!\nHi.\tSalut !\tby somebody\n\nno tab\n"
    fra_eng({"about.txt": b"", "fra-eng/fra.txt": lines.encode()})
    assert datasets.read_fra_eng() == [("Go.", "Va\u202f!"), ("Hi.", "Salut !")]
    assert [path.name for path in tmp_path.iterdir()] == ["fra-eng.zip"]  # nothing is extracted


def test_the_error_without_sentences_mentions_the_dates(server, monkeypatch):
    monkeypatch.setattr(datasets, "FRA_ENG_URL", "http://127.0.0.1:1/fra-eng.zip")
    with pytest.raises(data_files.DownloadError, match=r"or translate dates.*\(date_pairs\)"):
        datasets.read_fra_eng()


def test_the_error_for_sentences_that_are_not_utf8_names_the_position(fra_eng):
    fra_eng({"fra-eng/fra.txt": b"Go.\tVa\xe0\n"})
    with pytest.raises(ValueError, match=r"fra-eng/fra.txt in .*fra-eng.zip is not UTF-8: byte 6"):
        datasets.read_fra_eng()


def test_a_zip_file_without_the_sentences_is_refused(fra_eng):
    fra_eng({"fra.txt": b"Go.\tVa\n"})
    with pytest.raises(ValueError, match=r"fra-eng\.zip does not contain fra-eng/fra\.txt"):
        datasets.read_fra_eng()


def test_a_file_that_is_not_a_zip_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(data_files.DATA_FOLDER, str(tmp_path))
    monkeypatch.setattr(datasets, "FRA_ENG_HASH", digest(b"no zip"))
    (tmp_path / "fra-eng.zip").write_bytes(b"no zip")
    with pytest.raises(ValueError, match="is not a complete zip file"):
        datasets.read_fra_eng()


def test_a_zip_file_that_never_ends_does_not_fill_the_memory(fra_eng, monkeypatch):
    fra_eng({"fra-eng/fra.txt": bytes(32 * 2**20)})
    monkeypatch.setattr(datasets, "FRA_ENG_LIMIT", 1000)
    assert peak_of_refused(datasets.read_fra_eng) < 2 * 2**20


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Go.", "go ."),
        ("Va\u202f!", "va !"),
        ("Qui\u00a0?", "qui ?"),
        ("Ça alors, non !", "ça alors , non !"),
        ("Well...", "well . . ."),
        ("?!", "? !"),
        ("It's 3.5; ok", "it's 3 .5; ok"),
        ("", ""),
    ],
)
def test_punctuation_stands_apart_in_lower_case(text, expected):
    assert datasets.normalise(text) == expected


@given(st.text(alphabet="aÉ ,.!?\u00a0\u202f\t'"))
def test_normalising_twice_equals_normalising_once(text):
    once = datasets.normalise(text)
    assert datasets.normalise(once) == once
