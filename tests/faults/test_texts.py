"""Any text file is read exactly, or the error names the invalid byte."""

import unicodedata

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from d2lrnn import cli
from d2lrnn.data import corpora, loaders
from d2lrnn.nets import build, cells

ODD = {
    "combining characters": "e\u0301a\u0308n\u0303 " * 40,
    "emoji": "👩‍👩‍👧 🏳️‍🌈 🇫🇷 " * 40,
    "a byte order mark": "\ufeffabc " * 40,
    "line ends of every kind": "a\r\nb\rc\nd\u2028e\x85f" * 20,
    "NUL": "a\0b " * 60,
    "no line end": "abc" * 60,
    "only spaces between": "a \t\u00a0\u3000b" * 40,
    "right to left": "שלום العالم " * 20,
    "one character": "a" * 200,
    "beyond the basic plane": "𝕳𐍈𒀀 " * 60,
    "the unknown token": "<unk> " * 40,
}
TRAIN = ["train", "--hiddens", "4", "--steps", "5", "--batch-size", "2", "--epochs", "1"]


@pytest.fixture
def many(faults):
    return settings(max_examples=faults(50, 2000))


@pytest.mark.parametrize("name", ODD)
def test_an_unusual_text_is_trained_on_saved_and_continued(rnn, tmp_path, name):
    (tmp_path / "text").write_bytes(ODD[name].encode())
    loader, vocab = rnn.load_data_text(tmp_path / "text", 2, 5, seed=0)
    net = build.new_net(rnn, cells.Architecture(), len(vocab), 4, seed=0)
    rnn.train_ch8(net, loader, vocab, 0.1, 1, progress=False)
    rnn.save_model(tmp_path / "model", net, vocab)
    again, words = rnn.load_model(tmp_path / "model")
    assert words.idx_to_token == vocab.idx_to_token
    prefix = ODD[name].removeprefix("\ufeff")[:2]
    said = [rnn.predict_ch8(prefix, 5, model, vocab) for model in (net, again)]
    assert said[0] == said[1]
    assert said[0].startswith(prefix[0])


def test_any_text_is_read_with_nothing_changed_but_its_line_ends(tmp_path, many):
    def check(text):
        (tmp_path / "text").write_bytes(text.encode())
        plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        if not plain.strip():
            with pytest.raises(ValueError, match="holds no text; expected a text file"):
                corpora.read_text(tmp_path / "text")
        else:
            assert "".join(corpora.read_text(tmp_path / "text")) == plain

    many(given(text=st.text(max_size=60))(check))()


def test_bytes_that_are_not_text_are_an_error_that_names_the_first_one(tmp_path, many):
    def check(content):
        (tmp_path / "text").write_bytes(content)
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            first = error.start
            with pytest.raises(ValueError) as ours:
                corpora.read_text(tmp_path / "text")
            name = tmp_path / "text"
            assert str(ours.value) == (
                f"{name} is not UTF-8: byte {first} is 0x{content[first]:02x}; "
                "save the file as UTF-8, or give its encoding, such as encoding='latin-1' "
                "(--encoding)"
            )

    many(given(content=st.binary(max_size=40))(check))()


def test_the_position_of_an_invalid_byte_is_counted_from_the_start_of_the_file(tmp_path):
    (tmp_path / "text").write_bytes(b"\xef\xbb\xbfabc\xff")
    with pytest.raises(ValueError, match="byte 6 is 0xff"):
        corpora.read_text(tmp_path / "text")


def test_any_text_s_tokens_come_back_from_their_ids(reference, many):
    def check(text, kind):
        vocab = reference.Vocab(reference.tokenize([text], kind))
        tokens = reference.tokenize([text], kind)[0]
        assert vocab.to_tokens(vocab[tokens]) == tokens

    many(given(text=st.text(), kind=st.sampled_from(["char", "word"]))(check))()


def test_a_text_can_be_one_very_long_line(tmp_path):
    (tmp_path / "text").write_bytes(b"tick tock " * 200_000)
    loader, vocab = loaders.load_data_text(tmp_path / "text", 32, 35, seed=0)
    assert (loader.num_tokens, len(vocab)) == (2_000_000, 7)  # <unk> too
    assert next(iter(loader))[0].shape == (32, 35)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\n", b"\r\n \t\n"])
def test_an_empty_file_is_an_error_of_one_line_in_the_command(tmp_path, content):
    (tmp_path / "text").write_bytes(content)
    result = CliRunner().invoke(cli.main, [*TRAIN, "--text", str(tmp_path / "text")])
    assert result.exit_code == 1
    assert result.output == (
        f"Error: {tmp_path / 'text'} holds no text; expected a text file to train on\n"
    )


def test_the_error_for_a_text_of_one_character_names_the_needed_length(tmp_path):
    (tmp_path / "text").write_bytes(b"a")
    result = CliRunner().invoke(cli.main, [*TRAIN, "--text", str(tmp_path / "text")])
    assert result.exit_code == 1
    assert "Error: the corpus has 1 tokens; batch_size 2 and num_steps 5 need 15" in result.output


@pytest.mark.parametrize(("end", "count"), [("", "2,000 tokens"), ("\n", "2,001 tokens")])
def test_the_command_counts_the_characters_of_the_file(tmp_path, end, count):
    (tmp_path / "text").write_text("tick" * 500 + end, encoding="utf-8")
    result = CliRunner().invoke(cli.main, [*TRAIN, "--text", str(tmp_path / "text")])
    words = f"text: {tmp_path / 'text'}, {count}, {6 if end else 5} of them different, "
    assert words in result.output


def test_one_different_character_is_learned_to_perplexity_1(rnn, tmp_path):
    (tmp_path / "text").write_bytes(b"a" * 500)
    loader, vocab = rnn.load_data_text(tmp_path / "text", 2, 5, max_tokens=400, seed=0)
    net = build.new_net(rnn, cells.Architecture(), len(vocab), 4, seed=0)
    history = rnn.train_ch8(net, loader, vocab, 1.0, 3, progress=False)
    assert 1 <= history.perplexity[-1] < 1.1


def test_composed_and_combining_characters_stay_what_they_are(tmp_path):
    composed, combining = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    (tmp_path / "text").write_text(composed + combining, encoding="utf-8")
    assert corpora.read_text(tmp_path / "text") == [composed + combining]
    assert np.unique([len(composed), len(combining)]).tolist() == [1, 2]
