"""Text from a trained model, token by token. Knows no framework.

Of a net it uses ``vocab_size``, ``begin_state(batch_size)`` and ``say``, which is given many tokens
to say at once, for the backends that compile.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.data import text

AT_ONCE = 32  # tokens that a net says in one call
FREE = -1  # where a token is not given


def predict_ch8(
    prefix: str,
    num_preds: int,
    net: Any,
    vocab: text.Vocab,
    *,
    temperature: float = 0.0,
    seed: int | None = None,
    state: Any = None,
) -> str:
    """Return the prefix and num_preds further tokens, one after the other.

    Args:
        prefix: text to go on from, at least one token.
        num_preds: tokens to generate, 0 or more.
        net: the model.
        vocab: its Vocab.
        temperature: 0 takes the likeliest token each time; above 0, tokens are drawn with
            probabilities softmax(scores / temperature), the more surprising the higher.
        seed: an integer for a draw that can be repeated, or None.
        state: the hidden state of one row to go on from, as a net or its step returned it; None for
            zeros.

    Raises:
        ValueError: the prefix is empty, or an argument is out of its range.

    Source: the book's section 9.5, Prediction.
    """
    checks.count(num_preds=num_preds)
    checks.not_negative(temperature=temperature)
    checks.seed(seed)
    tokens = first_tokens(prefix, net, vocab)
    first, *others = vocab[tokens]
    given = np.array([*others, *[FREE] * num_preds], dtype=np.int32)  # first the state warms up
    if state is None:
        state = net.begin_state(1)
    net.check_state(state, 1)
    state = net.own(state)
    rng, said = np.random.default_rng(seed), [first]
    for start in range(0, len(given), AT_ONCE):
        part = given[start : start + AT_ONCE]
        noise = surprise(temperature, rng, (len(part), net.vocab_size))
        ids, state = net.say(said[-1], state, part, noise)
        said += ids
    return vocab.join([*tokens, *vocab.to_tokens(said[len(tokens) :])])


def first_tokens(prefix: str, net: Any, vocab: text.Vocab) -> list[str]:
    """Return the tokens of a prefix that a net, checked, can go on from."""
    if net.bidirectional:
        raise ValueError(
            "the net reads in both directions, and the future is not there yet; "
            "generate with a net of one direction"
        )
    checks.own_vocab(net.vocab_size, len(vocab))
    return prefix_tokens(prefix, vocab)


def prefix_tokens(prefix: str, vocab: text.Vocab) -> list[str]:
    """Return the tokens of a prefix, of which there must be one at least."""
    tokens = vocab.split(prefix)
    if not tokens:
        raise ValueError(f"prefix {prefix!r} holds no token; give one or more to go on from")
    return tokens


def surprise(
    temperature: float, rng: np.random.Generator, shape: tuple[int, ...]
) -> np.ndarray[Any, Any]:
    """Return what to add to scores so that the highest is drawn by softmax(scores / temperature).

    That is temperature times noise from the Gumbel distribution (Gumbel, 1954); at 0 there is none.
    """
    return temperature * rng.gumbel(size=shape) if temperature else np.zeros(shape)
