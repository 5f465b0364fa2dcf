"""The minimal character model: one character at a time, by Adagrad, with a smoothed loss.

The recipe of Karpathy's min-char-rnn (2015), through the same cells as everything else and in any
backend: batch 1, 25 steps, 100 hidden units, the hidden state carried on from one piece of text to
the next, Adagrad at 0.1, each element of the gradients clipped to -5..5.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.data import batches, text
from d2lrnn.nets import prediction
from d2lrnn.training import callbacks, divergence, interrupts, threads
from d2lrnn.training.history import SmoothLoss
from d2lrnn.training.progress import bar

NUM_HIDDENS, NUM_STEPS, LR = 100, 25, 0.1
# The recipe's loss is the sum over the steps, ours their mean: a gradient of 5 there is 5/25 here.
THETA = 5 / NUM_STEPS
SMOOTHING = 0.999


def character_corpus(lines: Iterable[str]) -> tuple[batches.Ids, text.Vocab]:
    """Return the characters of a text as ids and their Vocab, with no id beside those that occur.

    A character that does not occur is read as the most frequent one, commonly the space.
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
    """Train a character model by the recipe; a piece of 25 characters is one iteration.

    The text is read from its beginning, again and again; the state starts at zero each time. The
    smooth loss starts at 25 ln(V), that of a guess at random.

    Args:
        net: an RNNModelScratch, changed as it learns.
        corpus: token ids, 26 or more.
        vocab: the Vocab of the tokens.
        num_iterations: pieces of text to learn from, 0 or more.
        report_every: iterations between two values of the result.
        sample_every: iterations between two samples of 200 characters, drawn at temperature 1, that
            go on from what was read before the last piece.
        seed: of the samples.
        progress: True for a progress bar, False for none, None for one if this is a terminal.

    Raises:
        DivergenceError: the loss, or its exponential, is not finite.
        Stopped: a KeyboardInterrupt, after an iteration; the net holds what it has learned.

    Examples:
        >>> from d2lrnn.recipes.min_char import character_corpus, train_min_char
        >>> corpus, vocab = character_corpus(["the clock ticks and tocks. "] * 10)
        >>> functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn
        >>> net = rnn.RNNModelScratch(len(vocab), 100, *functions, seed=0)
        >>> seen = train_min_char(net, corpus, vocab, 50, progress=False)
        iteration 50, smooth loss ...
        >>> seen.iterations
        [0, 50]
    """
    checks.count(num_iterations=num_iterations)
    checks.size(report_every=report_every, sample_every=sample_every)
    step = net.make_step(LR, THETA, optimizer="adagrad", clip="value")
    smooth, state = NUM_STEPS * math.log(len(vocab)), None
    seen = SmoothLoss([0], [smooth])
    pieces = _pieces(corpus, num_iterations)
    listening, shown = interrupts.training_ends(), bar(progress, total=num_iterations)
    with listening as heard, shown, threads.of_net(net).limited() as limit:
        for iteration, (X, Y, first) in enumerate(pieces, 1):
            heard.stop_if_asked(f"interrupted after iteration {iteration - 1:,}")
            before = net.begin_state(1) if first else state
            loss, state = step(X, Y, before)
            limit.after_minibatch()
            divergence.check_loss(loss, history=seen)
            smooth = SMOOTHING * smooth + (1 - SMOOTHING) * loss * NUM_STEPS
            shown.update()
            last = iteration == num_iterations
            if last or iteration % report_every == 0:
                seen.iterations.append(iteration)
                seen.values.append(smooth)
                shown.set_description_str(f"smooth loss {smooth:.2f}", refresh=False)
            if last or iteration % sample_every == 0:
                prefix = vocab.to_tokens(int(X[0, 0]))
                draw: dict[str, Any] = {"temperature": 1.0, "seed": seed, "state": before}
                sample = callbacks.had(
                    functools.partial(prediction.predict_ch8, prefix, 200, net, vocab, **draw),
                    shown.write,
                )
                if sample is not None:
                    seen.samples.append((iteration, sample))
                    shown.write(f"iteration {iteration:,}, smooth loss {smooth:.2f}:\n{sample}\n")
    seen.state = state
    return seen


def _pieces(corpus: Sequence[int] | batches.Ids, number: int) -> Any:
    """Yield X, Y (1, 25) and whether the text begins anew, so many times."""
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
