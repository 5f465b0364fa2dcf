"""Training of classifiers, taggers and encoder-decoder models of sequences."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.nets import group, kinds
from d2lrnn.training import divergence, minibatches, threads, together
from d2lrnn.training.callbacks import Bar, Training, after_epoch, after_step
from d2lrnn.training.epoch import Epoch
from d2lrnn.training.history import DivergenceError, Scores
from d2lrnn.training.progress import bar, length


def train_sequences(
    net: Any,
    train_iter: Any,
    lr: float,
    num_epochs: int,
    *,
    theta: float = 1.0,
    optimizer: str = "adam",
    clip: str = "norm",
    held_out: Sequence[Any] | None = None,
    score_every: int = 1,
    progress: bool | None = None,
) -> Scores:
    """Train a network over sequences, such as a SequenceClassifierScratch.

    Args:
        net: the network; its params change.
        train_iter: an iterable over the minibatches of each epoch, each a tuple of the arguments of
            the net's step; a BatchLoader, for example.
        lr: the learning rate, above 0.
        num_epochs: passes over train_iter, 0 or more.
        theta: see train_ch8.
        optimizer: see train_ch8.
        clip: see train_ch8.
        held_out: inputs and targets for net.score that are not trained on, or None.
        score_every: the number of epochs between two scores; the last epoch is always scored.
        progress: True for a progress bar, False for none, None for one if this is a terminal.

    Returns:
        The Scores: loss, score and speed of each epoch.

    Raises:
        DivergenceError: a loss, the exponential of an epoch's mean loss or a parameter is not
            finite; the error holds the Scores of the epochs before.
        ValueError: an argument is out of its range.

    Examples:
        >>> X, y = [[1, 2], [2, 1], [1, 1], [2, 2]], [0, 1, 0, 1]  # is the first a 1 or a 2?
        >>> net = rnn.SequenceClassifierScratch(3, 4, 2, seed=0)
        >>> loader = rnn.BatchLoader(X, y, batch_size=4, seed=0)
        >>> scores = rnn.train_sequences(net, loader, 0.05, 100, held_out=(X, y), progress=False)
        >>> scores.score[-1]
        1.0
    """
    checks.count(num_epochs=num_epochs)
    checks.size(score_every=score_every)
    kinds.sequence_net(net)
    minibatches.check_iterable(train_iter)
    if held_out is not None:
        held_out = minibatches.parts_for(net)(held_out, "held_out is")
    settings = {"optimizer": optimizer, "clip": clip}
    step, scores, processes = net.make_step(lr, theta, **settings), Scores(), group.group_of(net)
    together.check_sequences(net, train_iter, {**settings, "lr": lr, "theta": theta})
    progress = progress if processes.rank == 0 else False
    size = length(train_iter)
    total = None if size is None else num_epochs * size
    with threads.of_net(net).limited() as limit, bar(progress, total=total) as shown:
        training, callbacks = Training(net, scores, num_epochs), [limit, Bar(shown)]
        on_minibatch = functools.partial(after_step, callbacks, training)
        for epoch in range(1, num_epochs + 1):
            training.current = Epoch(epoch)
            with divergence.with_facts(epoch=epoch, history=scores):
                loss, speed = _epoch(net, step, train_iter, on_minibatch, processes)
            scores.loss.append(loss)
            scores.speed.append(speed)
            if epoch == num_epochs:
                divergence.check_parameters(net, epoch, scores)
            if held_out is not None and (epoch % score_every == 0 or epoch == num_epochs):
                scores.score.append(net.score(*held_out))
            after_epoch(callbacks, training)
    return scores


def _epoch(
    net: Any,
    step: Any,
    train_iter: Iterable[Any],
    on_minibatch: Callable[[], None],
    processes: group.Group,
) -> tuple[float, float]:
    """Return the mean loss of an epoch and its speed."""
    parts_of = minibatches.parts_for(net)
    losses, num_sequences, start = [], 0, time.perf_counter()
    for batch in train_iter:
        losses.append(step(*map(processes.share, parts_of(batch))))
        if not math.isfinite(losses[-1]):
            raise DivergenceError(losses[-1])
        num_sequences += len(batch[0])
        on_minibatch()
    if not losses:
        raise ValueError("train_iter yields no minibatch; an iterator can be used only once")
    loss = float(np.mean(losses))
    divergence.check_loss(loss)
    return loss, num_sequences / (time.perf_counter() - start)
