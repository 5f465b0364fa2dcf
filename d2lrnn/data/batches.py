"""From token ids to minibatches: random sampling and sequential partitioning (section 9.3).

Both draw an offset uniformly from 0..num_steps-1, so that the text is divided into different
subsequences in each epoch. They then use every token from the offset on, except a remainder that is
too short for another minibatch. The number of minibatches is the same for each offset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.data.arrays import series
from d2lrnn.data.vocab import Vocab

Ids = np.ndarray[Any, Any]
Minibatch = tuple[Any, Any]


def seq_data_iter_random(
    corpus: Sequence[int] | Ids, batch_size: int, num_steps: int, *, seed: Any = None
) -> Iterator[Minibatch]:
    """Yield minibatches of subsequences in random order.

    Args:
        corpus: token ids, or a series of real numbers, which gives minibatches of float32.
        batch_size: subsequences per minibatch, n.
        num_steps: tokens per subsequence, T.
        seed: an integer, or a numpy.random.Generator to draw from, or None for a new one.

    Returns:
        An iterator over pairs (X, Y), both (n, T): Y holds the token that follows each token of X.

    Raises:
        ValueError: the corpus is too short, has more than one axis, or does not hold numbers.

    Source: the book's section 9.3, Random Sampling.

    Examples:
        >>> for X, Y in rnn.seq_data_iter_random(range(25), batch_size=2, num_steps=5, seed=0):
        ...     print(tuple(X.shape), rnn.to_numpy(Y - X)[0].tolist())
        (2, 5) [1, 1, 1, 1, 1]
        (2, 5) [1, 1, 1, 1, 1]
    """
    ids, num_batches, batch_size, num_steps = _prepare(corpus, batch_size, num_steps)
    rng = generator(seed)
    offset = int(rng.integers(num_steps))
    num_subseqs = (len(ids) - 1 - offset) // num_steps
    starts = offset + num_steps * rng.permutation(num_subseqs)
    for batch in starts[: num_batches * batch_size].reshape(num_batches, batch_size):
        index = batch[:, None] + np.arange(num_steps)  # (n, T)
        yield ids[index], ids[index + 1]


def seq_data_iter_sequential(
    corpus: Sequence[int] | Ids, batch_size: int, num_steps: int, *, seed: Any = None
) -> Iterator[Minibatch]:
    """Yield minibatches in which each row continues the same row of the minibatch before.

    Args:
        corpus: token ids, or a series of real numbers, which gives minibatches of float32.
        batch_size: subsequences per minibatch, n.
        num_steps: tokens per subsequence, T.
        seed: an integer, or a numpy.random.Generator to draw from, or None for a new one.

    Returns:
        An iterator over pairs (X, Y), both (n, T): Y holds the token that follows each token of X.

    Raises:
        ValueError: the corpus is too short, has more than one axis, or does not hold numbers.

    Source: the book's section 9.3, Sequential Partitioning.

    Examples:
        >>> minibatches = rnn.seq_data_iter_sequential(range(25), 2, 5, seed=0)
        >>> (X1, _), (X2, _) = minibatches
        >>> rnn.to_numpy(X2[:, 0] - X1[:, -1]).tolist()  # each row continues
        [1, 1]
    """
    ids, num_batches, batch_size, num_steps = _prepare(corpus, batch_size, num_steps)
    offset = int(generator(seed).integers(num_steps))
    length = batch_size * num_batches * num_steps
    Xs = ids[offset : offset + length].reshape(batch_size, -1)  # (n, num_batches * T)
    Ys = ids[offset + 1 : offset + 1 + length].reshape(batch_size, -1)
    for start in range(0, num_batches * num_steps, num_steps):
        window = slice(start, start + num_steps)
        yield Xs[:, window], Ys[:, window]


class SeqDataLoader:
    """Minibatches of a corpus; each iteration over the loader is one epoch.

    Args:
        corpus: token ids, or a series of real numbers, which gives minibatches of float32.
        batch_size: subsequences per minibatch.
        num_steps: tokens per subsequence.
        use_random_iter: random sampling instead of sequential partitioning.
        seed: an integer to repeat the same epochs, or None.
        shuffle: whether the offset, and the order of random sampling, are drawn anew in each epoch;
            False for the same minibatches in every epoch, from the first token on.

    ``len(loader)`` is the number of minibatches of every epoch.

    Examples:
        >>> loader = rnn.SeqDataLoader(range(100), batch_size=2, num_steps=5, seed=0)
        >>> X, Y = next(iter(loader))
        >>> len(loader), tuple(X.shape)
        (9, (2, 5))
        >>> rnn.to_numpy(Y - X).tolist()  # each target is the token that follows
        [[1, 1, 1, 1, 1], [1, 1, 1, 1, 1]]
    """

    to_tensor: Callable[[Ids], Any] = staticmethod(lambda ids: ids)  # a backend replaces it
    vocab: Vocab | None = None  # that of the corpus, if it is known

    def __init__(
        self,
        corpus: Sequence[int] | Ids,
        batch_size: int,
        num_steps: int,
        use_random_iter: bool = False,
        *,
        seed: int | None = None,
        shuffle: bool = True,
    ) -> None:
        """Check the arguments; minibatches are created during iteration."""
        ids, self.num_batches, self.batch_size, self.num_steps = _prepare(
            corpus, batch_size, num_steps, shuffle
        )
        self.corpus = copy_if_writeable(ids)
        checks.seed(seed)
        self.use_random_iter, self.seed = use_random_iter, seed
        self.rng = np.random.default_rng(seed) if shuffle else None

    def __repr__(self) -> str:
        """Return the sizes in one line."""
        how = "at random" if self.use_random_iter else "in order"
        return (
            f"<SeqDataLoader: {self.num_tokens:,} tokens, batch_size={self.batch_size}, "
            f"num_steps={self.num_steps}, {how}, {len(self)} minibatches an epoch>"
        )

    @property
    def num_tokens(self) -> int:
        """The length of the corpus."""
        return len(self.corpus)

    def __len__(self) -> int:
        """Return the number of minibatches of an epoch."""
        return self.num_batches

    def __iter__(self) -> Iterator[Minibatch]:
        """Yield the minibatches of the next epoch."""
        for X, Y in self._arrays():
            yield self.to_tensor(_wide(X)), self.to_tensor(_wide(Y))

    def _arrays(self) -> Iterator[Minibatch]:
        sizes = self.num_batches, self.batch_size, self.num_steps
        if self.rng is None:
            return _in_order(self.corpus, *sizes, use_random_iter=self.use_random_iter)
        data_iter = seq_data_iter_random if self.use_random_iter else seq_data_iter_sequential
        return data_iter(self.corpus, *sizes[1:], seed=self.rng)


def _in_order(
    ids: Ids, num_batches: int, batch_size: int, num_steps: int, *, use_random_iter: bool
) -> Iterator[Minibatch]:
    """Yield the minibatches of an epoch that begins with the first token and draws nothing."""
    length = num_batches * batch_size * num_steps
    for number in range(num_batches):
        X, Y = (
            part.reshape(num_batches, batch_size, num_steps)[number]
            if use_random_iter
            else part.reshape(batch_size, num_batches, num_steps)[:, number]
            for part in (ids[:length], ids[1 : 1 + length])
        )
        yield X, Y


def copy_if_writeable(array: Ids) -> Ids:
    """Return a copy of a writeable array, or a read-only array unchanged."""
    return array.copy() if array.flags.writeable else array


def generator(seed: Any) -> np.random.Generator:
    """Return seed if it is a generator, or a new one with that integer seed, or a random one."""
    if not isinstance(seed, np.random.Generator):
        checks.seed(seed)
    return np.random.default_rng(seed)


def _wide(ids: Ids) -> Ids:
    """Return integer ids as int64, which every framework accepts, and other numbers unchanged.

    A corpus stores ids in fewer bytes to save memory.
    """
    return ids.astype(np.int64) if ids.dtype.kind in "iu" else ids


def _prepare(
    corpus: Sequence[int] | Ids, batch_size: int, num_steps: int, shuffle: bool = True
) -> tuple[Ids, int, int, int]:
    """Return the corpus as an array, the number of minibatches, and the two sizes.

    The number of minibatches is the same for each offset, of which there are num_steps, or only 0
    without shuffle. The sizes become Python integers, since
    small NumPy integers would overflow.
    """
    checks.size(batch_size=batch_size, num_steps=num_steps)
    ids, batch_size, num_steps = series(corpus), int(batch_size), int(num_steps)
    checks.axes("corpus", ids.shape, "(num_tokens)")
    num_offsets = num_steps if shuffle else 1
    num_batches = (len(ids) - num_offsets) // (batch_size * num_steps)
    if num_batches < 1:
        raise ValueError(
            f"the corpus has {len(ids)} tokens; batch_size {batch_size} and num_steps {num_steps} "
            f"need {batch_size * num_steps + num_offsets} or more; "
            "take a longer text, a smaller batch_size or fewer num_steps"
        )
    return ids, num_batches, batch_size, num_steps


class BatchLoader:
    """Minibatches of arrays in random order; each iteration over the loader is one epoch.

    Args:
        arrays: any number of arrays with one row for each example; a minibatch holds the same
            rows of each array.
        batch_size: rows of a minibatch. A smaller minibatch at the end of an epoch is left out, so
            that all minibatches have the same shape.
        seed: an integer to repeat the same epochs, or None.

    Examples:
        >>> loader = rnn.BatchLoader([[1, 2], [3, 4], [5, 6]], [0, 1, 2], batch_size=2, seed=0)
        >>> len(loader), [(X.shape, y.shape) for X, y in loader]
        (1, [((2, 2), (2,))])
    """

    def __init__(self, *arrays: Any, batch_size: int, seed: int | None = None) -> None:
        """Check that the arrays have the same number of rows."""
        checks.size(batch_size=batch_size)
        checks.seed(seed)
        self.arrays = [copy_if_writeable(np.asarray(array)) for array in arrays]
        self.batch_size = batch_size
        checks.rows(self.arrays)
        checks.same_length([len(array) for array in self.arrays], batch_size)
        self.rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        """Return the number of minibatches of an epoch."""
        return len(self.arrays[0]) // self.batch_size

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Yield the minibatches of the next epoch, tuples of arrays."""
        order = self.rng.permutation(len(self.arrays[0]))
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            rows = order[start : start + self.batch_size]
            yield tuple(array[rows] for array in self.arrays)
