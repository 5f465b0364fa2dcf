"""A vocabulary of byte-pair tokens, so that any net can read and write them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from d2lrnn.data import numbering, strings
from d2lrnn.data.bpe import GPT2_PATTERN, BPETokenizer
from d2lrnn.data.vocab import BPE, Vocab

# Bytes that are not UTF-8, such as half a character, become lone surrogates, which can be converted
# back to the bytes.
_UTF8 = ("utf-8", "surrogateescape")


def bytes_of_text(text: str) -> bytes:
    """Return the bytes of a text or a token.

    Raises:
        ValueError: a character is half of a surrogate pair.
    """
    return text.encode(*_UTF8)


def text_of_bytes(data: bytes) -> str:
    """Return bytes as a token; see _UTF8."""
    return data.decode(*_UTF8)


class BPEVocab(Vocab):
    """The vocabulary of a BPETokenizer: its tokens as texts, and texts split into them.

    No text is unknown; id 0, the null byte, is the unknown token only in name. A token may be a
    part of a character, which becomes readable when its text is joined.

    Args:
        tokenizer: a BPETokenizer. Its special tokens are left out, and so are tokens with
            the bytes of an earlier one.

    Source: the section "From Text to Tokens" of the book's edition of 2026.

    Examples:
        >>> tokenizer = rnn.BPETokenizer(vocab_size=256 + 3)
        >>> tokenizer.train("hug pug pun bun hugs hug hug pug")
        >>> vocab = rnn.BPEVocab(tokenizer)
        >>> vocab.split("hugs")
        ['hug', 's']
        >>> vocab.join(["hug", "s"])
        'hugs'
    """

    def __init__(self, tokenizer: BPETokenizer) -> None:
        """Copy the tokens."""
        if not isinstance(tokenizer, BPETokenizer):
            raise ValueError(f"tokenizer is a {type(tokenizer).__name__}; expected a BPETokenizer")
        tokens = [tokenizer.vocab[index] for index in sorted(tokenizer.vocab)]
        self._take([*dict.fromkeys(tokens)], tokenizer.pattern)

    @classmethod
    def from_names(cls, names: Sequence[str], pattern: str | None) -> BPEVocab:
        """Return the vocabulary of the tokens of a model file."""
        vocab = cls.__new__(cls)
        vocab._take([bytes_of_text(name) for name in names], pattern)
        return vocab

    def _take(self, tokens: Sequence[bytes], pattern: str | None) -> None:
        self.tokenizer = BPETokenizer.from_tokens(tokens, pattern)
        self.idx_to_token = [text_of_bytes(token) for token in tokens]
        self.token_to_idx = {token: index for index, token in enumerate(self.idx_to_token)}
        self.token_freqs = []
        self.token, self._unk = BPE, 0

    def split(self, text: str) -> list[str]:
        """Split text into tokens.

        Raises:
            ValueError: text is not a string.
        """
        return [self.idx_to_token[index] for index in self.tokenizer.encode(text)]

    def join(self, tokens: Sequence[str]) -> str:
        """Join tokens into text; bytes that are not a character become U+FFFD.

        Raises:
            ValueError: tokens is not a list of strings.
        """
        return bytes_of_text("".join(strings.strings(tokens, "tokens"))).decode("utf-8", "replace")

    def bytes_of(self, ids: Iterable[int]) -> bytes:
        """Return the bytes of ids."""
        return b"".join(self.tokenizer.vocab[int(index)] for index in ids)

    def lengths(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return how many characters start in each token, and how many bytes it has."""
        tokens = [self.tokenizer.vocab[index] for index in range(len(self))]
        starts = [sum(byte & 0xC0 != 0x80 for byte in token) for token in tokens]
        return np.array(starts), np.array([*map(len, tokens)])

    def table(self) -> dict[str, Any]:
        """Return what a file stores: the tokens, and the pattern that a text is split by."""
        return {**super().table(), "pattern": self.tokenizer.pattern}


def learn(
    text: str, vocab_size: int, max_tokens: int | None = None, held_out: float = 0.0
) -> tuple[numbering.Ids, BPEVocab]:
    """Return the first ids of a text and a vocabulary that is learned from it.

    Args:
        text: the whole text.
        vocab_size: the number of tokens; there are fewer if the text is too short for that many.
        max_tokens: the number of ids to return; None for all.
        held_out: the share of these ids, at their end, that is held out. If it is above 0, the
            vocabulary is learned from the text of the ids before.
    """
    stop = len(text) - numbering.num_held_out(len(text), held_out)
    while True:
        tokenizer = BPETokenizer(vocab_size, GPT2_PATTERN)
        tokenizer.train(text[:stop])
        vocab = BPEVocab(tokenizer)
        ids = encode(text, vocab)[:max_tokens]
        end = len(ids) - numbering.num_held_out(len(ids), held_out)
        length = len(vocab.bytes_of(ids[:end]).decode("utf-8", "ignore"))
        if not held_out or stop <= length:
            return ids, vocab
        stop = length  # the ids that are held out begin before the place where learning stopped


def encode(text: str, vocab: BPEVocab) -> numbering.Ids:
    """Return the ids of a text."""
    return np.array(vocab.tokenizer.encode(text), np.int32)
