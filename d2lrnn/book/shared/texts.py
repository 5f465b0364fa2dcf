"""The texts of the book's edition 1.0: its vocabulary, its two data sets, its BLEU.

Sections 9.2, 9.3, 10.5 and 10.7. The data sets leave to each framework what makes tensors.
"""

from __future__ import annotations

import collections
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from d2lrnn.book.objects import HyperParameters
from d2lrnn.book.replaced import replaced
from d2lrnn.data import corpora, datasets, reading, strings, text
from d2lrnn.data.arrays import Array, series

from . import pairs

d2l = sys.modules[__package__]
Sentences = list[list[str]]

# Where files come from: as long as a reader has replaced none, files of the folder come first.
FILES = {"DATA_URL", "download", "extract"}
PADDING, BEGINNING, END = "<pad>", "<bos>", "<eos>"


class Vocab(text.Vocab):
    """The table between tokens and ids as edition 1.0 has it: ids in alphabetical order.

    Args:
        tokens: tokens, or lists of tokens. They may be pairs of words, whose ids follow those of
            the words.
        min_freq: tokens seen fewer times than this are left out, and so become unknown.
        reserved_tokens: tokens that get an id whether they occur or not.
    """

    check_token = staticmethod(strings.token)

    def __init__(
        self,
        tokens: Iterable[Any] | None = (),
        min_freq: int = 0,
        reserved_tokens: Sequence[str] = (),
    ) -> None:
        """Count the tokens and number them."""
        tokens = () if tokens is None else tokens
        if not isinstance(tokens, (str, collections.Counter)):
            tokens = [*strings.ordered(tokens, "tokens", "tokens")]
            if tokens and not isinstance(tokens[0], list) and any(map(_is_pair, tokens)):
                tokens = [tokens]  # one line of pairs, not lines of two words
        super().__init__(tokens, min_freq, reserved_tokens)
        self.idx_to_token = sorted(self.idx_to_token, key=_in_order)
        self.token_to_idx = {token: index for index, token in enumerate(self.idx_to_token)}
        self._unk = self.token_to_idx[text.UNKNOWN]

    def to_tokens(self, indices: Any) -> Any:
        """Return the token of an id or a tensor of one, or the list of tokens of several."""
        if getattr(indices, "shape", None) == (1,):
            indices = indices[0]
        return super().to_tokens(indices)


def _is_pair(token: Any) -> bool:
    return isinstance(token, tuple)


def _in_order(token: Any) -> tuple[bool, Any]:
    """Return what tokens are sorted by: words come first, for they do not compare with pairs."""
    return not isinstance(token, str), token


class TimeMachineText(HyperParameters):
    """What The Time Machine as a data set does without naming a framework."""

    root: str
    id_dtype: type  # of the token ids

    def _download(self) -> str:
        """Return the text as it was printed; from the folder ``root`` if it is there."""
        path = Path(self.root, "timemachine.txt")
        if replaced(d2l) & FILES:
            sha1 = corpora.TIME_MACHINE_HASH.partition(":")[2]
            path = Path(d2l.download(d2l.DATA_URL + path.name, self.root, sha1))
        elif not path.exists():
            instead, known = corpora.BUILTIN_INSTEAD, corpora.TIME_MACHINE_HASH
            path = corpora.fetch(path.name, corpora.TIME_MACHINE_URL, known, instead=instead)
        return corpora.decode(reading.content(path), str(path))

    def _preprocess(self, text: str) -> str:
        """Return the text in lower case, with one space for all that is not a letter."""
        return re.sub("[^A-Za-z]+", " ", text).lower()

    def _tokenize(self, text: str) -> list[str]:
        """Return the text's characters."""
        return list(text)

    def build(self, raw_text: str, vocab: Any = None) -> tuple[list[int], Any]:
        """Return the ids of a text's characters, and the vocabulary: its own, or vocab."""
        tokens = self._tokenize(self._preprocess(raw_text))
        vocab = d2l.Vocab(tokens) if vocab is None else vocab
        return [vocab[token] for token in tokens], vocab

    def _windows(self, corpus: Sequence[Any], num_steps: int) -> Array:
        """Return all runs of num_steps + 1 ids, or real numbers, as (runs, num_steps + 1)."""
        numbers = series(corpus)
        numbers = numbers if numbers.dtype == np.float32 else numbers.astype(self.id_dtype)
        return np.lib.stride_tricks.sliding_window_view(numbers, num_steps + 1)


class EnglishFrench(HyperParameters):
    """What the pairs of sentences as a data set do without naming a framework."""

    root: str
    num_steps: int
    num_train: int
    num_val: int
    src_vocab: Any
    tgt_vocab: Any

    def _download(self) -> str:
        """Return the file of pairs, one to a line; from the folder ``root`` if it is there."""
        path = Path(self.root, datasets.FRA_ENG_MEMBER)
        if replaced(d2l) & FILES:
            sha1 = datasets.FRA_ENG_HASH.partition(":")[2]
            d2l.extract(d2l.download(d2l.DATA_URL + "fra-eng.zip", self.root, sha1))
        elif not path.exists():
            return datasets.read_fra_eng_text()
        return corpora.decode(reading.content(path), str(path))

    def _preprocess(self, text: str) -> str:
        """Return the text in lower case, with a space before each , . ! and ?"""
        return datasets.normalise(text)

    def _tokenize(self, text: str, max_examples: int | None = None) -> tuple[Sentences, Sentences]:
        """Return the words of the English and of the French sentences, each ended by <eos>.

        As in the book, lines without two columns are left out, and the line numbered max_examples,
        counted from 0, is the last.
        """
        source, target = (
            [[word for word in sentence if word] + [END] for sentence in sentences]
            for sentences in pairs.tokenize_nmt(text, max_examples)
        )
        return source, target

    def _rows(self, sentences: Sentences, vocab: Any, first: Sequence[str] = ()) -> tuple[Any, Any]:
        """Return sentences as a tensor of ids (n, num_steps), and the vocabulary.

        Args:
            sentences: lists of words.
            vocab: None makes one of the words that occur twice or more.
            first: words to begin each row with, beyond num_steps.
        """
        rows = [
            [*first, *pairs.truncate_pad(words, self.num_steps, PADDING)] for words in sentences
        ]
        vocab = d2l.Vocab(rows, min_freq=2) if vocab is None else vocab
        return d2l.tensor([vocab[row] for row in rows]), vocab

    def _build_arrays(
        self, raw_text: str, src_vocab: Any = None, tgt_vocab: Any = None
    ) -> tuple[tuple[Any, Any, Any, Any], Any, Any]:
        """Return (source, decoder's input, source lengths, targets), and the two vocabularies."""
        source, target = self._tokenize(self._preprocess(raw_text), self.num_train + self.num_val)
        src, src_vocab = self._rows(source, src_vocab)
        tgt, tgt_vocab = self._rows(target, tgt_vocab, [BEGINNING])
        is_word = d2l.astype(src != src_vocab[PADDING], d2l.int32)
        lengths = d2l.reduce_sum(is_word, 1)
        return (src, tgt[:, :-1], lengths, tgt[:, 1:]), src_vocab, tgt_vocab

    def build(self, src_sentences: Sequence[str], tgt_sentences: Sequence[str]) -> Any:
        """Return your own sentences as arrays, as the data set has them."""
        sources = strings.strings(src_sentences, "src_sentences")
        targets = strings.strings(tgt_sentences, "tgt_sentences")
        raw_text = "\n".join("\t".join(pair) for pair in zip(sources, targets))
        return self._build_arrays(raw_text, self.src_vocab, self.tgt_vocab)[0]


def bleu(pred_seq: str, label_seq: str, k: int) -> float:
    """Return the BLEU of one sentence, from 0 to 1, with n-grams of up to k words.

    In a prediction of fewer than k words, only n-grams of up to its length count.

    Args:
        pred_seq, label_seq: the prediction and the reference, words with one space between them.
        k: the largest n.

    Source: the book's section 10.7: exp(min(0, 1 - len_label / len_pred)) times the product of
    p_n ** (1 / 2 ** n) for n = 1..k, where p_n is the share of the n-grams that are in the label.
    """
    num_words = len(strings.text(pred_seq, "pred_seq").split(" "))
    return pairs.bleu(pred_seq, label_seq, min(k, num_words))
