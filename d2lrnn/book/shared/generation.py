"""How the models of edition 1.0 generate text and translations (sections 9.5 and 10.7)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from d2lrnn import checks
from d2lrnn.book.objects import check_prediction
from d2lrnn.data.arrays import as_array

d2l = sys.modules[__package__]


def generate(
    prefix: Sequence[str],
    num_preds: int,
    vocab: Any,
    step: Callable[[int, Any], tuple[Any, Any]],
    choose: Callable[[Any], Any],
    state: Any = None,
) -> str:
    """Return the tokens of prefix and the num_preds tokens after it, one by one, as a string.

    Args:
        prefix: one token or more.
        num_preds: how many tokens to generate.
        vocab: the vocabulary.
        step: takes a token id and a state; returns the outputs and the new state.
        choose: takes the outputs of a step; returns the id of the token that follows.
        state: the state before the first step.
    """
    check_prediction(prefix, num_preds)
    ids = [vocab[prefix[0]]]
    for i in range(1, len(prefix) + num_preds):
        outputs, state = step(ids[-1], state)
        ids.append(vocab[prefix[i]] if i < len(prefix) else int(choose(outputs)))
    return "".join(vocab.idx_to_token[i] for i in ids)


def best(scores: Any) -> Any:
    """Return the id of the highest score, for scores of one token in any framework."""
    return as_array(scores).argmax()


def most_probable(scores: Any) -> Any:
    """Return the id of the most probable token, for scores (1, 1, vocab_size)."""
    return d2l.reshape(d2l.argmax(scores, axis=2), -1)[0]


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
    ids, attention_weights = [d2l.expand_dims(first, 1)], []
    for _ in range(num_steps):
        Y, state = step(ids[-1], state)
        ids.append(d2l.argmax(Y, 2))
        if weights is not None:
            attention_weights.append(weights())
    return d2l.concat(ids[1:], 1), attention_weights
