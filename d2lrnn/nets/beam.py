"""Beam search: the most probable sequences, side by side in one batch (the book's section 10.8)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from d2lrnn import checks
from d2lrnn.data.padding import one_hot
from d2lrnn.nets import losses
from d2lrnn.nets.coders import DecoderScratch

Array = np.ndarray[Any, Any]
State = tuple[Any, ...]


class Candidate(NamedTuple):
    """A finished sequence without its end, its log-probability, and its score."""

    tokens: list[int]
    log: float
    score: float


class Beam:
    """The unfinished sequences of each source, at most beam_size, and its finished ones.

    A step extends every unfinished sequence by every token and keeps the beam_size most probable
    results. Sequences that end are moved from the beam to the candidates of their source, so that
    no later sequence can displace them.
    """

    LENGTH_POWER = 0.75

    def __init__(self, decoder: DecoderScratch, state: State, size: int, end: int) -> None:
        """Start with one empty sequence for each source; the other places of the beam are empty."""
        self.decoder, self.size, self.end = decoder, size, end
        checks.tokens(np.array([end]), decoder.num_outputs)
        arrays = [decoder.ops.tensors.to_numpy(s) for s in state]
        self.num_sources = len(arrays[0])
        # n sources, k = size sequences each: each part of the state is (n * k, h)
        self.state = tuple(decoder.tensor(a.repeat(size, axis=0)) for a in arrays)
        self.context = decoder.architecture.top(self.state)[0]  # (n * k, h)
        # Log-probabilities (n, k): -inf marks an empty place.
        self.logs = np.where(np.arange(size) == 0, 0.0, -np.inf) * np.ones((self.num_sources, 1))
        self.tokens = np.zeros((self.num_sources, size, 0), int)  # (n, k, steps so far)
        self.candidates: list[list[Candidate]] = [[] for _ in range(self.num_sources)]
        self.scores = np.full(self.num_sources, -np.inf)  # (n,), of the best candidates

    def advance(self) -> None:
        """Extend each unfinished sequence by one token."""
        rows = self.decoder.tensor(self.last_tokens())
        outputs, state = self.decoder.run(rows, self.state, self.context)
        scores = self.decoder.ops.tensors.to_numpy(outputs).astype(np.float64)
        logs = losses.log_probabilities(scores)  # (n * k, V)
        total = self.logs.reshape(-1, 1) + logs
        total = total.reshape(self.num_sources, self.size * logs.shape[1])  # (n, k * V)
        chosen = np.argsort(-total, axis=1, kind="stable")[:, : self.size]  # (n, k)
        parents, tokens = np.divmod(chosen, logs.shape[1])  # (n, k) each
        before = np.take_along_axis(self.tokens, parents[:, :, None], 1)
        self.tokens = np.concatenate([before, tokens[:, :, None]], axis=2)
        self.logs = np.take_along_axis(total, chosen, 1)
        self.follow(parents, state)
        self.leave(tokens == self.end)

    def last_tokens(self) -> Array:
        """Return the last token of each sequence as one-hot rows (1, n * k, V), zeros at first."""
        num_outputs = self.decoder.num_outputs
        if not self.tokens.shape[2]:
            return np.zeros((1, self.num_sources * self.size, num_outputs))
        return one_hot(self.tokens[None, :, :, -1].reshape(1, -1), num_outputs)

    def follow(self, parents: Array, state: State) -> None:
        """Set the state of each sequence to that of the sequence that it extends."""
        rows = (parents + self.size * np.arange(self.num_sources)[:, None]).reshape(-1)
        to_numpy = self.decoder.ops.tensors.to_numpy
        self.state = tuple(self.decoder.tensor(to_numpy(s)[rows]) for s in state)

    def leave(self, leaving: Array) -> None:
        """Move the sequences marked in leaving (n, k) from the beam to the candidates."""
        length = self.tokens.shape[2] ** self.LENGTH_POWER
        for source, place in np.argwhere(leaving & (self.logs > -np.inf)):
            log, tokens = float(self.logs[source, place]), self.tokens[source, place].tolist()
            tokens = tokens[:-1] if tokens[-1] == self.end else tokens
            self.candidates[source].append(Candidate(tokens, log, log / length))
            self.scores[source] = max(self.scores[source], log / length)
        self.logs[leaving] = -np.inf

    def is_finished(self, num_steps: int) -> bool:
        """Return whether no unfinished sequence can still become the best of its source.

        This is decided from two facts: a log-probability never rises, and a sequence has at most
        num_steps tokens.
        """
        return bool((self.logs.max(axis=1) / num_steps**self.LENGTH_POWER <= self.scores).all())

    def finish(self) -> list[list[Candidate]]:
        """Return the candidates of each source, the best first; call it after the last step.

        Sequences that have not ended are candidates too. Of several candidates with equal scores,
        the shortest comes first.
        """
        self.leave(np.ones(self.logs.shape, dtype=bool))
        return [sorted(several, key=lambda one: -one.score) for several in self.candidates]
