"""Byte-pair encoding: tokens learned from a text, from single bytes to whole words.

The most frequent pair of neighbouring tokens becomes a new token, again and again (Sennrich, Haddow
and Birch, 2016, arXiv 1508.07909; on bytes: Radford et al., 2019). ``merging`` has the two loops.
"""

from __future__ import annotations

import itertools
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from d2lrnn import checks
from d2lrnn.data import merging, strings

BYTES = 256  # the tokens that exist before any merge
SPECIALS = ("<pad>", "<bos>", "<eos>")

# How GPT-2 splits a text before it merges: contractions, then words, numbers and punctuation, each
# with the space before it, then the rest of the white space.
CONTRACTIONS = ("s", "t", "re", "ve", "m", "ll", "d")
GPT2_PATTERN = "|".join(
    [
        *(f"'{ending}" for ending in CONTRACTIONS),
        r" ?\p{L}+",
        r" ?\p{N}+",
        r" ?[^\s\p{L}\p{N}]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)


class BPETokenizer:
    """A tokenizer of bytes and merged pairs of tokens, learned from a text.

    Ids 0 to 255 are the bytes; each merge gets the next id, so that a smaller id means an earlier
    merge. Special tokens follow, and are never the result of encoding ordinary text.

    Args:
        vocab_size: the number of bytes and merges, at least 256. Special tokens are added.
        pattern: a regular expression of the package regex. A text is split into its matches, and
            no token crosses their borders; None makes the text one piece. GPT2_PATTERN is GPT-2's.
            Every character of a text must be in a match.
        specials: the special tokens, such as "<eos>".

    Attributes:
        merges: for each pair of ids, the id of the token that they merge into.
        vocab: the bytes of each id.
        specials: the id of each special token.

    Raises:
        ValueError: vocab_size is less than 256; specials is not a list of different strings; or the
            pattern is not a regular expression.

    Source: the section "From Text to Tokens" of the book's edition of 2026.

    Examples:
        >>> tokenizer = rnn.BPETokenizer(vocab_size=256 + 3)
        >>> tokenizer.train("hug pug pun bun hugs hug hug pug")
        >>> [tokenizer.vocab[index] for index in tokenizer.encode("hugs")]
        [b'hug', b's']
        >>> tokenizer.decode(tokenizer.encode("hugs"))
        'hugs'
    """

    GPT2_PATTERN = GPT2_PATTERN

    def __init__(
        self,
        vocab_size: int = 1024,
        pattern: str | None = None,
        specials: Iterable[str] = SPECIALS,
    ) -> None:
        """Start from the bytes."""
        checks.integer(vocab_size=vocab_size)
        if vocab_size < BYTES:
            raise ValueError(
                f"vocab_size is {vocab_size}; expected at least {BYTES}, the number of bytes"
            )
        names = [*strings.strings(specials, "specials")]
        if len({*names}) < len(names) or "" in names:
            raise ValueError(f"specials is {names}; expected different strings, none of them empty")
        self.vocab_size = vocab_size
        self.pattern = pattern
        self.merges: dict[tuple[int, int], int] = {}
        self.vocab = {byte: bytes([byte]) for byte in range(BYTES)}
        self.byte_ids = [*range(BYTES)]
        self.specials = {name: vocab_size + i for i, name in enumerate(names)}
        self._whole: dict[bytes, int] = {}  # pieces that are a token, whatever the merges say
        self._find_pieces = _finder(pattern)

    def __len__(self) -> int:
        """Return the number of ids, special tokens included."""
        return self.vocab_size + len(self.specials)

    def __repr__(self) -> str:
        """Return the sizes."""
        return (
            f"<BPETokenizer of {BYTES} bytes, {len(self.merges)} merges and "
            f"{len(self.specials)} special tokens>"
        )

    @property
    def pad(self) -> int:
        """The id of <pad>."""
        return self._special("<pad>")

    @property
    def bos(self) -> int:
        """The id of <bos>, the beginning of a sequence."""
        return self._special("<bos>")

    @property
    def eos(self) -> int:
        """The id of <eos>, the end of a sequence."""
        return self._special("<eos>")

    def _special(self, name: str) -> int:
        if name not in self.specials:
            raise ValueError(
                f"the tokenizer has no special token {name}; its special tokens are "
                f"{[*self.specials]}; name it in specials"
            )
        return self.specials[name]

    def train(self, text: str) -> None:
        """Learn merges from a text, the most frequent pair first, until vocab_size is reached.

        Of pairs that are equally frequent, the one that occurs first is merged. If no pair is left,
        the later ids stay unused.

        Raises:
            ValueError: text is not a string.
        """
        self._forget()
        counts: dict[str, int] = {}
        for piece in self._find_pieces(strings.text(text, "text")):
            counts[piece] = counts.get(piece, 0) + 1
        pieces = [(_encoded(piece), count) for piece, count in counts.items()]
        for pair, index in merging.learn(pieces, range(BYTES, self.vocab_size)):
            self.merges[pair] = index
            self.vocab[index] = self.vocab[pair[0]] + self.vocab[pair[1]]

    def _forget(self) -> None:
        self.merges.clear()
        self.vocab = {byte: bytes([byte]) for byte in range(BYTES)}
        self.byte_ids = [*range(BYTES)]
        self._whole = {}

    def encode(self, text: str, allow_special: bool = False) -> list[int]:
        """Return the ids of a text.

        Args:
            text: any string; each byte has an id, so no text is unknown.
            allow_special: whether "<eos>" within the text is the special token. Otherwise it is
                five ordinary characters, so that a text cannot end a sequence.

        Raises:
            ValueError: text is not a string.
        """
        ids: list[int] = []
        for part in self._parts(strings.text(text, "text"), allow_special):
            if allow_special and part in self.specials:
                ids.append(self.specials[part])
            else:
                ids += self._encode_ordinary(part)
        return ids

    def _parts(self, text: str, allow_special: bool) -> list[str]:
        """Return a text cut at its special tokens, which are separate parts."""
        if not (allow_special and self.specials):
            return [text]
        longest_first = sorted(self.specials, key=len, reverse=True)
        return re.split("(" + "|".join(map(re.escape, longest_first)) + ")", text)

    def _encode_ordinary(self, text: str) -> list[int]:
        pieces = self._find_pieces(text)
        encoded = {piece: self._encode_piece(_encoded(piece)) for piece in {*pieces}}
        return [*itertools.chain.from_iterable(encoded[piece] for piece in pieces)]

    def _encode_piece(self, piece: bytes) -> list[int]:
        if piece in self._whole:
            return [self._whole[piece]]
        return merging.merge([self.byte_ids[byte] for byte in piece], self.merges)

    def decode(self, ids: Iterable[Any]) -> str:
        """Return the text of ids; bytes that are not valid UTF-8 become the character U+FFFD.

        Raises:
            ValueError: ids is not a sequence of integers, or one is not an id of this tokenizer.
        """
        names = {index: name.encode() for name, index in self.specials.items()}
        tokens = {**self.vocab, **names}
        try:
            return b"".join(tokens[_integer(index)] for index in ids).decode("utf-8", "replace")
        except KeyError as error:
            raise ValueError(
                f"token id {error} has no bytes; expected an id from 0 to {len(self) - 1} that "
                "was learned in training or is a special token"
            ) from None
        except TypeError:
            raise ValueError(
                f"ids is {_brief(ids)}; expected a sequence of integers, the ids of tokens"
            ) from None

    @classmethod
    def from_tokens(
        cls, tokens: Sequence[bytes], pattern: str | None, specials: Mapping[str, int] | None = None
    ) -> BPETokenizer:
        """Return the tokenizer of a list of tokens, in which the id of a token is its position.

        Two neighbours are merged if their bytes together are a token, and a piece that is a token
        is never divided, as in the package tiktoken.

        Args:
            tokens: different tokens, none of them empty; every single byte is one of them.
            pattern: as for BPETokenizer.
            specials: the id of each special token.

        Raises:
            ValueError: a token is empty or occurs twice, or a byte is not one of them.
        """
        ranks = {token: index for index, token in enumerate(tokens)}
        missing = [byte for byte in range(BYTES) if bytes([byte]) not in ranks]
        if missing:
            raise ValueError(f"tokens lacks the byte {missing[0]}; expected all {BYTES} bytes")
        if len(ranks) < len(tokens) or b"" in ranks:
            raise ValueError(
                "tokens has a token twice or an empty token; expected different tokens"
            )
        tokenizer = cls(len(ranks), pattern, ())
        tokenizer.specials = dict(specials or {})
        tokenizer.vocab = dict(enumerate(tokens))
        tokenizer.byte_ids = [ranks[bytes([byte])] for byte in range(BYTES)]
        tokenizer.merges = _all_merges(ranks)
        tokenizer._whole = ranks
        return tokenizer

    @classmethod
    def from_tiktoken(cls, name: str) -> BPETokenizer:
        """Return a published tokenizer, such as "gpt2", with tiktoken's ids.

        Args:
            name: an encoding of the package tiktoken, which downloads it on first use; the
                environment variable TIKTOKEN_CACHE_DIR names a folder to look in first.

        Raises:
            ImportError: tiktoken is not installed.
            ValueError: tiktoken does not know the name.
        """
        with checks.needed("published tokenizers need", "tiktoken"):
            import tiktoken  # imported here: only this function needs it

        encoding = tiktoken.get_encoding(name)
        ranks = encoding._mergeable_ranks
        tokens = sorted(ranks, key=ranks.__getitem__)
        return cls.from_tokens(tokens, encoding._pat_str, encoding._special_tokens)


def _all_merges(ranks: dict[bytes, int]) -> dict[tuple[int, int], int]:
    """Return every pair of tokens whose bytes together are a token."""
    return {
        (ranks[token[:cut]], ranks[token[cut:]]): rank
        for token, rank in ranks.items()
        for cut in range(1, len(token))
        if token[:cut] in ranks and token[cut:] in ranks
    }


def _finder(pattern: str | None) -> Callable[[str], Sequence[str]]:
    """Return the function that splits a text into the pieces that merges do not cross."""
    if pattern is None:
        return lambda text: [text]
    import regex  # imported here: only a pattern needs it

    try:
        expression = regex.compile(pattern)
    except (regex.error, TypeError) as error:
        raise ValueError(
            f"pattern is {pattern!r}: {error}; expected a regular expression"
        ) from None

    def find(text: str) -> list[str]:
        pieces = [match.group() for match in expression.finditer(text)]
        if sum(map(len, pieces)) != len(text):
            raise ValueError(
                f"the matches of the pattern {pattern!r} leave out a part of the text; expected a "
                r"pattern that matches all of it; add an alternative such as |\s+|\S"
            )
        return pieces

    return find


def _integer(index: Any) -> int:
    """Return an id, which may be a tensor of one number, as an integer."""
    return operator.index(index.item() if hasattr(index, "item") else index)


def _brief(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) < 60 else f"a {type(value).__name__}"


def _encoded(piece: str) -> bytes:
    return piece.encode("utf-8", errors="surrogatepass")
