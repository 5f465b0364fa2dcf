"""Detect that training diverges in the Trainer of edition 1.0."""

from __future__ import annotations

import math
from typing import Any

from d2lrnn.training.history import DivergenceError

LOSS, PERPLEXITY = "loss", "ppl"  # the names under which the book's models plot them
NAMES = "lr", "gradient_clip_val=1"  # the arguments of the model and of Trainer


class Watch:
    """The losses and perplexities of one epoch.

    Reading a number makes Python wait for the device that computes it. Therefore numbers are read
    when the board reads them, and at the end of the epoch.
    """

    def __init__(self, epoch: int) -> None:
        """Start with no number of the epoch, which counts from 1."""
        self.epoch = epoch
        self.waiting: dict[tuple[str, bool], list[Any]] = {}  # values that are not read yet
        self.last = {LOSS: math.inf, PERPLEXITY: 1.0}  # of the minibatches that are trained on

    def note(self, key: str, value: Any, *, train: bool, every_n: float = math.inf) -> None:
        """Note a loss or a perplexity, a tensor of one element; read every_n of them at once.

        Raises:
            DivergenceError: a loss is not finite, or a perplexity is NaN.
        """
        if key not in self.last:
            return
        values = self.waiting.setdefault((key, train), [])
        values.append(value)
        if len(values) >= every_n:
            self.read(key, train)

    def read(self, key: str, train: bool) -> None:
        """Read the numbers of one kind, and check them."""
        for number in map(float, self.waiting.pop((key, train))):
            if math.isnan(number) or (key == LOSS and math.isinf(number)):
                raise DivergenceError(number, self.epoch, names=NAMES)
            if train:
                self.last[key] = number

    def finish(self) -> None:
        """Read the remaining numbers at the end of the epoch.

        A perplexity that is infinite for a while is not an error, unless it is the last one.

        Raises:
            DivergenceError: a loss, or the last perplexity of the epoch, is not finite.
        """
        for key, train in list(self.waiting):
            self.read(key, train)
        if math.isinf(self.last[PERPLEXITY]):
            raise DivergenceError(self.last[LOSS], self.epoch, names=NAMES)


def watch_of(trainer: Any) -> Watch:
    """Return the Watch of a trainer's epoch; make it if the loop over epochs is a reader's own."""
    watch: Watch | None = getattr(trainer, "_watch", None)
    if watch is None or watch.epoch != trainer.epoch + 1:
        watch = trainer._watch = Watch(trainer.epoch + 1)
    return watch
