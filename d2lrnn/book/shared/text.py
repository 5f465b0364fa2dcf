"""Text as the book has it: lines, tokens, the vocabulary, minibatches (sections 8.2 and 8.3).

Random numbers come from Python's ``random``, so that ``random.seed`` gives the book's minibatches.
"""

from __future__ import annotations

import collections
import random
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.data import corpora, strings, text
from d2lrnn.data.arrays import series

d2l = sys.modules[__package__]
Batch = tuple[Any, Any]


def read_time_machine() -> list[str]:
    """Return the lines of DATA_HUB's "time_machine": lower-case letters and single spaces."""
    path = d2l.download("time_machine")
    return [corpora.letters_only(line) for line in corpora.read_lines(path)]


def count_corpus(tokens: Sequence[Any]) -> collections.Counter[Any]:
    """Return how often each token occurs, in a list of tokens or a list of lists of them."""
    if isinstance(tokens, (str, collections.Counter)):
        return collections.Counter(tokens)
    tokens = [*strings.ordered(tokens, "tokens", "tokens")]
    if len(tokens) == 0 or isinstance(tokens[0], list):
        tokens = [token for line in tokens for token in line]
    return collections.Counter(strings.token(token, "a token") for token in tokens)


class Vocab(text.Vocab):
    """A two-way table between tokens and ids; ``<unk>`` has id 0, reserved tokens the next.

    Tokens may be anything that a dictionary takes as a key: pairs of words, for instance.
    """

    check_token = staticmethod(strings.token)

    def __init__(
        self,
        tokens: Sequence[Any] | None = None,
        min_freq: int = 0,
        reserved_tokens: Sequence[str] | None = None,
    ) -> None:
        """Count the tokens and number them, the most frequent first."""
        checks.count(min_freq=min_freq)
        counter = d2l.count_corpus([] if tokens is None else tokens)
        self._number(counter, min_freq, reserved_tokens or ())

    @property
    def _token_freqs(self) -> list[tuple[Any, int]]:
        """How often each token occurs, under the name of the book's attribute."""
        return self.token_freqs


def load_corpus_time_machine(max_tokens: int = -1) -> tuple[list[int], Vocab]:
    """Return the ids of the first max_tokens characters, or of all below 1, and the Vocab."""
    lines = d2l.tokenize(d2l.read_time_machine(), "char")
    vocab = d2l.Vocab(lines)
    corpus = [vocab[token] for line in lines for token in line]
    return (corpus[:max_tokens] if max_tokens > 0 else corpus), vocab


def random_batches(corpus: Sequence[Any], batch_size: int, num_steps: int) -> Iterator[Batch]:
    """Yield X and Y (batch_size, num_steps), from subsequences in random order."""
    ids = series(corpus)[random.randint(0, num_steps - 1) :]
    num_subseqs = (len(ids) - 1) // num_steps
    order = list(range(num_subseqs))
    random.shuffle(order)
    for batch in range(num_subseqs // batch_size):
        starts = np.array(order[batch * batch_size :][:batch_size]) * num_steps
        index = starts[:, None] + np.arange(num_steps)  # (n, T)
        yield ids[index], ids[index + 1]


def sequential_batches(corpus: Sequence[Any], batch_size: int, num_steps: int) -> Iterator[Batch]:
    """Yield X and Y (batch_size, num_steps); each row continues that of the previous minibatch."""
    offset = random.randint(0, num_steps)
    ids = series(corpus)[offset:]
    checks.axes("corpus", ids.shape, "(num_tokens)")
    length = max(len(ids) - 1, 0) // batch_size  # of a row, over all minibatches
    Xs = ids[: length * batch_size].reshape(batch_size, length)
    Ys = ids[1:][: length * batch_size].reshape(batch_size, length)
    for start in range(0, length // num_steps * num_steps, num_steps):
        steps = slice(start, start + num_steps)
        yield Xs[:, steps], Ys[:, steps]


def seq_data_iter_random(corpus: Sequence[Any], batch_size: int, num_steps: int) -> Iterator[Batch]:
    """Yield minibatches (X, Y) of subsequences of the corpus in random order.

    A corpus of token ids gives the tensors that the framework makes of Python's integers; a series
    of real numbers gives float32.
    """
    return _as_tensors(random_batches(corpus, batch_size, num_steps))


def seq_data_iter_sequential(
    corpus: Sequence[Any], batch_size: int, num_steps: int
) -> Iterator[Batch]:
    """Yield minibatches (X, Y) whose rows continue those of the previous minibatch.

    The tensors are those that seq_data_iter_random gives.
    """
    return _as_tensors(sequential_batches(corpus, batch_size, num_steps))


def _as_tensors(batches: Iterator[Batch]) -> Iterator[Batch]:
    for X, Y in batches:
        yield d2l.tensor(X.tolist()), d2l.tensor(Y.tolist())


class SeqDataLoader:
    """Minibatches of The Time Machine: iterate over it once an epoch."""

    def __init__(
        self, batch_size: int, num_steps: int, use_random_iter: bool, max_tokens: int
    ) -> None:
        """Read the text."""
        name = "seq_data_iter_random" if use_random_iter else "seq_data_iter_sequential"
        self.data_iter_fn = getattr(d2l, name)
        self.corpus, self.vocab = d2l.load_corpus_time_machine(max_tokens)
        self.batch_size, self.num_steps = batch_size, num_steps

    def __iter__(self) -> Any:
        """Return an iterator over the minibatches of one epoch."""
        return self.data_iter_fn(self.corpus, self.batch_size, self.num_steps)


def load_data_time_machine(
    batch_size: int, num_steps: int, use_random_iter: bool = False, max_tokens: int = 10000
) -> tuple[SeqDataLoader, Vocab]:
    """Return a SeqDataLoader and the Vocab of the whole text."""
    data_iter = d2l.SeqDataLoader(batch_size, num_steps, use_random_iter, max_tokens)
    return data_iter, data_iter.vocab
