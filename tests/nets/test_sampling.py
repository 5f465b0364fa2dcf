"""Sampling with top_k, top_p and min_p, and the stop token: distributions, edge cases, errors."""

import re

import numpy as np
import pytest

from d2lrnn import numpy as reference
from d2lrnn.nets.sampling import Draws, Sampling, Stop

NUM_DRAWS = 20_000
P = np.array([0.02, 0.4, 0.08, 0.3, 0.2])  # not in order
SCORES = np.log(P)[None]
CRITICAL = {1: 15.1, 2: 18.4, 3: 21.1, 4: 23.5}  # chi-square, of 1 in 10,000, by degrees of freedom

KEPT = {
    "nothing": ({"temperature": 1}, [0, 1, 2, 3, 4]),
    "top_k": ({"top_k": 3}, [1, 3, 4]),
    "top_k above the vocabulary": ({"top_k": 99}, [0, 1, 2, 3, 4]),
    "top_p": ({"top_p": 0.6}, [1, 3]),
    "top_p reached exactly": ({"top_p": 0.7}, [1, 3]),
    "top_p above": ({"top_p": 0.71}, [1, 3, 4]),
    "top_p of 1": ({"top_p": 1.0}, [0, 1, 2, 3, 4]),
    "min_p": ({"min_p": 0.3}, [1, 3, 4]),
    "min_p reached exactly": ({"min_p": 0.5}, [1, 3, 4]),
    "min_p of 0": ({"min_p": 0.0, "temperature": 1}, [0, 1, 2, 3, 4]),
    "top_p of the top_k": ({"top_k": 3, "top_p": 0.75}, [1, 3]),  # 0.7 of 0.9
    "all three": ({"top_k": 4, "top_p": 0.95, "min_p": 0.6}, [1, 3]),
    "a temperature": ({"temperature": 0.5, "top_p": 0.8}, [1, 3]),  # 0.16, 0.09, 0.04 of 0.3
    "a high temperature": ({"temperature": 2, "top_p": 0.7}, [1, 3, 4]),
}


def probabilities(options, kept):
    """The probabilities with which tokens are drawn, computed from the definition."""
    powers = np.zeros(len(P))
    powers[kept] = P[kept] ** (1 / options.get("temperature", 1))
    return powers / powers.sum()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", KEPT)
def test_the_definition_says_which_tokens_are_left(case, dtype):
    options, kept = KEPT[case]
    truncated = Sampling(**options).truncate(SCORES.astype(dtype))[0]
    assert np.flatnonzero(np.isfinite(truncated)).tolist() == kept
    np.testing.assert_array_equal(truncated[kept], SCORES.astype(dtype)[0, kept])


@pytest.mark.parametrize("case", KEPT)
def test_draws_follow_the_distribution_by_chi_square(case):
    check_distribution(reference, *KEPT[case])


@pytest.mark.frameworks
def test_draws_of_a_framework_follow_the_distribution_by_chi_square(rnn):
    check_distribution(rnn, *KEPT["all three"])


def check_distribution(rnn, options, kept):
    """Check that chi-square of many draws is not larger than chance explains."""
    expected = NUM_DRAWS * probabilities(options, kept)
    counts = np.bincount(drawn(rnn, options), minlength=len(P))
    assert counts[expected == 0].sum() == 0
    differences = (counts - expected)[kept] ** 2 / expected[kept]
    assert differences.sum() < CRITICAL[len(kept) - 1]


def drawn(rnn, options):
    """NUM_DRAWS ids that a net draws whose scores are SCORES at every step."""
    net = rnn.RNNModelScratch(5, 2, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
    *others, _ = net.arrays()
    net.load_arrays([*(0 * array for array in others), SCORES[0]])
    vocab, rows = rnn.Vocab("abcd"), 1000
    texts = rnn.predict_many(["a"] * rows, NUM_DRAWS // rows, net, vocab, seed=7, **options)
    return np.concatenate([vocab[vocab.split(text.replace("<unk>", "?"))[1:]] for text in texts])


def a_net(rnn, **settings):
    """A net whose scores differ from step to step, and its Vocab."""
    functions = rnn.get_gru_params, rnn.init_gru_state, rnn.gru
    net = rnn.RNNModelScratch(5, 6, *functions, seed=0, dtype="float64")
    rng = np.random.default_rng(0)
    net.load_arrays([2 * rng.normal(size=array.shape) for array in net.arrays()])
    return net, rnn.Vocab("abcd")


GREEDY = {
    "top_k of 1": {"top_k": 1, "temperature": 1.5},
    "a tiny top_p": {"top_p": 1e-9, "temperature": 1.5},
    "min_p of 1": {"min_p": 1.0, "temperature": 1.5},
    "temperature 0 and top_k": {"top_k": 3, "temperature": 0},
    "temperature 0 and top_p": {"top_p": 0.9, "temperature": 0},
    "temperature 0 and min_p": {"min_p": 0.1, "temperature": 0},
    "a temperature near 0": {"top_p": 0.9, "temperature": 1e-300},
}


@pytest.mark.parametrize("case", GREEDY)
def test_the_limits_of_sampling_are_greedy(case):
    net, vocab = a_net(reference)
    greedy = reference.predict_ch8("ab", 40, net, vocab)
    assert reference.predict_ch8("ab", 40, net, vocab, seed=1, **GREEDY[case]) == greedy


@pytest.mark.parametrize("options", [{"top_p": 1}, {"top_k": 5}, {"top_k": 10**9}, {"min_p": 0}])
def test_options_that_leave_out_no_token_change_nothing(options):
    net, vocab = a_net(reference)
    plain = reference.predict_ch8("ab", 40, net, vocab, temperature=1, seed=3)
    assert reference.predict_ch8("ab", 40, net, vocab, seed=3, **options) == plain


@pytest.mark.parametrize("options", [{"top_k": 2}, {"top_p": 0.6}, {"min_p": 0.3}])
@pytest.mark.frameworks
def test_a_seed_draws_the_same_tokens_in_each_backend(rnn, options):
    texts = []
    for backend in (rnn, reference):
        net, vocab = a_net(backend)
        texts.append(backend.predict_many(["ab", "d"], 40, net, vocab, seed=3, **options))
    assert texts[0] == texts[1]
    assert texts[0][0] != reference.predict_ch8("ab", 40, net, vocab, temperature=1, seed=3)


def test_of_equally_probable_tokens_those_with_lower_ids_are_left():
    scores = np.array([[1.0, 2.0, 1.0, 2.0, 1.0]])
    kept = [np.isfinite(Sampling(top_k=k).truncate(scores)[0]) for k in (1, 3)]
    assert [np.flatnonzero(part).tolist() for part in kept] == [[1], [0, 1, 3]]
    many = Sampling(top_k=7).truncate(np.zeros((1, 500)))[0]  # too many for a sort by insertion
    assert np.flatnonzero(np.isfinite(many)).tolist() == list(range(7))


def test_each_row_is_truncated_on_its_own():
    scores = np.log([[0.9, 0.05, 0.05], [0.1, 0.3, 0.6]])
    kept = np.isfinite(Sampling(top_p=0.85).truncate(scores))
    assert kept.tolist() == [[True, False, False], [False, True, True]]


@pytest.mark.parametrize("scores", [[np.nan, 1, 2], [np.inf, 1, 2], [1e30, -1e30, 0]])
def test_scores_of_a_net_that_has_diverged_raise_no_warning(scores):
    truncated = Sampling(0.5, 2, 0.9, 0.1).truncate(np.array([scores], "float32"))
    assert truncated.shape == (1, 3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"top_k": 0}, "top_k is 0; expected an integer, 1 or above"),
        ({"top_k": 2.0}, "top_k is 2.0; expected an integer, 1 or above"),
        ({"top_k": True}, "top_k is True; expected an integer, 1 or above"),
        ({"top_p": 0}, "top_p is 0; expected a number above 0 and at most 1"),
        ({"top_p": 1.1}, "top_p is 1.1; expected a number above 0 and at most 1"),
        ({"top_p": float("nan")}, "top_p is nan; expected a number above 0 and at most 1"),
        ({"min_p": -0.1}, "min_p is -0.1; expected a number from 0 to 1"),
        ({"min_p": "0.1"}, "min_p is '0.1'; expected a number from 0 to 1"),
        ({"temperature": -1}, "temperature is -1; expected a finite number, 0 or above"),
        ({"stop": "xyz"}, "stop is 'xyz', which is not a token of the vocabulary"),
        ({"stop": 3}, "stop is 3, which is not a token of the vocabulary"),
        ({"stop": ["a", None]}, "stop is None, which is not a token of the vocabulary"),
    ],
)
def test_an_option_out_of_its_range_is_refused(options, words):
    net, vocab = a_net(reference)
    with pytest.raises(ValueError, match=f"^{words}"):
        reference.predict_ch8("a", 3, net, vocab, **options)


@pytest.mark.parametrize("num_preds", [3, 40, 70])
@pytest.mark.parametrize("stop", ["b", ["b", "d"]])
def test_a_text_ends_after_the_first_stop_token(rnn, stop, num_preds):
    net, vocab = a_net(rnn)
    draw = {"temperature": 1.5, "seed": 2}
    whole = rnn.predict_many(["bad", "c"], num_preds, net, vocab, **draw)
    stopped = rnn.predict_many(["bad", "c"], num_preds, net, vocab, stop=stop, **draw)
    for prefix, text, part in zip(["bad", "c"], whole, stopped):
        places = [i for i in range(len(prefix), len(text)) if text[i] in stop]
        assert part == (text[: places[0] + 1] if places else text)
    assert num_preds < 70 or max(map(len, stopped)) < 40


BYTE_PAIRS = """"Stop." said the cat. "the end" and the café, the end." at the end"""


def byte_pairs(rnn):
    """A net and a vocabulary of byte-pair tokens, such as `."`."""
    tokenizer = rnn.BPETokenizer(vocab_size=256 + 30)
    tokenizer.train(BYTE_PAIRS * 20)
    vocab = rnn.BPEVocab(tokenizer)
    functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn
    return rnn.RNNModelScratch(len(vocab), 4, *functions, seed=0), vocab


def say(monkeypatch, net, rows):
    """Let a net generate given rows of ids."""
    ids = np.array(rows).T

    def generate(self, first, state, given, noise, truncate):
        start = generate.start
        generate.start += len(given)
        chosen = ids[start : start + len(given)]
        rest = np.where(given[: len(chosen)] < 0, chosen, given[: len(chosen)])
        return np.concatenate([rest, given[len(chosen) :] * 0]), state

    generate.start = 0
    monkeypatch.setattr(type(net), "say", generate)


def two_letters(text, start):
    """The first two readable characters that are adjacent, after a start."""
    return re.search("[ -~]{2}", text[start:])[0]


STOPS = [
    (["the", " end", '."', " at"], ".", "the end."),  # within a token
    (["th", "e e", "nd", '."'], "the end", "the end"),  # across tokens
    (["the", " end", '."', " at"], ["xyz", '."', "nd"], "the end"),  # the first of several
    (["the", ' end."', " at"], ['."', "end."], "the end."),  # two within one token
    (["the f", "ü", "r"], "ü", "the fü"),
    (["the f", "ü", "r"], "zzz", "the für"),
]


@pytest.mark.parametrize(("pieces", "stop", "expected"), STOPS)
def test_text_of_byte_pair_tokens_ends_right_after_the_stop_text(
    monkeypatch, pieces, stop, expected
):
    net, vocab = byte_pairs(reference)
    row = [vocab[token] for piece in pieces for token in vocab.split(piece)]
    say(monkeypatch, net, [row])
    assert reference.predict_ch8("\0", len(row), net, vocab, stop=stop) == "\0" + expected


def test_each_row_of_byte_pair_tokens_ends_after_its_own_stop_text(rnn):
    net, vocab = byte_pairs(rnn)
    draw = {"temperature": 1.0, "seed": 2}
    whole = rnn.predict_many(["the", "at."], 60, net, vocab, **draw)
    stop = [two_letters(text, 3) for text in whole]
    ended = rnn.predict_many(["the", "at."], 60, net, vocab, stop=stop, **draw)
    for text, part in zip(whole, ended):
        ends = [text.index(s, 3) + len(s) for s in stop if s in text[3:]]
        assert part == text[: min(ends)]
    assert all(len(part) < len(text) for text, part in zip(whole, ended))


def test_samples_of_training_end_after_a_stop_text():
    net, vocab = byte_pairs(reference)
    loader = reference.SeqDataLoader(vocab[vocab.split(BYTE_PAIRS)] * 4, 2, 4, seed=5)
    options = {"prefix": "the", "progress": False}
    text = reference.predict_ch8("the", 50, net, vocab, temperature=1, seed=5)
    stop = two_letters(text, 3)
    options["sampling"] = {"stop": stop, "temperature": 1}
    history = reference.train_ch8(net, loader, vocab, 1e-9, 1, **options)
    assert history.samples == [(1, text[: text.index(stop, 3) + 2])]


@pytest.mark.parametrize("stop", ["", 3, [".", None]])
def test_a_stop_text_that_is_none_is_refused(stop):
    net, vocab = byte_pairs(reference)
    with pytest.raises(ValueError, match=r"^stop is .*; expected a text of one or more characters"):
        reference.predict_ch8("a", 3, net, vocab, stop=stop)


def test_no_tokens_are_generated_after_all_texts_have_ended(rnn, monkeypatch):
    net, vocab = a_net(rnn)
    calls, say = [], type(net).say
    monkeypatch.setattr(type(net), "say", lambda *given: calls.append(given) or say(*given))
    rnn.predict_ch8("a", 400, net, vocab, temperature=1.5, seed=2, stop=list("abcd"))
    assert len(calls) == 1


def test_no_stop_token_cuts_nothing():
    ids = np.arange(4)
    assert not Stop().has_ended(ids)
    np.testing.assert_array_equal(Stop().cut(ids), ids)


def test_the_noise_does_not_depend_on_what_is_left_out():
    plain, truncated = (Draws(s, [3], 5).noise(4) for s in (Sampling(1.0), Sampling(1.0, 2)))
    np.testing.assert_array_equal(plain, truncated)


def test_samples_of_training_are_drawn_as_requested():
    net, vocab = a_net(reference)
    loader = reference.SeqDataLoader([1, 2, 3, 4] * 10, 2, 4, seed=5)
    draw = {"top_p": 0.9, "stop": "c"}
    options = {"prefix": "a", "sampling": draw, "progress": False}
    history = reference.train_ch8(net, loader, vocab, 0.1, 1, **options)
    expected = reference.predict_ch8("a", 50, net, vocab, seed=5, **draw)  # the seed of the loader
    assert history.samples == [(1, expected)]
    assert expected != reference.predict_ch8("a", 50, net, vocab, stop="c")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sampling": {"top": 3}}, r"sampling is \['top'\]; expected a dictionary of some of temp"),
        ({"sampling": 0.9}, "sampling is float; expected a dictionary"),
        ({"sampling": {"top_p": 2}}, "top_p is 2; expected a number above 0 and at most 1"),
        ({"sampling": {"stop": "x"}}, "stop is 'x', which is not a token"),
        ({"sampling": {"top_k": 2}, "prefix": None}, "sampling is given without a prefix"),
    ],
)
def test_wrong_options_of_samples_are_refused_before_training(options, words):
    net, vocab = a_net(reference)
    before, loader = net.arrays(), reference.SeqDataLoader([1, 2, 3, 4] * 10, 2, 4, seed=5)
    with pytest.raises(ValueError, match=f"^{words}"):
        reference.train_ch8(net, loader, vocab, 0.1, 1, **{"prefix": "a", **options})
    np.testing.assert_array_equal(net.arrays()[0], before[0])


@pytest.mark.parametrize("prefix", [None, "a"])
def test_options_of_samples_are_refused_for_a_net_that_reads_in_both_directions(prefix):
    functions = reference.stack("rnn", bidirectional=True)
    net, vocab = reference.RNNModelScratch(5, 4, *functions, seed=0), reference.Vocab("abcd")
    loader = reference.SeqDataLoader([1, 2, 3, 4] * 10, 2, 4, seed=5)
    with pytest.raises(ValueError, match="a bidirectional net cannot generate samples"):
        reference.train_ch8(net, loader, vocab, 1, 1, prefix=prefix, sampling={"top_k": 2})
