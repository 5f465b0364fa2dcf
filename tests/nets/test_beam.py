"""Beam search, compared with all sequences, with the search of one sentence, and by hand."""

import itertools

import numpy as np
import pytest

from d2lrnn import backends
from d2lrnn.nets.beam import Beam

END, NUM_OUTPUTS = 3, 4
SOURCES = [[0, 3, 1, 2, 2], [2, 2], [1, 0, 2], [3]]


def translator(rnn, dtype="float64"):
    settings = {"seed": 0, "dtype": dtype}
    encoder = rnn.EncoderScratch(4, 6, **settings)
    return rnn.EncoderDecoderScratch(encoder, rnn.DecoderScratch(NUM_OUTPUTS, 6, 6, **settings))


def redraw(net, seed):
    """Draw parameters that are large enough for sequences of different probabilities."""
    rng = np.random.default_rng(seed)
    net.load_arrays([rng.standard_normal(a.shape).astype(a.dtype) for a in net.arrays()])
    return net


def constant(net, probabilities):
    """Make every token equally probable at every step."""
    *others, b_q = net.arrays()
    net.load_arrays([*(0 * array for array in others), np.log(probabilities, dtype=b_q.dtype)])
    return net


def log_probabilities(net, source, rows):
    """Return log-probabilities (n, T + 1, V) of the token after each part of rows (n, T)."""
    state = net.encoder([source] * len(rows))
    written = np.zeros((len(rows), rows.shape[1] + 1, NUM_OUTPUTS))
    written[:, 1:] = np.eye(NUM_OUTPUTS)[rows]
    scores, _ = net.decoder(written, state, np.asarray(state[0]))
    scores = np.asarray(scores, dtype=float).reshape(written.shape[1], len(rows), -1)
    return (scores - np.log(np.exp(scores).sum(axis=2, keepdims=True))).transpose(1, 0, 2)


def score(tokens, log):
    return log / len(tokens) ** 0.75


def without_end(tokens):
    return [token for token in tokens if token != END]


def best_of_all(net, source, num_steps):
    """Return the best of all possible sequences by score."""
    rows = np.array(list(itertools.product(range(NUM_OUTPUTS), repeat=num_steps)))
    logs = log_probabilities(net, source, rows[:, :-1])
    best = (-np.inf, [])
    for row, log in zip(rows.tolist(), logs, strict=True):
        length = row.index(END) + 1 if END in row else num_steps
        total = sum(log[step, row[step]] for step in range(length))
        best = max(best, (score(row[:length], total), row[:length]))
    return without_end(best[1])


def beam_of_one(net, source, num_steps, beam_size):
    """Return the result of a beam search of one sentence that never stops early."""
    live, finished = [([], 0.0)], []
    for step in range(num_steps):
        if not live:
            break
        rows = np.array([tokens for tokens, _ in live], int).reshape(len(live), step)
        logs = log_probabilities(net, source, rows)[:, -1]
        longer = [
            ([*tokens, token], log + more[token])
            for (tokens, log), more in zip(live, logs, strict=True)
            for token in range(NUM_OUTPUTS)
        ]
        longer = sorted(longer, key=lambda pair: -pair[1])[:beam_size]
        finished += [pair for pair in longer if pair[0][-1] == END]
        live = [pair for pair in longer if pair[0][-1] != END]
    return without_end(max([*finished, *live], key=lambda pair: score(*pair))[0])


def alone(net, search):
    """Return the translation of each source, one at a time."""
    return [net.predict([source], **search)[0] for source in SOURCES]


@pytest.mark.parametrize("num_steps", [1, 3, 6])
def test_a_wide_beam_finds_the_best_of_all_sequences(rnn, num_steps):
    net, reference = translator(rnn), translator(backends.load("numpy"))
    search = {"end": END, "num_steps": num_steps, "beam_size": NUM_OUTPUTS ** (num_steps - 1)}
    for seed in range(20 if num_steps < 6 else 5):  # of which 1,024 hypotheses are followed
        redraw(reference, seed)
        found = alone(redraw(net, seed), search)
        assert found == [best_of_all(reference, source, num_steps) for source in SOURCES]


def test_the_candidates_are_all_finished_sequences_of_a_beam_best_first(rnn):
    net = constant(translator(rnn), [0.35, 0.2, 0.15, 0.3])
    beam = Beam(net.decoder, net.encoder([[0]]), 2, END)
    for _ in range(3):
        beam.advance()
    (candidates,) = beam.finish()
    assert [found.tokens for found in candidates] == [[], [0], [0, 0, 0], [0, 0]]
    for found in candidates:
        ends = len(found.tokens) < 3
        log = len(found.tokens) * np.log(0.35) + ends * np.log(0.3)
        assert found.log == pytest.approx(log)
        assert found.score == pytest.approx(log / (len(found.tokens) + ends) ** 0.75)


@pytest.mark.parametrize("beam_size", [1, 2, 3, 5])
def test_a_narrow_beam_in_a_batch_finds_the_result_of_one_sentence(rnn, beam_size):
    net, reference = translator(rnn), translator(backends.load("numpy"))
    search = {"end": END, "num_steps": 8, "beam_size": beam_size}
    for seed in range(20):
        redraw(reference, seed)
        found = alone(redraw(net, seed), search)
        assert found == [beam_of_one(reference, source, 8, beam_size) for source in SOURCES]


def test_a_sentence_has_the_same_translation_alone_and_in_a_batch(reference):
    net, search = translator(reference, "float32"), {"end": END, "num_steps": 8, "beam_size": 3}
    same = 0
    for seed in range(400):
        redraw(net, seed)
        same += net.predict(SOURCES, **search) == alone(net, search)
    assert same == 400


def test_a_sentence_has_the_same_translation_in_a_batch_of_any_backend(rnn):
    net, search = translator(rnn, "float32"), {"end": END, "num_steps": 8, "beam_size": 3}
    for seed in range(20):
        redraw(net, seed)
        assert net.predict(SOURCES, **search) == alone(net, search)


@pytest.mark.parametrize("beam_size", [1, 2, 3, 4, 9])
def test_ties_are_broken_by_the_order_of_sequences_and_ids(rnn, beam_size):
    net, reference = (constant(translator(b), [0.25] * 4) for b in (rnn, backends.load("numpy")))
    expected = beam_of_one(reference, SOURCES[0], 3, beam_size)
    found = net.predict(SOURCES, end=END, num_steps=3, beam_size=beam_size)
    assert found == [expected] * len(SOURCES)


# With p of one token and q of the end, m tokens and the end score (m log p + log q) / (m+1)^0.75.
@pytest.mark.parametrize(
    ("p", "num_steps", "written"),
    [
        (0.45, 8, []),  # -0.92 for the end alone, which the two tokens after it do not reach
        (0.6, 8, [0]),  # -0.92 for the end alone, and then -0.85: an unfinished one overtakes it
        (0.9, 4, [0, 0, 0, 0]),  # -0.15 without an end
        (0.6, 1, [0]),
    ],
)
def test_the_score_decides_between_short_and_long_sequences(rnn, p, num_steps, written):
    q = 1 - p if p > 0.5 else 0.4
    rest = (1 - p - q + 1e-9) / 2
    net = constant(translator(rnn), [p, rest, rest, q])
    search = {"end": END, "num_steps": num_steps, "beam_size": 3}
    assert net.predict(SOURCES, **search) == [written] * len(SOURCES)


def test_a_finished_sequence_is_the_result_after_better_ones_have_become_worse(rnn):
    net = constant(translator(rnn), [0.35, 0.2, 0.15, 0.3])
    # The end alone, -1.20, is second in a beam of two; then two unfinished ones fill the beam, and
    # sequences of two tokens have -1.25 at best, longer ones less.
    search = {"end": END, "num_steps": 6, "beam_size": 2}
    assert net.predict(SOURCES, **search) == [[]] * len(SOURCES)
    assert beam_of_one(net_of_numpy(net), SOURCES[0], 6, 2) == []


def net_of_numpy(net):
    reference = translator(backends.load("numpy"))
    reference.load_arrays(net.arrays())
    return reference


# Three tokens of log 0.133 each score -0.64 at best, over 20^0.75; the end alone has -0.51.
@pytest.mark.parametrize(("p", "steps"), [(0.9999, 1), (0.6, 3)])
def test_the_search_ends_when_no_unfinished_sequence_can_win(rnn, monkeypatch, p, steps):
    rest = (1 - p) / 3
    net, calls = constant(translator(rnn), [rest, rest, rest, p]), []
    run = net.decoder.run
    monkeypatch.setattr(net.decoder, "run", lambda *args: calls.append(1) or run(*args))
    net.predict(SOURCES, end=END, num_steps=20, beam_size=4)
    assert len(calls) == steps
