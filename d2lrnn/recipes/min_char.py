"""Train a minimal character model with Adagrad, as in Karpathy's min-char-rnn (2015).

The recipe uses the cells of this package, in any backend: batch size 1, 25 steps, 100 hidden units,
Adagrad with learning rate 0.1, and each element of the gradients clipped to -5..5. The hidden state
is passed from each piece of text to the next. The reported loss is smoothed.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.data import batches, text
from d2lrnn.nets import prediction
from d2lrnn.training import callbacks, divergence, interrupts, threads
from d2lrnn.training.history import SmoothLoss
from d2lrnn.training.progress import bar

NUM_HIDDENS, NUM_STEPS, LR = 100, 25, 0.1
# The loss of min-char-rnn is the sum over the steps, and here it is the mean: 5 becomes 5/25.
THETA = 5 / NUM_STEPS
SMOOTHING = 0.999


def character_corpus(lines: Iterable[str]) -> tuple[batches.Ids, text.Vocab]:
    """Return the characters of a text as ids, and a Vocab of only these characters.

    The unknown token is the most frequent character, usually the space.
    """
    return text.encode(lines, unk=None)


def train_min_char(
    net: Any,
    corpus: Sequence[int] | batches.Ids,
    vocab: text.Vocab,
    num_iterations: int = 100_000,
    *,
    report_every: int = 1000,
    sample_every: int = 10_000,
    seed: int | None = None,
    progress: bool | None = None,
) -> SmoothLoss:
    """Train a character model with the recipe of min-char-rnn.

    One iteration uses a piece of 25 characters. At the end of the text, training continues at its
    beginning, with a zero state. The smooth loss starts at 25 ln(V), the loss of random guesses.

    Args:
        net: an RNNModelScratch; its parameters are updated.
        corpus: token ids, 26 or more.
        vocab: the Vocab of the tokens.
        num_iterations: the number of iterations, 0 or more.
        report_every: store the smooth loss every report_every iterations.
        sample_every: generate a sample of 200 characters every sample_every iterations, at
            temperature 1, from the first character of the current piece and the state before it.
        seed: the seed of the samples.
        progress: True for a progress bar, False for none, None for one only in a terminal.

    Returns:
        A SmoothLoss with ``iterations``, ``values``, ``samples`` and the last ``state``.

    Raises:
        DivergenceError: the loss, or its exponential, is not finite.
        Stopped: a KeyboardInterrupt, after an iteration; the net keeps its current parameters.

    Examples:
        >>> from d2lrnn.recipes.min_char import character_corpus, train_min_char
        >>> corpus, vocab = character_corpus(["the clock ticks and tocks. "] * 10)
        >>> functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn
        >>> net = rnn.RNNModelScratch(len(vocab), 100, *functions, seed=0)
        >>> history = train_min_char(net, corpus, vocab, 50, progress=False)
        iteration 50, smooth loss ...
        >>> history.iterations
        [0, 50]
    """
    checks.count(num_iterations=num_iterations)
    checks.size(report_every=report_every, sample_every=sample_every)
    step = net.make_step(LR, THETA, optimizer="adagrad", clip="value")
    smooth, state = NUM_STEPS * math.log(len(vocab)), None
    history = SmoothLoss([0], [smooth])
    pieces = _pieces(corpus, num_iterations)
    listening, shown = interrupts.training_ends(), bar(progress, total=num_iterations)
    with listening as heard, shown, threads.of_net(net).limited() as limit:
        for iteration, (X, Y, first) in enumerate(pieces, 1):
            heard.stop_if_asked(f"interrupted after iteration {iteration - 1:,}")
            before = net.begin_state(1) if first else state
            loss, state = step(X, Y, before)
            limit.after_step()
            divergence.check_loss(loss, history=history)
            smooth = SMOOTHING * smooth + (1 - SMOOTHING) * loss * NUM_STEPS
            shown.update()
            last = iteration == num_iterations
            if last or iteration % report_every == 0:
                history.iterations.append(iteration)
                history.values.append(smooth)
                shown.set_description_str(f"smooth loss {smooth:.2f}", refresh=False)
            if last or iteration % sample_every == 0:
                sample = _sample(net, vocab, int(X[0, 0]), before, seed, shown.write)
                if sample is not None:
                    history.samples.append((iteration, sample))
                    shown.write(f"iteration {iteration:,}, smooth loss {smooth:.2f}:\n{sample}\n")
    history.state = state
    return history


def _sample(
    net: Any, vocab: text.Vocab, first: int, state: Any, seed: int | None, write: Callable[..., Any]
) -> str | None:
    """Return 200 characters at temperature 1 from a first id and the state before it, or None."""
    draw: dict[str, Any] = {"temperature": 1.0, "seed": seed, "state": state}
    prefix = vocab.to_tokens(first)
    predict = functools.partial(prediction.predict_ch8, prefix, 200, net, vocab, **draw)
    return callbacks.sample_or_none(predict, write)


def _pieces(corpus: Sequence[int] | batches.Ids, number: int) -> Any:
    """Yield (X, Y, first): X and Y are (1, 25), first is whether the text starts again."""
    ids = np.asarray(corpus)
    if len(ids) < NUM_STEPS + 1:
        raise ValueError(f"the corpus has {len(ids)} tokens; expected {NUM_STEPS + 1} or more")
    start = 0
    for _ in range(number):
        if start + NUM_STEPS + 1 > len(ids):
            start = 0
        piece = ids[None, start : start + NUM_STEPS + 1]
        yield piece[:, :-1], piece[:, 1:], start == 0
        start += NUM_STEPS
