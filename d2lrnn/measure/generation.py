"""How fast text is generated: one prefix at a time, and many as one batch.

Both take turns within one process, and what counts is the median. Each kind of net has a process of
its own, in which no other framework's threads are.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from d2lrnn import backends, checks
from d2lrnn.data import text
from d2lrnn.measure import apart
from d2lrnn.nets import build, cells

CHARACTERS = " abcdefghijklmnopqrstuvwxyz"
NUM_HIDDENS = 256
NUM_PREDS = 500
NUM_PREFIXES = 64


@dataclass(frozen=True)
class Speed:
    """Characters a second of predict_ch8, and of predict_many from so many prefixes."""

    backend: str
    cell: str
    one: float
    many: float
    num_prefixes: int

    @property
    def gain(self) -> float:
        """How many times as many characters a second a batch gives."""
        return self.many / self.one


def measure(
    name: str,
    cell: str,
    *,
    rounds: int = 5,
    num_preds: int = NUM_PREDS,
    num_prefixes: int = NUM_PREFIXES,
    num_hiddens: int = NUM_HIDDENS,
) -> Speed:
    """Time an untrained net of 28 tokens, which says nonsense as fast as a trained one does sense.

    Args:
        name: the backend.
        cell: "rnn", "gru" or "lstm".
        rounds: how many count, after one that does not: compilers and caches warm up.
        num_preds: characters after each prefix.
        num_prefixes: how many go on as one batch.
        num_hiddens: hidden units.

    Raises:
        ValueError: an argument is out of its range.
    """
    checks.choice(cell, "cell", ("rnn", "gru", "lstm"))
    checks.size(rounds=rounds, num_preds=num_preds, num_prefixes=num_prefixes)
    rnn, vocab = backends.load(name), text.Vocab(CHARACTERS)
    net = build.new_net(rnn, cells.Architecture(cell), len(vocab), num_hiddens, fused=True, seed=0)
    several: dict[int, list[float]] = {1: [], num_prefixes: []}
    for _ in range(rounds + 1):
        for count, found in several.items():
            start = time.perf_counter()
            rnn.predict_many(["time "] * count, num_preds, net, vocab)
            found.append(count * num_preds / (time.perf_counter() - start))
    one, many = (statistics.median(found[1:]) for found in several.values())
    return Speed(name, cell, one, many, num_prefixes)


def survey(
    names: Iterable[str],
    kinds: Iterable[str],
    *,
    progress: Callable[[], Any] | None = None,
    **settings: int,
) -> list[Speed]:
    """Return measure(name, kind, **settings) of each backend and cell; progress follows each."""
    speeds, kinds = [], list(kinds)
    for name in names:
        for kind in kinds:
            asked = {"name": name, "cell": kind, **settings}
            speeds.append(Speed(**apart.result("d2lrnn.measure.generation", asked)))
            if progress:
                progress()
    return speeds


def table(speeds: Iterable[Speed]) -> str:
    """Return speeds as text."""
    lines = [f"{'backend':<11}{'cell':<6}{'one':>10}{'many':>11}{'many/one':>10}"]
    for s in speeds:
        lines.append(f"{s.backend:<11}{s.cell:<6}{s.one:>10,.0f}{s.many:>11,.0f}{s.gain:>9.1f}x")
    return "\n".join(lines)


if __name__ == "__main__":
    backends.prepare()
    print(json.dumps(asdict(measure(**json.loads(sys.argv[1])))))
