"""Timer and Accumulator, as the book's cells use them (sections 3.1 and 3.6)."""

from __future__ import annotations

import itertools
import time
from typing import Any


class Timer:
    """A stopwatch that starts at once, and stores all times, in seconds, in ``times``."""

    def __init__(self) -> None:
        """Start."""
        self.times: list[float] = []
        self.start()

    def start(self) -> None:
        """Start again."""
        self.tik = time.perf_counter()

    def stop(self) -> float:
        """Return the time since the start, and store it."""
        self.times.append(time.perf_counter() - self.tik)
        return self.times[-1]

    def avg(self) -> float:
        """Return the mean of the times."""
        return self.sum() / len(self.times)

    def sum(self) -> float:
        """Return the sum of the times."""
        return sum(self.times)

    def cumsum(self) -> list[float]:
        """Return for each time the sum of those up to it."""
        return list(itertools.accumulate(self.times))


class Accumulator:
    """Sums of n quantities: ``metric.add(loss, count)``, then ``metric[0] / metric[1]``."""

    def __init__(self, n: int) -> None:
        """Begin with n zeros."""
        self.data = [0.0] * n

    def add(self, *args: Any) -> None:
        """Add a number, or a tensor that holds one, to each of the sums."""
        self.data = [total + float(value) for total, value in zip(self.data, args)]

    def reset(self) -> None:
        """Begin again."""
        self.data = [0.0] * len(self.data)

    def __getitem__(self, idx: Any) -> Any:
        """Return one sum."""
        return self.data[idx]
