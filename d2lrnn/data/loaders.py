"""Texts as minibatches, in one call each; and the same as a backend has them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

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
    """Return a SeqDataLoader over The Time Machine and its Vocab.

    Args:
        batch_size: subsequences per minibatch.
        num_steps: tokens per subsequence.
        use_random_iter: random sampling instead of sequential partitioning.
        max_tokens: train on the first so many tokens; None for all.
        token: "char" or "word".
        seed: an integer for epochs that can be repeated, or None.

    Source: the book's section 9.3.
    """
    corpus, vocab = text.build_corpus(corpora.read_time_machine(), token, max_tokens)
    return SeqDataLoader(corpus, batch_size, num_steps, use_random_iter, seed=seed), vocab


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
    """
    corpus, vocab = text.build_corpus(corpora.read_builtin(), token, max_tokens)
    return SeqDataLoader(corpus, batch_size, num_steps, use_random_iter, seed=seed), vocab


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

    The other arguments are those of load_data_time_machine; all tokens are used by default.
    """
    corpus, vocab = text.build_corpus(corpora.read_text(path), token, max_tokens)
    return SeqDataLoader(corpus, batch_size, num_steps, use_random_iter, seed=seed), vocab


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
    """
    corpus, vocab = text.build_corpus(corpora.read_tiny_shakespeare(), token, max_tokens)
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
    """
    return text.build_corpus(corpora.read_time_machine(), token, max_tokens)


class Loaders(NamedTuple):
    """The functions of this module that yield tensors, in the order for_backend returns them."""

    SeqDataLoader: Any
    seq_data_iter_random: Any
    seq_data_iter_sequential: Any
    load_data_time_machine: Any
    load_data_tiny_shakespeare: Any
    load_data_builtin: Any
    load_data_text: Any
    load_data_grammar: Any


def for_backend(from_numpy: Callable[[Ids], Any]) -> Loaders:
    """Return this module's loaders as a backend has them: yielding tensors made by from_numpy."""

    class Loader(SeqDataLoader):
        __doc__ = SeqDataLoader.__doc__
        to_tensor = staticmethod(from_numpy)

    Loader.__name__ = Loader.__qualname__ = SeqDataLoader.__name__

    def iterating(data_iter: Callable[..., Iterator[Minibatch]]) -> Callable[..., Any]:
        @functools.wraps(data_iter)
        def iterate(*args: Any, **kwargs: Any) -> Iterator[Minibatch]:
            return ((from_numpy(X), from_numpy(Y)) for X, Y in data_iter(*args, **kwargs))

        return iterate

    def loading(load_data: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(load_data)
        def load(*args: Any, **kwargs: Any) -> tuple[Any, text.Vocab]:
            loader, vocab = load_data(*args, **kwargs)
            loader.to_tensor = from_numpy
            return loader, vocab

        return load

    return Loaders(
        SeqDataLoader=Loader,
        seq_data_iter_random=iterating(seq_data_iter_random),
        seq_data_iter_sequential=iterating(seq_data_iter_sequential),
        load_data_time_machine=loading(load_data_time_machine),
        load_data_tiny_shakespeare=loading(load_data_tiny_shakespeare),
        load_data_builtin=loading(load_data_builtin),
        load_data_text=loading(load_data_text),
        load_data_grammar=loading(load_data_grammar),
    )
