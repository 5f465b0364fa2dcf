"""The results that the training loops return, and the error that they raise on divergence."""

from __future__ import annotations

import dataclasses
import math
import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

LARGEST_LOSS = math.log(sys.float_info.max)  # 709.8: beyond it, exp overflows


def perplexity_of(mean_loss: float) -> float:
    """Return exp(mean_loss), or infinity if that exceeds the range of floating point."""
    return math.exp(mean_loss) if mean_loss < LARGEST_LOSS else math.inf


def in_short(perplexity: float) -> str:
    """Return a perplexity as text: with two decimals, or in scientific notation from 1e5 on."""
    return f"{perplexity:.2f}" if perplexity < 1e5 else f"{perplexity:.1e}"


@dataclass
class History:
    """The results of training a language model, one entry per epoch.

    Args:
        perplexity: exp(mean cross-entropy) over the tokens of each epoch: 1 at best, the size of
            the vocabulary for a random guess.
        speed: tokens per second.
        samples: pairs (epoch, text generated after it).
        floor: the lowest perplexity that is possible, if it is known.
        validation: the perplexity of the validation part after each epoch; empty without one.

    Examples:
        >>> history = rnn.History()
        >>> history.add(perplexity=14.8, speed=120_000)
        >>> print(history)
        epoch 1: perplexity 14.80, 120,000 tokens/s
    """

    perplexity: list[float] = field(default_factory=list)
    speed: list[float] = field(default_factory=list)
    samples: list[tuple[int, str]] = field(default_factory=list)
    floor: float | None = None
    validation: list[float] = field(default_factory=list)

    @property
    def best_epoch(self) -> int | None:
        """The first epoch, from 1, with the lowest perplexity of the validation part.

        Without validation, the perplexity in training counts; None if there is no epoch yet.
        """
        values = self.validation or self.perplexity
        return 1 + values.index(min(values)) if values else None

    def add(self, perplexity: float, speed: float) -> None:
        """Append the results of one more epoch."""
        self.perplexity.append(perplexity)
        self.speed.append(speed)

    def plot(self, ax: Any = None, *, label: str | None = None) -> Any:
        """Draw perplexity over epochs; return the matplotlib Axes, or None without matplotlib.

        The perplexity of the validation part is a second curve.
        """
        from d2lrnn import plot

        return _drawn(plot.perplexity, {label: self}, ax)

    def to_dict(self) -> dict[str, Any]:
        """Return the values as a dictionary that JSON can represent; History(**values) is equal.

        The keys are the arguments of History.
        """
        return dataclasses.asdict(self)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a table with a row for each epoch to a CSV file.

        The columns are epoch, perplexity, validation and speed, in tokens per second. Numbers are
        written in full, and a missing one as an empty field. An existing file is replaced if it is
        such a table or empty.

        Raises:
            FileExistsError: an OSError; the file exists and is another file.
            OSError: the file cannot be written.
        """
        from d2lrnn.files import log_file  # imported here, so that importing d2lrnn stays fast

        log_file.save(path, [((), self)])

    def __str__(self) -> str:
        """Return the last epoch in one line."""
        if not self.perplexity:
            return "trained for 0 epochs"
        held_out = f", validation {in_short(self.validation[-1])}" if self.validation else ""
        return (
            f"epoch {len(self.perplexity)}: perplexity {in_short(self.perplexity[-1])}{held_out}, "
            f"{np.median(self.speed):,.0f} tokens/s"
        )


@dataclass
class Scores:
    """The results of training a network over sequences, one entry per epoch.

    Args:
        loss: the mean over the minibatches of each epoch.
        score: the value of net.score on the held-out data, from 0 to 1, such as the accuracy of a
            classifier; empty if there are no held-out data.
        speed: sequences per second, not counting the time for scoring.

    Examples:
        >>> scores = rnn.Scores(loss=[0.7, 0.2], score=[0.5, 0.95], speed=[900, 1000])
        >>> print(scores)
        epoch 2: loss 0.2000, score 0.9500, 950 sequences/s
    """

    loss: list[float] = field(default_factory=list)
    score: list[float] = field(default_factory=list)
    speed: list[float] = field(default_factory=list)

    def __add__(self, later: Scores) -> Scores:
        """Return these scores followed by those of later epochs."""
        if not isinstance(later, Scores):
            return NotImplemented
        return Scores(self.loss + later.loss, self.score + later.score, self.speed + later.speed)

    def plot(self, axes: Any = None, *, label: str | None = None) -> Any:
        """Draw loss and score over epochs, side by side; return their Axes as History.plot does."""
        from d2lrnn import plot

        return _drawn(plot.scores, {label: self}, axes)

    def __str__(self) -> str:
        """Return the last epoch in one line."""
        if not self.loss:
            return "trained for 0 epochs"
        score = f", score {self.score[-1]:.4f}" if self.score else ""
        speed = f"{np.median(self.speed):,.0f} sequences/s"
        return f"epoch {len(self.loss)}: loss {self.loss[-1]:.4f}{score}, {speed}"


@dataclass
class SmoothLoss:
    """The loss of a piece of text, summed over its steps, in nats, smoothed over a thousand pieces.

    ``values`` are the smoothed losses at ``iterations``, ``samples`` are pairs (iteration, text),
    and ``state`` is the hidden state after the last piece. Start from this state to generate text:
    in training, nearly every piece starts from the state of the one before, so the network may
    perform worse from a zero state.

    Examples:
        >>> from d2lrnn.training.history import SmoothLoss
        >>> losses = SmoothLoss(iterations=[0, 1000], values=[99.7, 72.5])
        >>> losses.values[-1] / 25  # pieces of 25 steps: nats per character
        2.9
    """

    iterations: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    samples: list[tuple[int, str]] = field(default_factory=list)
    state: Any = field(default=None, repr=False)

    def plot(self, ax: Any = None, *, label: str | None = None) -> Any:
        """Draw the smooth loss over iterations; return the Axes as History.plot does."""
        from d2lrnn import plot

        return _drawn(plot.smooth_loss, {label: self}, ax)


def _drawn(draw: Callable[..., Any], results: dict[str | None, Any], axes: Any) -> Any:
    """Return draw(results, axes); if matplotlib is missing, warn and return None.

    An error here would lose the results of the training.
    """
    try:
        return draw(results, axes)
    except ImportError as error:
        warnings.warn(f"{error}; the results of the training are not lost", stacklevel=3)
        return None


class DivergenceError(FloatingPointError):
    """Training diverged: a loss, its exponential or a parameter is not finite.

    Args:
        loss: the mean loss, which is NaN, infinite, or so large that its exponential, the
            perplexity, is infinite; None if parameters are not finite.
        epoch: the epoch in which training diverged, from 1.
        history: the results of the epochs before.
        names: how the message names the learning rate and clipping at 1.

    Examples:
        >>> net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
        >>> net.load_arrays([array * float("nan") for array in net.arrays()])
        >>> train_iter, vocab = rnn.SeqDataLoader(range(5), 1, 2), rnn.Vocab("abcd")
        >>> try:
        ...     rnn.train_ch8(net, train_iter, vocab, lr=1, num_epochs=3, progress=False)
        ... except rnn.DivergenceError as error:
        ...     print(error)
        the loss is nan in epoch 1: training diverged; try a smaller learning rate (lr), ...
    """

    def __init__(
        self,
        loss: float | None,
        epoch: int = 1,
        history: Any = None,
        names: tuple[str, str] = ("lr", "theta=1"),
    ) -> None:
        """Build the message: what is not finite, and what to try."""
        lr, clip = names
        super().__init__(
            f"{_what_diverged(loss, epoch)}: training diverged; "
            f"try a smaller learning rate ({lr}), or clip the gradients at 1 ({clip})"
        )
        self.loss = math.nan if loss is None else loss
        self.history = History() if history is None else history
        self._arguments = {"loss": loss, "epoch": epoch, "history": history, "names": names}

    def replace(self, **arguments: Any) -> DivergenceError:
        """Return a copy of the error with some arguments replaced."""
        return type(self)(**{**self._arguments, **arguments})

    def __reduce__(self) -> tuple[Any, ...]:
        """Return the class and arguments with which pickle rebuilds the error."""
        return type(self), tuple(self._arguments.values())


def _what_diverged(loss: float | None, epoch: int) -> str:
    if loss is None:
        return f"the parameters are not finite after epoch {epoch}"
    is_beyond = math.isfinite(loss) and math.isinf(perplexity_of(loss))
    beyond = ", and its exponential is infinite" if is_beyond else ""
    return f"the loss is {loss:.4g} in epoch {epoch}{beyond}"
