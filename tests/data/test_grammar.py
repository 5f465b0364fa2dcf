"""A source whose entropy is known."""

import math

import numpy as np
import pytest

from d2lrnn.data import grammar
from d2lrnn.nets import build, cells


def two_words(a, b):
    return grammar.MarkovSource({"x": {"x": 1 - a, "y": a}, "y": {"x": b, "y": 1 - b}})


def binary_entropy(p):
    return -p * math.log(p) - (1 - p) * math.log(1 - p)


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (0.1, 0.3), (0.9, 0.2)])
def test_two_words_have_the_entropy_rate_of_the_formula(a, b):
    expected = (b * binary_entropy(a) + a * binary_entropy(b)) / (a + b)
    source = two_words(a, b)
    assert source.entropy_rate() == pytest.approx(expected, rel=1e-12)
    assert source.perplexity() == pytest.approx(math.exp(expected), rel=1e-12)
    np.testing.assert_allclose(source.stationary, [b / (a + b), a / (a + b)])


def test_a_deterministic_source_has_perplexity_one():
    source = grammar.MarkovSource({"tick": {"tock": 1.0}, "tock": {"tick": 1.0}})
    assert source.perplexity("word") == pytest.approx(1)
    assert source.speak(4, seed=0) in (["tick", "tock"] * 2, ["tock", "tick"] * 2)


def test_a_character_carries_its_share_of_the_word_s_entropy():
    source = grammar.MarkovSource({"ab": {"ab": 0.5, "c": 0.5}, "c": {"ab": 0.5, "c": 0.5}})
    assert source.entropy_rate("char") == pytest.approx(math.log(2) / 2.5)


def test_generated_text_has_the_entropy_rate_of_the_source():
    source = grammar.MarkovSource()
    words = source.speak(50_000, seed=1)
    ids = np.array([source.words.index(word) for word in words])
    surprise = -np.log(source.matrix[ids[:-1], ids[1:]])
    spread = surprise.std() / math.sqrt(len(surprise))
    assert surprise.mean() == pytest.approx(source.entropy_rate(), abs=5 * spread)
    shares = np.bincount(ids) / len(ids)
    np.testing.assert_allclose(shares, source.stationary, atol=0.01)


def test_the_same_seed_generates_the_same_text():
    source = grammar.MarkovSource()
    one, same, other = (source.speak(50, seed=seed) for seed in (1, 1, 2))
    assert one == same != other


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"x": {"x": 0.5}}, "the probabilities after 'x' add up to 0.5; expected 1"),
        ({"x": {"y": 1.0}}, "'y' follows 'x'; expected a word of the table"),
        ({"x": {"x": 2.0, "y": -1.0}, "y": {"x": 1.0}}, "the probability of 'y' is -1.0"),
        ({"x": {"x": 1.0}, "y": {"x": 1.0}}, "'y' cannot be reached from 'x'"),
    ],
)
def test_an_impossible_table_is_refused(table, words):
    with pytest.raises(ValueError) as error:
        grammar.MarkovSource(table)
    assert str(error.value).startswith(words)


@pytest.mark.parametrize("token", ["char", "word"])
def test_every_epoch_is_fresh_text_in_one_vocabulary(token):
    settings = {"max_tokens": 500, "token": token}
    loaders = [
        grammar.GrammarLoader(grammar.MarkovSource(), 4, 10, **settings, seed=0) for _ in range(2)
    ]
    first, second = ([np.array(list(loader)) for _ in range(3)] for loader in loaders)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first[0], first[1])
    assert [len(epoch) for epoch in first] == [len(loaders[0])] * 3
    assert min(epoch.min() for epoch in first) > 0  # nothing is unknown


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_network_comes_near_the_lowest_perplexity_and_not_below(rnn, cell):
    loader, vocab = rnn.load_data_grammar(16, 20, token="word", seed=0)
    net = build.new_net(rnn, cells.Architecture(cell), len(vocab), 16, seed=0)
    net.load_arrays([20 * array for array in net.arrays()])
    history = rnn.train_ch8(net, loader, vocab, 1.0, 12, theta=5.0, progress=False)
    assert loader.floor * 0.97 < history.perplexity[-1] < loader.floor * 1.15
    assert history.floor == loader.floor == grammar.MarkovSource().perplexity("word")
    X, _ = next(iter(loader))
    assert type(X) is type(rnn.from_numpy([0]))


def test_only_a_memorized_text_is_below_the_lowest_perplexity(reference):
    source = grammar.MarkovSource()
    loader = grammar.GrammarLoader(source, 4, 20, max_tokens=400, token="word", seed=0)
    ids = np.array(loader.vocab[source.speak(2401, seed=1)])
    again = reference.SeqDataLoader(ids[:200], 4, 20, seed=0)
    net = build.new_net(reference, cells.Architecture("gru"), len(loader.vocab), 32, seed=0)
    settings = {"optimizer": "adam", "progress": False}
    history = reference.train_ch8(net, again, loader.vocab, 0.01, 80, **settings)
    X, Y = (ids[start : start + 2000].reshape(100, 20) for start in (400, 401))
    loss, _ = net.loss_and_d_outputs(X, Y, net.begin_state(100))
    assert history.perplexity[-1] < 0.8 * loader.floor
    assert math.exp(loss) > 1.2 * loader.floor


def test_a_bidirectional_network_receives_the_answer_as_input(reference):
    loader, vocab = reference.load_data_grammar(8, 20, token="word", seed=0, max_tokens=2000)
    architecture = cells.Architecture("rnn", bidirectional=True)
    net = build.new_net(reference, architecture, len(vocab), 16, seed=0)
    settings = {"optimizer": "adam", "progress": False}
    history = reference.train_ch8(net, loader, vocab, 0.01, 15, **settings)
    assert history.perplexity[-1] < 0.6 * loader.floor
    X, Y = next(iter(loader))
    outputs, _ = net.evaluate(X, net.begin_state(8))
    shifted = outputs.reshape(20, 8, -1) - outputs.max()
    logs = shifted - np.log(np.exp(shifted).sum(axis=2, keepdims=True))
    surprise = -np.take_along_axis(logs, Y.T[:, :, None], axis=2).mean(axis=(1, 2))
    assert surprise[-1] > 5 * surprise[:-1].max()  # at the last place alone it has to predict
