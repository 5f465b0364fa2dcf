"""Minibatches: every token in range is used, and offsets are uniform and seeded."""

import collections
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2lrnn.data import batches

ITERATORS = [batches.seq_data_iter_random, batches.seq_data_iter_sequential]
sizes = st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(0, 40), st.integers(0, 99))


@pytest.mark.parametrize("data_iter", ITERATORS)
@given(sizes)
def test_targets_follow_inputs_and_nothing_comes_twice(data_iter, drawn):
    batch_size, num_steps, extra, seed = drawn
    length = (batch_size + 1) * num_steps + extra
    seen = []
    for X, Y in data_iter(range(length), batch_size, num_steps, seed=seed):
        assert X.shape == Y.shape == (batch_size, num_steps)
        np.testing.assert_array_equal(Y, X + 1)
        seen.extend(X.ravel())
    assert len(seen) == len(set(seen))
    unused = length - 1 - min(seen) - len(seen)  # from the offset on
    assert 0 <= unused < batch_size * num_steps + num_steps


@given(sizes)
def test_sequential_rows_continue_and_cover_their_range(drawn):
    batch_size, num_steps, extra, seed = drawn
    length = (batch_size + 1) * num_steps + extra
    pairs = list(batches.seq_data_iter_sequential(range(length), batch_size, num_steps, seed=seed))
    for (_, Y), (X, _) in itertools.pairwise(pairs):
        np.testing.assert_array_equal(X[:, 0], Y[:, -1])
    seen = sorted(np.concatenate([X.ravel() for X, _ in pairs]))
    assert seen == list(range(seen[0], seen[0] + len(seen)))


@pytest.mark.parametrize("data_iter", ITERATORS)
def test_every_offset_is_drawn_equally_often(data_iter):
    rng = np.random.default_rng(0)
    offsets = collections.Counter(
        min(X.min() for X, _ in data_iter(range(25), 4, 5, seed=rng)) % 5 for _ in range(5000)
    )
    assert set(offsets) == {0, 1, 2, 3, 4}
    chi_squared = sum((count - 1000) ** 2 / 1000 for count in offsets.values())
    assert chi_squared < 18.5  # 4 degrees of freedom, one chance in a thousand


@pytest.mark.parametrize("use_random_iter", [False, True])
@given(sizes)
def test_a_loader_yields_as_many_minibatches_as_its_length_in_every_epoch(use_random_iter, drawn):
    batch_size, num_steps, extra, seed = drawn
    corpus = range((batch_size + 1) * num_steps + extra)
    loader = batches.SeqDataLoader(corpus, batch_size, num_steps, use_random_iter, seed=seed)
    assert [len(list(loader)) for _ in range(4)] == [len(loader)] * 4


@pytest.mark.parametrize("data_iter", ITERATORS)
def test_the_same_seed_gives_the_same_minibatches(data_iter):
    one, same, other = (list(data_iter(range(300), 3, 7, seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_epochs_of_a_seeded_loader_differ_but_repeat_as_a_whole():
    loaders = [batches.SeqDataLoader(range(400), 3, 7, seed=5) for _ in range(2)]
    first, second = ([np.array(list(loader)) for _ in range(5)] for loader in loaders)
    np.testing.assert_array_equal(first, second)
    assert any(not np.array_equal(first[0], epoch) for epoch in first[1:])


@pytest.mark.parametrize("data_iter", [*ITERATORS, batches.SeqDataLoader])
def test_a_corpus_that_is_too_short_is_refused(data_iter):
    with pytest.raises(ValueError) as error:
        list(data_iter(range(104), 2, 35))
    assert str(error.value) == (
        "the corpus has 104 tokens; batch_size 2 and num_steps 35 need 105 or more; "
        "take a longer text, a smaller batch_size or fewer num_steps"
    )
    assert list(data_iter(range(105), 2, 35))


@pytest.mark.parametrize("sizes", [(0, 5), (2, 0), (2.0, 5), (True, 5)])
def test_sizes_that_are_not_positive_integers_are_refused(sizes):
    with pytest.raises(ValueError, match="expected an integer, 1 or above"):
        batches.SeqDataLoader(range(100), *sizes)


def test_the_book_s_setting_yields_eight_minibatches_of_the_backend_s_tensors(rnn, time_machine):
    train_iter, vocab = rnn.load_data_time_machine(32, 35)
    pairs = list(train_iter)
    assert (len(train_iter), len(pairs), len(vocab)) == (8, 8, 28)
    assert {type(tensor) for pair in pairs for tensor in pair} == {type(rnn.from_numpy([0]))}


def test_the_corpus_is_that_of_the_book(rnn, time_machine):
    corpus, vocab = rnn.load_corpus_time_machine(max_tokens=10)
    assert vocab.to_tokens(corpus) == list("the time m")


@pytest.mark.parametrize("name", ["seq_data_iter_random", "seq_data_iter_sequential"])
def test_iterators_yield_the_backend_s_tensors(rnn, name):
    expected = list(getattr(batches, name)(range(100), 3, 4, seed=0))
    found = list(getattr(rnn, name)(range(100), 3, 4, seed=0))
    assert {type(tensor) for pair in found for tensor in pair} == {type(rnn.from_numpy([0]))}
    np.testing.assert_array_equal([[rnn.to_numpy(t) for t in pair] for pair in found], expected)


SINE = np.sin(0.1 * np.arange(60))
SERIES = {
    "list": SINE.tolist(),
    "float64": SINE,
    "float32": SINE.astype("float32"),
    "float16": SINE.astype("float16"),
}


@pytest.mark.parametrize("name", ["seq_data_iter_random", "seq_data_iter_sequential"])
@pytest.mark.parametrize("kind", [*SERIES, "tensor"])
def test_a_series_of_real_numbers_gives_minibatches_of_float32(rnn, name, kind):
    series = rnn.from_numpy(SERIES["float32"]) if kind == "tensor" else SERIES[kind]
    loader = rnn.SeqDataLoader(series, 2, 5, name == "seq_data_iter_random", seed=0)
    places = list(getattr(rnn, name)(range(60), 2, 5, seed=0))
    for minibatches in (list(getattr(rnn, name)(series, 2, 5, seed=0)), list(loader)):
        assert len(minibatches) == len(places)
        for pair, indices in zip(minibatches, places):
            for numbers, index in zip(map(rnn.to_numpy, pair), map(rnn.to_numpy, indices)):
                assert numbers.dtype == "float32"
                np.testing.assert_allclose(numbers, SINE[index], atol=1e-3)  # float16 has 1e-3


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "bool"])
def test_a_corpus_of_ids_gives_minibatches_of_its_tensor_type(rnn, dtype):
    X, _ = next(iter(rnn.seq_data_iter_random(np.ones(60, dtype), 2, 5, seed=0)))
    assert rnn.to_numpy(X).dtype == rnn.to_numpy(rnn.from_numpy(np.ones(1, dtype))).dtype


@pytest.mark.parametrize("name", ["seq_data_iter_random", "seq_data_iter_sequential"])
def test_a_corpus_with_two_axes_is_refused(name):
    expected = r"corpus has shape \(60, 2\); expected axes \(num_tokens\)"
    with pytest.raises(ValueError, match=expected):
        next(getattr(batches, name)(np.ones((60, 2)), 2, 5, seed=0))


def test_your_own_text_is_loaded_whole(rnn, tmp_path):
    (tmp_path / "mine.txt").write_text("tick tock\n" * 50)
    loader, vocab = rnn.load_data_text(tmp_path / "mine.txt", 2, 5)
    assert len(loader.corpus) == 500
    assert set(vocab.idx_to_token) == {"<unk>", *"tick ock\n"}
    words, vocab = rnn.load_data_text(tmp_path / "mine.txt", 2, 5, token="word")
    assert len(words.corpus) == 100
    assert vocab.idx_to_token == ["<unk>", "tick", "tock"]


def test_the_built_in_corpus_loads_in_the_backend_s_tensors(rnn):
    loader, vocab = rnn.load_data_builtin(32, 35, use_random_iter=True, seed=0)
    X, Y = next(iter(loader))
    assert type(X) is type(rnn.from_numpy([0]))
    assert rnn.to_numpy(Y).shape == (32, 35)
    assert len(vocab) == 55
