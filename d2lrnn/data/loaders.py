"""Texts as minibatches, in one call each; and the same as a backend has them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

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
from d2lrnn.data.signatures import DataIter, LoadData, LoadGrammar, LoadText


def load_data_time_machine(
    batch_size: int,
    num_steps: int,
    use_random_iter: bool = False,
    max_tokens: int | None = 10000,
    *,
    token: str = "char",
    seed: int | None = None,
) -> tuple[SeqDataLoader, text.Vocab]:
    """Return a SeqDataLoader over The Time Machine and its Vocab.

    Args:
        batch_size: subsequences per minibatch.
        num_steps: tokens per subsequence.
        use_random_iter: random sampling instead of sequential partitioning.
        max_tokens: train on the first so many tokens; None for all.
        token: "char" or "word".
        seed: an integer for epochs that can be repeated, or None.

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
    """Return a SeqDataLoader over the built-in story and its Vocab; needs no download.

    Arguments as for load_data_time_machine.

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
    """Return a SeqDataLoader over a UTF-8 file of one's own and its Vocab.

    The other arguments are those of load_data_time_machine; all tokens are used by default. The
    vocabulary is that of the whole text even where max_tokens are few: the whole file is read, and
    no more is kept of it than is learned. It may also come through a pipe, such as /dev/stdin.

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
    """Return a SeqDataLoader over a million characters of Shakespeare and its Vocab.

    Arguments as for load_data_time_machine.

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
    """Return a loader over one of corpora.CORPORA and its Vocab.

    The other arguments are those of load_data_time_machine; the grammar, which has no end, takes
    max_tokens None for 10,000 an epoch.
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
    """Return a loader of text from a source of known entropy, fresh in every epoch, and its Vocab.

    Arguments as for load_data_time_machine; max_tokens is the length of an epoch. ``loader.floor``
    is the lowest perplexity there is.

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
    """Return The Time Machine as one list of token ids, the first max_tokens, and its Vocab.

    Source: the book's section 9.2.

    Examples:
        >>> corpus, vocab = rnn.load_corpus_time_machine()
        >>> len(corpus), len(vocab)
        (170580, 28)
    """
    return text.build_corpus(corpora.read_time_machine(), token, max_tokens)


class Loaders(NamedTuple):
    """What of returns, by the names that a backend hands on."""

    SeqDataLoader: type[SeqDataLoader]
    seq_data_iter_random: DataIter
    seq_data_iter_sequential: DataIter
    load_data_time_machine: LoadData
    load_data_tiny_shakespeare: LoadData
    load_data_builtin: LoadData
    load_data_text: LoadText
    load_data_grammar: LoadGrammar


LOADERS = Loaders(
    SeqDataLoader=SeqDataLoader,
    seq_data_iter_random=seq_data_iter_random,
    seq_data_iter_sequential=seq_data_iter_sequential,
    load_data_time_machine=load_data_time_machine,
    load_data_tiny_shakespeare=load_data_tiny_shakespeare,
    load_data_builtin=load_data_builtin,
    load_data_text=load_data_text,
    load_data_grammar=load_data_grammar,
)


def with_tensors(load_data: Callable[..., Any], from_numpy: Callable[[Ids], Any]) -> Any:
    """Return a loading function whose loader yields tensors made by from_numpy."""

    @functools.wraps(load_data)
    def load(*args: Any, **kwargs: Any) -> tuple[Any, text.Vocab]:
        loader, vocab = load_data(*args, **kwargs)
        loader.to_tensor = from_numpy
        return loader, vocab

    return load


def of(from_numpy: Callable[[Ids], Any]) -> Loaders:
    """Return the loaders as a backend has them: yielding tensors made by from_numpy."""

    class Loader(SeqDataLoader):
        __doc__ = SeqDataLoader.__doc__
        to_tensor = staticmethod(from_numpy)

    Loader.__name__ = Loader.__qualname__ = SeqDataLoader.__name__

    def iterating(data_iter: Callable[..., Iterator[Minibatch]]) -> Callable[..., Any]:
        @functools.wraps(data_iter)
        def iterate(*args: Any, **kwargs: Any) -> Iterator[Minibatch]:
            return ((from_numpy(X), from_numpy(Y)) for X, Y in data_iter(*args, **kwargs))

        return iterate

    return Loaders(
        SeqDataLoader=Loader,
        seq_data_iter_random=iterating(seq_data_iter_random),
        seq_data_iter_sequential=iterating(seq_data_iter_sequential),
        load_data_time_machine=with_tensors(load_data_time_machine, from_numpy),
        load_data_tiny_shakespeare=with_tensors(load_data_tiny_shakespeare, from_numpy),
        load_data_builtin=with_tensors(load_data_builtin, from_numpy),
        load_data_text=with_tensors(load_data_text, from_numpy),
        load_data_grammar=with_tensors(load_data_grammar, from_numpy),
    )
