"""The vocabulary and the BLEU of edition 1.0 (sections 9.2 and 10.7)."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Sequence
from typing import Any

from d2lrnn.data import strings, text

from . import pairs


class Vocab(text.Vocab):
    """The table between tokens and ids as edition 1.0 has it: ids in alphabetical order.

    Args:
        tokens: tokens, or lists of tokens. They may be pairs of words, whose ids follow those of
            the words.
        min_freq: tokens seen fewer times than this are left out, and so become unknown.
        reserved_tokens: tokens that get an id whether they occur or not.
    """

    check_token = staticmethod(strings.token)

    def __init__(
        self,
        tokens: Iterable[Any] | None = (),
        min_freq: int = 0,
        reserved_tokens: Sequence[str] = (),
    ) -> None:
        """Count the tokens and number them."""
        tokens = () if tokens is None else tokens
        if not isinstance(tokens, (str, collections.Counter)):
            tokens = [*strings.ordered(tokens, "tokens", "tokens")]
            if tokens and not isinstance(tokens[0], list) and any(map(_is_pair, tokens)):
                tokens = [tokens]  # one line of pairs, not lines of two words
        super().__init__(tokens, min_freq, reserved_tokens)
        self.idx_to_token = sorted(self.idx_to_token, key=_in_order)
        self.token_to_idx = {token: index for index, token in enumerate(self.idx_to_token)}
        self._unk = self.token_to_idx[text.UNKNOWN]

    def to_tokens(self, indices: Any) -> Any:
        """Return the token of an id or a tensor of one, or the list of tokens of several."""
        if getattr(indices, "shape", None) == (1,):
            indices = indices[0]
        return super().to_tokens(indices)


def _is_pair(token: Any) -> bool:
    return isinstance(token, tuple)


def _in_order(token: Any) -> tuple[bool, Any]:
    """Return the key by which tokens are sorted: words first, then pairs of words."""
    return not isinstance(token, str), token


def bleu(pred_seq: str, label_seq: str, k: int) -> float:
    """Return the BLEU of one sentence, from 0 to 1, with n-grams of up to k words.

    In a prediction of fewer than k words, only n-grams of up to its length count.

    Args:
        pred_seq, label_seq: the prediction and the reference, words with one space between them.
        k: the largest n.

    Source: the book's section 10.7: exp(min(0, 1 - len_label / len_pred)) times the product of
    p_n ** (1 / 2 ** n) for n = 1..k, where p_n is the share of the n-grams that are in the label.
    """
    num_words = len(strings.text(pred_seq, "pred_seq").split(" "))
    return pairs.bleu(pred_seq, label_seq, min(k, num_words))
