"""Malicious files are refused by name before much memory is allocated."""

import json
import struct
import tracemalloc

import numpy as np
import pytest

from d2lrnn.files import model_file, tensor_file
from d2lrnn.nets import build, cells

MEGABYTE = 1_000_000


def refused(path):
    """Return why a file is refused, which must not take much memory."""
    tracemalloc.start()
    try:
        with pytest.raises(model_file.CheckpointError, match=f"^{path} is not a readable") as error:
            model_file.read_model(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100 * MEGABYTE
    return str(error.value)


@pytest.fixture
def small(reference, tmp_path):
    """A small model's tensors and metadata, and a function that writes them, sealed, changed."""
    vocab = reference.Vocab("the time machine")
    net = build.new_net(reference, cells.Architecture("gru"), len(vocab), 4, seed=0)
    path = tmp_path / "m"
    reference.save_model(path, net, vocab)
    tensors, metadata = tensor_file.unpack(path)

    def write(**changed):
        path.write_bytes(tensor_file.pack(tensors, {**metadata, **changed}))
        return path

    return tensors, metadata, write


def with_header(path, header, payload=b""):
    """Write a file of any header, not sealed."""
    path.write_bytes(struct.pack("<Q", len(header)) + header + payload)
    return path


@pytest.mark.parametrize("num_layers", [10**8, 10**18, 10**4000])
def test_a_file_with_more_layers_than_tensors_is_refused(small, num_layers):
    _, metadata, write = small
    settings = json.dumps({**json.loads(metadata["settings"]), "num_layers": 0})
    said = refused(write(settings=settings.replace(": 0", f": {num_layers}")))
    assert f"(num_layers is {num_layers}, which needs" in said


@pytest.mark.parametrize("num_layers", ["1e8", "1e999", "NaN", "-1", "true", '"1"', "[]"])
def test_an_invalid_number_of_layers_is_refused(small, num_layers):
    _, metadata, write = small
    settings = json.dumps({**json.loads(metadata["settings"]), "num_layers": 0})
    assert "num_layers is" in refused(write(settings=settings.replace(": 0", f": {num_layers}")))


@pytest.mark.parametrize("num_hiddens", [10**18, 10**4000])
def test_a_file_with_more_hidden_units_than_its_tensors_is_refused(small, num_hiddens):
    _, metadata, write = small
    settings = {**json.loads(metadata["settings"]), "num_hiddens": num_hiddens}
    assert "W_xz has shape (10, 4); expected" in refused(write(settings=json.dumps(settings)))


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("data_offsets", "[0, 1e999]"),
        ("data_offsets", "[0, NaN]"),
        ("data_offsets", "[0, 4.0]"),
        ("data_offsets", "[-4, 0]"),
        ("data_offsets", "[4, 8]"),
        ("data_offsets", "[0, 100000000000000000000]"),
        ("data_offsets", "[0]"),
        ("shape", "[1e999]"),
        ("shape", "[100000000000000000000]"),
        ("shape", "[-1, -1]"),
        ("shape", "[true]"),
        ("shape", "[" + "1, " * 40 + "1]"),
        ("shape", "1"),
        ("dtype", '"F4"'),
        ("dtype", "[]"),
    ],
)
def test_inconsistent_numbers_in_a_header_are_refused(tmp_path, what, value):
    entry = {"dtype": '"F32"', "shape": "[1]", "data_offsets": "[0, 4]", what: value}
    inside = ", ".join(f'"{name}": {text}' for name, text in entry.items())
    path = with_header(tmp_path / "m", f'{{"x": {{{inside}}}}}'.encode(), bytes(4))
    assert "header" in refused(path)


def test_tensors_that_overlap_are_refused(tmp_path):
    entries = {
        name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} for name in ("one", "other")
    }
    path = with_header(tmp_path / "m", json.dumps(entries).encode(), bytes(4))
    assert "says that other begins at 0, not at 4" in refused(path)


@pytest.mark.parametrize(
    ("part", "size", "payload"),
    [
        *((part, 7, 0) for part in ("[],", "{},", "1,", '"a b",', "[[[[[", '{"a":', " ")),
        *((part, 99, 0) for part in ("[],", " ")),
        *((part, 99, 25) for part in ("[],", '"a":[],')),
    ],
)
def test_a_long_header_is_refused_before_it_is_read(tmp_path, part, size, payload):
    start = b'{"a":[' if part[0] in '"[' else b"{"
    header = start + (part * (size * MEGABYTE // len(part))).encode()
    refused(with_header(tmp_path / "m", header, bytes(payload * MEGABYTE)))


@pytest.mark.parametrize(
    ("name", "part"),
    [("settings", "[],"), ("settings", "1,"), ("vocab", '"a b",'), ("vocab", "[[[[[")],
)
def test_long_metadata_of_a_file_with_checksums_are_refused_before_reading(small, name, part):
    start = '{"token": "char", "tokens": [' if name == "vocab" else '{"x": ['
    refused(small[2](**{name: start + part * (3 * MEGABYTE // len(part))}))


def test_a_header_that_is_not_utf8_is_refused(tmp_path):
    refused(with_header(tmp_path / "m", '{"a": 1}'.encode("utf-16")))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_a_warning_that_names_them(rnn, make_net, tmp_path, number):
    vocab, net = rnn.Vocab("abcd"), make_net()
    arrays = net.arrays()
    arrays[1][0, 0] = number
    net.load_arrays(arrays)
    rnn.save_model(tmp_path / "m", net, vocab)
    words = f"^{tmp_path / 'm'} holds numbers that are not finite, in W_hh: the network diverged"
    with pytest.warns(UserWarning, match=words):
        rnn.load_model(tmp_path / "m")


def test_a_file_with_a_large_vocabulary_is_accepted(reference, tmp_path):
    words = [f"слово{number}" for number in range(100_000)]
    vocab = reference.Vocab.from_list(["<unk>", *words], "word")
    net = build.new_net(reference, cells.Architecture(), len(vocab), 1, seed=0)
    reference.save_model(tmp_path / "m", net, vocab)
    again, known = reference.load_model(tmp_path / "m")
    assert known.idx_to_token == vocab.idx_to_token
    assert again.vocab_size == 100_001
