"""From lines of text to token ids: tokenizing and the vocabulary (the book's section 9.2)."""

from __future__ import annotations

import collections
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from d2lrnn import checks

UNKNOWN = "<unk>"
TOKEN_KINDS = ("word", "char")


def tokenize(lines: Sequence[str], token: str = "word") -> list[list[str]]:
    """Split each line into words or characters.

    Args:
        lines: any number of strings.
        token: "word" (separated by whitespace) or "char".

    Returns:
        One list of tokens per line.

    Raises:
        ValueError: token is neither "word" nor "char".

    Source: the book's section 9.2, Tokenization.
    """
    checks.choice(token, "token", TOKEN_KINDS)
    return [line.split() if token == "word" else list(line) for line in lines]


class Vocab:
    """A two-way table between tokens and ids; id 0 is the unknown token ``<unk>``.

    Args:
        tokens: tokens, or lists of tokens (one per line).
        min_freq: tokens seen fewer times than this are left out, and so become unknown.
        reserved_tokens: tokens that get the ids after the unknown token's, whether they occur or
            not.
        unk: what the unknown token is called.
        pad: a token that takes id 0 and moves the unknown token to 1, for padded sequences.

    The other tokens follow by falling frequency, equally frequent ones in order of appearance.

    Source: the book's section 9.2, Vocabulary.
    """

    def __init__(
        self,
        tokens: Iterable[Any] = (),
        min_freq: int = 0,
        reserved_tokens: Sequence[str] | None = None,
        *,
        unk: str = UNKNOWN,
        pad: str | None = None,
    ) -> None:
        """Count the tokens and number them."""
        checks.count(min_freq=min_freq)
        reserved_tokens = reserved_tokens or ()
        counter = collections.Counter(_flatten(tokens))
        self.token_freqs = sorted(counter.items(), key=lambda pair: pair[1], reverse=True)
        self.idx_to_token = [unk] if pad is None else [pad, unk]
        self.token_to_idx = {token: index for index, token in enumerate(self.idx_to_token)}
        self._unk = self.token_to_idx[unk]
        special = {*self.idx_to_token, *reserved_tokens}
        kept = [token for token, freq in self.token_freqs if freq >= min_freq]
        for token in [*reserved_tokens, *kept]:
            if token not in self.token_to_idx:
                self.token_to_idx[token] = len(self.idx_to_token)
                self.idx_to_token.append(token)
        self.token = (
            "char" if all(_is_char(t) for t in self.token_to_idx if t not in special) else "word"
        )

    @classmethod
    def from_list(cls, idx_to_token: Sequence[str], token: str, unk: str = UNKNOWN) -> Vocab:
        """Return the vocabulary whose ids are the positions in idx_to_token.

        The unknown token is the first, or the second after a padding token.
        """
        checks.choice(token, "token", TOKEN_KINDS)
        if unk not in idx_to_token[:2]:
            raise ValueError(
                f"idx_to_token starts with {list(idx_to_token[:2])}; expected {unk!r} among them"
            )
        first = list(idx_to_token).index(unk)
        pad = idx_to_token[0] if first == 1 else None
        vocab = cls(reserved_tokens=idx_to_token[first + 1 :], unk=unk, pad=pad)
        vocab.token = token
        return vocab

    def __len__(self) -> int:
        """Return the number of tokens, ``<unk>`` included."""
        return len(self.idx_to_token)

    def __getitem__(self, tokens: Any) -> Any:
        """Return the id of a token, or the list of ids of a list of tokens (at any depth)."""
        if isinstance(tokens, (list, tuple)):
            return [self[token] for token in tokens]
        return self.token_to_idx.get(tokens, self.unk)

    def to_tokens(self, indices: Any) -> Any:
        """Return the token of an id, or the list of tokens of a sequence of ids."""
        if getattr(indices, "ndim", None) == 0:  # a tensor that holds one number
            indices = int(indices)
        if hasattr(indices, "__len__"):
            return [self.to_tokens(index) for index in indices]
        index = int(indices)
        if not 0 <= index < len(self):
            raise ValueError(f"token id {index} is outside 0..{len(self) - 1}; expected a known id")
        return self.idx_to_token[index]

    @property
    def unk(self) -> int:
        """The id of the unknown token: 0, or 1 after a padding token."""
        return self._unk

    def split(self, text: str) -> list[str]:
        """Split text into this vocabulary's kind of token: words or characters."""
        return tokenize([text], self.token)[0]

    def join(self, tokens: Sequence[str]) -> str:
        """Join tokens into text again: words with a space between them, characters without."""
        return (" " if self.token == "word" else "").join(tokens)


def build_corpus(
    lines: Sequence[str], token: str = "char", max_tokens: int | None = None
) -> tuple[list[int], Vocab]:
    """Turn lines into one list of token ids and the vocabulary of all of them.

    Args:
        lines: any number of strings.
        token: "word" or "char".
        max_tokens: keep the first so many ids; None keeps all. The vocabulary is always that of
            the whole text.
    """
    if max_tokens is not None:
        checks.size(max_tokens=max_tokens)
    rows = tokenize(lines, token)
    vocab = Vocab(rows)
    vocab.token = token
    corpus = [vocab[entry] for row in rows for entry in row]
    return corpus[:max_tokens], vocab


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case: what is left between spaces and punctuation.

    Letters, digits and apostrophes make words, in any script.
    """
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower())


def texts_to_sequences(texts: Sequence[str], vocab: Vocab) -> list[list[int]]:
    """Return each text as the list of the ids of its words; words unknown to vocab become unk."""
    sequences: list[list[int]] = vocab[[words_of(text) for text in texts]]
    return sequences


def pad_sequences(
    sequences: Sequence[Sequence[int]],
    maxlen: int | None = None,
    *,
    padding: str = "pre",
    truncating: str = "pre",
    value: int = 0,
) -> np.ndarray[Any, Any]:
    """Return sequences of any lengths as one array (len(sequences), maxlen).

    Args:
        sequences: lists of ids.
        maxlen: the length that all get; None takes that of the longest.
        padding: "pre" or "post": where shorter ones are filled up.
        truncating: "pre" or "post": where longer ones are cut.
        value: what they are filled up with.
    """
    checks.choice(padding, "padding", ("pre", "post"))
    checks.choice(truncating, "truncating", ("pre", "post"))
    if maxlen is None:
        maxlen = max(map(len, sequences), default=0)
    checks.count(maxlen=maxlen)
    padded = np.full((len(sequences), maxlen), value)
    for row, sequence in zip(padded, sequences, strict=True):
        start = max(len(sequence) - maxlen, 0) if truncating == "pre" else 0
        kept = list(sequence)[start : start + maxlen]
        begin = maxlen - len(kept) if padding == "pre" else 0
        row[begin : begin + len(kept)] = kept
    return padded


def _is_char(token: object) -> bool:
    return isinstance(token, str) and len(token) == 1


def _flatten(tokens: Iterable[Any]) -> Iterable[str]:
    for token in tokens:
        if isinstance(token, (list, tuple)):
            yield from token
        else:
            yield token
