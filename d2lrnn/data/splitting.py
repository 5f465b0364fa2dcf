"""Loaders of the lines of a text: of all of it, or of a training and a validation part."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from d2lrnn import checks
from d2lrnn.data import numbering, text
from d2lrnn.data.batches import Ids, SeqDataLoader


def load(
    lines: Iterable[str],
    batch_size: int,
    num_steps: int,
    use_random_iter: bool,
    max_tokens: int | None,
    token: str,
    seed: int | None,
    vocab: text.Vocab | None,
    validation: float | None,
    vocab_size: int | None,
) -> tuple[Any, ...]:
    """Return a loader of lines and its Vocab, as load_data_time_machine does; see there."""
    token = text.kind_of(vocab, token)
    share = None if validation is None else checks.share(validation=validation)
    corpus, vocab = text.encode(
        lines, token, max_tokens, vocab=vocab, vocab_size=vocab_size, held_out=share or 0.0
    )
    corpus.flags.writeable = False  # so that a long text is not copied
    end = len(corpus) - numbering.num_held_out(len(corpus), share or 0.0)
    loader = SeqDataLoader(corpus[:end], batch_size, num_steps, use_random_iter, seed=seed)
    loader.vocab = vocab
    if share is None:
        return loader, vocab
    return loader, held_out(corpus[end:], batch_size, num_steps, use_random_iter, vocab), vocab


def held_out(
    corpus: Ids, batch_size: int, num_steps: int, use_random_iter: bool, vocab: text.Vocab
) -> SeqDataLoader:
    """Return a loader of a validation part, with fewer rows than batch_size if it is short.

    Raises:
        ValueError: it is too short for a single row.
    """
    num_rows = min(batch_size, (len(corpus) - 1) // num_steps)
    if num_rows < 1:
        raise ValueError(
            f"the validation part has {len(corpus)} tokens; num_steps {num_steps} needs "
            f"{num_steps + 1} or more; take a larger share for validation, a longer text or fewer "
            "num_steps"
        )
    loader = SeqDataLoader(corpus, num_rows, num_steps, use_random_iter, shuffle=False)
    loader.vocab = vocab
    return loader
