"""Checks of token ids, and of the vocabulary that they belong to."""

from __future__ import annotations

from typing import Any

import numpy as np

from d2lrnn.checks.arrays import dtype_of
from d2lrnn.checks.scalars import size
from d2lrnn.checks.shapes import axes


def tokens(ids: np.ndarray[Any, Any], vocab_size: int) -> None:
    """Check that ids are integers from 0 to vocab_size - 1, before any framework converts them."""
    token_dtype(ids, vocab_size)
    if ids.size == 0:
        return
    worst = int(ids.min()) if ids.min() < 0 else int(ids.max())
    if not 0 <= worst < vocab_size:
        raise ValueError(
            f"token id {worst} is outside 0..{vocab_size - 1}; "
            "use the Vocab that the model was made for"
        )


def token_dtype(ids: Any, vocab_size: int) -> None:
    """Check that ids, a tensor with or without values, have an integer dtype."""
    size(vocab_size=vocab_size)
    if not dtype_of(ids).startswith(("int", "uint")):
        raise ValueError(
            f"token ids have dtype {dtype_of(ids)}; expected integers from 0 to {vocab_size - 1}; "
            "turn tokens into ids with vocab[tokens]"
        )


def minibatch(X: np.ndarray[Any, Any], Y: np.ndarray[Any, Any], vocab_size: int) -> None:
    """Check a minibatch for training: the shapes of X and Y (batch_size, num_steps), and the ids.

    Only the ids of Y are checked here; those of X are checked when a net uses them as inputs.
    """
    axes("X", X.shape, "(batch_size, num_steps)")
    if Y.shape != X.shape:
        raise ValueError(
            f"Y has shape {Y.shape}, X has {X.shape}; expected a target for each input token"
        )
    if X.size == 0:
        raise ValueError(
            f"the minibatch is empty, of shape {X.shape}; "
            "training needs at least one row and one time step"
        )
    tokens(Y, vocab_size)


def same_vocab(num_inputs: int, vocab_size: int) -> None:
    """Check that a recurrent layer has as many inputs as a vocabulary has tokens."""
    if num_inputs != vocab_size:
        raise ValueError(
            f"the layer takes {num_inputs} inputs, the vocabulary has {vocab_size} tokens; "
            "make the layer for len(vocab) inputs"
        )


def vocab_of(net: Any, vocab: Any, **uses: Any) -> None:
    """Check that a Vocab has as many tokens as a net.

    uses holds the named arguments that need a Vocab; if all of them are None, vocab may be None.
    """
    if vocab is None:
        names = [name for name, value in uses.items() if value is not None]
        if names:
            verb = "needs" if len(names) == 1 else "need"
            raise ValueError(
                f"vocab is None; {' and '.join(names)} {verb} the Vocab of the tokens; "
                "give the one that came with train_iter"
            )
        return
    if not hasattr(vocab, "idx_to_token"):
        raise ValueError(
            f"vocab is a {type(vocab).__name__}; expected the Vocab that came with train_iter"
        )
    own_vocab(getattr(net, "vocab_size", len(vocab)), len(vocab))


def own_vocab(vocab_size: int, num_tokens: int) -> None:
    """Check that a Vocab has as many tokens as the model with which it is used."""
    if num_tokens != vocab_size:
        raise ValueError(
            f"the net is for {vocab_size} tokens, the vocab has {num_tokens}; "
            "use the Vocab that the model was made for"
        )
