"""Callbacks of a training loop: the progress bar and the samples of generated text.

The loop calls each callback after every minibatch and after every epoch. The callback that saves
checkpoints is training.keeper.Keeper.
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
    """The base class of callbacks; subclasses override the methods that they need."""

    def after_minibatch(self) -> None:
        """Act after a minibatch; by default, do nothing."""

    def after_epoch(self, number: int, history: History) -> None:
        """Act after an epoch, whose results history already holds; by default, do nothing."""


@dataclass
class Bar(Callback):
    """Updates a progress bar."""

    bar: Shown
    num_epochs: int

    def after_minibatch(self) -> None:
        """Advance the bar by one minibatch."""
        self.bar.update()

    def after_epoch(self, number: int, history: History) -> None:
        """Show the results of the epoch beside the bar."""
        description = f"{history}".replace(":", f"/{self.num_epochs}:", 1)
        self.bar.set_description_str(description, refresh=False)


@dataclass
class Samples(Callback):
    """Generates text after a prefix every N epochs and at the end, and prints it.

    If a sample cannot be generated, for example because memory runs out, a message is printed and
    training continues.
    """

    prefix: str
    every: int
    num_epochs: int
    net: Any
    vocab: Vocab
    write: Callable[[str], Any]

    def after_epoch(self, number: int, history: History) -> None:
        """Generate a sample if this epoch is due for one."""
        if number % self.every and number != self.num_epochs:
            return
        sample = sample_or_none(
            lambda: predict_ch8(self.prefix, NUM_PREDS, self.net, self.vocab),
            lambda why: self.write(f"epoch {number}: {why}"),
        )
        if sample is not None:
            history.samples.append((number, sample))
            self.write(f"epoch {number}, perplexity {in_short(history.perplexity[-1])}: {sample}")


def sample_or_none(sample: Callable[[], str], write: Callable[[str], Any]) -> str | None:
    """Return a sample; if it cannot be generated, pass the reason to write and return None.

    Every exception is caught, because each framework has its own classes of errors, for example for
    a lack of memory, and none of them may end the training.
    """
    try:
        return sample()
    except Exception as error:
        write(f"no sample ({type(error).__name__}: {error})")
        return None


def call_all(callbacks: Sequence[Callback]) -> Callable[[], None]:
    """Return a function that calls after_minibatch of each callback."""

    def after_minibatch() -> None:
        for callback in callbacks:
            callback.after_minibatch()

    return after_minibatch
