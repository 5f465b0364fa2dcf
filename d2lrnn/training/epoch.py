"""How far an epoch has come, and its loss, which is looked at a few times a second only."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import Any


@dataclass
class Epoch:
    """How far an epoch has come: what its next minibatch goes on from.

    A loss stays on the device that computed it, since reading it makes Python wait for all that the
    device has been given. So losses are read together, a few times a second: often enough that
    training that diverges ends soon, seldom enough that the device is never idle.
    """

    number: int = 1
    num_minibatches: int = 0
    num_tokens: int = 0
    total_loss: float = 0.0
    seconds: float = 0.0
    state: Any = None

    pause = 0.25  # seconds between two looks

    def __post_init__(self) -> None:
        """Begin with no loss waiting."""
        self.waiting: list[tuple[Any, int]] = []
        self.minibatch: tuple[Any, Any] | None = None  # the last X and Y
        self.looked = time.perf_counter()

    def add(self, loss: Any, num_tokens: int, state: Any, seconds: float) -> None:
        """Note one more minibatch: its mean loss, its tokens, the state and the time after it."""
        self.num_minibatches += 1
        self.num_tokens += num_tokens
        self.waiting.append((loss, num_tokens))
        self.state, self.seconds = state, seconds

    def is_time_to_look(self, loss: Any) -> bool:
        """Return whether to look: a number is at hand, and for others enough time has passed."""
        return isinstance(loss, float) or time.perf_counter() - self.looked > self.pause

    @property
    def loss(self) -> float:
        """The loss so far, summed over the tokens: all that has waited is added up."""
        for loss, num_tokens in self.waiting:
            self.total_loss += float(loss) * num_tokens
        self.waiting, self.looked = [], time.perf_counter()
        return self.total_loss

    def numbers(self) -> dict[str, Any]:
        """Return everything but the state, as JSON has it."""
        names = [f.name for f in dataclasses.fields(self) if f.name != "state"]
        return {**{name: getattr(self, name) for name in names}, "total_loss": self.loss}
