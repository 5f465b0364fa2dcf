"""Token ids, and the vocabulary that they belong to."""

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
    """Check that ids, a tensor that may have no values, are integers."""
    size(vocab_size=vocab_size)
    if not dtype_of(ids).startswith(("int", "uint")):
        raise ValueError(
            f"token ids have dtype {dtype_of(ids)}; expected integers from 0 to {vocab_size - 1}; "
            "turn tokens into ids with vocab[tokens]"
        )


def minibatch(X: np.ndarray[Any, Any], Y: np.ndarray[Any, Any], vocab_size: int) -> None:
    """Check a minibatch to train on: X and Y (batch_size, num_steps), not empty, the ids of Y.

    The ids of X are checked where a net takes them as inputs.
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
    """Check that a recurrent layer takes the one-hot rows of a vocabulary."""
    if num_inputs != vocab_size:
        raise ValueError(
            f"the layer takes {num_inputs} inputs, the vocabulary has {vocab_size} tokens; "
            "make the layer for len(vocab) inputs"
        )


def vocab_of(net: Any, vocab: Any, **uses: Any) -> None:
    """Check that a Vocab has as many tokens as the net that is to be trained.

    uses are the named arguments for which there must be one; without them it may be None.
    """
    if vocab is None:
        asked = [name for name, value in uses.items() if value is not None]
        if asked:
            verb = "needs" if len(asked) == 1 else "need"
            raise ValueError(
                f"vocab is None; {' and '.join(asked)} {verb} the Vocab of the tokens; "
                "give the one that came with train_iter"
            )
        return
    if not hasattr(vocab, "idx_to_token"):
        raise ValueError(
            f"vocab is a {type(vocab).__name__}; expected the Vocab that came with train_iter"
        )
    own_vocab(getattr(net, "vocab_size", len(vocab)), len(vocab))


def own_vocab(vocab_size: int, found: int) -> None:
    """Check that a Vocab has as many tokens as the model that it comes with."""
    if found != vocab_size:
        raise ValueError(
            f"the net is for {vocab_size} tokens, the vocab has {found}; "
            "use the Vocab that the model was made for"
        )
