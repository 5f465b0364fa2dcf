"""Text generation with a trained model, one token at a time, independent of the framework.

It uses the attributes ``vocab_size``, ``begin_state(batch_size)`` and ``say`` of a net. Each call
of ``say`` generates many tokens, so that backends that compile code can compile one loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.data import strings, text
from d2lrnn.nets import kinds, remedies
from d2lrnn.nets.sampling import Draws, Sampling, Stop, StopText, stop_at

Array = np.ndarray[Any, Any]
AT_ONCE = 32  # the number of tokens that a call of net.say generates
FREE = -1  # marks a token that is not given, but to be generated


@remedies.explained(remedies.NET_S_DEVICE)
def predict_ch8(
    prefix: str,
    num_preds: int,
    net: Any,
    vocab: text.Vocab,
    *,
    temperature: float | None = None,
    seed: int | None = None,
    state: Any = None,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    stop: str | Sequence[str] | None = None,
) -> str:
    """Generate text after a prefix, one token at a time.

    predict_many generates text after many prefixes at once.

    Args:
        prefix: the text to continue, at least one token.
        num_preds: the number of tokens to generate, 0 or more.
        net: the model.
        vocab: the Vocab of the net.
        temperature: 0 takes the most probable token each time. Above 0, tokens are drawn with
            probabilities softmax(scores / temperature): the higher, the more surprising. None is 0,
            or 1 if top_k, top_p or min_p is given. At 0, these three have no effect, because they
            never leave out the most probable token.
        seed: an integer to draw the same tokens again, or None.
        state: the state of one row to start from, as a net or a step returned it; None for zeros.
        top_k: draw from the k most probable tokens only, 1 or more; of equally probable tokens,
            those with lower ids. 1 always takes the most probable token.
        top_p: draw from the fewest most probable tokens whose probabilities add up to top_p or
            more, above 0 and at most 1. 1 leaves out no token.
        min_p: draw from tokens whose probability is at least min_p times that of the most probable
            token, from 0 to 1. 0 leaves out no token.
        stop: a token, or a list of tokens: the text ends after the first of them that is generated.
            Tokens of the prefix do not end it. If the vocabulary is a BPEVocab, a text, or a list
            of texts: the generated text ends right after the first of them that it contains, even
            if that is within a token or across several.

    temperature, top_k, top_p and min_p are applied in this order: top_p is a part of the total
    probability of the top_k tokens, at this temperature. The tokens that remain are drawn with
    probabilities proportional to those before. All draws are made in NumPy from the seed, so that
    every backend generates the same text, unless the rounding of two scores decides.

    Returns:
        The prefix followed by the generated tokens, up to and including the stop token or text.

    Raises:
        ValueError: the prefix is empty, an argument is out of its range, stop is not a token of the
            vocabulary (with a BPEVocab: is not a text, or is empty), net is not a language model,
            or its parameters hold NaN.

    Source: the book's section 9.5, Prediction; top_p: Holtzman et al., 2020 (arXiv 1904.09751);
    min_p: Nguyen et al., 2024 (arXiv 2407.01082).

    Examples:
        >>> vocab = rnn.Vocab("abcd")
        >>> net = rnn.RNNModelScratch(5, 8, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
        >>> train_iter = rnn.SeqDataLoader(vocab[list("abcd" * 20)], 4, 4, seed=0)
        >>> history = rnn.train_ch8(net, train_iter, vocab, lr=1, num_epochs=50, progress=False)
        >>> rnn.predict_ch8("ab", 6, net, vocab)
        'abcdabcd'
    """
    settings: dict[str, Any] = {"temperature": temperature, "seed": seed, "state": state}
    settings |= {"top_k": top_k, "top_p": top_p, "min_p": min_p, "stop": stop}
    strings.text(prefix, "prefix")
    return predict_many([prefix], num_preds, net, vocab, **settings)[0]


def predict_many(
    prefixes: Sequence[str],
    num_preds: int,
    net: Any,
    vocab: text.Vocab,
    *,
    temperature: float | None = None,
    seed: int | None = None,
    state: Any = None,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    stop: str | Sequence[str] | None = None,
) -> list[str]:
    """Generate text after many prefixes at once, as predict_ch8 does after one.

    All prefixes are one batch, which takes far less time than one after the other. A product of
    many rows may round differently from that of one row: if two tokens are almost equally probable,
    the other one may be chosen.

    Args:
        prefixes: the texts to continue, each of at least one token; their lengths may differ.
        num_preds: the number of tokens to generate after each, 0 or more.
        net: the model.
        vocab: the Vocab of the net.
        temperature: see predict_ch8.
        seed: an integer to draw the same tokens again, or None; the draws for prefix i are those of
            predict_ch8 with seed + i.
        state: the state to start from, one row for each prefix; None for zeros.
        top_k: see predict_ch8.
        top_p: see predict_ch8.
        min_p: see predict_ch8.
        stop: see predict_ch8; each text ends after its own first stop token or text.

    Returns:
        A list of texts, each a prefix followed by the generated tokens.

    Raises:
        ValueError: a prefix is empty, prefixes is one text, an argument is out of its range, or the
            parameters of the net hold NaN.

    Examples:
        >>> net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
        >>> rnn.predict_many(["a", "dad"], 3, net, rnn.Vocab("abcd"), temperature=1, seed=0)
        ['acca', 'daddaa']
    """
    checks.count(num_preds=num_preds)
    sampling = Sampling(temperature, top_k, top_p, min_p)
    checks.seed(seed)
    if isinstance(prefixes, str):
        raise ValueError(f"prefixes is one text, {prefixes!r}; expected many; give [{prefixes!r}]")
    checked = strings.strings(prefixes, "prefixes")
    tokens = [first_tokens(prefix, net, vocab) for prefix in checked]
    if not tokens:
        return []
    stops = stop_at(stop, vocab)
    if state is None:
        state = net.begin_state(len(tokens))
    net.check_state(state, len(tokens))
    ids, state = [vocab[row] for row in tokens], net.as_tensors(state)
    seeds = [None if seed is None else seed + i for i in range(len(tokens))]
    generated = say_all(net, ids, num_preds, state, Draws(sampling, seeds, net.vocab_size), stops)
    _check_numbers(net)  # afterwards, so that errors of the call itself are raised first
    rows = zip(tokens, generated, strict=True)
    return [vocab.join([*row, *stops.tokens(more, vocab)]) for row, more in rows]


def _check_numbers(net: Any) -> None:
    """Check that no parameter of a net is NaN, because then all scores would be NaN."""
    arrays = net.arrays() if hasattr(net, "arrays") else []
    broken = [f"arrays()[{i}]" for i, array in enumerate(arrays) if np.isnan(array).any()]
    if broken:
        raise ValueError(
            f"the parameters of the net hold NaN, in {', '.join(broken)}; training has diverged; "
            "train the net again with a smaller learning rate"
        )


def say_all(
    net: Any,
    ids: list[list[int]],
    num_preds: int,
    state: Any,
    draws: Draws,
    stops: Stop | StopText,
) -> list[list[int]]:
    """Return num_preds generated ids for each row of ids, or fewer, up to a stop."""
    longest = max(map(len, ids))
    given = np.full((longest + num_preds, len(ids)), FREE, dtype=np.int32)
    for column, row in zip(given.T, ids, strict=True):
        column[: len(row)] = row
    result = given[:1]
    for start in range(1, len(given), AT_ONCE):
        part = given[start : start + AT_ONCE]  # starts with the given ids (warm-up)
        more, state = net.say(result[-1], state, part, draws.noise(len(part)), draws.truncate)
        result = np.concatenate([result, more])
        generated = [column[len(row) :] for column, row in zip(result.T, ids, strict=True)]
        if all(map(stops.has_ended, generated)):
            break
    generated = [column[len(row) :] for column, row in zip(result.T, ids, strict=True)]
    return [stops.cut(column[:num_preds]).tolist() for column in generated]


def first_tokens(prefix: str, net: Any, vocab: text.Vocab) -> list[str]:
    """Return the tokens of a prefix, after checking that the net can generate text after it."""
    kinds.language_model(net, "the order is predict_ch8(prefix, num_preds, net, vocab)")
    if net.bidirectional:
        raise ValueError(
            "the net is bidirectional, and the next tokens do not exist yet; "
            "generate with a net of one direction"
        )
    checks.own_vocab(net.vocab_size, len(vocab))
    return prefix_tokens(prefix, vocab)


def prefix_tokens(prefix: str, vocab: text.Vocab) -> list[str]:
    """Return the tokens of a prefix, after checking that there is at least one."""
    tokens = vocab.split(prefix)
    if not tokens:
        raise ValueError(f"prefix {prefix!r} does not contain any tokens; give at least one")
    return tokens


def filled_up(rows: Array) -> Array:
    """Return rows padded with zeros to at least AT_ONCE rows, so that code is compiled once."""
    missing = max(0, AT_ONCE - len(rows))
    return np.concatenate([rows, np.zeros((missing, *rows.shape[1:]), rows.dtype)])
