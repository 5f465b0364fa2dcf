"""Pairs of sequences, and an encoder-decoder that generates the second from the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from d2lrnn.data import text
from d2lrnn.data.padding import rectangle

if TYPE_CHECKING:
    from d2lrnn.interface import BackendLike

END = "<eos>"

Tokens = Sequence[str]


class Pairs:
    """Pairs of token sequences as padded ids; each target ends with an end token."""

    def __init__(self, pairs: Sequence[tuple[Tokens, Tokens]], min_freq: int = 0) -> None:
        """Build both vocabularies; tokens that occur less often than min_freq are unknown."""
        sources, targets = zip(*pairs, strict=True)
        self.source = text.Vocab([list(source) for source in sources], min_freq)
        self.target = text.Vocab([list(t) for t in targets], min_freq, reserved_tokens=[END])
        self.num_steps = max(map(len, sources))
        self.end = self.target[END]

    def arrays(self, pairs: Sequence[tuple[Tokens, Tokens]]) -> tuple[Any, ...]:
        """Return X, Y, valid and y_valid for the training step of an EncoderDecoderScratch.

        Sources are truncated to the length of the longest source given to the constructor.
        """
        sources = [self.source[list(source)] for source, _ in pairs]
        targets = [[*self.target[list(target)], self.end] for _, target in pairs]
        X = text.pad_sequences(sources, self.num_steps, padding="post", truncating="post")
        valid = np.minimum([len(source) for source in sources], self.num_steps)
        return X, rectangle(targets), valid, np.array([len(target) for target in targets])

    def net(self, rnn: BackendLike, num_hiddens: int, **settings: Any) -> Any:
        """Return an EncoderDecoderScratch for these vocabularies."""
        encoder = rnn.EncoderScratch(len(self.source), num_hiddens, **settings)
        decoder = rnn.DecoderScratch(len(self.target), num_hiddens, num_hiddens, **settings)
        return rnn.EncoderDecoderScratch(encoder, decoder)

    def write(self, net: Any, sources: Sequence[Tokens], **search: Any) -> list[list[str]]:
        """Return the output tokens of a network for each source."""
        X, _, valid, _ = self.arrays([(source, "") for source in sources])
        ids = net.predict(X, valid, end=self.end, **search)
        written: list[list[str]] = self.target.to_tokens(ids)
        return written
