"""Checks of attention in every framework (the book's chapter on attention mechanisms)."""

from __future__ import annotations

from collections.abc import Sequence

MASKED = -1e6  # the score of masked keys, as in the book: their softmax is 0


def check_valid_lens(scores: Sequence[int | None], valid_lens: Sequence[int | None]) -> None:
    """Check that the shape of valid lengths fits scores of shape (n, queries, keys).

    Raises:
        ValueError: the shape is neither (n,) nor (n, queries). A size that is not known yet, as
            within a graph of TensorFlow, is not checked.
    """
    shape = tuple(valid_lens)
    allowed = [tuple(scores[:1]), tuple(scores[:2])] if len(scores) == 3 else []
    for one in allowed:
        pairs = zip(one, shape)
        if len(one) == len(shape) and all(a == b or None in (a, b) for a, b in pairs):
            return
    expected = " or ".join(map(str, allowed)) or "scores of three axes (n, queries, keys)"
    raise ValueError(
        f"valid_lens has shape {shape} for scores of shape {tuple(scores)}; expected {expected}"
    )
