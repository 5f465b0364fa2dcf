"""Tokens and the vocabulary."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2lrnn.data import numbering, text


def test_words_are_split_at_whitespace():
    assert text.tokenize(["the  time\t machine", ""]) == [["the", "time", "machine"], []]


def test_characters_are_split_one_by_one():
    assert text.tokenize(["a b", "é"], "char") == [["a", " ", "b"], ["é"]]


def test_an_unknown_kind_of_token_is_refused():
    with pytest.raises(ValueError) as error:
        text.tokenize(["a"], "byte")
    assert str(error.value) == "token is 'byte'; expected one of 'word', 'char', 'wordpunct'"


def test_ids_follow_frequency_and_then_order_of_appearance():
    vocab = text.Vocab([["b", "a"], ["c", "a"]])
    assert vocab.idx_to_token == ["<unk>", "a", "b", "c"]
    assert vocab.token_freqs == [("a", 2), ("b", 1), ("c", 1)]


def test_rare_tokens_become_unknown_and_reserved_ones_come_first():
    vocab = text.Vocab(["a", "a", "b"], min_freq=2, reserved_tokens=["<pad>", "<bos>"])
    assert vocab.idx_to_token == ["<unk>", "<pad>", "<bos>", "a"]
    assert vocab["b"] == vocab.unk == 0


def test_a_vocabulary_converts_single_tokens_and_lists_in_both_directions():
    vocab = text.Vocab(["b", "a", "b"])
    assert vocab["b"] == 1
    assert vocab[["a", ["b", "?"]]] == [2, [1, 0]]
    assert vocab.to_tokens(2) == "a"
    assert vocab.to_tokens(np.array([[1, 2], [0, 1]])) == [["b", "a"], ["<unk>", "b"]]


def test_ids_can_be_tensors_of_the_backend(rnn):
    vocab = text.Vocab(["b", "a", "b"])
    assert vocab.to_tokens(rnn.from_numpy(np.array([[1, 2]]))) == [["b", "a"]]
    assert vocab.to_tokens(rnn.from_numpy(np.array(2))) == "a"


def test_a_vocabulary_is_a_container_of_its_tokens():
    vocab = text.Vocab(["b", "a", "b"])
    assert "a" in vocab
    assert "c" not in vocab
    assert 1 not in vocab
    assert ["a"] not in vocab
    assert list(vocab) == ["<unk>", "b", "a"]
    assert list(reversed(vocab)) == ["a", "b", "<unk>"]
    assert dict(zip(vocab, range(len(vocab)))) == vocab.token_to_idx
    assert repr(vocab) == "<Vocab of 3 tokens, kind 'char'>"


def test_a_vocabulary_is_an_array_of_its_tokens():
    vocab = text.Vocab(["b", "a", "b"])
    np.testing.assert_array_equal(np.asarray(vocab), ["<unk>", "b", "a"])
    np.testing.assert_array_equal(np.asarray(vocab, dtype=object), ["<unk>", "b", "a"])
    assert vocab[np.asarray(vocab)] == [0, 1, 2]


@pytest.mark.parametrize("index", ["a", "", b"a", 1.0, None, {1: 2}, {1}, ["a"], [[1], "ab"]])
def test_a_value_that_is_not_an_id_is_refused(index):
    with pytest.raises(ValueError, match="expected an integer from 0 to 2; vocab"):
        text.Vocab(["a", "b"]).to_tokens(index)


@pytest.mark.parametrize("tokens", [{"a"}, {"a": 1}, bytearray(b"a")])
def test_objects_that_are_neither_tokens_nor_lists_of_tokens_are_refused(tokens):
    with pytest.raises(ValueError, match="expected a token, or a list of tokens"):
        text.Vocab(["a", "b"])[tokens]


@pytest.mark.parametrize("index", [-1, 3])
def test_an_id_outside_the_vocabulary_is_refused(index):
    with pytest.raises(ValueError) as error:
        text.Vocab(["a", "b"]).to_tokens(index)
    assert str(error.value) == f"token id {index} is outside 0..2; expected a known id"


@given(st.lists(st.text()))
def test_tokens_are_unchanged_after_conversion_to_ids_and_back(lines):
    corpus, vocab = text.build_corpus(lines, "char")
    assert vocab.to_tokens(corpus) == list("".join(lines))
    assert sum(freq for _, freq in vocab.token_freqs) == len(corpus)


def in_the_book_s_way(lines, kind):
    """The ids and the tokens of a text, one token after the other."""
    rows = text.tokenize(lines, kind)
    vocab = text.Vocab(rows)
    return [vocab[token] for row in rows for token in row], vocab


@pytest.mark.parametrize("block", [1, 3, 10, 1000])
@given(
    st.lists(st.text(alphabet="ab \n\u00e9\u4e2d\U0001f600\ud800")),
    st.sampled_from(["char", "word"]),
)
def test_reading_in_blocks_gives_the_ids_of_reading_token_by_token(block, lines, kind):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbering, "BLOCK", block)
        ids, vocab = text.encode(iter(lines), kind)
    expected, words = in_the_book_s_way(lines, kind)
    assert ids.tolist() == expected
    assert vocab.idx_to_token == words.idx_to_token
    assert vocab.token_freqs == words.token_freqs
    assert ids.dtype == np.int32


@pytest.mark.parametrize("kind", ["char", "word"])
def test_the_unknown_token_in_the_text_is_not_numbered_twice(kind):
    ids, vocab = text.encode(["a <unk> a"], kind)
    expected, words = in_the_book_s_way(["a <unk> a"], kind)
    assert (ids.tolist(), vocab.idx_to_token) == (expected, words.idx_to_token)


@pytest.mark.parametrize(("kind", "part"), [("char", "tick tock\n"), ("word", "tick tock\n")])
def test_a_long_text_takes_few_bytes_for_each_character(kind, part):
    tracemalloc.start()
    try:
        lines = (part * 1000 for _ in range(100))  # a million characters
        ids, _ = text.encode(lines, kind)
        peak = tracemalloc.get_traced_memory()[1]
        lines = (part * 1000 for _ in range(100))
        few, vocab = text.encode(lines, kind, 100)
        tracemalloc.reset_peak()
    finally:
        tracemalloc.stop()
    assert peak < 30 * 1_000_000
    assert few.tolist() == ids[:100].tolist()
    assert sum(freq for _, freq in vocab.token_freqs) == len(ids)


def test_max_tokens_shortens_the_corpus_but_not_the_vocabulary():
    corpus, vocab = text.build_corpus(["abc", "d"], "char", max_tokens=2)
    assert (corpus, len(vocab)) == ([1, 2], 5)


def test_text_is_split_and_joined_by_the_kind_of_token():
    _, words = text.build_corpus(["to be or", "not"], "word")
    _, chars = text.build_corpus(["to be"], "char")
    assert words.join(words.split("be  to")) == "be to"
    assert chars.join(chars.split("be  to")) == "be  to"


def test_a_vocabulary_is_rebuilt_from_its_list():
    vocab = text.Vocab.from_list(["<unk>", "x", "yy"], "word")
    assert (vocab["yy"], len(vocab), vocab.token) == (2, 3, "word")
    padded = text.Vocab.from_list(["<pad>", "bad", "x"], "word", unk="bad")
    assert (padded["x"], padded["?"], padded.unk) == (2, 1, 1)
    with pytest.raises(ValueError, match="expected '<unk>' among them"):
        text.Vocab.from_list(["x"], "char")


PHRASES = [
    "go Pak",
    "pak pak",
    "hip hip hurray",
    "jeety ga bhai koi to jeety ga",
    "babar azam",
    "deep learning",
    "recurrent neural network",
    "stucked",
    "viral and trendy",
]


def test_texts_become_padded_rows_of_ids_ordered_by_frequency():
    vocab = text.Vocab([text.words_of(p) for p in PHRASES], unk="bad", pad="<pad>")
    named = {"bad": 1, "pak": 2, "hip": 3, "jeety": 4, "ga": 5, "go": 6, "hurray": 7}
    assert {word: vocab[word] for word in named} == named
    assert (vocab["trendy"], vocab["unheard"], vocab.unk, len(vocab)) == (21, 1, 1, 22)
    rows = text.pad_sequences(text.texts_to_sequences(PHRASES, vocab), 7, padding="post")
    np.testing.assert_array_equal(
        rows[:4],
        [
            [6, 2, 0, 0, 0, 0, 0],
            [2, 2, 0, 0, 0, 0, 0],
            [3, 3, 7, 0, 0, 0, 0],
            [4, 5, 8, 9, 10, 4, 5],
        ],
    )


@pytest.mark.parametrize(
    ("settings", "rows"),
    [
        ({}, [[0, 0, 1], [2, 3, 4]]),
        ({"maxlen": 2}, [[0, 1], [3, 4]]),
        ({"maxlen": 2, "truncating": "post"}, [[0, 1], [2, 3]]),
        ({"maxlen": 4, "padding": "post", "value": 9}, [[1, 9, 9, 9], [2, 3, 4, 9]]),
        ({"maxlen": 0}, [[], []]),
    ],
)
def test_sequences_are_padded_and_cut_where_asked(settings, rows):
    np.testing.assert_array_equal(text.pad_sequences([[1], [2, 3, 4]], **settings), rows)


@pytest.mark.parametrize("name", ["padding", "truncating"])
def test_an_unknown_side_is_refused(name):
    with pytest.raises(ValueError) as error:
        text.pad_sequences([[1]], **{name: "left"})
    assert str(error.value) == f"{name} is 'left'; expected one of 'pre', 'post'"


def test_words_are_lower_case_and_without_punctuation_in_any_script():
    assert text.words_of("Don't STOP, été_x (2 \u0648\u0642\u062a)!") == [
        "don't",
        "stop",
        "été",
        "x",
        "2",
        "\u0648\u0642\u062a",
    ]


def test_the_time_machine_has_the_size_that_the_book_reports(time_machine):
    assert len(time_machine) == 3221
    corpus, vocab = text.build_corpus(time_machine, "char")
    assert (len(corpus), len(vocab)) == (170580, 28)
    assert vocab.idx_to_token[:6] == ["<unk>", " ", "e", "t", "a", "i"]
    corpus, vocab = text.build_corpus(time_machine, "word")
    assert (len(corpus), len(vocab)) == (32775, 4580)
