"""Evaluate a language model on text that it is not trained on, such as a validation part."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from d2lrnn import checks
from d2lrnn.data import text
from d2lrnn.nets import group, kinds, losses
from d2lrnn.training import divergence, minibatches
from d2lrnn.training.history import perplexity_of

Array = np.ndarray[Any, Any]


class Evaluation(NamedTuple):
    """The result of evaluate; the bits are None if the vocabulary is not known."""

    perplexity: float
    bits_per_character: float | None
    bits_per_byte: float | None


def evaluate(
    net: Any,
    data_iter: Any,
    vocab: text.Vocab | None = None,
    *,
    use_random_iter: bool | None = None,
) -> Evaluation:
    """Return how well a language model predicts a text, without training on it.

    Let L be the mean cross-entropy in nats over the N targets of data_iter. Then

    - perplexity = exp(L);
    - bits per character = N L / (C ln 2), where C is the number of characters of the targets;
    - bits per byte = N L / (B ln 2), where B is the number of bytes of the targets in UTF-8.

    A word counts with one space after it, a punctuation mark without. An unknown token counts as a
    single character of one byte, because its text is not known. For a vocabulary of characters, C
    is therefore N.

    Args:
        net: the model; it is not changed.
        data_iter: a SeqDataLoader, or another iterable over pairs X, Y as for train_ch8.
        vocab: the Vocab of the net, or None for that of a loader that a load_data function made.
        use_random_iter: True to start each minibatch from a zero state; False to start it from the
            last state of the minibatch before, as in training; None for the setting of the loader,
            or False if it is not known.

    Returns:
        A named tuple (perplexity, bits_per_character, bits_per_byte); without a vocabulary, the
        last two are None. If the net has diverged, the perplexity is infinite.

    Raises:
        ValueError: data_iter yields no minibatch, or something other than pairs of valid ids, or
            the vocabulary is not that of the net.

    Examples:
        >>> train_iter, valid_iter, vocab = rnn.load_data_builtin(8, 35, validation=0.1, seed=0)
        >>> functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn
        >>> net = rnn.RNNModelScratch(len(vocab), 16, *functions, seed=0)
        >>> result = rnn.evaluate(net, valid_iter)  # before training: about a random guess
        >>> round(result.perplexity), len(vocab), round(result.bits_per_character, 1)
        (54, 54, 5.8)
    """
    kinds.language_model(net, "the order is evaluate(net, data_iter)")
    minibatches.check_iterable(data_iter, "data_iter")
    vocab = getattr(data_iter, "vocab", None) if vocab is None else vocab
    if vocab is not None:
        checks.own_vocab(net.vocab_size, len(vocab))
    if use_random_iter is None:
        use_random_iter = bool(getattr(data_iter, "use_random_iter", False))
    total, counts = _totals(net, data_iter, use_random_iter)
    mean = total / int(counts.sum())
    if vocab is None:
        return Evaluation(perplexity_of(mean), None, None)
    bits = [total / math.log(2) / float(counts @ lengths) for lengths in vocab.lengths()]
    return Evaluation(perplexity_of(mean), *bits)


def _totals(net: Any, data_iter: Any, use_random_iter: bool) -> tuple[float, Array]:
    """Return the cross-entropy in nats, summed over all targets, and how often each id is one."""
    total, counts, state, before = 0.0, np.zeros(net.vocab_size, np.int64), None, None
    for number, minibatch in enumerate(data_iter, 1):
        parts = minibatches.parts(minibatch, ("X", "Y"), "data_iter yields")
        X, Y = (net.tensors.to_numpy(minibatches.array(part)) for part in parts)
        checks.minibatch(X, Y, net.vocab_size)
        if not use_random_iter:
            minibatches.check_carried(number, before, len(X))
        before = len(X)
        if state is None or use_random_iter:
            state = net.begin_state(len(X))
        with np.errstate(all="ignore"):  # a net that has diverged
            outputs, state = net.evaluate(X, state)
            targets = Y.T.reshape(-1)  # time-major, as the outputs
            log_probs = losses.log_probabilities(outputs.astype(np.float64))
            total -= float(log_probs[np.arange(len(targets)), targets].sum())
        counts += np.bincount(targets, minlength=net.vocab_size)
    if not counts.any():
        raise ValueError("data_iter yields no minibatch; an iterator can be used only once")
    return total, counts


def validation_perplexity(net: Any, validation: Any, use_random_iter: bool) -> float:
    """Return the perplexity of a net on a validation part, the same number in all processes.

    The first process evaluates all rows and sends the number to the others, so that all of them
    decide the same.

    Raises:
        DivergenceError: the perplexity is not finite.
    """
    use_random_iter = bool(getattr(validation, "use_random_iter", use_random_iter))
    processes, perplexity = group.group_of(net), math.nan
    if processes.rank == 0:
        perplexity = evaluate(net, validation, use_random_iter=use_random_iter).perplexity
    if processes.size > 1:
        perplexity = float(processes.gather(repr(perplexity))[0])
    divergence.check_loss(math.log(perplexity))
    return perplexity
