"""The loaders of a backend, which yield tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from d2lrnn import checks
from d2lrnn.data import corpora, grammar, loaders, splitting, text
from d2lrnn.data.batches import (
    Ids,
    Minibatch,
    SeqDataLoader,
    seq_data_iter_random,
    seq_data_iter_sequential,
)


def load_data(
    corpus: str,
    batch_size: int,
    num_steps: int,
    use_random_iter: bool = False,
    max_tokens: int | None = 10000,
    *,
    token: str = "char",
    seed: int | None = None,
    vocab: text.Vocab | None = None,
    validation: float | None = None,
    vocab_size: int | None = None,
) -> tuple[Any, ...]:
    """Return a loader for one of corpora.CORPORA and its Vocab.

    The other arguments are those of load_data_time_machine. For the grammar, whose text is not
    limited, max_tokens None means 10,000 tokens per epoch.
    """
    checks.choice(corpus, "corpus", tuple(corpora.CORPORA))
    sizes, read = (batch_size, num_steps, use_random_iter), corpora.CORPORA[corpus].read
    if read is None:
        parts: dict[str, Any] = {"vocab": vocab, "validation": validation}
        return grammar.load_data_grammar(*sizes, max_tokens, token=token, seed=seed, **parts)
    return splitting.load(read(), *sizes, max_tokens, token, seed, vocab, validation, vocab_size)


def with_tensors(load_data: Callable[..., Any], from_numpy: Callable[[Ids], Any]) -> Any:
    """Return load_data with a loader that yields tensors, converted by from_numpy."""

    @functools.wraps(load_data)
    def load(*args: Any, **kwargs: Any) -> tuple[Any, ...]:
        *data, vocab = load_data(*args, **kwargs)
        for loader in data:
            loader.to_tensor = from_numpy
        return (*data, vocab)

    return load


def for_backend(ops: Any) -> dict[str, Any]:
    """Return the loaders of a backend, given its record, by name; they yield its tensors."""
    from_numpy: Callable[[Ids], Any] = ops.tensors.from_numpy

    class Loader(SeqDataLoader):
        __doc__ = SeqDataLoader.__doc__
        to_tensor = staticmethod(from_numpy)

    Loader.__name__ = Loader.__qualname__ = SeqDataLoader.__name__

    def iterating(data_iter: Callable[..., Iterator[Minibatch]]) -> Callable[..., Any]:
        @functools.wraps(data_iter)
        def iterate(*args: Any, **kwargs: Any) -> Iterator[Minibatch]:
            return ((from_numpy(X), from_numpy(Y)) for X, Y in data_iter(*args, **kwargs))

        return iterate

    loading: tuple[Any, ...] = (
        loaders.load_data_time_machine,
        loaders.load_data_tiny_shakespeare,
        loaders.load_data_builtin,
        loaders.load_data_text,
        loaders.load_data_string,
        grammar.load_data_grammar,
    )
    return {
        "SeqDataLoader": Loader,
        **{
            iterate.__name__: iterating(iterate)
            for iterate in (seq_data_iter_random, seq_data_iter_sequential)
        },
        **{load.__name__: with_tensors(load, from_numpy) for load in loading},
    }
