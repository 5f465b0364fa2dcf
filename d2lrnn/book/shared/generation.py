"""How the models of edition 1.0 generate text and translations (sections 9.5 and 10.7)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from d2lrnn import checks
from d2lrnn.book.objects import check_prediction

d2l = sys.modules[__package__]


def generate(
    prefix: Sequence[str],
    num_preds: int,
    vocab: Any,
    step: Callable[[int, Any], tuple[Any, Any]],
    scores: Callable[[Any], Any],
) -> str:
    """Return prefix and the num_preds most probable tokens after it, one by one, as a string.

    Args:
        prefix: one token or more.
        num_preds: how many tokens to generate.
        vocab: the vocabulary.
        step: takes a token id and a state, or None; returns the outputs and the new state.
        scores: takes the outputs of a step; returns the scores (1, 1, vocab_size).
    """
    check_prediction(prefix, num_preds)
    state, ids = None, [vocab[prefix[0]]]
    for i in range(1, len(prefix) + num_preds):
        outputs, state = step(ids[-1], state)
        if i < len(prefix):  # the state warms up
            ids.append(vocab[prefix[i]])
        else:
            Y = scores(outputs)
            ids.append(int(d2l.reshape(d2l.argmax(Y, axis=2), -1)[0]))
    return "".join(vocab.idx_to_token[i] for i in ids)


def decode(
    step: Callable[[Any, Any], tuple[Any, Any]],
    first: Any,
    state: Any,
    num_steps: int,
    weights: Callable[[], Any] | None,
) -> tuple[Any, list[Any]]:
    """Return the most probable ids (n, num_steps), one by one, and a list of attention weights.

    Args:
        step: takes ids (n, 1) and a state; returns the scores (n, 1, vocab_size) and the new state.
        first: the first ids (n,).
        state: the state before the first step.
        num_steps: how many tokens to generate.
        weights: returns the attention weights of the last step; None collects none.
    """
    checks.size(num_steps=num_steps)
    ids, collected = [d2l.expand_dims(first, 1)], []
    for _ in range(num_steps):
        Y, state = step(ids[-1], state)
        ids.append(d2l.argmax(Y, 2))
        if weights is not None:
            collected.append(weights())
    return d2l.concat(ids[1:], 1), collected
