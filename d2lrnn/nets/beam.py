"""Beam search: the likeliest sequences so far, kept side by side (the book's section 10.8)."""

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
    """The likeliest sequences so far, beam_size for each source, side by side in one batch."""

    LENGTH_POWER = 0.75

    def __init__(self, decoder: DecoderScratch, state: State, size: int, end: int) -> None:
        """Start with one empty sequence for each source; the others are impossible as yet."""
        self.decoder, self.size, self.end = decoder, size, end
        checks.tokens(np.array([end]), decoder.num_outputs)
        arrays = [decoder.ops.tensors.to_numpy(s) for s in state]
        self.num_sources = len(arrays[0])
        # n sources, k = size sequences each: each part of the state is (n * k, h)
        self.state = tuple(decoder.tensor(a.repeat(size, axis=0)) for a in arrays)
        self.context = decoder.architecture.top(self.state)[0]  # (n * k, h)
        self.logs = np.where(np.arange(size) == 0, 0.0, -np.inf) * np.ones((self.num_sources, 1))
        self.tokens = np.zeros((self.num_sources, size, 0), int)  # (n, k, steps so far)
        self.lengths = np.zeros((self.num_sources, size), int)  # (n, k), and so are the logs

    def advance(self) -> None:
        """Let every sequence go on by each token, and keep the best of all these."""
        rows = np.zeros(
            (1, self.num_sources * self.size, self.decoder.num_outputs)
        )  # (1, n * k, V)
        if self.tokens.shape[2]:
            rows[0] = one_hot(self.tokens[:, :, -1].reshape(-1), rows.shape[2])
        outputs, state = self.decoder.run(rows, self.state, self.context)
        scores = self.decoder.ops.tensors.to_numpy(outputs).astype(np.float64)
        logs = np.log(losses.probabilities(scores) + 1e-300).reshape(
            self.num_sources, self.size, -1
        )  # (n, k, V)
        over = self.ended()
        logs[over] = -np.inf
        logs[over, self.end] = 0.0  # what has ended stays as it is
        total = self.logs[:, :, None] + logs  # (n, k, V)
        lengths = self.lengths + ~over
        ranked = (total / lengths[:, :, None] ** self.LENGTH_POWER).reshape(self.num_sources, -1)
        best = np.argsort(-ranked, axis=1, kind="stable")[:, : self.size]  # (n, k) of 0..k * V - 1
        parents, tokens = np.divmod(best, logs.shape[2])  # (n, k): whose child, by which token
        self.keep(parents, tokens, np.take_along_axis(total.reshape(ranked.shape), best, 1))
        self.lengths = np.take_along_axis(lengths, parents, 1)
        self.follow(parents, state)

    def keep(self, parents: Array, tokens: Array, logs: Array) -> None:
        """Replace the sequences by those of their children that were chosen."""
        before = np.take_along_axis(self.tokens, parents[:, :, None], 1)
        self.tokens = np.concatenate([before, tokens[:, :, None]], axis=2)
        self.logs = logs

    def follow(self, parents: Array, state: State) -> None:
        """Take for each sequence the state of the one that it goes on from."""
        rows = (parents + self.size * np.arange(self.num_sources)[:, None]).reshape(-1)
        to_numpy = self.decoder.ops.tensors.to_numpy
        self.state = tuple(self.decoder.tensor(to_numpy(s)[rows]) for s in state)

    def ended(self) -> Array:
        """Return which sequences have ended, (num_sources, size)."""
        ended: Array = (self.tokens == self.end).any(axis=2)
        return ended

    def done(self) -> bool:
        """Return whether the best sequence of every source has ended."""
        return bool(self.ended()[:, 0].all())

    def best(self) -> list[list[int]]:
        """Return the best sequence of each source, up to its end."""
        rows = self.tokens[:, 0].tolist()
        return [row[: row.index(self.end)] if self.end in row else row for row in rows]
