"""Beam search: the most probable sequences, side by side in one batch (the book's section 10.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from d2lrnn import checks
from d2lrnn.data.padding import one_hot
from d2lrnn.nets import losses

if TYPE_CHECKING:
    from d2lrnn.nets.encoder_decoder import DecoderScratch

Array = np.ndarray[Any, Any]
State = tuple[Any, ...]


class Beam:
    """The unfinished sequences of each source, beam_size at most, and its best finished one.

    A step extends every unfinished sequence by every token and keeps the beam_size most probable
    of these. Those that end leave the beam and are compared with the best finished sequence of
    their source, so that no later sequence can displace it.
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
        self.finished: list[list[int]] = [[] for _ in range(self.num_sources)]
        self.scores = np.full(self.num_sources, -np.inf)  # (n,), of the finished sequences

    def advance(self) -> None:
        """Extend each unfinished sequence by one token."""
        outputs, state = self.decoder.run(self.last_tokens(), self.state, self.context)
        scores = self.decoder.ops.tensors.to_numpy(outputs).astype(np.float64)
        logs = losses.log_probabilities(scores)  # (n * k, V)
        total = self.logs.reshape(-1, 1) + logs
        total = total.reshape(self.num_sources, self.size * logs.shape[1])  # (n, k * V)
        chosen = np.argsort(-total, axis=1, kind="stable")[:, : self.size]  # (n, k)
        parents, tokens = np.divmod(chosen, logs.shape[1])  # (n, k): extended by which token
        before = np.take_along_axis(self.tokens, parents[:, :, None], 1)
        self.tokens = np.concatenate([before, tokens[:, :, None]], axis=2)
        self.logs = np.take_along_axis(total, chosen, 1)
        self.follow(parents, state)
        self.finish(tokens == self.end)
        self.logs[tokens == self.end] = -np.inf  # these places are empty from now on

    def last_tokens(self) -> Array:
        """Return the last token of each sequence as one-hot rows (1, n * k, V), zeros at first."""
        num_outputs = self.decoder.num_outputs
        if not self.tokens.shape[2]:
            return np.zeros((1, self.num_sources * self.size, num_outputs))
        return one_hot(self.tokens[None, :, :, -1].reshape(1, -1), num_outputs)

    def follow(self, parents: Array, state: State) -> None:
        """Take for each sequence the state of the sequence that it extends."""
        rows = (parents + self.size * np.arange(self.num_sources)[:, None]).reshape(-1)
        to_numpy = self.decoder.ops.tensors.to_numpy
        self.state = tuple(self.decoder.tensor(to_numpy(s)[rows]) for s in state)

    def finish(self, ended: Array) -> None:
        """Note the best of the sequences marked in ended (n, k), if no earlier one is as good."""
        scores = np.where(ended, self.logs, -np.inf) / self.tokens.shape[2] ** self.LENGTH_POWER
        places = scores.argmax(axis=1)
        scores = scores[np.arange(self.num_sources), places]
        for source in np.flatnonzero(scores > self.scores):
            self.scores[source] = scores[source]
            self.finished[source] = self.tokens[source, places[source]].tolist()

    def done(self, num_steps: int) -> bool:
        """Return whether no unfinished sequence can still become the best of its source.

        A log-probability never rises, and num_steps tokens are the longest that a sequence can get.
        """
        return bool((self.logs.max(axis=1) / num_steps**self.LENGTH_POWER <= self.scores).all())

    def best(self) -> list[list[int]]:
        """Return the best sequence of each source, without its end; call it after the last step."""
        self.finish(self.logs > -np.inf)  # num_steps tokens without an end are a candidate too
        return [row[: row.index(self.end)] if self.end in row else row for row in self.finished]
