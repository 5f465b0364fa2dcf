"""Sampling: which tokens may be drawn, the noise of the draws, and what ends a text.

All of it is computed in NumPy, so that every backend draws the same tokens for one seed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.data.bpe_vocab import BPEVocab, bytes_of_text, text_of_bytes
from d2lrnn.data.vocab import Vocab

Array = np.ndarray[Any, Any]
DRAW = ("temperature", "top_k", "top_p", "min_p")
SLACK = 1e-6  # relative; probabilities are computed of scores that float32 rounds


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn: the arguments of predict_ch8 of the same names.

    Attributes:
        temperature: 0 or above; None is 1 if tokens are left out, and otherwise 0.
        top_k: 1 or above, or None for all tokens.
        top_p: above 0 and at most 1, or None for all tokens.
        min_p: from 0 to 1, or None for all tokens.
    """

    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None

    def __post_init__(self) -> None:
        """Check the values, and choose the temperature.

        Raises:
            ValueError: a value is out of its range.
        """
        if self.top_k is not None:
            checks.size(top_k=self.top_k)
        if self.top_p is not None:
            checks.part(top_p=self.top_p)
        if self.min_p is not None:
            checks.up_to_one(min_p=self.min_p)
        leaves_out = any(value is not None for value in (self.top_k, self.top_p, self.min_p))
        temperature = float(leaves_out) if self.temperature is None else self.temperature
        checks.not_negative(temperature=temperature)
        object.__setattr__(self, "temperature", float(temperature))  # the class is frozen

    @property
    def truncates(self) -> bool:
        """Whether tokens are left out. At temperature 0, the most probable one is taken anyway."""
        is_less = self.top_k is not None or (self.top_p or 1) < 1 or bool(self.min_p)
        return is_less and bool(self.temperature)

    def truncate(self, scores: Array) -> Array:
        """Return scores (n, vocab_size) with -inf for the tokens that are left out."""
        assert self.temperature is not None
        with np.errstate(all="ignore"):  # scores of a net that has diverged
            scaled = (scores - scores.max(axis=1, keepdims=True)) / self.temperature
            order = np.argsort(-scaled, axis=1, kind="stable")  # of equal scores, lower ids first
            ordered = np.take_along_axis(scaled.astype(np.float64), order, axis=1)
            keep = np.zeros(scores.shape, bool)
            np.put_along_axis(keep, order, self._may_be_drawn(ordered), axis=1)
        return np.where(keep, scores, -np.inf)

    def _may_be_drawn(self, ordered: Array) -> Array:
        """Return which tokens are not left out, given scores / temperature in descending order.

        The highest is 0, so that exp(ordered) is each probability divided by the highest one.
        """
        keep = np.ones(ordered.shape, bool)
        if self.top_k is not None:
            keep[:, self.top_k :] = False
        ratios = np.where(keep, np.exp(ordered), 0)
        if self.top_p is not None and self.top_p < 1:
            before = np.cumsum(ratios, axis=1) - ratios  # of the tokens that are more probable
            keep &= before < self.top_p * (1 - SLACK) * ratios.sum(axis=1, keepdims=True)
        if self.min_p:
            keep &= ordered >= math.log(self.min_p) - SLACK
        return keep


class Draws:
    """The draws of tokens for several rows, each from a separate random generator.

    The token with the highest sum of its score and its noise is a draw from
    softmax(scores / temperature), if the noise is temperature times a draw from the Gumbel
    distribution (Gumbel, 1954). At temperature 0, the noise is 0.

    Attributes:
        truncate: Sampling.truncate, or None if no token is left out.
    """

    def __init__(self, sampling: Sampling, seeds: Sequence[int | None], vocab_size: int) -> None:
        """Make a random generator for each row."""
        self.temperature, self.vocab_size = sampling.temperature or 0.0, vocab_size
        self.truncate = sampling.truncate if sampling.truncates else None
        self.rngs = [np.random.default_rng(seed) for seed in seeds]

    def noise(self, count: int) -> Array:
        """Return the next draws of all rows, (count, rows, vocab_size)."""
        shape = count, self.vocab_size
        if not self.temperature:
            return np.zeros((count, len(self.rngs), self.vocab_size))
        drawn: Array = np.stack([rng.gumbel(size=shape) for rng in self.rngs], axis=1)
        return self.temperature * drawn


@dataclass(frozen=True)
class Stop:
    """The ids of the tokens after which a generated text ends."""

    ids: tuple[int, ...] = ()

    @classmethod
    def at(cls, tokens: Any, vocab: Vocab) -> Stop:
        """Return the Stop of a token, of a list of tokens, or of None.

        Raises:
            ValueError: one of them is not a token of the vocabulary.
        """
        for token in _listed(tokens):
            if not isinstance(token, str) or token not in vocab:
                raise ValueError(
                    f"stop is {token!r}, which is not a token of the vocabulary; expected one of "
                    f"its {len(vocab)} tokens, such as {vocab.idx_to_token[-1]!r}, or a list of "
                    "them"
                )
        return cls(tuple(vocab[token] for token in _listed(tokens)))

    def has_ended(self, generated: Array) -> bool:
        """Return whether generated ids (k,) contain a stop token."""
        return bool(np.isin(generated, self.ids).any())

    def cut(self, generated: Array) -> Array:
        """Return generated ids (k,) up to and including the first stop token."""
        places = np.flatnonzero(np.isin(generated, self.ids))
        return generated[: places[0] + 1] if len(places) else generated

    def tokens(self, generated: Sequence[int], vocab: Vocab) -> list[str]:
        """Return the tokens of generated ids that cut has returned."""
        tokens: list[str] = vocab.to_tokens(generated)
        return tokens


@dataclass(frozen=True)
class StopText:
    """The texts, as bytes, after which a generated text of byte-pair tokens ends."""

    vocab: BPEVocab
    texts: tuple[bytes, ...]

    @classmethod
    def at(cls, texts: Any, vocab: BPEVocab) -> StopText:
        """Return the StopText of a text, of a list of texts, or of None.

        Raises:
            ValueError: one of them is not a text, or is empty.
        """
        for text in _listed(texts):
            if not isinstance(text, str) or not text:
                raise ValueError(
                    f"stop is {text!r}; expected a text of one or more characters, because the "
                    "vocabulary is of byte-pair tokens, or a list of such texts"
                )
        return cls(vocab, tuple(bytes_of_text(text) for text in _listed(texts)))

    def has_ended(self, generated: Array) -> bool:
        """Return whether the text of generated ids (k,) contains a stop text."""
        return self._end(self.vocab.bytes_of(generated)) is not None

    def cut(self, generated: Array) -> Array:
        """Return generated ids (k,) up to and including the first that completes a stop text."""
        end = self._end(self.vocab.bytes_of(generated))
        if end is None:
            return generated
        ends = np.cumsum([len(self.vocab.bytes_of([index])) for index in generated])
        return generated[: np.searchsorted(ends, end) + 1]

    def tokens(self, generated: Sequence[int], vocab: Vocab) -> list[str]:
        """Return the tokens of generated ids, the last without what follows the stop text."""
        data = self.vocab.bytes_of(generated)
        end = self._end(data)
        tokens: list[str] = vocab.to_tokens(generated)
        if end is not None and end < len(data):
            last = self.vocab.bytes_of(generated[-1:])
            tokens[-1] = text_of_bytes(last[: end - len(data)])
        return tokens

    def _end(self, data: bytes) -> int | None:
        """Return the number of bytes up to the end of the stop text that is complete first."""
        places = [(data.find(text), len(text)) for text in self.texts]
        return min((place + size for place, size in places if place >= 0), default=None)


def stop_at(stop: Any, vocab: Vocab) -> Stop | StopText:
    """Return where generated text ends: after tokens, or after texts if tokens are byte pairs."""
    return StopText.at(stop, vocab) if isinstance(vocab, BPEVocab) else Stop.at(stop, vocab)


def _listed(stop: Any) -> tuple[Any, ...]:
    """Return a stop token or text, a list of them, or None as a tuple."""
    if stop is None:
        return ()
    return tuple(stop) if isinstance(stop, (list, tuple)) else (stop,)


def check_options(options: Any, prefix: str | None, vocab: Vocab, net: Any) -> dict[str, Any]:
    """Check the options of the samples of training, and return them.

    Raises:
        ValueError: they are not a dictionary of arguments of predict_ch8, one of them is out of its
            range, there is no prefix, or the net is bidirectional.
    """
    if options is None:
        return {}
    if not isinstance(options, Mapping) or not set(options) <= {*DRAW, "seed", "stop"}:
        shown = [*options] if isinstance(options, Mapping) else type(options).__name__
        raise ValueError(
            f"sampling is {shown}; expected a dictionary of some of {', '.join(DRAW)}, seed and "
            "stop, such as {'top_p': 0.9}"
        )
    if net.bidirectional:
        raise ValueError(
            "sampling is given, but a bidirectional net cannot generate samples; "
            "leave out sampling, or use a net of one direction"
        )
    if prefix is None:
        raise ValueError(
            "sampling is given without a prefix, the text that samples continue; give both, or "
            "leave out sampling"
        )
    Sampling(**{name: options[name] for name in DRAW if name in options})
    stop_at(options.get("stop"), vocab)
    checks.seed(options.get("seed"))
    return dict(options)
