"""A validation part: from the end of the text, without a leak through vocabulary or randomness."""

import numpy as np
import pytest

LOADERS = ["load_data_time_machine", "load_data_builtin", "load_data_grammar"]
TEXT = "abcd efgh " * 30 + "xyz! " * 10  # 350 characters, of which the last 50 have new ones


@pytest.fixture
def path(tmp_path):
    (tmp_path / "text").write_text(TEXT)
    return tmp_path / "text"


def text_of(loader, vocab):
    return "".join(vocab.to_tokens(loader.corpus))


def test_the_held_out_part_is_the_end_of_the_text(rnn, path):
    train_iter, valid_iter, vocab = rnn.load_data_text(path, 2, 5, validation=0.2)
    assert text_of(train_iter, vocab) == TEXT[:280]
    assert len(valid_iter.corpus) == 70
    assert text_of(valid_iter, vocab)[:20] == TEXT[280:300]


def test_the_vocabulary_is_that_of_the_training_part_only(rnn, path):
    _, valid_iter, vocab = rnn.load_data_text(path, 2, 5, validation=50 / 350)
    assert {*vocab.idx_to_token} == {"<unk>", *"abcdefgh "}
    assert vocab.idx_to_token[:2] == ["<unk>", " "]  # the most frequent one there
    assert [vocab.idx_to_token[i] for i in valid_iter.corpus[:5]] == ["<unk>"] * 4 + [" "]
    alone = rnn.Vocab(list(TEXT[:300]))
    assert vocab.idx_to_token == alone.idx_to_token
    assert vocab.token_freqs == alone.token_freqs


def test_words_are_held_out_too(rnn, path):
    _, valid_iter, vocab = rnn.load_data_text(path, 2, 5, token="word", validation=10 / 70)
    assert vocab.idx_to_token == ["<unk>", "abcd", "efgh"]
    assert valid_iter.corpus.tolist() == [0] * 10


def test_only_the_first_tokens_are_divided_if_there_is_a_largest_number(rnn, path):
    sizes = {"max_tokens": 100, "validation": 0.1}
    train_iter, valid_iter, vocab = rnn.load_data_text(path, 2, 5, **sizes)
    assert text_of(train_iter, vocab) + text_of(valid_iter, vocab) == TEXT[:100]
    assert "x" not in vocab


@pytest.mark.parametrize("name", LOADERS)
def test_every_loader_holds_out_a_part_of_the_backend_s_tensors(rnn, name, data_folder):
    _, valid_iter, vocab = getattr(rnn, name)(4, 8, validation=0.1, seed=0)
    assert len(valid_iter.corpus) == 1000
    assert type(next(iter(valid_iter))[0]) is type(rnn.from_numpy([0]))
    assert valid_iter.vocab is vocab
    for X, Y in valid_iter:
        np.testing.assert_array_equal(rnn.to_numpy(X)[:, 1:], rnn.to_numpy(Y)[:, :-1])


def test_without_validation_there_are_two_values(rnn, path):
    train_iter, vocab = rnn.load_data_text(path, 2, 5)
    assert len(train_iter.corpus) == 350
    assert "x" in vocab


def all_of(rnn, loader):
    return [[rnn.to_numpy(part).tolist() for part in minibatch] for minibatch in loader]


@pytest.mark.parametrize("use_random_iter", [False, True])
def test_the_held_out_minibatches_are_the_same_in_every_epoch(rnn, path, use_random_iter):
    _, loader, _ = rnn.load_data_text(path, 3, 5, use_random_iter, validation=0.2)
    first = all_of(rnn, loader)
    assert all_of(rnn, loader) == first
    assert len(first) == len(loader) == 4  # (70 - 1) // 15
    used = sorted(id_ for X, _ in first for row in X for id_ in row)
    assert used == sorted(loader.corpus[:60].tolist())


def test_held_out_rows_continue_from_one_minibatch_to_the_next(rnn, path):
    _, loader, _ = rnn.load_data_text(path, 3, 5, validation=0.2)
    rows = np.concatenate([rnn.to_numpy(X) for X, _ in loader], axis=1)
    np.testing.assert_array_equal(rows.reshape(-1), loader.corpus[:60])


def test_a_short_held_out_part_has_fewer_rows(rnn, path):
    train_iter, loader, _ = rnn.load_data_text(path, 8, 20, validation=0.15)
    assert (train_iter.batch_size, loader.batch_size, len(loader.corpus)) == (8, 2, 52)


def test_holding_out_a_part_does_not_change_the_training_minibatches(rnn, path):
    train_iter, _, _ = rnn.load_data_text(path, 2, 5, validation=0.2, seed=3)
    other = rnn.SeqDataLoader(train_iter.corpus, 2, 5, seed=3)
    assert all_of(rnn, train_iter) == all_of(rnn, other)


def test_a_given_vocabulary_is_used_for_both_parts(rnn, path):
    vocab = rnn.Vocab("ab ")
    train_iter, valid_iter, same = rnn.load_data_text(path, 2, 5, vocab=vocab, validation=0.2)
    assert same is vocab
    assert train_iter.corpus.tolist() == vocab[list(TEXT[:280])]
    assert valid_iter.corpus.tolist() == vocab[list(TEXT[280:])]
    loader, same = rnn.load_data_text(path, 2, 5, vocab=vocab)
    assert same is vocab
    assert loader.corpus.tolist() == vocab[list(TEXT)]


def test_a_vocabulary_of_words_makes_words_of_the_text(rnn, path):
    loader, _ = rnn.load_data_text(path, 2, 5, vocab=rnn.Vocab(["efgh", "abcd"]))
    assert loader.corpus[:4].tolist() == [2, 1, 2, 1]


def test_the_held_out_part_of_the_grammar_is_other_text_and_the_same_for_one_seed(rnn):
    parts = [rnn.load_data_grammar(4, 8, validation=0.05, seed=seed)[1] for seed in (0, 0, 1)]
    first, again, other = (part.corpus.tolist() for part in parts)
    assert first == again != other
    train_iter, _, _ = rnn.load_data_grammar(4, 8, validation=0.05, seed=0)
    assert rnn.to_numpy(next(iter(train_iter))[0])[0].tolist() not in (first[:8], first[1:9])


@pytest.mark.parametrize("validation", [0, 1, -0.1, 1.5, float("nan"), "0.1", True])
@pytest.mark.parametrize("name", ["load_data_text", "load_data_grammar"])
def test_a_share_that_is_not_between_0_and_1_is_refused(rnn, path, name, validation):
    arguments = (path, 2, 5) if name == "load_data_text" else (2, 5)
    with pytest.raises(ValueError, match=r"^validation is .*; expected a number between 0 and 1"):
        getattr(rnn, name)(*arguments, validation=validation)


def test_a_share_that_is_too_small_for_a_row_is_refused(rnn, path):
    expected = "the validation part has 4 tokens; num_steps 5 needs 6 or more; take a larger share"
    with pytest.raises(ValueError, match=expected):
        rnn.load_data_text(path, 2, 5, validation=0.01)


@pytest.mark.parametrize("token", ["word", "letter"])
def test_a_kind_of_tokens_that_is_not_that_of_the_vocabulary_is_refused(rnn, path, token):
    expected = f"token is '{token}', but the tokens of vocab are of the kind 'char'; leave out"
    with pytest.raises(ValueError, match=expected):
        rnn.load_data_text(path, 2, 5, vocab=rnn.Vocab("abc"), token=token)


def test_something_other_than_a_vocabulary_is_refused(rnn, path):
    with pytest.raises(ValueError, match="vocab is a list; expected a Vocab"):
        rnn.load_data_text(path, 2, 5, vocab=["a", "b"])


def test_the_error_of_a_loader_without_shuffling_names_the_tokens_that_it_needs(rnn):
    with pytest.raises(ValueError, match=r"the corpus has 10 tokens; .* need 11 or more"):
        rnn.SeqDataLoader(range(10), 2, 5, shuffle=False)
    assert len(rnn.SeqDataLoader(range(11), 2, 5, shuffle=False)) == 1
