"""The epoch loop, perplexity, speed and history. Knows no framework.

Of a net it uses ``begin_state(batch_size)``, ``make_step(lr, theta, optimizer=..., clip=...)`` to
train with; d2lrnn.nets.prediction shows what it has learned.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from d2lrnn import checks
from d2lrnn.data import text
from d2lrnn.files.atomic import StrPath
from d2lrnn.nets.prediction import predict_ch8, prefix_tokens
from d2lrnn.training import progress as bars
from d2lrnn.training import segments
from d2lrnn.training.run_file import Epoch, Keeper, Run

Step = Callable[[Any, Any, Any], tuple[float, Any]]


@dataclass
class History:
    """What training has seen: one entry an epoch.

    ``perplexity`` is exp(mean cross-entropy) over the tokens of the epoch, 1 at best and the
    vocabulary's size for a guess at random; ``speed`` is in tokens per second; ``samples`` are
    pairs (epoch, text generated after it). ``floor`` is the lowest perplexity there is, where it
    is known.
    """

    perplexity: list[float] = field(default_factory=list)
    speed: list[float] = field(default_factory=list)
    samples: list[tuple[int, str]] = field(default_factory=list)
    floor: float | None = None

    def add(self, perplexity: float, speed: float) -> None:
        """Note one more epoch."""
        self.perplexity.append(perplexity)
        self.speed.append(speed)

    def plot(self, ax: Any = None, *, label: str | None = None) -> Any:
        """Draw perplexity over epochs and return the matplotlib Axes."""
        from d2lrnn import plot

        return plot.perplexity({label: self}, ax)

    def __str__(self) -> str:
        """Return the last epoch in one line."""
        if not self.perplexity:
            return "no epoch yet"
        return (
            f"epoch {len(self.perplexity)}: perplexity {in_short(self.perplexity[-1])}, "
            f"{np.median(self.speed):,.0f} tokens/s"
        )


def in_short(perplexity: float) -> str:
    """Return a perplexity as text, with two decimals where they mean something."""
    return f"{perplexity:.2f}" if perplexity < 1e5 else f"{perplexity:.1e}"


class DivergenceError(FloatingPointError):
    """The loss is no longer finite. ``history`` holds the epochs before."""

    def __init__(self, loss: float, epoch: int = 1, history: History | None = None) -> None:
        """Say where it happened and what helps."""
        super().__init__(
            f"the loss is {loss} in epoch {epoch}: training diverged; "
            "try a smaller lr, or a smaller theta to clip gradients harder"
        )
        self.loss = loss
        self.history = history or History()


def make_step(
    net: Any,
    lr: float,
    theta: float = 1.0,
    *,
    optimizer: str = "sgd",
    clip: str = "norm",
    segment: int | None = None,
) -> Step:
    """Return step(X, Y, state) -> (mean loss as a float, new state).

    A step runs the net on X, takes the mean cross-entropy with the targets Y, goes back through
    the steps of this minibatch only, clips the gradients at theta and moves the parameters against
    them by lr.

    Args:
        net: the model; its params change.
        lr: learning rate, above 0.
        theta: see grad_clipping.
        optimizer: "sgd", "adagrad" or "adam"; see d2lrnn.nets.optimizers.
        clip: "norm" or "value"; see grad_clipping.
        segment: None, or so many time steps, 0 for the root of all: go back through the minibatch
            in segments, which takes little memory for many steps; see d2lrnn.training.segments.

    Raises:
        ValueError: lr or theta is not positive; segments are asked for of a framework's own layer;
            in step, the minibatch is empty, or X and Y differ
            in shape or hold no valid ids.

    Source: the book's section 9.5, Training.
    """
    settings = {"optimizer": optimizer, "clip": clip}
    step: Step = (
        net.make_step(lr, theta, **settings)
        if segment is None
        else segments.make_step(net, lr, theta, segment=segment, **settings)
    )
    return step


def train_epoch_ch8(
    net: Any,
    train_iter: Iterable[Any],
    step: Step,
    *,
    use_random_iter: bool = False,
    on_minibatch: Callable[[], Any] | None = None,
    epoch: Epoch | None = None,
) -> tuple[float, float]:
    """Train for one epoch.

    Args:
        net: the model, such as RNNModelScratch.
        train_iter: yields X and Y, both (batch_size, num_steps) token ids.
        step: what make_step(net, lr) returned.
        use_random_iter: start each minibatch from a zero state; otherwise the state of the one
            before is carried on, detached from its gradients.
        on_minibatch: called after each minibatch, for a progress bar.
        epoch: what has been seen of the epoch before, if it goes on in the middle; kept up to date.

    Returns:
        perplexity and tokens per second.

    Raises:
        DivergenceError: a FloatingPointError; the loss is no longer finite.
        ValueError: train_iter yields no minibatch.

    Source: the book's section 9.5, Training.
    """
    seen, step = epoch or Epoch(), getattr(step, "deferred", step)
    state, start = seen.state, time.perf_counter() - seen.seconds
    for X, Y in itertools.islice(train_iter, seen.num_minibatches, None):
        checks.axes("X", X.shape, "(batch_size, num_steps)")
        if state is None or use_random_iter:
            state = net.begin_state(X.shape[0])
        loss, state = step(X, Y, state)
        seen.add(loss, math.prod(Y.shape), state, time.perf_counter() - start)
        if seen.is_time_to_look(loss):
            _check_finite(seen.loss)
        if on_minibatch:
            on_minibatch()
    if seen.num_tokens == 0:
        raise ValueError("train_iter yields no minibatch; an iterator that has ended stays ended")
    loss = _check_finite(seen.loss) / seen.num_tokens
    perplexity = math.exp(loss) if loss < 700 else math.inf  # exp(710) overflows
    return perplexity, seen.num_tokens / (time.perf_counter() - start)


def _check_finite(loss: float) -> float:
    """Return a loss that is finite; another is a DivergenceError."""
    if not math.isfinite(loss):
        raise DivergenceError(loss)
    return loss


def train_ch8(
    net: Any,
    train_iter: Any,
    vocab: text.Vocab,
    lr: float,
    num_epochs: int,
    *,
    theta: float = 1.0,
    optimizer: str = "sgd",
    clip: str = "norm",
    segment: int | None = None,
    use_random_iter: bool = False,
    prefix: str | None = None,
    sample_every: int = 50,
    progress: bool | None = None,
    checkpoint: StrPath | None = None,
    every: int = 100,
    resume: bool = False,
) -> History:
    """Train a character or word model by minibatch gradient descent with clipped gradients.

    Args:
        net: the model, changed as it learns.
        train_iter: a SeqDataLoader, or anything that yields X and Y anew for each epoch.
        vocab: the Vocab of the tokens.
        lr: learning rate, above 0.
        num_epochs: passes over train_iter, 0 or more.
        theta: the gradients' joint Euclidean norm is clipped to this, above 0.
        optimizer: "sgd", "adagrad" or "adam".
        clip: "norm", or "value" to clip each element of the gradients to -theta..theta.
        segment: see make_step.
        use_random_iter: whether train_iter samples at random; then no state is carried over.
        prefix: show, every sample_every epochs and at the end, how the model continues it.
        sample_every: epochs between two samples.
        progress: True for a progress bar, False for none, None for one if this is a terminal.
        checkpoint: a file to keep the run in as it goes, or None. Ctrl-C then ends training after
            the minibatch at hand, and keeps it; pressed again, at once.
        every: minibatches from one checkpoint to the next; the end is always kept.
        resume: go on from the checkpoint if there is one, to the same parameters and history, bit
            for bit, as if nothing had happened (speed apart). Whatever changes the result must be
            as it was; num_epochs may be another. A train_iter without a generator ``rng`` must
            yield the same minibatches in every epoch.

    Returns:
        a History: perplexity and tokens per second for each epoch, and the samples.

    Raises:
        CheckpointError: the checkpoint is damaged, or another run's.
        DivergenceError: the loss is no longer finite; the error holds the History so far.
        FileExistsError: there is a checkpoint, and resume is False.
        Interrupted: a KeyboardInterrupt; the run is kept, and the message says where.
        ValueError: an argument is out of its range.

    Source: the book's section 9.5, Training.
    """
    checks.count(num_epochs=num_epochs)
    checks.size(sample_every=sample_every)
    _check_iterator(train_iter, use_random_iter)
    if prefix is not None:
        prefix_tokens(prefix, vocab)
    step = make_step(net, lr, theta, optimizer=optimizer, clip=clip, segment=segment)
    history = History(floor=getattr(train_iter, "floor", None))
    settings = {"lr": lr, "theta": theta, "optimizer": optimizer, "clip": clip}
    run = Run(net, vocab, train_iter, step, history, {**settings, "random": use_random_iter})
    keeper = Keeper(checkpoint, every, run)
    keeper.begin(resume)
    with keeper.listening(), _bar(keeper, num_epochs, progress) as bar:

        def after_minibatch() -> None:
            bar.update()
            keeper.after_minibatch()

        for epoch in keeper.epochs(num_epochs):
            try:
                seen = train_epoch_ch8(
                    net,
                    train_iter,
                    step,
                    use_random_iter=use_random_iter,
                    on_minibatch=after_minibatch,
                    epoch=epoch,
                )
            except DivergenceError as error:
                raise DivergenceError(error.loss, epoch.number, history) from None
            history.add(*seen)
            bar.set_description_str(f"{history}".replace(":", f"/{num_epochs}:", 1), refresh=False)
            if prefix is not None and (
                epoch.number % sample_every == 0 or epoch.number == num_epochs
            ):
                sample = predict_ch8(prefix, 50, net, vocab)
                history.samples.append((epoch.number, sample))
                bar.write(f"epoch {epoch.number}, perplexity {in_short(seen[0])}: {sample}")
    return history


def _bar(keeper: Keeper, num_epochs: int, progress: bool | None) -> Any:
    """Return a progress bar over the minibatches, as far as the run has come."""
    size = len(keeper.run.train_iter) if hasattr(keeper.run.train_iter, "__len__") else None
    done = (keeper.epoch.number - 1) * (size or 0) + keeper.epoch.num_minibatches
    disable = bars.disable(progress)
    return tqdm(total=size and num_epochs * size, initial=done, disable=disable)


def _check_iterator(train_iter: Any, use_random_iter: bool) -> None:
    """Check that a loader samples in the way that training is told to expect."""
    if getattr(train_iter, "use_random_iter", use_random_iter) != use_random_iter:
        raise ValueError(
            f"use_random_iter is {use_random_iter}, but the loader was made with "
            f"{train_iter.use_random_iter}; give both the same"
        )
