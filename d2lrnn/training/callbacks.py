"""What happens beside training: the bar, the samples. The checkpoint is keeper's Keeper.

A callback is told of each minibatch and of each epoch, when it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from d2lrnn.data.text import Vocab
from d2lrnn.nets.prediction import predict_ch8
from d2lrnn.training.history import History, in_short
from d2lrnn.training.progress import Shown

NUM_PREDS = 50  # tokens of a sample


class Callback:
    """Does nothing; each method may be another's."""

    def after_minibatch(self) -> None:
        """Do what a minibatch calls for."""

    def after_epoch(self, number: int, history: History) -> None:
        """Do what an epoch calls for; history holds it already."""


@dataclass
class Bar(Callback):
    """Shows how far training has come."""

    bar: Shown
    num_epochs: int

    def after_minibatch(self) -> None:
        """Go one minibatch ahead."""
        self.bar.update()

    def after_epoch(self, number: int, history: History) -> None:
        """Say what the epoch came to."""
        description = f"{history}".replace(":", f"/{self.num_epochs}:", 1)
        self.bar.set_description_str(description, refresh=False)


@dataclass
class Samples(Callback):
    """Shows, every so many epochs and at the end, how the model continues a prefix.

    A sample that cannot be had, for want of memory for example, is said to be missing: the model
    has learned all the same.
    """

    prefix: str
    every: int
    num_epochs: int
    net: Any
    vocab: Vocab
    write: Callable[[str], Any]

    def after_epoch(self, number: int, history: History) -> None:
        """Sample, if it is time to."""
        if number % self.every and number != self.num_epochs:
            return
        sample = had(
            lambda: predict_ch8(self.prefix, NUM_PREDS, self.net, self.vocab),
            lambda why: self.write(f"epoch {number}: {why}"),
        )
        if sample is not None:
            history.samples.append((number, sample))
            self.write(f"epoch {number}, perplexity {in_short(history.perplexity[-1])}: {sample}")


def had(sample: Callable[[], str], write: Callable[[str], Any]) -> str | None:
    """Return a sample, or None where it cannot be had, and say why.

    Each framework has errors of its own, for want of memory too: none may end a training.
    """
    try:
        return sample()
    except Exception as error:
        write(f"no sample ({type(error).__name__}: {error})")
        return None


def told(callbacks: Sequence[Callback]) -> Callable[[], None]:
    """Return a function that tells each callback of a minibatch."""

    def after_minibatch() -> None:
        for callback in callbacks:
            callback.after_minibatch()

    return after_minibatch
