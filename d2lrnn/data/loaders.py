"""Functions that load a text as minibatches, and the same functions for each backend."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from d2lrnn import checks
from d2lrnn.data import corpora, text
from d2lrnn.data.batches import (
    Ids,
    Minibatch,
    SeqDataLoader,
    seq_data_iter_random,
    seq_data_iter_sequential,
)
from d2lrnn.data.grammar import GrammarLoader, MarkovSource


def load_data_time_machine(
    batch_size: int,
    num_steps: int,
    use_random_iter: bool = False,
    max_tokens: int | None = 10000,
    *,
    token: str = "char",
    seed: int | None = None,
) -> tuple[SeqDataLoader, text.Vocab]:
    """Load The Time Machine as minibatches.

    Args:
        batch_size: subsequences per minibatch, n.
        num_steps: tokens per subsequence, T.
        use_random_iter: random sampling instead of sequential partitioning.
        max_tokens: train on the first max_tokens tokens; None for all of them.
        token: "char" or "word".
        seed: an integer to repeat the same epochs, or None.

    Returns:
        A SeqDataLoader, whose minibatches X and Y are tensors (n, T), and the Vocab.

    Raises:
        DownloadError: an OSError; the text is not available and cannot be downloaded.
        ValueError: an argument is out of its range.

    Source: the book's section 9.3.

    Examples:
        >>> train_iter, vocab = rnn.load_data_time_machine(batch_size=32, num_steps=35)
        >>> X, Y = next(iter(train_iter))
        >>> tuple(X.shape), len(vocab)
        ((32, 35), 28)
    """
    sizes = batch_size, num_steps, use_random_iter, max_tokens
    return load_data("time-machine", *sizes, token=token, seed=seed)


def load_data_builtin(
    batch_size: int,
    num_steps: int,
    use_random_iter: bool = False,
    max_tokens: int | None = 10000,
    *,
    token: str = "char",
    seed: int | None = None,
) -> tuple[SeqDataLoader, text.Vocab]:
    """Load the built-in story as minibatches; this needs no download.

    Args:
        batch_size: subsequences per minibatch, n.
        num_steps: tokens per subsequence, T.
        use_random_iter: random sampling instead of sequential partitioning.
        max_tokens: train on the first max_tokens tokens; None for all of them.
        token: "char" or "word".
        seed: an integer to repeat the same epochs, or None.

    Returns:
        A SeqDataLoader, whose minibatches X and Y are tensors (n, T), and the Vocab.

    Raises:
        ValueError: an argument is out of its range.

    Examples:
        >>> train_iter, vocab = rnn.load_data_builtin(batch_size=32, num_steps=35, seed=0)
        >>> X, Y = next(iter(train_iter))
        >>> tuple(X.shape), len(vocab)
        ((32, 35), 55)
    """
    sizes = batch_size, num_steps, use_random_iter, max_tokens
    return load_data("builtin", *sizes, token=token, seed=seed)


def load_data_text(
    path: str | os.PathLike[str],
    batch_size: int,
    num_steps: int,
    use_random_iter: bool = False,
    max_tokens: int | None = None,
    *,
    token: str = "char",
    seed: int | None = None,
) -> tuple[SeqDataLoader, text.Vocab]:
    """Load a UTF-8 text file of your own as minibatches.

    The vocabulary is that of the whole text even if max_tokens is smaller.

    Args:
        path: the file, or a pipe such as /dev/stdin.
        batch_size: subsequences per minibatch, n.
        num_steps: tokens per subsequence, T.
        use_random_iter: random sampling instead of sequential partitioning.
        max_tokens: train on the first max_tokens tokens; None for all of them.
        token: "char" or "word".
        seed: an integer to repeat the same epochs, or None.

    Returns:
        A SeqDataLoader, whose minibatches X and Y are tensors (n, T), and the Vocab.

    Raises:
        ValueError: the file is empty or is not UTF-8, or an argument is out of its range.
        OSError: the file cannot be read.

    Examples:
        >>> with open("mine.txt", "w") as file:
        ...     print("far and near, near and far. " * 10, file=file)
        >>> train_iter, vocab = rnn.load_data_text("mine.txt", batch_size=4, num_steps=8)
        >>> len(train_iter), len(vocab)
        (8, 11)
    """
    lines = corpora.read_blocks(path)
    return _load(lines, batch_size, num_steps, use_random_iter, max_tokens, token, seed)


def load_data_tiny_shakespeare(
    batch_size: int,
    num_steps: int,
    use_random_iter: bool = False,
    max_tokens: int | None = 10000,
    *,
    token: str = "char",
    seed: int | None = None,
) -> tuple[SeqDataLoader, text.Vocab]:
    """Load tiny-shakespeare, a million characters, as minibatches.

    Args:
        batch_size: subsequences per minibatch, n.
        num_steps: tokens per subsequence, T.
        use_random_iter: random sampling instead of sequential partitioning.
        max_tokens: train on the first max_tokens tokens; None for all of them.
        token: "char" or "word".
        seed: an integer to repeat the same epochs, or None.

    Returns:
        A SeqDataLoader, whose minibatches X and Y are tensors (n, T), and the Vocab.

    Raises:
        DownloadError: an OSError; the text is not available and cannot be downloaded.
        ValueError: an argument is out of its range.

    Examples:
        >>> train_iter, vocab = rnn.load_data_tiny_shakespeare(batch_size=32, num_steps=35)
        >>> X, Y = next(iter(train_iter))
        >>> tuple(X.shape), len(vocab)
        ((32, 35), 66)
    """
    sizes = batch_size, num_steps, use_random_iter, max_tokens
    return load_data("tiny-shakespeare", *sizes, token=token, seed=seed)


def load_data(
    corpus: str,
    batch_size: int,
    num_steps: int,
    use_random_iter: bool = False,
    max_tokens: int | None = 10000,
    *,
    token: str = "char",
    seed: int | None = None,
) -> tuple[Any, text.Vocab]:
    """Return a loader for one of corpora.CORPORA and its Vocab.

    The other arguments are those of load_data_time_machine. For the grammar, whose text is not
    limited, max_tokens None means 10,000 tokens per epoch.
    """
    checks.choice(corpus, "corpus", tuple(corpora.CORPORA))
    read = corpora.CORPORA[corpus].read
    if read is None:
        sizes = batch_size, num_steps, use_random_iter, max_tokens or 10000
        return load_data_grammar(*sizes, token=token, seed=seed)
    return _load(read(), batch_size, num_steps, use_random_iter, max_tokens, token, seed)


def _load(
    lines: Iterable[str],
    batch_size: int,
    num_steps: int,
    use_random_iter: bool,
    max_tokens: int | None,
    token: str,
    seed: int | None,
) -> tuple[SeqDataLoader, text.Vocab]:
    corpus, vocab = text.encode(lines, token, max_tokens)
    corpus.flags.writeable = False  # so that a long text is not copied
    return SeqDataLoader(corpus, batch_size, num_steps, use_random_iter, seed=seed), vocab


def load_data_grammar(
    batch_size: int,
    num_steps: int,
    use_random_iter: bool = False,
    max_tokens: int = 10000,
    *,
    token: str = "char",
    seed: int | None = None,
) -> tuple[GrammarLoader, text.Vocab]:
    """Load text from a source of known entropy, which is new in every epoch.

    Args:
        batch_size: subsequences per minibatch, n.
        num_steps: tokens per subsequence, T.
        use_random_iter: random sampling instead of sequential partitioning.
        max_tokens: the number of tokens in an epoch.
        token: "char" or "word".
        seed: an integer to repeat the same epochs, or None.

    Returns:
        A loader, whose minibatches X and Y are tensors (n, T) and whose ``floor`` is the lowest
        perplexity that is possible, and the Vocab.

    Raises:
        ValueError: an argument is out of its range.

    Examples:
        >>> train_iter, vocab = rnn.load_data_grammar(batch_size=32, num_steps=35, seed=0)
        >>> round(train_iter.floor, 2), len(train_iter)
        (1.22, 8)
    """
    loader = GrammarLoader(
        MarkovSource(), batch_size, num_steps, use_random_iter, max_tokens, token=token, seed=seed
    )
    return loader, loader.vocab


def load_corpus_time_machine(
    max_tokens: int | None = None, *, token: str = "char"
) -> tuple[list[int], text.Vocab]:
    """Return The Time Machine as one list of token ids.

    Args:
        max_tokens: keep the first max_tokens tokens; None for all of them.
        token: "char" or "word".

    Returns:
        The list of ids, and the Vocab.

    Raises:
        DownloadError: an OSError; the text is not available and cannot be downloaded.

    Source: the book's section 9.2.

    Examples:
        >>> corpus, vocab = rnn.load_corpus_time_machine()
        >>> len(corpus), len(vocab)
        (170580, 28)
    """
    return text.build_corpus(corpora.read_time_machine(), token, max_tokens)


def with_tensors(load_data: Callable[..., Any], from_numpy: Callable[[Ids], Any]) -> Any:
    """Return load_data with a loader that yields tensors, converted by from_numpy."""

    @functools.wraps(load_data)
    def load(*args: Any, **kwargs: Any) -> tuple[Any, text.Vocab]:
        loader, vocab = load_data(*args, **kwargs)
        loader.to_tensor = from_numpy
        return loader, vocab

    return load


def for_backend(from_numpy: Callable[[Ids], Any]) -> dict[str, Any]:
    """Return the loaders of a backend by name; they yield tensors, converted by from_numpy."""

    class Loader(SeqDataLoader):
        __doc__ = SeqDataLoader.__doc__
        to_tensor = staticmethod(from_numpy)

    Loader.__name__ = Loader.__qualname__ = SeqDataLoader.__name__

    def iterating(data_iter: Callable[..., Iterator[Minibatch]]) -> Callable[..., Any]:
        @functools.wraps(data_iter)
        def iterate(*args: Any, **kwargs: Any) -> Iterator[Minibatch]:
            return ((from_numpy(X), from_numpy(Y)) for X, Y in data_iter(*args, **kwargs))

        return iterate

    loading = (
        load_data_time_machine,
        load_data_tiny_shakespeare,
        load_data_builtin,
        load_data_text,
        load_data_grammar,
    )
    return {
        "SeqDataLoader": Loader,
        **{
            iterate.__name__: iterating(iterate)
            for iterate in (seq_data_iter_random, seq_data_iter_sequential)
        },
        **{load.__name__: with_tensors(load, from_numpy) for load in loading},
    }
