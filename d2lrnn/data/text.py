"""Convert texts to token ids, and sequences of ids to one array (the book's section 9.2)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.data import bpe_vocab, numbering, strings
from d2lrnn.data.bpe_vocab import BPEVocab
from d2lrnn.data.numbering import Ids
from d2lrnn.data.vocab import BPE, TOKEN_KINDS, UNKNOWN, Vocab, splitter, tokenize

__all__ = [
    "TOKEN_KINDS",
    "UNKNOWN",
    "Vocab",
    "build_corpus",
    "encode",
    "pad_sequences",
    "texts_to_sequences",
    "tokenize",
    "words_of",
]


VOCAB_SIZE = 1024  # byte-pair tokens that are learned, the book's number


def build_corpus(
    lines: Iterable[str], token: str = "char", max_tokens: int | None = None
) -> tuple[list[int], Vocab]:
    """Turn lines into one list of token ids and the vocabulary of all of them.

    Args:
        lines: any number of strings; a word ends at the end of its line.
        token: "word", "char" or "wordpunct"; see tokenize.
        max_tokens: return the first max_tokens ids; None for all of them. The vocabulary is always
            that of the whole text.
    """
    checks.choice(token, "token", TOKEN_KINDS)
    ids, vocab = encode(lines, token, max_tokens)
    return ids.tolist(), vocab


def encode(
    lines: Iterable[str],
    token: str = "char",
    max_tokens: int | None = None,
    *,
    unk: str | None = UNKNOWN,
    vocab: Vocab | None = None,
    vocab_size: int | None = None,
    held_out: float = 0.0,
) -> tuple[Ids, Vocab]:
    """Do what build_corpus does, but return the ids as an array of int32.

    The text is read once. It takes 4 bytes of memory for each token returned, and the memory of the
    vocabulary, which counts the tokens of the whole text because ids depend on their frequency.

    Args:
        lines: as for build_corpus.
        token: as for build_corpus, or "bpe" for byte-pair tokens.
        max_tokens: as for build_corpus.
        unk: the unknown token, or None for the most frequent token of the text.
        vocab: a Vocab to use instead of that of the text.
        vocab_size: the number of tokens to learn, if token is "bpe"; None for 1,024.
        held_out: the share of the ids, from 0 to below 1, that is held out from their end. If it is
            above 0, the vocabulary is that of the ids before.
    """
    checks.choice(token, "token", (*TOKEN_KINDS, BPE))
    if max_tokens is not None:
        checks.size(max_tokens=max_tokens)
    if vocab_size is not None and (token != BPE or vocab is not None):
        why = f"token is {token!r}" if vocab is None else "the tokens are those of vocab"
        raise ValueError(
            f"vocab_size is {vocab_size}, but {why}; leave out vocab_size, or learn byte-pair "
            "tokens with token='bpe' and without vocab"
        )
    checked = strings.strings(lines, "lines")
    if isinstance(vocab, BPEVocab):
        return bpe_vocab.encode("".join(checked), vocab)[:max_tokens], vocab
    if token == BPE:
        size = VOCAB_SIZE if vocab_size is None else vocab_size
        return bpe_vocab.learn("".join(checked), size, max_tokens, held_out)
    if token == "char":
        blocks, counter = numbering.characters(checked, max_tokens)
    else:
        blocks, counter = numbering.words(checked, max_tokens, splitter(token))
    length = min(sum(map(len, blocks)), max_tokens or sys.maxsize)
    tokens = list(counter)
    if held_out:
        counter = _counted(blocks, tokens, length - numbering.num_held_out(length, held_out))
    vocab = _vocab(counter, token, unk) if vocab is None else vocab
    index_of, unknown = vocab.token_to_idx, vocab.unk
    final = np.fromiter((index_of.get(t, unknown) for t in tokens), np.int32, len(tokens))
    ids, end = np.empty(sum(map(len, blocks)), np.int32), 0
    for block in blocks:
        start, end = end, end + len(block)
        ids[start:end] = final[block]
    return ids[:max_tokens], vocab


def _vocab(counter: dict[str, int], token: str, unk: str | None) -> Vocab:
    """Return the vocabulary of tokens that have been counted; unk None is the most frequent."""
    if unk is None:
        if not counter:
            what = "character" if token == "char" else "word"
            raise ValueError(f"the text does not contain a {what}; expected at least one")
        unk = max(counter, key=counter.__getitem__)
    vocab = Vocab()
    vocab._number(counter, unk=unk)
    vocab.token = token
    return vocab


def _counted(blocks: Sequence[Ids], tokens: Sequence[str], length: int) -> dict[str, int]:
    """Return how often each token occurs among the first ids, in order of first appearance."""
    counts, start = np.zeros(len(tokens), np.int64), 0
    for block in blocks:
        counts += np.bincount(block[: max(0, length - start)], minlength=len(tokens))
        start += len(block)
    return {t: count for t, count in zip(tokens, counts.tolist(), strict=True) if count}


def kind_of(vocab: Vocab | None, token: str) -> str:
    """Return the kind of tokens: that of vocab, if there is one.

    Raises:
        ValueError: vocab is not a Vocab, or token is another kind and not the default.
    """
    if vocab is None:
        return token
    if not isinstance(vocab, Vocab):
        raise ValueError(f"vocab is a {type(vocab).__name__}; expected a Vocab")
    if token not in ("char", vocab.token):
        raise ValueError(
            f"token is {token!r}, but the tokens of vocab are of the kind {vocab.token!r}; "
            "leave out token, or use another vocab"
        )
    return vocab.token


def words_of(text: str) -> list[str]:
    """Split a text into words in lower case.

    Letters, digits and apostrophes make words, in any script; spaces and punctuation separate them.

    Args:
        text: a string.

    Returns:
        A list of strings.

    Raises:
        ValueError: text is not a string.

    Examples:
        >>> rnn.words_of("Don't panic: it's only 42!")
        ["don't", 'panic', "it's", 'only', '42']
    """
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", strings.text(text, "text").lower())


def texts_to_sequences(texts: Sequence[str], vocab: Vocab) -> list[list[int]]:
    """Convert each text to the ids of its words.

    Args:
        texts: a list of strings.
        vocab: a Vocab of words; words that it does not have become its unknown token.

    Returns:
        A list of ids for each text.

    Raises:
        ValueError: texts is not a list of strings.

    Examples:
        >>> vocab = rnn.Vocab(rnn.words_of("the cat and the dog"))
        >>> rnn.texts_to_sequences(["The dog!", "the bird"], vocab)
        [[1, 4], [1, 0]]
    """
    sequences: list[list[int]] = vocab[[words_of(t) for t in strings.strings(texts, "texts")]]
    return sequences


def pad_sequences(
    sequences: Sequence[Sequence[int]],
    maxlen: int | None = None,
    *,
    padding: str = "pre",
    truncating: str = "pre",
    value: int = 0,
) -> np.ndarray[Any, Any]:
    """Return sequences of any lengths as one array.

    Args:
        sequences: lists of ids.
        maxlen: the length of every row; None is the length of the longest sequence.
        padding: "pre" or "post": the end at which shorter sequences are padded.
        truncating: "pre" or "post": the end at which longer sequences are truncated.
        value: the id of the padding.

    Returns:
        An array of shape (len(sequences), maxlen).

    Raises:
        ValueError: sequences is not a list of lists, or an argument is out of its range.

    Examples:
        >>> rnn.pad_sequences([[1, 2, 3], [4]], padding="post")
        array([[1, 2, 3],
               [4, 0, 0]])
    """
    checks.choice(padding, "padding", ("pre", "post"))
    checks.choice(truncating, "truncating", ("pre", "post"))
    sequences = [*strings.ordered(sequences, "sequences", "lists of ids")]
    for index, sequence in enumerate(sequences):
        strings.ids(sequence, f"sequences[{index}]")
    if maxlen is None:
        maxlen = max(map(len, sequences), default=0)
    checks.count(maxlen=maxlen)
    checks.integer(value=value)
    padded = np.full((len(sequences), maxlen), value)
    for row, sequence in zip(padded, sequences, strict=True):
        start = max(len(sequence) - maxlen, 0) if truncating == "pre" else 0
        ids = list(sequence)[start : start + maxlen]
        begin = maxlen - len(ids) if padding == "pre" else 0
        row[begin : begin + len(ids)] = ids
    return padded
