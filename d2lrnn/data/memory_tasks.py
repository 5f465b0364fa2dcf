"""Generated tasks that test what a network remembers: copying, recall, parity and adding.

Each function returns NumPy arrays that depend only on its arguments, with the correct answer to
each question. Token ids are the inputs of a SequenceTaggerScratch, whose labels are -1 at the steps
that do not have an answer; the numbers of adding are those of a SequenceRegressorScratch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from d2lrnn import checks

Array = np.ndarray[Any, Any]

NOISE, ANSWER = 0, 1  # the ids of selective_copy before those of its symbols
ADDING_BASELINE = 1 / 6  # the mean squared error of always answering 1: the variance of the sum


def selective_copy(
    num_sequences: int,
    num_steps: int = 12,
    num_tokens: int = 3,
    num_symbols: int = 4,
    *,
    seed: int = 0,
) -> tuple[Array, Array]:
    """Generate sequences of noise with some tokens in it, which have to be repeated in order.

    The positions of the tokens differ from sequence to sequence, so that a network has to select
    them by their content; a fixed convolution cannot.

    Args:
        num_sequences: the number of sequences, n, 1 or above.
        num_steps: the steps with noise and tokens, 1 or above.
        num_tokens: the tokens among them, from 1 to num_steps.
        num_symbols: the number of different tokens, 1 or above; each is equally likely.
        seed: an integer, 0 or above: the same seed gives the same sequences.

    Returns:
        X and Y, integers (n, num_steps + num_tokens). In X, 0 is noise, the ids from 2 to
        num_symbols + 1 are tokens, and the last num_tokens steps are 1, the request for an answer.
        There, Y contains the tokens in their order; everywhere else it is -1.

    Raises:
        ValueError: an argument is out of its range.

    Source: Gu and Dao, 2023 (arXiv 2312.00752), sections 3.1 and E.1.

    Examples:
        >>> X, Y = rnn.selective_copy(1, num_steps=6, num_tokens=2, seed=0)
        >>> X.tolist(), Y.tolist()
        ([[0, 5, 4, 0, 0, 0, 1, 1]], [[-1, -1, -1, -1, -1, -1, 5, 4]])
    """
    checks.size(num_sequences=num_sequences, num_steps=num_steps)
    checks.size(num_tokens=num_tokens, num_symbols=num_symbols)
    if num_tokens > num_steps:
        raise ValueError(f"num_tokens is {num_tokens}; expected at most num_steps, {num_steps}")
    rng = _generator(seed)
    tokens = rng.integers(ANSWER + 1, ANSWER + 1 + num_symbols, (num_sequences, num_tokens))
    positions = np.sort(_some(rng, num_sequences, num_steps, num_tokens))
    X = np.full((num_sequences, num_steps + num_tokens), NOISE, dtype=np.int64)
    X[:, num_steps:] = ANSWER
    np.put_along_axis(X, positions, tokens, axis=1)
    Y = np.full_like(X, -1)
    Y[:, num_steps:] = tokens
    return X, Y


def recall(
    num_sequences: int,
    num_pairs: int = 3,
    num_queries: int = 3,
    num_keys: int = 8,
    num_values: int = 8,
    *,
    overwrite: bool = False,
    seed: int = 0,
) -> tuple[Array, Array]:
    """Generate pairs of a key and a value, and then keys whose values have to be recalled.

    Args:
        num_sequences: the number of sequences, n, 1 or above.
        num_pairs: the pairs of a sequence, 1 or above; at most num_keys, unless overwrite is true.
        num_queries: the keys that are queried, 1 or above; a key may be queried repeatedly.
        num_keys: the number of different keys, 1 or above.
        num_values: the number of different values, 1 or above.
        overwrite: whether a key may occur in several pairs; the last of them counts.
        seed: an integer, 0 or above: the same seed gives the same sequences.

    Returns:
        X and Y, integers (n, 2 * num_pairs + num_queries). In X, keys are the ids below num_keys,
        values the num_values ids from there on; keys and values alternate, then the queries follow.
        Y is the value of each query at its step, and -1 everywhere else.

    Raises:
        ValueError: an argument is out of its range.

    Source: Ba et al., 2016 (arXiv 1610.06258), section 4.1, with one query; Arora et al., 2023
    (arXiv 2312.04927), section 4, with several.

    Examples:
        >>> X, Y = rnn.recall(1, num_pairs=2, num_queries=2, num_keys=3, num_values=3, seed=0)
        >>> X.tolist(), Y.tolist()
        ([[2, 3, 1, 3, 2, 1]], [[-1, -1, -1, -1, 3, 3]])
    """
    checks.size(num_sequences=num_sequences, num_pairs=num_pairs, num_queries=num_queries)
    checks.size(num_keys=num_keys, num_values=num_values)
    if num_pairs > num_keys and not overwrite:
        raise ValueError(
            f"num_pairs is {num_pairs}; expected at most num_keys, {num_keys}, for different keys; "
            "with overwrite=True, keys may occur repeatedly"
        )
    rng = _generator(seed)
    if overwrite:
        keys = rng.integers(num_keys, size=(num_sequences, num_pairs))
    else:
        keys = _some(rng, num_sequences, num_keys, num_pairs)
    values = rng.integers(num_keys, num_keys + num_values, (num_sequences, num_pairs))
    queried = rng.integers(num_pairs, size=(num_sequences, num_queries))
    queries = np.take_along_axis(keys, queried, axis=1)
    matches = queries[:, :, None] == keys[:, None]  # (n, num_queries, num_pairs)
    last = num_pairs - 1 - matches[:, :, ::-1].argmax(axis=2)  # the last pair of each queried key
    pairs = np.stack([keys, values], axis=2).reshape(num_sequences, -1)
    X = np.concatenate([pairs, queries], axis=1)
    Y = np.full_like(X, -1)
    Y[:, 2 * num_pairs :] = np.take_along_axis(values, last, axis=1)
    return X, Y


def parity(num_sequences: int, num_steps: int = 12, *, seed: int = 0) -> tuple[Array, Array]:
    """Generate random bits, and for each step whether the number of ones so far is odd.

    Args:
        num_sequences: the number of sequences, n, 1 or above.
        num_steps: the bits of a sequence, T, 1 or above.
        seed: an integer, 0 or above: the same seed gives the same sequences.

    Returns:
        X and Y, zeros and ones (n, T): the bits, and 1 where the number of ones up to and including
        this step is odd.

    Raises:
        ValueError: an argument is out of its range.

    Source: Hochreiter and Schmidhuber, 1997, section 5; Grazzi et al., 2024 (arXiv 2411.12537), on
    the eigenvalues that a linear recurrence needs for it.

    Examples:
        >>> X, Y = rnn.parity(1, num_steps=6, seed=0)
        >>> X.tolist(), Y.tolist()
        ([[1, 1, 1, 0, 0, 0]], [[1, 0, 1, 1, 1, 1]])
    """
    checks.size(num_sequences=num_sequences, num_steps=num_steps)
    X = _generator(seed).integers(2, size=(num_sequences, num_steps))
    return X, X.cumsum(axis=1) % 2


def adding(num_sequences: int, num_steps: int = 16, *, seed: int = 0) -> tuple[Array, Array]:
    """Generate numbers from 0 to 1, of which two are marked: their sum is the answer.

    One marked number is in the first half of the sequence, the other in the second half. Always
    answering 1 has a mean squared error of 1/6, the variance of the sum.

    Args:
        num_sequences: the number of sequences, n, 1 or above.
        num_steps: the numbers of a sequence, T, 2 or above.
        seed: an integer, 0 or above: the same seed gives the same sequences.

    Returns:
        X, floats (n, T, 2), the numbers and the marks, 1 or 0; and the sums y, floats (n,).

    Raises:
        ValueError: an argument is out of its range.

    Source: Hochreiter and Schmidhuber, 1997, section 5.4; in this form Le et al., 2015 (arXiv
    1504.00941), section 4.1, which gives 0.1767 for the error of always answering 1.

    Examples:
        >>> X, y = rnn.adding(1, num_steps=4, seed=0)
        >>> X[0, :, 1].tolist(), bool(y[0] == (X[0, :, 0] * X[0, :, 1]).sum())
        ([1.0, 0.0, 0.0, 1.0], True)
    """
    checks.size(num_sequences=num_sequences, num_steps=num_steps)
    if num_steps < 2:
        raise ValueError(f"num_steps is {num_steps}; expected 2 or more, for two marked numbers")
    rng = _generator(seed)
    X = np.zeros((num_sequences, num_steps, 2))
    X[:, :, 0] = rng.random((num_sequences, num_steps))
    rows, half = np.arange(num_sequences), num_steps // 2
    for start, end in ((0, half), (half, num_steps)):
        X[rows, rng.integers(start, end, num_sequences), 1] = 1
    return X, X.prod(axis=2).sum(axis=1)


def _generator(seed: int) -> np.random.Generator:
    """Return a generator of random numbers that depends only on the seed."""
    checks.count(seed=seed)
    return np.random.Generator(np.random.PCG64(seed))


def _some(rng: np.random.Generator, num_rows: int, number: int, size: int) -> Array:
    """Return rows of some different integers below a number, (num_rows, size), in any order."""
    return rng.random((num_rows, number)).argsort(axis=1, kind="stable")[:, :size]
