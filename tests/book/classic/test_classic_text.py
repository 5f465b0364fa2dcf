"""The book's text, vocabulary, minibatches, pairs of sentences and files."""

import hashlib
import itertools
import os
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest

from d2lrnn.data.data_files import DownloadError


def test_a_vocabulary_counts_pairs_of_words_as_tokens(plain):
    words = ["the", "time", "traveller", "the", "time"]
    vocab = plain.Vocab(list(itertools.pairwise(words)))
    assert vocab.token_freqs[0] == (("the", "time"), 2)
    assert vocab.token_to_idx["time", "traveller"] == vocab.idx_to_token.index(
        ("time", "traveller")
    )
    assert len(vocab) == 4


def test_a_pair_in_the_corpus_is_one_token_and_any_other_pair_is_two(plain):
    vocab = plain.Vocab([("the", "time"), ("time", "flies"), "the"])
    assert vocab["time", "flies"] == vocab.token_to_idx["time", "flies"]
    assert vocab[[("the", "time"), "the"]] == [vocab.token_to_idx["the", "time"], 3]
    assert vocab["the", "flies"] == [3, vocab.unk]


def test_a_vocabulary_has_its_counts_under_both_of_the_books_names(plain):
    vocab = plain.Vocab([["a", "b"], ["b"]])
    assert vocab._token_freqs == vocab.token_freqs == [("b", 2), ("a", 1)]


def test_a_vocabulary_numbers_unk_then_what_is_reserved_then_by_frequency(plain):
    vocab = plain.Vocab([["a", "b"], ["b", "c"]], min_freq=2, reserved_tokens=["<pad>", "<bos>"])
    assert vocab.idx_to_token == ["<unk>", "<pad>", "<bos>", "b"]
    assert vocab[["b", "a", "<pad>"]] == [3, 0, 1]
    assert vocab["a"] == vocab.unk == 0
    assert vocab.to_tokens([3, 1]) == ["b", "<pad>"]
    assert vocab.to_tokens(3) == "b"


def test_an_empty_vocabulary_contains_the_unknown_token(plain):
    assert plain.Vocab().idx_to_token == ["<unk>"]


@pytest.mark.parametrize("tokens", [["a", "b", "a"], [["a", "b"], ["a"]]])
def test_count_corpus_takes_tokens_and_lines_of_them(plain, tokens):
    assert plain.count_corpus(tokens) == {"a": 2, "b": 1}


class Table:
    """Like a DataFrame: iterating over it gives the names of its columns."""

    columns = ("text",)

    def __iter__(self):
        return iter(self.columns)


@pytest.mark.parametrize("given", [Table(), {"a": 1}, {"a"}, Path("a"), 5, b"a", ["a", np.nan]])
def test_objects_without_tokens_are_refused(plain, given):
    for function in (plain.Vocab, plain.count_corpus, plain.tokenize):
        with pytest.raises(ValueError, match=r"expected a (list of )?(tokens|string)"):
            function(given)


def test_a_text_is_not_a_list_of_lines_and_a_list_is_not_a_sentence(plain):
    with pytest.raises(ValueError, match=r"^lines is one text, 'a b'; .*give \['a b'\]"):
        plain.tokenize("a b")
    with pytest.raises(ValueError, match=r"^reserved_tokens is one text"):
        plain.Vocab(["a"], reserved_tokens="<pad>")
    with pytest.raises(ValueError, match=r"^label_seq is \['a'\] \(list\); expected a string"):
        plain.bleu("a", ["a"], k=1)


def test_a_vocabulary_accepts_the_arguments_of_the_book(plain):
    counted = plain.Vocab(plain.count_corpus(["b", "a", "b"]))
    assert counted.token_freqs == [("b", 2), ("a", 1)]
    assert plain.Vocab([1, 2, 1]).token_to_idx == {"<unk>": 0, 1: 1, 2: 2}
    assert plain.Vocab(None).idx_to_token == ["<unk>"]
    assert plain.Vocab("abb").idx_to_token == ["<unk>", "b", "a"]


def test_the_corpus_is_cut_and_its_vocabulary_is_not(plain, texts):
    corpus, vocab = plain.load_corpus_time_machine(10)
    assert "".join(vocab.to_tokens(corpus)) == "the time t"
    everything, same = plain.load_corpus_time_machine()
    assert len(everything) > 2000
    assert len(same) == len(vocab)


def test_changing_the_file_in_the_hub_changes_the_text(d2l, texts):
    assert d2l.read_time_machine()[0] == "the time traveller smiled round at us"


def test_sequential_minibatches_equal_the_books(d2l):
    random.seed(3)
    offset = random.Random(3).randint(0, 5)
    batches = list(d2l.seq_data_iter_sequential(list(range(35)), batch_size=2, num_steps=5))
    length = (35 - offset - 1) // 2
    assert len(batches) == length // 5
    for number, (X, Y) in enumerate(batches):
        first = offset + 5 * number
        assert d2l.numpy(X)[:, 0].tolist() == [first, first + length]
        assert (d2l.numpy(Y) == d2l.numpy(X) + 1).all()


@pytest.mark.parametrize(
    ("name", "offsets"), [("sequential_batches", range(6)), ("random_batches", range(5))]
)
def test_the_text_is_cut_from_each_offset_of_the_books(plain, name, offsets):
    draw = getattr(plain.text, name)
    firsts = [min(int(X.min()) for X, _ in draw(range(35), 2, 5)) for _ in range(200)]
    assert sorted(set(firsts)) == list(offsets)


def test_random_minibatches_equal_the_books(d2l):
    random.seed(3)
    X, Y = next(iter(d2l.seq_data_iter_random(list(range(35)), batch_size=2, num_steps=5)))
    chance = random.Random(3)
    offset, starts = chance.randint(0, 4), list(range(0, 30, 5))
    chance.shuffle(starts)
    assert d2l.numpy(X)[:, 0].tolist() == [offset + start for start in starts[:2]]
    assert (d2l.numpy(Y) == d2l.numpy(X) + 1).all()


@pytest.mark.parametrize("name", ["seq_data_iter_random", "seq_data_iter_sequential"])
def test_a_text_that_is_too_short_gives_no_minibatch(d2l, name):
    assert list(getattr(d2l, name)([1, 2, 3], batch_size=2, num_steps=5)) == []


def test_minibatches_have_the_dtype_that_the_framework_gives_python_integers(d2l, backend):
    X, _ = next(d2l.seq_data_iter_sequential(list(range(35)), 2, 5))
    assert X.dtype == d2l.tensor([1]).dtype


SINE = np.sin(0.1 * np.arange(60))
KINDS = {
    "list": SINE.tolist(),
    "float64": SINE,
    "float32": SINE.astype("float32"),
    "tensor": SINE.tolist(),
}


@pytest.mark.parametrize("name", ["seq_data_iter_random", "seq_data_iter_sequential"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_series_of_real_numbers_gives_minibatches_of_float32(d2l, name, kind):
    series = d2l.tensor(KINDS[kind]) if kind == "tensor" else KINDS[kind]
    random.seed(3)
    minibatches = list(getattr(d2l, name)(series, 2, 5))
    random.seed(3)
    places = list(getattr(d2l, name)(range(60), 2, 5))
    assert len(minibatches) == len(places) > 3
    for pair, indices in zip(minibatches, places):
        for numbers, index in zip(pair, indices):
            assert numbers.dtype == d2l.float32
            np.testing.assert_allclose(
                d2l.numpy(numbers), SINE[d2l.numpy(index).astype(int)], atol=1e-6
            )


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_ids_in_an_array_equal_the_same_ids_in_a_list(d2l, dtype):
    X, _ = next(d2l.seq_data_iter_sequential(np.arange(35, dtype=dtype), 2, 5))
    assert X.dtype == d2l.tensor([1]).dtype


@pytest.mark.parametrize("use_random_iter", [False, True])
def test_the_loader_has_the_books_attributes_and_yields_anew(d2l, texts, use_random_iter):
    train_iter, vocab = d2l.load_data_time_machine(4, 5, use_random_iter, 500)
    assert (train_iter.batch_size, train_iter.num_steps, len(train_iter.corpus)) == (4, 5, 500)
    assert train_iter.vocab is vocab
    assert len(list(train_iter)) == len(list(train_iter)) >= 23
    assert {tuple(X.shape) for X, Y in train_iter} == {(4, 5)}


def test_pairs_are_read_from_the_data_folder(d2l, texts):
    source, target = d2l.tokenize_nmt(d2l.preprocess_nmt(d2l.read_data_nmt()))
    assert source[:2] == [["go", "."], ["i", "lost", "."]]
    assert target[1] == ["j'ai", "perdu", "."]


def test_minibatches_of_pairs_are_padded_and_know_their_lengths(d2l, texts):
    data_iter, source, target = d2l.load_data_nmt(batch_size=4, num_steps=6)
    X, X_valid_len, Y, Y_valid_len = next(iter(data_iter))
    assert tuple(X.shape) == tuple(Y.shape) == (4, 6)
    for vocab, rows, lengths in ((source, X, X_valid_len), (target, Y, Y_valid_len)):
        for row, length in zip(d2l.numpy(rows).astype(int), d2l.numpy(lengths)):
            assert row[length - 1] == vocab["<eos>"]
            assert (row[length:] == vocab["<pad>"]).all()
    assert target.idx_to_token[:4] == ["<unk>", "<pad>", "<bos>", "<eos>"]


def test_the_line_after_the_last_example_is_read_as_in_the_book(plain):
    source, _ = plain.tokenize_nmt("a\tb\n" * 9, num_examples=3)
    assert len(source) == 4


def test_punctuation_is_set_apart_and_spaces_break(plain):
    assert plain.preprocess_nmt("Va\u202f! Oui, bien.") == "va ! oui , bien ."


@pytest.mark.parametrize(("line", "padded"), [([1, 2, 3], [1, 2]), ([1], [1, 0])])
def test_a_line_is_cut_or_filled_up(plain, line, padded):
    assert plain.truncate_pad(line, 2, 0) == padded


@pytest.mark.parametrize(
    ("pred", "expected"),
    [("il est calme .", 1.0), ("il est", np.exp(-1.0)), ("il va bien .", 0.5**0.5 * 0), ("va", 0)],
)
def test_bleu_of_one_sentence_lies_between_0_and_1(plain, pred, expected):
    assert plain.bleu(pred, "il est calme .", k=2) == pytest.approx(expected)


@pytest.mark.parametrize("sha1", [hashlib.sha1(b"text").hexdigest(), None])
def test_an_available_file_in_the_books_folder_is_found(plain, tmp_path, monkeypatch, sha1):
    monkeypatch.setenv("D2LRNN_DATA", "")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "own.txt").write_bytes(b"text")
    entry = ("http://127.0.0.1:9/own.txt", sha1)
    monkeypatch.setitem(plain.DATA_HUB, "own", entry)
    path = plain.download("own", str(tmp_path / "data"))
    assert path == os.path.join(str(tmp_path), "data", "own.txt")


def test_a_file_is_downloaded_into_the_books_folder(plain, server, tmp_path, monkeypatch, capsys):
    (tmp_path / "server" / "own.txt").write_bytes(b"text")
    entry = (f"{server}/own.txt", hashlib.sha1(b"text").hexdigest())
    monkeypatch.setitem(plain.DATA_HUB, "own", entry)
    path = plain.download("own", str(tmp_path / "data"))
    assert Path(path).read_bytes() == b"text"
    assert "Downloading" in capsys.readouterr().out
    (tmp_path / "server" / "own.txt").unlink()
    assert plain.download("own", str(tmp_path / "data")) == path


def test_a_download_with_other_content_is_refused(plain, server, tmp_path, monkeypatch):
    (tmp_path / "server" / "own.txt").write_bytes(b"text")
    monkeypatch.setitem(plain.DATA_HUB, "own", (f"{server}/own.txt", "0" * 40))
    with pytest.raises(DownloadError, match=r"cannot download own\.txt"):
        plain.download("own", str(tmp_path / "data"))


def test_a_name_that_is_not_in_the_hub_is_an_assertion_error_as_in_the_book(plain):
    with pytest.raises(AssertionError, match="DATA_HUB has no 'kaggle'"):
        plain.download("kaggle")


def test_a_zip_file_is_unpacked_beside_itself(plain, server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "server")
    put_zip(tmp_path / "server" / "own.zip", "own/a.txt", server, plain, monkeypatch)
    folder = plain.download_extract("own")
    assert Path(folder, "a.txt").read_text() == "text"
    assert plain.download_extract("own", "other").endswith("other")


def test_an_archive_that_would_write_outside_its_folder_is_refused(
    plain, server, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path / "server")
    put_zip(tmp_path / "server" / "own.zip", "../../a.txt", server, plain, monkeypatch)
    with pytest.raises(ValueError, match="outside its folder"):
        plain.download_extract("own")


def put_zip(path, member, server, plain, monkeypatch):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, "text")
    sha1 = hashlib.sha1(path.read_bytes()).hexdigest()
    monkeypatch.setitem(plain.DATA_HUB, "own", (f"{server}/own.zip", sha1))
