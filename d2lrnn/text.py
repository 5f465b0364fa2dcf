"""From lines of text to token ids: tokenizing and the vocabulary (the book's section 9.2)."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Sequence
from typing import Any

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
        reserved_tokens: tokens that get the ids from 1 on, whether they occur or not.

    The other tokens follow by falling frequency, equally frequent ones in order of appearance.

    Source: the book's section 9.2, Vocabulary.
    """

    def __init__(
        self,
        tokens: Iterable[Any] = (),
        min_freq: int = 0,
        reserved_tokens: Sequence[str] = (),
    ) -> None:
        """Count the tokens and number them."""
        checks.count(min_freq=min_freq)
        counter = collections.Counter(_flatten(tokens))
        self.token_freqs = sorted(counter.items(), key=lambda pair: pair[1], reverse=True)
        self.idx_to_token = [UNKNOWN]
        self.token_to_idx = {UNKNOWN: 0}
        kept = [token for token, freq in self.token_freqs if freq >= min_freq]
        for token in [*reserved_tokens, *kept]:
            if token not in self.token_to_idx:
                self.token_to_idx[token] = len(self.idx_to_token)
                self.idx_to_token.append(token)
        special = {UNKNOWN, *reserved_tokens}
        self.token = (
            "char" if all(len(t) == 1 for t in self.token_to_idx if t not in special) else "word"
        )

    @classmethod
    def from_list(cls, idx_to_token: Sequence[str], token: str) -> Vocab:
        """Return the vocabulary whose ids are the positions in idx_to_token (``<unk>`` first)."""
        checks.choice(token, "token", TOKEN_KINDS)
        if not idx_to_token or idx_to_token[0] != UNKNOWN:
            raise ValueError(
                f"idx_to_token starts with {list(idx_to_token[:1])}; expected {UNKNOWN}"
            )
        vocab = cls(reserved_tokens=idx_to_token[1:])
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
        if hasattr(indices, "__len__"):
            return [self.to_tokens(index) for index in indices]
        index = int(indices)
        if not 0 <= index < len(self):
            raise ValueError(f"token id {index} is outside 0..{len(self) - 1}; expected a known id")
        return self.idx_to_token[index]

    @property
    def unk(self) -> int:
        """The id of the unknown token."""
        return 0

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


def _flatten(tokens: Iterable[Any]) -> Iterable[str]:
    for token in tokens:
        if isinstance(token, (list, tuple)):
            yield from token
        else:
            yield token
