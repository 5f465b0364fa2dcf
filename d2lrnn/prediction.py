"""Text from a trained model, token by token. Knows no framework.

Of a net it uses ``vocab_size``, ``begin_state(batch_size)`` and ``evaluate(X, state)``, the outputs
as a NumPy array.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from d2lrnn import checks, text


def predict_ch8(
    prefix: str,
    num_preds: int,
    net: Any,
    vocab: text.Vocab,
    *,
    temperature: float = 0.0,
    seed: int | None = None,
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

    Raises:
        ValueError: the prefix is empty, or an argument is out of its range.

    Source: the book's section 9.5, Prediction.
    """
    checks.count(num_preds=num_preds)
    checks.not_negative(temperature=temperature)
    checks.seed(seed)
    if net.bidirectional:
        raise ValueError(
            "the net reads in both directions, and the future is not there yet; "
            "generate with a net of one direction"
        )
    if net.vocab_size != len(vocab):
        raise ValueError(
            f"the net is for {net.vocab_size} tokens, the vocab has {len(vocab)}; "
            "use the Vocab that the model was made for"
        )
    rng = np.random.default_rng(seed)
    tokens = prefix_tokens(prefix, vocab)
    state = net.begin_state(1)
    for index in vocab[tokens]:  # warm up: the state learns what has been said
        outputs, state = net.evaluate(np.array([[index]]), state)
    predicted = []
    for _ in range(num_preds):
        index = choose(outputs[0], temperature, rng)
        predicted.append(index)
        outputs, state = net.evaluate(np.array([[index]]), state)
    return vocab.join([*tokens, *vocab.to_tokens(predicted)])


def prefix_tokens(prefix: str, vocab: text.Vocab) -> list[str]:
    """Return the tokens of a prefix, of which there must be one at least."""
    tokens = vocab.split(prefix)
    if not tokens:
        raise ValueError(f"prefix {prefix!r} holds no token; give one or more to go on from")
    return tokens


def choose(scores: np.ndarray[Any, Any], temperature: float, rng: np.random.Generator) -> int:
    """Return the id of the highest score, or one drawn from softmax(scores / temperature)."""
    if temperature == 0:
        return int(scores.argmax())
    scaled = (scores.astype(np.float64) - scores.max()) / temperature
    weights = np.exp(scaled)
    return int(rng.choice(len(scores), p=weights / weights.sum()))
