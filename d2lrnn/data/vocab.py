"""Split lines into tokens, and map tokens to ids with a vocabulary (the book's section 9.2)."""

from __future__ import annotations

import collections
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.data import strings

UNKNOWN = "<unk>"
TOKEN_KINDS = ("word", "char", "wordpunct")
BPE = "bpe"  # byte-pair tokens, which are learned from a text: BPEVocab
MARKS = ",.!?"  # the punctuation marks that are tokens of their own in texts of "wordpunct"

_NO_IDS = (str, bytes, bytearray, collections.abc.Mapping, collections.abc.Set)


def tokenize(lines: Iterable[str], token: str = "word") -> list[list[str]]:
    """Split each line into words or characters.

    Args:
        lines: a list of strings, or any other iterable of strings in a fixed order.
        token: "word" (separated by whitespace), "char", or "wordpunct": words, and each of the
            punctuation marks , . ! ? as a separate token, as in the book's section 10.5.

    Returns:
        One list of tokens per line.

    Raises:
        ValueError: token is not one of the three; lines is one text, a table, a dictionary or
            a set; or a line is not a string, such as NaN.

    Source: the book's section 9.2, Tokenization.

    Examples:
        >>> rnn.tokenize(["the time", "machine"])
        [['the', 'time'], ['machine']]
        >>> rnn.tokenize(["the"], "char")
        [['t', 'h', 'e']]
        >>> rnn.tokenize(["Stop, thief!"], "wordpunct")
        [['Stop', ',', 'thief', '!']]
    """
    checks.choice(token, "token", TOKEN_KINDS)
    checked = strings.strings(lines, "lines")
    return [*map(splitter(token), checked)]


def splitter(token: str) -> Callable[[str], list[str]]:
    """Return the function that splits a text into tokens of that kind."""
    kinds: dict[str, Callable[[str], list[str]]] = {
        "word": str.split,
        "char": list,
        "wordpunct": re.compile(f"[{MARKS}]|[^\\s{MARKS}]+").findall,
    }
    return kinds[token]


class Vocab:
    """A mapping between tokens and ids in both directions; id 0 is the unknown token ``<unk>``.

    Args:
        tokens: strings, or lists of strings (one per line); one string, whose characters are the
            tokens; or a collections.Counter of strings.
        min_freq: tokens that occur less often than this are left out, and so become unknown.
        reserved_tokens: tokens that get the ids after the unknown token's, whether they occur or
            not.
        unk: the unknown token.
        pad: a token that takes id 0 and moves the unknown token to 1, for padded sequences.

    The other tokens follow by decreasing frequency, equally frequent ones in order of appearance.

    Raises:
        ValueError: tokens is a table, a dictionary, a set or not iterable; reserved_tokens is one
            text; or a token is not a string, such as NaN.

    Source: the book's section 9.2, Vocabulary.

    Examples:
        >>> vocab = rnn.Vocab("banana")
        >>> vocab
        <Vocab of 4 tokens, kind 'char'>
        >>> vocab[["b", "a", "x"]]
        [3, 1, 0]
        >>> vocab.to_tokens([1, 2, 3])
        ['a', 'n', 'b']
    """

    check_token = staticmethod(strings.text)

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
        counted = tokens if isinstance(tokens, collections.Counter) else None
        all_tokens = strings.tokens(tokens if counted is None else [*tokens], self.check_token)
        counter = collections.Counter(all_tokens)
        self._number(counter if counted is None else counted, min_freq, reserved_tokens, unk, pad)

    def _number(
        self,
        counter: Mapping[str, int],
        min_freq: int = 0,
        reserved_tokens: Sequence[str] | None = None,
        unk: str = UNKNOWN,
        pad: str | None = None,
    ) -> None:
        """Number tokens that have been counted, in order of appearance."""
        names = () if reserved_tokens is None else reserved_tokens
        reserved = [*strings.strings(names, "reserved_tokens", self.check_token)]
        self.token_freqs = sorted(counter.items(), key=lambda pair: pair[1], reverse=True)
        self.idx_to_token = [unk] if pad is None else [pad, unk]
        self.token_to_idx = {token: index for index, token in enumerate(self.idx_to_token)}
        self._unk = self.token_to_idx[unk]
        special = {*self.idx_to_token, *reserved}
        frequent = [token for token, freq in self.token_freqs if freq >= min_freq]
        for token in [*reserved, *frequent]:
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

    def __iter__(self) -> Iterator[str]:
        """Yield the tokens in the order of their ids."""
        return iter(self.idx_to_token)

    def __reversed__(self) -> Iterator[str]:
        """Yield the tokens in reverse order of their ids."""
        return reversed(self.idx_to_token)

    def __contains__(self, token: object) -> bool:
        """Return whether a token is in the vocabulary, and so not unknown."""
        try:
            return token in self.token_to_idx
        except TypeError:  # such as a list, which is not hashable
            return False

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        """Return the tokens as a NumPy array, in the order of their ids."""
        return np.array(self.idx_to_token, dtype)

    def __repr__(self) -> str:
        """Return the number of tokens and their kind."""
        return f"<Vocab of {len(self)} tokens, kind {self.token!r}>"

    def __getitem__(self, tokens: Any) -> Any:
        """Return the id of a token, or the list of ids of a list of tokens (at any depth).

        Anything that is not a token, such as a number, is unknown. A tuple may itself be a token.

        Raises:
            ValueError: tokens is a container other than a list, a tuple or an array.
        """
        if isinstance(tokens, Iterator):  # not a single unknown token
            tokens = list(tokens)
        if isinstance(tokens, np.ndarray):
            tokens = tokens.tolist()
        if isinstance(tokens, (list, tuple)) and not (isinstance(tokens, tuple) and tokens in self):
            return [self[token] for token in tokens]
        try:
            return self.token_to_idx.get(tokens, self.unk)
        except TypeError:
            raise ValueError(
                f"tokens is a {type(tokens).__name__}; expected a token, or a list of tokens"
            ) from None

    def to_tokens(self, indices: Any) -> Any:
        """Return the token of an id, or the list of tokens of a sequence of ids.

        Raises:
            ValueError: an id is outside the vocabulary, or is not an integer.
        """
        if getattr(indices, "ndim", None) == 0:  # a tensor that holds one number
            indices = int(indices)
        if hasattr(indices, "__len__") and not isinstance(indices, _NO_IDS):
            return [self.to_tokens(index) for index in indices]
        try:
            index = operator.index(indices)
        except TypeError:
            raise ValueError(
                f"an id is {indices!r}; expected an integer from 0 to {len(self) - 1}; "
                "vocab[tokens] gives the ids of tokens"
            ) from None
        if not 0 <= index < len(self):
            raise ValueError(f"token id {index} is outside 0..{len(self) - 1}; expected a known id")
        return self.idx_to_token[index]

    @property
    def unk(self) -> int:
        """The id of the unknown token: 0, or 1 after a padding token."""
        return self._unk

    def split(self, text: str) -> list[str]:
        """Split text into the kind of tokens of this vocabulary, such as words or characters.

        Raises:
            ValueError: text is not a string.
        """
        return tokenize([strings.text(text, "text")], self.token)[0]

    def join(self, tokens: Sequence[str]) -> str:
        """Join tokens into text: words with a space between them, characters without.

        In a vocabulary of "wordpunct", there is no space before a punctuation mark.

        Raises:
            ValueError: tokens is not a list of strings.
        """
        text = ("" if self.token == "char" else " ").join(strings.strings(tokens, "tokens"))
        return re.sub(f" ([{MARKS}])", r"\1", text) if self.token == "wordpunct" else text

    def lengths(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return the number of characters, and of bytes in UTF-8, of each token in a text.

        A word counts with the space after it, and the unknown token as one character.
        """
        after = {"char": "", "word": " ", "wordpunct": " "}[self.token]
        marks = MARKS if self.token == "wordpunct" else ""
        texts = [str(token) + ("" if token in [*marks] else after) for token in self.idx_to_token]
        texts[self.unk] = "x" + after
        num_bytes = [len(text.encode("utf-8", "surrogatepass")) for text in texts]
        return np.array([*map(len, texts)]), np.array(num_bytes)

    def table(self) -> dict[str, Any]:
        """Return what a file stores, from which ``from_table`` makes the vocabulary again."""
        return {
            "token": self.token,
            "tokens": self.idx_to_token,
            "unk": self.idx_to_token[self.unk],
        }


def _is_char(token: object) -> bool:
    return isinstance(token, str) and len(token) == 1
