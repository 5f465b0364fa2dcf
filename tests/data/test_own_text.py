"""Your own text: as a string, in any encoding, split into words and punctuation marks."""

import numpy as np
import pytest

from d2lrnn.data import text
from d2lrnn.data.numbering import BLOCK

TEXT = "Stop, thief! Who, me? Yes. " * 20
TOKENS = ["Stop", ",", "thief", "!", "Who", ",", "me", "?", "Yes", "."]


def test_a_text_can_be_given_as_a_string(rnn, tmp_path):
    (tmp_path / "text").write_text(TEXT)
    settings = {"validation": 0.2, "seed": 0, "max_tokens": 500}
    from_string = rnn.load_data_string(TEXT, 2, 5, **settings)
    from_file = rnn.load_data_text(tmp_path / "text", 2, 5, **settings)
    for one, other in zip(from_string[:2], from_file[:2], strict=True):
        assert one.corpus.tolist() == other.corpus.tolist()
        assert type(next(iter(one))[0]) is type(rnn.from_numpy([0]))
    assert from_string[2].idx_to_token == from_file[2].idx_to_token
    assert len(rnn.load_data_string(TEXT, 2, 5)) == 2


@pytest.mark.parametrize(
    ("value", "message"),
    [("", "text is empty"), (" \n", "text is empty"), (3, "text is 3"), (["a"], "join its parts")],
)
def test_something_other_than_a_text_is_refused(rnn, value, message):
    with pytest.raises(ValueError, match=message):
        rnn.load_data_string(value, 2, 5)


def test_a_text_in_place_of_a_path_names_the_function_for_strings(rnn):
    with pytest.raises(ValueError, match=r"pass a text to load_data_string\(text, batch_size"):
        rnn.load_data_text(TEXT * 3, 2, 5)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "cp1252", "utf-8", "UTF-8-SIG"])
def test_a_file_in_another_encoding_is_read(rnn, tmp_path, encoding):
    words = "café au lait, déjà vu\n" * 10
    (tmp_path / "text").write_bytes(words.encode(encoding))
    assert "".join(rnn.read_text(tmp_path / "text", encoding)) == words
    loader, vocab = rnn.load_data_text(tmp_path / "text", 2, 5, encoding=encoding)
    assert "".join(vocab.to_tokens(loader.corpus)) == words


def test_a_character_across_two_blocks_is_decoded_in_any_encoding(rnn, tmp_path):
    words = "x" + "é" * BLOCK
    (tmp_path / "text").write_bytes(words.encode("utf-16"))
    loader, vocab = rnn.load_data_text(tmp_path / "text", 2, 5, encoding="utf-16")
    assert len(loader.corpus) == len(words)
    assert vocab.idx_to_token == ["<unk>", "é", "x"]


@pytest.mark.parametrize("function", ["read_text", "load_data_text"])
@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("utf-88", "encoding is 'utf-88'; expected the name of an encoding, such as"),
        ("hex", "encoding is 'hex'; expected the name of an encoding"),
        (None, "encoding is None; expected the name of an encoding"),
        ("ascii", r"text is not ascii: byte 3 is 0xc3; save the file as UTF-8, or give its"),
    ],
)
def test_an_encoding_that_does_not_fit_is_refused(rnn, tmp_path, function, encoding, message):
    (tmp_path / "text").write_text("café " * 20, encoding="utf-8")
    sizes = (2, 5) if function == "load_data_text" else ()
    with pytest.raises(ValueError, match=message):
        getattr(rnn, function)(tmp_path / "text", *sizes, encoding=encoding)


def test_words_and_punctuation_marks_are_tokens(rnn):
    assert rnn.tokenize([TEXT], "wordpunct") == [TOKENS * 20]
    loader, vocab = rnn.load_data_string(TEXT, 2, 5, token="wordpunct")
    assert vocab.token == "wordpunct"
    assert vocab.to_tokens(loader.corpus[:10]) == TOKENS
    assert vocab.split(TEXT[:14]) == [*TOKENS[:4], "W"]
    assert vocab.join(TOKENS) == "Stop, thief! Who, me? Yes."


@pytest.mark.parametrize("line", ["...", "a.b", " ,a , b", "", "don't (stop) - now;", "3.14"])
def test_only_four_punctuation_marks_are_tokens(line):
    spaced = "".join(f" {letter} " if letter in ",.!?" else letter for letter in line)
    assert text.tokenize([line], "wordpunct") == [spaced.split()]


def test_a_model_of_words_and_marks_is_saved_and_generates(rnn, tmp_path):
    loader, vocab = rnn.load_data_string(TEXT, 2, 5, token="wordpunct", seed=0)
    net = rnn.RNNModelScratch(len(vocab), 8, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
    rnn.train_ch8(net, loader, vocab, lr=1, num_epochs=30, progress=False)
    rnn.save_model(tmp_path / "model", net, vocab)
    loaded, same = rnn.load_model(tmp_path / "model")
    assert same.token == "wordpunct"
    assert rnn.predict_ch8("Stop, thief", 6, loaded, same) == "Stop, thief! Who, me? Yes"


def test_a_punctuation_mark_counts_without_a_space_in_bits_per_character(rnn, make_net):
    vocab = rnn.Vocab(["ab", ","])
    vocab.token = "wordpunct"
    result = rnn.evaluate(make_net(3), [([[1, 2]], [[2, 1]])], vocab)
    assert result.bits_per_character == pytest.approx(2 * np.log2(result.perplexity) / 4)
