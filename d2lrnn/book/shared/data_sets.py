"""The data sets of edition 1.0 (sections 3.3, 9.2 and 10.5)."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from d2lrnn.book.replaced import replaced
from d2lrnn.data import corpora, data_files, datasets, reading, strings
from d2lrnn.data.arrays import Array, series

from . import operations, pairs
from .design import DataModule

d2l = sys.modules[__package__]
Sentences = list[list[str]]

# Names that determine where files come from. If none is replaced, files of the folder are used.
FILES = {"DATA_URL", "download", "extract"}
PADDING, BEGINNING, END = "<pad>", "<bos>", "<eos>"


class SyntheticRegressionData(DataModule):
    """Random inputs, and targets that depend on them linearly (section 3.3)."""

    def __init__(
        self,
        w: Any,
        b: float,
        noise: float = 0.01,
        num_train: int = 1000,
        num_val: int = 1000,
        batch_size: int = 32,
    ) -> None:
        """Draw X (n, len(w)) from N(0, 1), and y = X w + b + noise; in JAX always the same."""
        super().__init__()
        self.save_hyperparameters()
        n = num_train + num_val
        self.X, errors = operations.random_inputs((n, w.shape[0]), (n, 1))
        self.y = d2l.matmul(self.X, d2l.reshape(w, (-1, 1))) + b + errors * noise

    def get_dataloader(self, train: bool) -> Any:
        """Return the first num_train rows for training, or the others for validation."""
        rows = slice(0, self.num_train) if train else slice(self.num_train, None)
        return self.get_tensorloader((self.X, self.y), train, rows)


class TimeMachine(DataModule):
    """The Time Machine as one list of characters, and all its windows.

    Args:
        batch_size: rows of a minibatch.
        num_steps: length of the windows.
        num_train, num_val: the numbers of windows for training and for validation.
    """

    def __init__(
        self, batch_size: int, num_steps: int, num_train: int = 10000, num_val: int = 5000
    ) -> None:
        """Read the text and cut it into windows: X without, Y with the last character."""
        super().__init__()
        self.save_hyperparameters()
        corpus, self.vocab = self.build(self._download())
        windows = d2l.tensor(self._windows(corpus, num_steps))
        self.X, self.Y = windows[:, :-1], windows[:, 1:]

    def get_dataloader(self, train: bool) -> Any:
        """Return the first num_train windows for training, or the num_val that follow."""
        start, count = (0, self.num_train) if train else (self.num_train, self.num_val)
        return self.get_tensorloader([self.X, self.Y], train, slice(start, start + count))

    def _download(self) -> str:
        """Return the whole text, read from the folder ``root`` if that contains the file."""
        path = Path(self.root, "timemachine.txt")
        if replaced(d2l) & FILES:
            sha1 = corpora.TIME_MACHINE_HASH.partition(":")[2]
            path = Path(d2l.download(d2l.DATA_URL + path.name, self.root, sha1))
        elif not path.exists():
            url, known_hash = corpora.TIME_MACHINE_URL, corpora.TIME_MACHINE_HASH
            instead = corpora.BUILTIN_INSTEAD
            path = data_files.fetch(path.name, url, known_hash, instead=instead)
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


class MTFraEng(DataModule):
    """Sentences in English and French, as arrays of word ids of one length.

    Args:
        batch_size: rows of a minibatch.
        num_steps: words of a sentence; longer ones are cut, shorter ones padded.
        num_train, num_val: the numbers of pairs for training and for validation.
    """

    def __init__(
        self, batch_size: int, num_steps: int = 9, num_train: int = 512, num_val: int = 128
    ) -> None:
        """Read the pairs of sentences and number their words."""
        super().__init__()
        self.save_hyperparameters()
        arrays = self._build_arrays(self._download())
        self.arrays, self.src_vocab, self.tgt_vocab = arrays

    def get_dataloader(self, train: bool) -> Any:
        """Return the first num_train pairs for training, or the others for validation."""
        rows = slice(0, self.num_train) if train else slice(self.num_train, None)
        return self.get_tensorloader(self.arrays, train, rows)

    def _download(self) -> str:
        """Return the pairs, one per line, read from the folder ``root`` if that has the file."""
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
