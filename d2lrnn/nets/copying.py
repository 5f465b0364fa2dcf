"""The copying of parameters from one model to another."""

from __future__ import annotations

from d2lrnn.nets import describe
from d2lrnn.nets.model import Model


def copy_params(source: Model, target: Model) -> None:
    """Copy the parameters of one model to another of the same architecture.

    Each may be a scratch model or one around a framework's own layer, in any backend. A framework's
    own GRU applies its reset gate after the product: it corresponds to gru_reset_after.

    Args:
        source: the model to copy from; it is not changed.
        target: a model of the same cell, layers, directions and sizes, from any backend.

    Returns:
        None.

    Raises:
        ValueError: the models differ in more than their parameters.

    Examples:
        >>> functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn
        >>> source, target = (rnn.RNNModelScratch(5, 4, *functions, seed=seed) for seed in (0, 1))
        >>> rnn.copy_params(source, target)
        >>> all((ours == theirs).all() for ours, theirs in zip(source.arrays(), target.arrays()))
        True
    """
    for name, model in (("source", source), ("target", target)):
        if not isinstance(model, Model):
            raise ValueError(
                f"{name} is of type {type(model).__name__}; expected a model; the order is "
                "copy_params(source, target)"
            )
    if source.architecture.settings() != target.architecture.settings():
        raise ValueError(
            f"the source is {describe.in_words(source.architecture)}, the target "
            f"{describe.in_words(target.architecture)}; "
            "make both equal (a framework's own GRU is 'gru_reset_after')"
        )
    target.load_arrays(source.arrays())
