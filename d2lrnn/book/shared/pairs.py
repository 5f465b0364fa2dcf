"""Sentences in English and French, and the BLEU of one sentence (0.17: sections 9.5 and 9.7)."""

from __future__ import annotations

import collections
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from d2lrnn.data import datasets, strings

d2l = sys.modules[__package__]
RESERVED = ["<pad>", "<bos>", "<eos>"]
Lines = list[list[str]]


def read_data_nmt() -> str:
    """Return the file fra.txt: each line has an English sentence, a tab and a French sentence."""
    path = os.path.join(d2l.download_extract("fra-eng"), "fra.txt")
    return Path(path).read_text(encoding="utf-8")


def preprocess_nmt(text: str) -> str:
    """Return the text in lower case, with a space before punctuation and only ordinary spaces."""
    return datasets.normalise(text)


def tokenize_nmt(text: str, num_examples: int | None = None) -> tuple[Lines, Lines]:
    """Return the words of the English and of the French sentences; skip lines without two columns.

    As in the book, num_examples + 1 lines are read; None reads all.
    """
    lines = text.split("\n")[: num_examples + 1 if num_examples else None]
    pairs = [columns for line in lines if len(columns := line.split("\t")) == 2]
    return [source.split(" ") for source, _ in pairs], [target.split(" ") for _, target in pairs]


def truncate_pad(line: Sequence[Any], num_steps: int, padding_token: Any) -> Sequence[Any]:
    """Return a line truncated or padded to num_steps tokens."""
    if len(line) >= num_steps:
        return line[:num_steps]
    return [*line, *[padding_token] * (num_steps - len(line))]


def build_array_nmt(lines: Lines, vocab: Any, num_steps: int) -> tuple[Any, Any]:
    """Return the ids (N, num_steps) of lines, each ended by ``<eos>``, and the lengths (N,)."""
    pad, eos = vocab["<pad>"], vocab["<eos>"]
    rows = [d2l.truncate_pad([*vocab[line], eos], num_steps, pad) for line in lines]
    ids = d2l.reshape(d2l.tensor(rows), (len(lines), num_steps))
    is_word = d2l.astype(ids != pad, d2l.int32)
    return ids, d2l.reduce_sum(is_word, 1)


def load_data_nmt(batch_size: int, num_steps: int, num_examples: int = 600) -> tuple[Any, ...]:
    """Return an iterator over (X, X_valid_len, Y, Y_valid_len) and both vocabularies."""
    sides = d2l.tokenize_nmt(d2l.preprocess_nmt(d2l.read_data_nmt()), num_examples)
    vocabs = [d2l.Vocab(side, min_freq=2, reserved_tokens=RESERVED) for side in sides]
    arrays = [
        part
        for side, vocab in zip(sides, vocabs)
        for part in d2l.build_array_nmt(side, vocab, num_steps)
    ]
    return d2l.load_array(tuple(arrays), batch_size), *vocabs


def bleu(pred_seq: str, label_seq: str, k: int) -> float:
    """Return the BLEU of one sentence, from 0 to 1, with n-grams of up to k words.

    The BLEU of a prediction of fewer than k words is 0.

    Source: the book's section 9.7.6; Papineni et al., 2002.
    """
    pred, label = (
        strings.text(seq, name).split(" ")
        for seq, name in ((pred_seq, "pred_seq"), (label_seq, "label_seq"))
    )
    score = math.exp(min(0, 1 - len(label) / len(pred)))
    for n in range(1, k + 1):
        ngrams, expected = _ngrams(pred, n), _ngrams(label, n)
        precision = (ngrams & expected).total() / ngrams.total() if ngrams else 0.0
        score *= precision ** (0.5**n)
    return score


def _ngrams(words: Sequence[str], n: int) -> collections.Counter[tuple[str, ...]]:
    return collections.Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
