"""Training of the networks that read and write sequences: minibatches, epochs, scores."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from d2lrnn import checks
from d2lrnn.training import progress as bars
from d2lrnn.training.language import DivergenceError


@dataclass
class Scores:
    """What training has seen: one entry an epoch.

    ``loss`` is the mean over the minibatches of the epoch; ``score`` what net.score gives for data
    held out, from 0 to 1, where there is some (a classifier's is its accuracy); ``speed`` is in
    sequences per second, scoring apart.
    """

    loss: list[float] = field(default_factory=list)
    score: list[float] = field(default_factory=list)
    speed: list[float] = field(default_factory=list)

    def __add__(self, later: Scores) -> Scores:
        """Return what was seen first and later."""
        return Scores(self.loss + later.loss, self.score + later.score, self.speed + later.speed)

    def plot(self, axes: Any = None, *, label: str | None = None) -> Any:
        """Draw loss and score over epochs, side by side; return their matplotlib Axes."""
        from d2lrnn import plot

        return plot.scores({label: self}, axes)

    def __str__(self) -> str:
        """Return the last epoch in one line."""
        if not self.loss:
            return "no epoch yet"
        score = f", score {self.score[-1]:.4f}" if self.score else ""
        speed = f"{np.median(self.speed):,.0f} sequences/s"
        return f"epoch {len(self.loss)}: loss {self.loss[-1]:.4f}{score}, {speed}"


class BatchLoader:
    """Minibatches of arrays in random order, epoch after epoch.

    Args:
        arrays: any number of arrays with one row for each example; a minibatch has some rows of
            each.
        batch_size: rows of a minibatch; what is left over at an epoch's end is left out, so that
            all have one shape.
        seed: an integer for epochs that can be repeated, or None.
    """

    def __init__(self, *arrays: Any, batch_size: int, seed: int | None = None) -> None:
        """Check that the arrays belong together."""
        checks.size(batch_size=batch_size)
        checks.seed(seed)
        self.arrays = [np.asarray(array) for array in arrays]
        self.batch_size = batch_size
        checks.same_length([len(array) for array in self.arrays], batch_size)
        self.rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        """Return the number of minibatches of an epoch."""
        return len(self.arrays[0]) // self.batch_size

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Yield the minibatches of the next epoch, tuples of arrays."""
        order = self.rng.permutation(len(self.arrays[0]))
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            rows = order[start : start + self.batch_size]
            yield tuple(array[rows] for array in self.arrays)


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
    """Train a network that reads or writes sequences, such as a SequenceClassifierScratch.

    Args:
        net: the network, changed as it learns.
        train_iter: yields minibatches anew for each epoch, each a tuple that the net's step takes;
            such as a BatchLoader.
        lr: learning rate, above 0.
        num_epochs: passes over train_iter, 0 or more.
        theta: as for train_ch8.
        optimizer: as for train_ch8.
        clip: as for train_ch8.
        held_out: inputs and targets, never trained on, that net.score takes, or None.
        score_every: epochs from one score to the next; the last is always scored.
        progress: True for a progress bar, False for none, None for one if this is a terminal.

    Raises:
        DivergenceError: the loss is no longer finite.
        ValueError: an argument is out of its range.
    """
    checks.count(num_epochs=num_epochs)
    checks.size(score_every=score_every)
    step, scores = net.make_step(lr, theta, optimizer=optimizer, clip=clip), Scores()
    total = num_epochs * len(train_iter) if hasattr(train_iter, "__len__") else None
    with tqdm(total=total, disable=bars.disable(progress)) as bar:
        for epoch in range(1, num_epochs + 1):
            loss, speed = _epoch(step, train_iter, epoch, bar)
            scores.loss.append(loss)
            scores.speed.append(speed)
            if held_out is not None and (epoch % score_every == 0 or epoch == num_epochs):
                scores.score.append(net.score(*held_out))
            bar.set_description_str(f"{scores}".replace(":", f"/{num_epochs}:", 1), refresh=False)
    return scores


def _epoch(step: Any, train_iter: Iterable[Any], epoch: int, bar: Any) -> tuple[float, float]:
    """Return the mean loss of an epoch and its speed."""
    losses, num_sequences, start = [], 0, time.perf_counter()
    for batch in train_iter:
        losses.append(step(*batch))
        if not math.isfinite(losses[-1]):
            raise DivergenceError(losses[-1], epoch)
        num_sequences += len(batch[0])
        bar.update()
    if not losses:
        raise ValueError("train_iter yields no minibatch; an iterator that has ended stays ended")
    return float(np.mean(losses)), num_sequences / (time.perf_counter() - start)
