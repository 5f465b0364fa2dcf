"""The settings of a training run, and its iteration over minibatches."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from d2lrnn.data import corpora, splitting, tensor_loaders

if TYPE_CHECKING:
    from d2lrnn.interface import Backend

LONGEST = 20_000  # characters of a pasted text
SHORTEST = 200
MAX_TOKENS = 10_000
WORST = 1e9  # with this perplexity a run has diverged; random guesses have about 50


@dataclass(frozen=True)
class Settings:
    """The settings of a training run."""

    corpus: str = "builtin"
    cell: str = "rnn"
    hiddens: int = 128
    lr: float = 1.0
    clip: float = 1.0
    backend: str = "numpy"
    validation: float = 0.1  # the share of the text that is held out; 0 for none

    def __str__(self) -> str:
        """Return the settings in one line, for a legend."""
        return (
            f"{self.cell} {self.hiddens}, lr {self.lr:g}, clip {self.clip:g}, "
            f"{self.corpus}, {self.backend}"
        )

    def goes_on_as(self, other: Settings) -> bool:
        """Return whether a run can continue with other settings; only lr and clip may change."""
        return replace(self, lr=other.lr, clip=other.clip) == other


@dataclass(frozen=True)
class Point:
    """The values recorded after a minibatch of a run.

    ``epoch`` is the number of minibatches done, in epochs. ``perplexity`` is that of the epoch so
    far; at the end of an epoch it equals the value of train_ch8. ``norm`` is the joint norm of the
    gradients of the last minibatch, before clipping. ``speed`` is in tokens per second, measured
    over a whole epoch after the first. ``validation`` is the perplexity of the held-out part of the
    text, or NaN without such a part.
    """

    epoch: float
    perplexity: float
    norm: float
    speed: float
    validation: float = math.nan


RISE = 1.02  # how much above its lowest value the perplexity of the validation part must be
PATIENCE = 3  # epochs for which it must not have been lower; single epochs are noisy


def onset(points: Sequence[Point]) -> Point | None:
    """Return the point with the lowest validation perplexity if the network overfits since then.

    That is, the perplexity of the validation part has risen, and that of the training part fallen.
    """
    known = [point for point in points if math.isfinite(point.validation)]
    lowest = min(known, key=lambda point: point.validation, default=None)
    if lowest is None:
        return None
    for point in known:
        has_risen = point.validation >= RISE * lowest.validation
        is_later = point.epoch >= lowest.epoch + PATIENCE
        if is_later and has_risen and point.perplexity < lowest.perplexity:
            return lowest
    return None


PREFIXES = {"builtin": "Listen, ", "time-machine": "time traveller", "grammar": "the "}


def load(
    rnn: Backend, corpus: str, pasted: str, seed: int = 0, share: float = 0.0
) -> tuple[Any, Any, Any, str]:
    """Return the loaders of the training and the validation part, the Vocab, and a prefix.

    The prefix is that of generated samples. Without a share for validation, its loader is None. The
    training part of a corpus has the same length for any share.
    """
    read = tensor_loaders.with_tensors(_load_pasted if pasted else _load, rnn.from_numpy)
    loader, *held_out, vocab = read(pasted or corpus, seed, share or None)
    prefix = pasted and vocab.join(vocab.to_tokens(loader.corpus[:10]))
    return loader, held_out[0] if held_out else None, vocab, prefix or PREFIXES[corpus]


def _load(corpus: str, seed: int, share: float | None) -> tuple[Any, ...]:
    is_limited = corpora.CORPORA[corpus].read is not None  # the grammar holds out another text
    length = round(MAX_TOKENS / (1 - (share or 0))) if is_limited else MAX_TOKENS
    return tensor_loaders.load_data(corpus, 32, 35, max_tokens=length, seed=seed, validation=share)


def _load_pasted(pasted: str, seed: int, share: float | None) -> tuple[Any, ...]:
    lines = [corpora.decode(pasted.encode(), "the pasted text")]
    length = len(lines[0])
    num_steps = max(1, min(35, length // 10, round(length * (share or 1)) // 2))
    num_rows = max(1, min(32, round(length * (1 - (share or 0))) // num_steps - 2))
    sizes = num_rows, num_steps, False, None
    return splitting.load(lines, *sizes, "char", seed, None, share, None)


class Course:
    """The minibatches of a run, over all epochs, and the loss and speed of the current epoch.

    Losses are not copied from the device until they are needed, so that training need not wait.
    """

    def __init__(self, loader: Any) -> None:
        """Start before the first minibatch."""
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
        """Return whether the next minibatch gives a point of the curve.

        This does not depend on the backend or its speed: all minibatches of the first epoch, then
        the last one of each epoch, and from epoch 1,000 on of each tenth, and so on. So a curve has
        a few thousand points.
        """
        epoch, rest = divmod(self.done + 1, self.size)
        return self.done < self.size or (rest == 0 and epoch % stride(epoch) == 0)

    def add(self, loss: Any, num_tokens: int, state: Any, seconds: float) -> None:
        """Add the loss, the size, the state and the time of a minibatch."""
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
    """Return the epochs between two points: 1 below epoch 1,000, 10 below 10,000, and so on."""
    return int(10 ** max(0, len(str(epoch)) - 3))
