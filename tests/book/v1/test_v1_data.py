"""The book's data sets, loaders and files."""

import collections
import hashlib
import math
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from d2lrnn.data import corpora, data_files


def test_ids_are_in_alphabetical_order(plain):
    assert plain.Vocab(list("caab")).idx_to_token == ["<unk>", "a", "b", "c"]


def test_the_most_frequent_tokens_come_first_in_their_counts(plain):
    assert plain.Vocab(list("caab")).token_freqs == [("a", 2), ("c", 1), ("b", 1)]


def test_rare_tokens_are_unknown(plain):
    vocab = plain.Vocab(list("caab"), min_freq=2)
    assert vocab[["a", "b"]] == [1, vocab.unk]


def test_reserved_tokens_are_sorted_with_the_other_tokens(plain):
    assert plain.Vocab(["a"], reserved_tokens=["<pad>"]).idx_to_token == ["<pad>", "<unk>", "a"]


def test_pairs_of_words_are_tokens_that_follow_the_words(plain):
    pairs = [("the", "time"), ("a", "time"), ("the", "time")]
    vocab = plain.Vocab(pairs, reserved_tokens=["<pad>"])
    assert vocab.idx_to_token == ["<pad>", "<unk>", ("a", "time"), ("the", "time")]
    assert vocab.token_freqs == [(("the", "time"), 2), (("a", "time"), 1)]
    assert vocab["the", "time"] == 3
    assert vocab[pairs] == [3, 2, 3]
    assert vocab.to_tokens([2, 3]) == [("a", "time"), ("the", "time")]


def test_lines_of_tokens_are_counted_as_tokens(plain):
    assert plain.Vocab([["a", "b"], ["b"]]).token_freqs == [("b", 2), ("a", 1)]


def test_tokens_of_ids_come_as_a_list(plain):
    assert plain.Vocab(list("ab")).to_tokens([1, 2]) == ["a", "b"]


def test_an_array_of_one_id_converts_to_one_token(plain):
    assert plain.Vocab(list("ab")).to_tokens(np.array([2])) == "b"


@pytest.fixture
def data(d2l, files):
    """The first 60 windows of the text, of 5 characters each, in minibatches of 8."""
    return d2l.TimeMachine(batch_size=8, num_steps=5, num_train=50, num_val=10)


def test_the_windows_of_1_0_begin_at_every_character(data, to_numpy):
    expected, _ = data.build("\n".join(corpora.read_builtin()))
    np.testing.assert_array_equal(to_numpy(data.X)[:, 0], expected[:-5])


def test_targets_are_the_characters_that_follow(data, to_numpy):
    X, Y = to_numpy(data.X), to_numpy(data.Y)
    np.testing.assert_array_equal(X[1:], Y[:-1])


def test_the_length_of_a_loader_is_its_number_of_minibatches(data):
    assert (len(data.train_dataloader()), len(data.val_dataloader())) == (7, 2)


def test_the_held_out_part_is_in_order(data, to_numpy):
    seen = np.concatenate([to_numpy(X) for X, _ in data.val_dataloader()])
    np.testing.assert_array_equal(seen, to_numpy(data.X)[50:60])


def test_training_goes_through_each_window_once(data, to_numpy):
    seen = np.concatenate([to_numpy(X) for X, _ in data.train_dataloader()])
    assert sorted(map(tuple, seen)) == sorted(map(tuple, to_numpy(data.X)[:50]))


def test_training_takes_the_windows_in_a_new_order_each_time(data, to_numpy):
    loader = data.train_dataloader()
    orders = [np.concatenate([to_numpy(X) for X, _ in loader]) for _ in range(2)]
    assert (orders[0] != orders[1]).any()


def test_inputs_and_targets_stay_together(data, to_numpy):
    X, Y = (to_numpy(tensor) for tensor in next(iter(data.train_dataloader())))
    np.testing.assert_array_equal(X[:, 1:], Y[:, :-1])


def test_a_minibatch_has_the_type_of_the_data(data, to_numpy):
    X, _ = next(iter(data.train_dataloader()))
    assert to_numpy(X).dtype == to_numpy(data.X).dtype


def test_a_custom_tokenizer_method_is_used(d2l, files):
    class Words(d2l.TimeMachine):
        def _tokenize(self, text):
            return text.split()

    assert "the" in Words(4, 5).vocab.token_to_idx


def test_a_readers_own_series_of_real_numbers_gives_windows_of_float32(d2l, files, to_numpy):
    class Sine(d2l.TimeMachine):
        def build(self, raw_text, vocab=None):
            return [math.sin(0.1 * t) for t in range(80)], None

    data = Sine(batch_size=8, num_steps=5, num_train=50, num_val=10)
    assert data.X.dtype == d2l.float32
    np.testing.assert_allclose(to_numpy(data.X)[:, 0], np.sin(0.1 * np.arange(75)), atol=1e-6)
    X, _ = next(iter(data.train_dataloader()))
    assert to_numpy(X).dtype == "float32"


@pytest.fixture
def pairs(d2l, files):
    """Sixty pairs of sentences, five words long."""
    return d2l.MTFraEng(batch_size=4, num_steps=5, num_train=40, num_val=19)


def words(vocab, ids):
    return [vocab.idx_to_token[int(i)] for i in ids]


def test_a_source_sentence_ends_and_is_padded(pairs, to_numpy):
    source = to_numpy(pairs.arrays[0])[1]
    assert words(pairs.src_vocab, source) == ["i'm", "home", ".", "<eos>", "<pad>"]


def test_the_decoders_input_begins_with_a_sign(pairs, to_numpy):
    target = to_numpy(pairs.arrays[1])[1]
    assert words(pairs.tgt_vocab, target) == ["<bos>", "je", "suis", "chez", "moi"]


def test_the_target_is_the_decoders_input_shifted_by_one_word(pairs, to_numpy):
    target = to_numpy(pairs.arrays[3])[1]
    assert words(pairs.tgt_vocab, target) == ["je", "suis", "chez", "moi", "."]


def test_lengths_leave_padding_out(pairs, to_numpy):
    assert list(to_numpy(pairs.arrays[2])[:3]) == [3, 4, 4]


def test_your_own_sentences_use_the_same_ids(pairs, to_numpy):
    source, *_ = pairs.build(["go ."], ["va !"])
    np.testing.assert_array_equal(to_numpy(source), to_numpy(pairs.arrays[0])[:1])


def test_all_lines_up_to_the_one_of_that_number_are_read(d2l):
    text = object.__new__(d2l.MTFraEng)._tokenize("a\tb\nc\td\ne\tf\n", 1)
    assert text == ([["a", "<eos>"], ["c", "<eos>"]], [["b", "<eos>"], ["d", "<eos>"]])


# exp(min(0, 1 - len_label / len_pred)) prod_n p_n ** (1 / 2 ** n), by hand
BLEU = {
    ("a b c", "a b c", 2): 1.0,
    ("a b", "a b c", 1): np.exp(-0.5),
    ("a x c d", "a b c d", 2): (3 / 4) ** 0.5 * (1 / 3) ** 0.25,
    ("a a", "a", 1): (1 / 2) ** 0.5,
    ("x", "a", 2): 0.0,
}


@pytest.mark.parametrize(("pred", "label", "k"), BLEU)
def test_bleu_equals_the_books_score(plain, pred, label, k):
    assert plain.bleu(pred, label, k) == pytest.approx(BLEU[pred, label, k])


class Table:
    """Like a DataFrame: iterating over it gives the names of its columns."""

    columns = ("text",)

    def __iter__(self):
        return iter(self.columns)


@pytest.mark.parametrize("given", [Table(), {"a": 1}, {"a"}, Path("a"), 5, b"a", ["a", np.nan]])
def test_objects_without_tokens_are_refused(plain, given):
    for function in (plain.Vocab, plain.tokenize):
        with pytest.raises(ValueError, match=r"expected a (list of )?(tokens|string)"):
            function(given)


def test_a_text_is_not_a_list_of_lines_and_a_list_is_not_a_sentence(plain):
    with pytest.raises(ValueError, match=r"^lines is one text, 'a b'; .*give \['a b'\]"):
        plain.tokenize("a b")
    with pytest.raises(ValueError, match=r"^reserved_tokens is one text"):
        plain.Vocab(["a"], reserved_tokens="<pad>")
    with pytest.raises(ValueError, match=r"^pred_seq is \['a'\] \(list\); expected a string"):
        plain.bleu(["a"], "a", k=1)


def test_a_vocabulary_accepts_the_arguments_of_the_book(plain):
    counted = plain.Vocab(collections.Counter(["b", "a", "b"]), min_freq=2)
    assert counted.idx_to_token == ["<unk>", "b"]
    assert plain.Vocab(None).idx_to_token == ["<unk>"]
    assert plain.Vocab("abb").idx_to_token == ["<unk>", "a", "b"]


def test_one_sentence_in_place_of_a_list_is_refused(pairs):
    with pytest.raises(ValueError, match=r"^src_sentences is one text, 'go .'; .*give \['go .'\]"):
        pairs.build("go .", ["va !"])
    with pytest.raises(ValueError, match=r"^tgt_sentences is one text"):
        pairs.build(["go ."], "va !")


@pytest.fixture
def hub(plain, files, monkeypatch):
    """The short Time Machine in the hub, under its true hash."""
    sha1 = hashlib.sha1((files / "timemachine.txt").read_bytes()).hexdigest()
    monkeypatch.setitem(plain.DATA_HUB, "short", (plain.DATA_URL + "timemachine.txt", sha1))
    return files


def test_an_available_file_is_copied_to_the_requested_folder(plain, hub):
    path = plain.download("short", "elsewhere")
    assert path == os.path.join("elsewhere", "timemachine.txt")
    with open(path, "rb") as copied:
        assert copied.read() == (hub / "timemachine.txt").read_bytes()


def test_a_file_with_the_right_hash_is_not_moved(plain, hub, monkeypatch):
    monkeypatch.delenv(data_files.DATA_FOLDER)
    before = os.stat(hub / "timemachine.txt").st_mtime_ns
    plain.download("short")
    assert os.stat(hub / "timemachine.txt").st_mtime_ns == before


def test_an_archive_can_lie_unpacked_in_the_data_folder(plain, files):
    plain.extract(plain.download("fra-eng", "elsewhere"))
    with open("elsewhere/fra-eng/fra.txt", encoding="utf-8") as unpacked:
        assert unpacked.readline() == "Go.\tVa !\n"


def test_extracting_something_else_is_an_error(plain):
    with pytest.raises(AssertionError, match=r"a\.rar ends in none of \.zip, \.tar, \.gz"):
        plain.extract("a.rar")


def test_extracting_writes_nothing_outside_the_folder(plain, tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as zipped:
        zipped.writestr("../outside.txt", "")
    (tmp_path / "in").mkdir()
    with pytest.raises(ValueError, match=r"'\.\./outside\.txt', which is outside its folder"):
        plain.extract(str(tmp_path / "bad.zip"), str(tmp_path / "in"))
    assert not (tmp_path / "outside.txt").exists()


def test_lengths_become_a_histogram(d2l):
    d2l.plt.close("all")
    d2l.show_list_len_pair_hist(["a", "b"], "length", "count", [[1], [1, 2]], [[1], [3]])
    heights = [bar.get_height() for bar in d2l.plt.gca().patches]
    d2l.plt.close("all")
    assert sum(heights) == 4


@pytest.mark.parametrize("Y", [None, [3.0, 4.0]])
def test_plot_draws_tensors(d2l, Y):
    d2l.plt.close("all")
    d2l.plot(d2l.tensor([1.0, 2.0]), Y if Y is None else d2l.tensor(Y), "x", "y", legend=["one"])
    (line,) = d2l.plt.gca().lines
    drawn = list(line.get_ydata())
    d2l.plt.close("all")
    assert drawn == (Y or [1.0, 2.0])


def test_plot_draws_several_curves_over_one(d2l):
    d2l.plt.close("all")
    d2l.plot([1, 2], [[1, 2], d2l.tensor([3.0, 4.0])])
    drawn = len(d2l.plt.gca().lines)
    d2l.plt.close("all")
    assert drawn == 2
