"""Arguments that should be a text or a list of texts: accepted, or one clear error."""

import collections
import pathlib

import numpy as np
import pytest

from d2lrnn.data import strings, text
from d2lrnn.nets.bleu import bleu


class Table:
    """Like a DataFrame: iterating over it gives the names of its columns."""

    columns = ("text", "label")

    def __iter__(self):
        return iter(self.columns)

    def __len__(self):
        return 2


class Column(list):
    """Like a Series: iterating over it gives its values; it has no hash and no truth value."""

    __hash__ = None

    def __bool__(self):
        raise ValueError("the truth value is ambiguous")


class NAType:
    """Like pandas.NA: a comparison with it is neither true nor false."""

    def __eq__(self, other):
        return self

    def __ne__(self, other):
        return self

    def __bool__(self):
        raise TypeError("boolean value of NA is ambiguous")

    def __hash__(self):
        return 0


WRONG = {
    "a table": (Table(), "is of type Table; expected a list of", "give one of its columns"),
    "bytes": (b"the cat", "is b'the cat' (bytes); expected a list of", "; decode them with"),
    "a dictionary": ({"the cat": 1}, "(dict); expected a list of", "give list("),
    "a set": ({"the cat"}, "(set); expected a list of", "a set has no order, give sorted("),
    "a path": (pathlib.PurePosixPath("cat.txt"), "; expected a list of", "read_text("),
    "nothing": (None, "is None; expected a list of", ""),
    "a number": (5, "is 5 (int); expected a list of", ""),
    "an array without axes": (np.array("cat"), "is of type ndarray; expected a list of", ""),
}
WRONG_ITEMS = {
    "NaN": (Column(["the cat", np.nan]), "[1] is nan (float); expected a string", "dropna()"),
    "NaN of NumPy": (["a", np.float32(np.nan)], "[1] is of type float32; expected", "dropna()"),
    "None": (["the cat", None], "[1] is None; expected a string", "dropna()"),
    "NA": (["the cat", NAType()], "[1] is of type NAType; expected a string", "dropna()"),
}
WRONG_STRINGS = {
    **WRONG_ITEMS,
    "bytes in a list": ([b"the cat"], "[0] is b'the cat' (bytes); expected a string; decode", ""),
    "numbers": ([1, 2], "[0] is 1 (int); expected a string", ""),
    "rows of an array": (np.array([["the", "cat"]]), "[0] is of type ndarray; expected", ""),
}
TAKES_STRINGS = {
    "tokenize into words": lambda values: text.tokenize(values, "word"),
    "tokenize into characters": lambda values: text.tokenize(values, "char"),
    "build_corpus": text.build_corpus,
    "texts_to_sequences": lambda values: text.texts_to_sequences(values, text.Vocab("ab")),
    "join": text.Vocab(["the", "cat"]).join,
    "reserved_tokens": lambda values: text.Vocab(["a"], reserved_tokens=values),
    "bleu of": lambda values: bleu(values, ["the cat"]),
    "bleu with": lambda values: bleu(["the cat"], values),
}


@pytest.mark.parametrize("function", TAKES_STRINGS)
@pytest.mark.parametrize("given", {**WRONG, **WRONG_STRINGS})
def test_an_object_that_is_not_a_list_of_strings_is_refused(function, given):
    if (function, given) == ("reserved_tokens", "nothing"):  # which is the default
        return
    values, *words = {**WRONG, **WRONG_STRINGS}[given]
    with pytest.raises(ValueError) as error:
        TAKES_STRINGS[function](values)
    assert all(part in str(error.value) for part in words)


@pytest.mark.parametrize("function", TAKES_STRINGS)
def test_one_text_in_place_of_a_list_is_refused_and_the_list_is_shown(function):
    with pytest.raises(ValueError) as error:
        TAKES_STRINGS[function]("the cat")
    words = "is one text, 'the cat'; expected a list of strings; give ['the cat']"
    assert str(error.value).endswith(words)


def test_a_long_text_is_abbreviated():
    with pytest.raises(ValueError) as error:
        text.tokenize("x" * 10_000)
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    "lines",
    [
        ["the cat", "a dog"],
        ("the cat", "a dog"),
        np.array(["the cat", "a dog"]),
        np.array(["the cat", "a dog"], dtype=object),
        Column(["the cat", "a dog"]),
        {"the cat": 1, "a dog": 2}.keys(),
        {1: "the cat", 2: "a dog"}.values(),
        collections.deque(["the cat", "a dog"]),
    ],
    ids=lambda lines: type(lines).__name__,
)
def test_any_ordered_container_of_strings_is_accepted(lines):
    assert text.tokenize(lines) == [["the", "cat"], ["a", "dog"]]
    assert list(text.Vocab(lines)) == ["<unk>", "the cat", "a dog"]
    assert bleu(lines, lines) == bleu(list(lines), list(lines))


def test_a_generator_is_accepted():
    lines = ["the cat", "a dog"]
    assert text.tokenize(line for line in lines) == [["the", "cat"], ["a", "dog"]]
    assert bleu((line for line in lines), iter(lines)) == bleu(lines, lines)
    assert text.Vocab("ab")[(letter for letter in "ab?")] == [1, 2, 0]


def test_an_open_file_is_a_list_of_lines(tmp_path):
    (tmp_path / "text").write_text("the cat\na dog\n", encoding="utf-8")
    with open(tmp_path / "text", encoding="utf-8") as file:
        assert text.tokenize(file) == [["the", "cat"], ["a", "dog"]]


@pytest.mark.parametrize("given", {**WRONG, **WRONG_STRINGS})
def test_a_vocabulary_refuses_objects_without_tokens(given):
    values, *words = {**WRONG, **WRONG_STRINGS}[given]
    with pytest.raises(ValueError) as error:
        text.Vocab(values)
    assert all(part in str(error.value) for part in words)
    assert str(error.value).startswith("tokens")


def test_the_error_for_a_token_within_a_line_names_its_position():
    with pytest.raises(ValueError, match=r"^tokens\[1\]\[0\] is 3 \(int\); expected a string"):
        text.Vocab([["a"], [3]])


def test_a_vocabulary_accepts_counted_tokens():
    counts = collections.Counter({"rare": 1, "common": 5, "usual": 3})
    vocab = text.Vocab(counts, min_freq=2)
    assert vocab.token_freqs == [("common", 5), ("usual", 3), ("rare", 1)]
    assert list(vocab) == ["<unk>", "common", "usual"]
    with pytest.raises(ValueError, match="expected a string"):
        text.Vocab(collections.Counter([1, 2]))


@pytest.mark.parametrize("value", [["a"], b"a", None, 1, {"a": 1}, pathlib.PurePath("a"), Table()])
@pytest.mark.parametrize("function", [text.Vocab("ab").split, text.words_of])
def test_an_object_that_is_not_a_text_is_refused(function, value):
    with pytest.raises(ValueError, match=r"^text is .*; expected a string"):
        function(value)


def test_a_prefix_that_is_not_a_text_is_refused(rnn, make_net):
    for prefix in (["a"], None, b"a"):
        with pytest.raises(ValueError, match=r"^prefix is .*; expected a string"):
            rnn.predict_ch8(prefix, 1, make_net(), rnn.Vocab("abcd"))
    with pytest.raises(ValueError, match=r"^prefixes is .*; expected a list of strings; give list"):
        rnn.predict_many({"a": 1}, 1, make_net(), rnn.Vocab("abcd"))


@pytest.mark.parametrize(
    "sequences",
    [*("abc", b"ab", None, {1: [2]}, {(1, 2)}, Table()), ["abc"], [1, 2], [["a"]], [b"a"], [None]],
)
def test_only_lists_of_ids_are_padded(sequences):
    with pytest.raises(ValueError, match=r"expected a list of (lists of )?ids"):
        text.pad_sequences(sequences)


@pytest.mark.parametrize(
    "corpus", ["abc", ["a", "b"], None, {1: 2}, {1, 2}, b"abc", Table(), [1, None], np.array("a")]
)
def test_a_corpus_that_is_not_a_list_of_ids_is_refused(rnn, corpus):
    words = r"^corpus is .*; expected a list of token ids; turn tokens into ids with vocab"
    with pytest.raises(ValueError, match=words):
        rnn.SeqDataLoader(corpus, 1, 1)
    for data_iter in (rnn.seq_data_iter_random, rnn.seq_data_iter_sequential):
        with pytest.raises(ValueError, match=words):
            next(data_iter(corpus, 1, 1))


@pytest.mark.parametrize("array", ["abc", None, {1: 2}, 5])
def test_an_array_without_rows_gives_no_minibatches(reference, array):
    with pytest.raises(ValueError, match=r"^arrays\[1\] has no axes"):
        reference.BatchLoader([1, 2], array, batch_size=1)


def test_the_books_interface_accepts_any_token_except_a_missing_one():
    assert strings.token(("a", "b"), "a token") == ("a", "b")
    for value in (float("nan"), None, ["a"]):
        with pytest.raises(ValueError, match=r"^a token is"):
            strings.token(value, "a token")
