"""Randomly damaged files of models and runs: every damage is detected and reported."""

import resource
import struct
import time

import numpy as np
import pytest

from d2lrnn.nets import build, cells

TEXT = "the time machine, “by” h. g. wells"


def train(rnn, net, path, **settings):
    """Train for an epoch of 3 minibatches, kept in a file."""
    vocab = rnn.Vocab(TEXT)
    loader = rnn.SeqDataLoader(vocab[list(TEXT)], 2, 4, seed=0)
    settings |= {"optimizer": "adam", "checkpoint": path, "progress": False}
    rnn.train_ch8(net, loader, vocab, 0.01, 1, **settings)


@pytest.fixture(scope="module", params=["model", "run"])
def intact(request, rnn, tmp_path_factory):
    """A file, the content that it should have, and what reads it."""
    vocab = rnn.Vocab(TEXT)
    net = build.new_net(rnn, cells.Architecture("gru"), len(vocab), 16, seed=0)
    path = tmp_path_factory.mktemp("damage") / "model.safetensors"
    if request.param == "model":
        rnn.save_model(path, net, vocab, corpus="a line")
        return path, path.read_bytes(), lambda: rnn.load_model(path)
    train(rnn, net, path)
    return path, path.read_bytes(), lambda: train(rnn, net, path, resume=True)


def header_end(content):
    return 8 + struct.unpack("<Q", content[:8])[0]


def flip_a_bit(content, rng):
    position = rng.integers(len(content))
    flipped = bytes([content[position] ^ 1 << rng.integers(8)])
    return content[:position] + flipped + content[position + 1 :]


def truncate(content, rng):
    return content[: rng.integers(len(content))]


def overwrite(content, rng):
    start = rng.integers(len(content))
    size = min(rng.integers(1, 500), len(content) - start)
    return content[:start] + rng.bytes(size) + content[start + size :]


def blank(content, rng):
    """A block of zeros, as file systems leave after a power cut."""
    start = rng.integers(len(content))
    size = min(rng.integers(1, 500), len(content) - start)
    return content[:start] + bytes(size) + content[start + size :]


def change_the_header(content, rng):
    position = rng.integers(header_end(content))
    other = bytes([(content[position] + rng.integers(1, 256)) % 256])
    return content[:position] + other + content[position + 1 :]


def insert(content, rng):
    position = rng.integers(len(content) + 1)
    return content[:position] + rng.bytes(rng.integers(1, 100)) + content[position:]


def claim_more(content, rng):
    """A header that is longer, or describes more, than the file holds."""
    if rng.integers(2):
        return struct.pack("<Q", rng.integers(len(content), 2**63)) + content[8:]
    end = header_end(content)
    claimed = content[8:end].replace(
        b'"shape":[16', b'"shape":[99' + bytes(rng.integers(48, 58, 9))
    )
    return struct.pack("<Q", len(claimed)) + claimed + content[end:]


def swap_two_pieces(content, rng):
    start = header_end(content) + 4 * rng.integers(0, 16)
    pieces = content[start : start + 64], content[start + 64 : start + 128]
    return content[:start] + pieces[1] + pieces[0] + content[start + 128 :]


DAMAGES = [
    flip_a_bit,
    truncate,
    overwrite,
    blank,
    change_the_header,
    insert,
    claim_more,
    swap_two_pieces,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_every_damage_is_an_error_that_names_the_file(rnn, intact, faults, damage):
    path, content, read = intact
    rng = np.random.default_rng(0)
    for _ in range(faults(50, 1250)):
        damaged = damage(content, rng)
        while damaged == content:
            damaged = damage(content, rng)
        path.write_bytes(damaged)
        start = time.perf_counter()
        with pytest.raises(rnn.CheckpointError, match=f"^{path} "):
            read()
        assert time.perf_counter() - start < 1


def test_damaged_files_do_not_fill_the_memory(rnn, intact, faults):
    path, content, read = intact
    rng = np.random.default_rng(1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(faults(20, 500)):
        path.write_bytes(claim_more(content, rng))
        with pytest.raises(rnn.CheckpointError):
            read()
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert kilobytes < 16 * 1024


def test_the_undamaged_file_can_be_loaded(rnn, intact):
    path, content, read = intact
    path.write_bytes(content)
    read()
    net, _ = rnn.load_model(path)
    assert net.num_hiddens == 16
