"""Files that version 0.1.0 wrote go on loading, and a run that it kept goes on.

They lie in ``tests/files/v0.1.0``, as that version wrote them: a character model, a model of words
with two layers, and a run that was stopped in the middle of its second epoch.
"""

import pathlib
import shutil

import numpy as np
import pytest

from d2lrnn.files import tensor_file
from d2lrnn.nets import build, cells

FOLDER = pathlib.Path(__file__).parent / "v0.1.0"
TEXT = "the tide turns, the clock waits, and the old captain listens to the tide. " * 4
NAMES = ("characters", "words", "run")


def beginnings(rnn):
    """Return the initial net, loader and vocabulary of the run."""
    vocab = rnn.Vocab(TEXT)
    net = build.new_net(rnn, cells.Architecture("gru"), len(vocab), 6, seed=0)
    return net, rnn.SeqDataLoader(vocab[list(TEXT)], 4, 8, seed=1), vocab


def train(rnn, started, num_epochs=3, **settings):
    net, loader, vocab = started
    settings = {"optimizer": "adam", "prefix": "the ", "progress": False, **settings}
    return rnn.train_ch8(net, loader, vocab, 0.01, num_epochs, **settings)


def model_of(rnn, name):
    """Return the net and the Vocab that a file was written with."""
    if name == "characters":
        vocab = rnn.Vocab(TEXT)
        return build.new_net(rnn, cells.Architecture("rnn"), len(vocab), 8, seed=0), vocab
    vocab = rnn.Vocab(rnn.tokenize([TEXT], "word"))
    architecture = cells.Architecture("lstm", 2)
    settings = {"seed": 1, "dtype": "float64"}
    return build.new_net(rnn, architecture, len(vocab), 4, **settings), vocab


@pytest.mark.parametrize("name", ["characters", "words"])
def test_a_model_written_by_version_0_1_0_is_read_unchanged(rnn, name):
    net, vocab = rnn.load_model(FOLDER / f"{name}.safetensors")
    expected, words = model_of(rnn, name)
    assert (vocab.idx_to_token, vocab.token) == (words.idx_to_token, words.token)
    assert net.architecture == expected.architecture
    for array, other in zip(net.arrays(), expected.arrays(), strict=True):
        np.testing.assert_array_equal(array, other)


@pytest.mark.filterwarnings("ignore:.*was written under other conditions")
def test_a_checkpoint_of_version_0_1_0_is_resumed_to_the_same_result(reference, tmp_path):
    shutil.copy(FOLDER / "run.safetensors", tmp_path / "run")
    resumed, whole = beginnings(reference), beginnings(reference)
    history = train(reference, resumed, checkpoint=tmp_path / "run", resume=True)
    expected = train(reference, whole)
    assert len(history.perplexity) == 3
    np.testing.assert_allclose(history.perplexity, expected.perplexity, rtol=1e-5)
    for array, other in zip(resumed[0].arrays(), whole[0].arrays(), strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_files_of_version_0_1_0_are_written_byte_for_byte_today(name):
    content = (FOLDER / f"{name}.safetensors").read_bytes()
    tensors, metadata = tensor_file.unpack(FOLDER / f"{name}.safetensors")
    assert tensor_file.pack(tensors, metadata) == content
