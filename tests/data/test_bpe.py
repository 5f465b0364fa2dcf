"""Byte-pair encoding: against a plain version of its definition, against tiktoken, as tokens."""

import collections
import itertools
import json
import math
import os
import sys

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from d2lrnn import cli
from d2lrnn.data import bpe, bpe_vocab, loaders, text
from d2lrnn.data.vocab import Vocab
from d2lrnn.files import json_text

PATTERNS = [None, bpe.GPT2_PATTERN]
TEXTS = st.text(st.sampled_from("aab cé\n🚀'12"), max_size=40)
STORY = "the cat sat on the mat, and the other cat ate the rat. " * 30


def replaced(ids, pair, token):
    """Return ids with each occurrence of a pair replaced, from the left."""
    out = []
    for index in ids:
        if out and (out[-1], index) == pair:
            out[-1] = token
        else:
            out.append(index)
    return out


def plainly_learned(pieces, vocab_size):
    """Count all pairs anew before each merge, and merge the first of the most frequent."""
    rows, merges = [[*piece.encode()] for piece in pieces], {}
    for token in range(256, vocab_size):
        counts = collections.Counter(pair for row in rows for pair in itertools.pairwise(row))
        if not counts:
            break
        pair = max(counts, key=counts.get)
        merges[pair] = token
        rows = [replaced(row, pair, token) for row in rows]
    return merges


def plainly_encoded(piece, merges):
    """Apply the earliest merge that is possible, everywhere, until none is."""
    ids = [*piece.encode()]
    while possible := [merges[pair] for pair in itertools.pairwise(ids) if pair in merges]:
        token = min(possible)
        pair = next(pair for pair, index in merges.items() if index == token)
        ids = replaced(ids, pair, token)
    return ids


@pytest.mark.parametrize("pattern", PATTERNS)
@example(learned="aaaaaaa aaab aa", read="aaaaa aa", more=6)  # pairs that overlap
@given(learned=TEXTS, read=TEXTS, more=st.integers(0, 20))
def test_merges_and_ids_are_those_of_the_definition(pattern, learned, read, more):
    tokenizer = bpe.BPETokenizer(256 + more, pattern)
    tokenizer.train(learned)
    merges = plainly_learned(tokenizer._find_pieces(learned), 256 + more)
    assert [*tokenizer.merges.items()] == [*merges.items()]
    pieces = tokenizer._find_pieces(read)
    expected = itertools.chain.from_iterable(plainly_encoded(p, merges) for p in pieces)
    assert tokenizer.encode(read) == [*expected]
    assert tokenizer.decode(tokenizer.encode(read)) == read


def test_a_second_training_forgets_the_first():
    tokenizer, new = bpe.BPETokenizer(260), bpe.BPETokenizer(260)
    tokenizer.train("banana bandana")
    tokenizer.train(STORY)
    new.train(STORY)
    assert tokenizer.merges == new.merges
    assert tokenizer.vocab == new.vocab


def test_special_tokens_are_ordinary_text_unless_they_are_allowed():
    tokenizer = bpe.BPETokenizer(256, specials=["<eos>", "<eos>!"])
    assert tokenizer.encode("a<eos>") == [*b"a<eos>"]
    assert tokenizer.encode("a<eos>!b<eos>", allow_special=True) == [97, 257, 98, 256]
    assert tokenizer.decode([97, 257, 98, 256]) == "a<eos>!b<eos>"
    assert len(tokenizer) == 258


def test_the_names_of_the_special_tokens_have_ids():
    tokenizer = bpe.BPETokenizer(300)
    assert (tokenizer.pad, tokenizer.bos, tokenizer.eos, len(tokenizer)) == (300, 301, 302, 303)


def loaded(**settings):
    return loaders.load_data_string(STORY, 2, 5, **settings)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bpe.BPETokenizer(255), "vocab_size is 255; expected at least 256"),
        (lambda: bpe.BPETokenizer(256.5), "vocab_size is 256.5; expected an integer"),
        (lambda: bpe.BPETokenizer(256, specials=[]).eos, "has no special token <eos>"),
        (lambda: bpe.BPETokenizer(256, "[a-z]+").train("ab 12"), "leave out a part of the text"),
        (lambda: bpe.BPETokenizer(256).decode([1.5]), "ids is .1.5.; expected a sequence of integ"),
        (lambda: bpe.BPETokenizer(256).decode(["a"]), "expected a sequence of integers"),
        (lambda: bpe.BPETokenizer(256).decode(5), "ids is 5; expected a sequence of integers"),
        (lambda: bpe.BPETokenizer(256).decode([[104]]), "expected a sequence of integers"),
        (lambda: loaded(vocab_size=300), "vocab_size is 300, but token is 'char'; leave out"),
        (lambda: loaded(vocab_size=300, vocab=Vocab("ab")), "but the tokens are those of vocab"),
        (lambda: bpe.BPETokenizer(specials=["a", "a"]), "expected different strings"),
        (lambda: bpe.BPETokenizer(pattern="("), r"pattern is '\('.*expected a regular expression"),
        (lambda: bpe.BPETokenizer(256).train(3), "text is 3 .int.; expected a string"),
        (lambda: bpe.BPETokenizer(256).encode(None), "text is None; expected a string"),
        (lambda: bpe.BPETokenizer(300).decode([290]), "token id 290 has no bytes"),
        (lambda: bpe.BPETokenizer.from_tokens([b"a"], None), "lacks the byte 0"),
        (lambda: bpe_vocab.BPEVocab("a"), "tokenizer is a str; expected a BPETokenizer"),
    ],
)
def test_texts_that_cannot_be_tokenized_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.fixture
def vocab():
    """A vocabulary of 280 tokens."""
    tokenizer = bpe.BPETokenizer(280, bpe.GPT2_PATTERN)
    tokenizer.train(STORY)
    return bpe_vocab.BPEVocab(tokenizer)


@given(TEXTS)
def test_a_text_of_tokens_joins_to_the_text(read):
    tokenizer = bpe.BPETokenizer(280, bpe.GPT2_PATTERN)
    tokenizer.train(STORY)
    vocab = bpe_vocab.BPEVocab(tokenizer)
    assert vocab.join(vocab.split(read)) == read
    assert vocab[vocab.split(read)] == vocab.tokenizer.encode(read)


def test_tokens_with_the_same_bytes_are_one_token_of_the_vocabulary():
    tokenizer = bpe.BPETokenizer(258)
    tokenizer.vocab |= {256: b"ab", 257: b"ab"}  # as a table of one's own could have it
    vocab = bpe_vocab.BPEVocab(tokenizer)
    assert [*vocab][256:] == ["ab"]
    assert vocab.split("xab") == ["x", "ab"]


def test_half_a_character_becomes_readable_with_its_other_half(vocab):
    halves = vocab.split("é")
    assert len(halves) == 2
    assert vocab.join(halves) == "é"
    assert vocab.join(halves[:1]) == "\ufffd"


def test_a_stored_vocabulary_is_the_same_again(vocab):
    table = json_text.read(json.dumps(vocab.table()))
    again = bpe_vocab.BPEVocab.from_names(table["tokens"], table["pattern"])
    assert [*again] == [*vocab]
    assert again.split(STORY) == vocab.split(STORY)


def test_lengths_count_the_characters_and_bytes_of_a_text(vocab):
    ids = vocab.tokenizer.encode("the café 🚀")
    characters, num_bytes = (lengths[ids].sum() for lengths in vocab.lengths())
    assert (characters, num_bytes) == (10, 14)


def test_nothing_is_learned_from_the_part_that_is_held_out():
    """The characters of the beginning have several tokens, so that it is most of the tokens."""
    words = "".join(chr(0x4E00 + 37 * i) for i in range(300)) + "qx" * 20 + STORY[:300]
    assert "qx" in words[: len(words) // 2]
    ids, vocab = text.encode([words], "bpe", vocab_size=280, held_out=0.5)
    end = len(ids) - round(0.5 * len(ids))
    read = vocab.bytes_of(ids[:end])
    assert words.encode().startswith(read)
    assert b"q" not in read
    learned = [vocab.tokenizer.vocab[index] for index in range(256, len(vocab))]
    assert learned
    assert all(token in read for token in learned)


def test_bits_per_byte_are_comparable_between_kinds_of_tokens(rnn):
    """An untrained net guesses; its bits per byte are those of a guess among its tokens."""
    results = {}
    for token, vocab_size in (("char", None), ("bpe", 280)):
        loader, vocab = rnn.load_data_string(STORY, 2, 5, token=token, vocab_size=vocab_size)
        net = rnn.RNNModelScratch(
            len(vocab), 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0
        )
        minibatches = [*loader]  # each epoch starts at another place
        result = rnn.evaluate(net, minibatches, vocab)
        targets = np.concatenate([rnn.to_numpy(Y).reshape(-1) for _, Y in minibatches])
        num_bytes = len(vocab.join(vocab.to_tokens(targets)).encode())
        expected = len(targets) * math.log2(result.perplexity) / num_bytes
        assert result.bits_per_byte == pytest.approx(expected)
        results[token] = result
    assert results["bpe"].perplexity > results["char"].perplexity


def test_a_net_of_byte_pair_tokens_is_trained_saved_and_generates(rnn, tmp_path):
    loader, vocab = rnn.load_data_string(STORY, 2, 5, token="bpe", vocab_size=290, seed=0)
    functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn
    net = rnn.RNNModelScratch(len(vocab), 8, *functions, seed=0)
    history = rnn.train_ch8(net, loader, vocab, lr=1, num_epochs=2, progress=False)
    assert history.perplexity[-1] < 150
    rnn.save_model(tmp_path / "model", net, vocab)
    loaded, same = rnn.load_model(tmp_path / "model")
    assert rnn.predict_ch8("the cat", 6, loaded, same) == rnn.predict_ch8("the cat", 6, net, vocab)
    assert [*same] == [*vocab]


def test_ids_may_be_tensors(rnn):
    tokenizer = bpe.BPETokenizer(256)
    assert tokenizer.decode(rnn.from_numpy(np.array([104, 105]))) == "hi"


def test_a_missing_tiktoken_is_an_error_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    with pytest.raises(ImportError, match="need tiktoken, which is not installed; run: pip"):
        bpe.BPETokenizer.from_tiktoken("gpt2")


def test_a_model_of_byte_pair_tokens_is_exported(rnn, tmp_path):
    _, vocab = rnn.load_data_string(STORY, 2, 5, token="bpe", vocab_size=270)
    functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn
    net = rnn.RNNModelScratch(len(vocab), 4, *functions, seed=0)
    rnn.save_model(tmp_path / "model", net, vocab)
    command = ["export", str(tmp_path / "model"), "--out", str(tmp_path / "model.onnx")]
    result = CliRunner().invoke(cli.main, command)
    assert result.exit_code == 0, result.output
    graph = onnx.load(str(tmp_path / "model.onnx"))
    (tokens,) = (entry.value for entry in graph.metadata_props if entry.key == "tokens")
    assert json.loads(tokens) == [*vocab]


def test_a_model_without_a_prefix_begins_with_a_learned_token(rnn, tmp_path):
    _, vocab = rnn.load_data_string(STORY, 2, 5, token="bpe", vocab_size=270)
    functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn
    net = rnn.RNNModelScratch(len(vocab), 4, *functions, seed=0)
    rnn.save_model(tmp_path / "model", net, vocab)
    result = CliRunner().invoke(cli.main, ["generate", str(tmp_path / "model"), "--length", "0"])
    assert result.output == f"{[*vocab][256]}\n"


@pytest.mark.parametrize("name", ["gpt2", "o200k_base"])
def test_ids_are_those_of_tiktoken(name, data_folder, monkeypatch):
    import tiktoken

    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", os.path.join(os.environ["D2LRNN_DATA"], "tiktoken"))
    theirs = tiktoken.get_encoding(name)
    ours = bpe.BPETokenizer.from_tiktoken(name)
    for read in (STORY, "naïve café £12,345 🚀\n\n  x\t", "你好, Ωμέγα 12345678", "a" * 300):
        assert ours.encode(read) == theirs.encode(read)
        assert ours.decode(ours.encode(read)) == read
