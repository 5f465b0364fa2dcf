"""What a run is made of, and its way through the minibatches."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from d2lrnn.data import corpora, loaders, text

if TYPE_CHECKING:
    from d2lrnn.interface import Backend

LONGEST = 20_000  # characters of a pasted text
SHORTEST = 200
MAX_TOKENS = 10_000
WORST = 1e9  # a perplexity that no run comes back from; a guess at random has some fifty


@dataclass(frozen=True)
class Settings:
    """What a run is made of."""

    corpus: str = "builtin"
    cell: str = "rnn"
    hiddens: int = 128
    lr: float = 1.0
    clip: float = 1.0
    backend: str = "numpy"

    def __str__(self) -> str:
        """Return it in one line, as a legend has it."""
        return (
            f"{self.cell} {self.hiddens}, lr {self.lr:g}, clip {self.clip:g}, "
            f"{self.corpus}, {self.backend}"
        )

    def goes_on_as(self, other: Settings) -> bool:
        """Whether a run can go on with other settings: lr and clip may change on the way."""
        return replace(self, lr=other.lr, clip=other.clip) == other


@dataclass(frozen=True)
class Point:
    """What was seen after some minibatch of a run.

    ``epoch`` counts the minibatches done, in epochs; ``perplexity`` is that of the epoch so far,
    and after a whole epoch what train_ch8 finds; ``norm`` is that of all gradients of the last
    minibatch, before clipping; ``speed`` is in tokens per second, over a whole epoch once there
    is one.
    """

    epoch: float
    perplexity: float
    norm: float
    speed: float


PREFIXES = {"builtin": "Listen, ", "time-machine": "time traveller", "grammar": "the "}


def load(rnn: Backend, corpus: str, pasted: str, seed: int = 0) -> tuple[Any, Any, str]:
    """Return a loader, its Vocab and what samples go on from."""
    if corpus != "pasted":
        read = loaders.with_tensors(loaders.load_data, rnn.from_numpy)
        loader, vocab = read(corpus, 32, 35, max_tokens=MAX_TOKENS, seed=seed)
        return loader, vocab, PREFIXES[corpus]
    ids, vocab = text.build_corpus([corpora.decode(pasted.encode(), "the pasted text")])
    num_steps = min(35, len(ids) // 10)
    sizes = max(1, min(32, len(ids) // num_steps - 2)), num_steps
    loader = rnn.SeqDataLoader(ids, *sizes, seed=seed)
    return loader, vocab, vocab.join(vocab.to_tokens(ids[:10]))


class Course:
    """The minibatches of a run, epoch after epoch, and what has been seen of the epoch at hand.

    Losses wait where they were computed, so that a device is never waited for in mid-epoch.
    """

    def __init__(self, loader: Any) -> None:
        """Begin before the first minibatch."""
        self.size, self.done = len(loader), 0
        self.state: Any = None
        self._minibatches = self._endless(loader)
        self._waiting: list[tuple[Any, int]] = []
        self._loss, self._tokens, self._seconds, self._speed = 0.0, 0, 0.0, math.nan

    def _endless(self, loader: Any) -> Any:
        """Yield minibatches; each epoch starts from a zero state."""
        while True:
            self.state = None
            self._loss, self._tokens, self._seconds = 0.0, 0, 0.0
            yield from loader

    def next(self) -> tuple[Any, Any]:
        """Return the next minibatch."""
        X, Y = next(self._minibatches)
        return X, Y

    def is_noted(self) -> bool:
        """Whether the minibatch to come is one whose point every run notes.

        The same in every backend and at every speed: all of the first epoch, then the last of each
        epoch, and of each tenth from the thousandth on, so that a curve has some thousand points.
        """
        epoch, rest = divmod(self.done + 1, self.size)
        return self.done < self.size or (rest == 0 and epoch % stride(epoch) == 0)

    def add(self, loss: Any, num_tokens: int, state: Any, seconds: float) -> None:
        """Note what a minibatch gave, and how long it took."""
        self.done, self.state = self.done + 1, state
        self._waiting.append((loss, num_tokens))
        self._tokens, self._seconds = self._tokens + num_tokens, self._seconds + seconds

    def look(self) -> tuple[float, float]:
        """Return the mean loss of the epoch so far, and tokens per second."""
        start = time.perf_counter()
        self._loss += sum(float(loss) * number for loss, number in self._waiting)
        self._waiting = []
        self._seconds += time.perf_counter() - start
        if self.done <= self.size or self.done % self.size == 0:
            self._speed = self._tokens / self._seconds
        return self._loss / self._tokens, self._speed


def stride(epoch: int) -> int:
    """Return of how many epochs one is noted: 1 below 1,000, 10 below 10,000, and so on."""
    return int(10 ** max(0, len(str(epoch)) - 3))
