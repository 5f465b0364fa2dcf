"""The progress of an epoch, and its loss, which is read only a few times a second."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import Any


@dataclass
class Epoch:
    """The progress of an epoch: all that is needed to continue with its next minibatch.

    Losses stay on the device that computed them, because reading one makes Python wait until the
    device has finished all its pending work. They are read together, a few times a second: often
    enough to stop soon when training diverges, and rarely enough that the device is never idle.
    """

    number: int = 1
    num_minibatches: int = 0
    num_tokens: int = 0
    total_loss: float = 0.0
    seconds: float = 0.0
    state: Any = None

    pause = 0.25  # seconds from one reading of the losses to the next

    def __post_init__(self) -> None:
        """Begin with no unread losses."""
        self.waiting: list[tuple[Any, int]] = []
        self.minibatch: tuple[Any, Any] | None = None  # the last X and Y
        self.looked = time.perf_counter()

    def add(self, loss: Any, num_tokens: int, state: Any, seconds: float) -> None:
        """Add a minibatch: its mean loss, its number of tokens, and the state and time after it."""
        self.num_minibatches += 1
        self.num_tokens += num_tokens
        self.waiting.append((loss, num_tokens))
        self.state, self.seconds = state, seconds

    def is_time_to_look(self, loss: Any) -> bool:
        """Return whether to read the losses now.

        This is so if the loss is already a Python float, or if the last reading was long enough
        ago.
        """
        return isinstance(loss, float) or time.perf_counter() - self.looked > self.pause

    @property
    def loss(self) -> float:
        """The loss so far, summed over the tokens; the losses that are still unread are added."""
        for loss, num_tokens in self.waiting:
            self.total_loss += float(loss) * num_tokens
        self.waiting, self.looked = [], time.perf_counter()
        return self.total_loss

    def numbers(self) -> dict[str, Any]:
        """Return all fields except the state, as values that JSON can represent."""
        names = [f.name for f in dataclasses.fields(self) if f.name != "state"]
        return {**{name: getattr(self, name) for name in names}, "total_loss": self.loss}
