"""Measure the speed of generating text, from one prefix and from many prefixes as one batch.

The two are timed alternately in one process, and the medians are reported. Each kind of net is
measured in a separate process, so that threads of other frameworks do not interfere.
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
    """Characters per second of predict_ch8, and of predict_many from num_prefixes prefixes."""

    backend: str
    cell: str
    one: float
    many: float
    num_prefixes: int

    @property
    def gain(self) -> float:
        """The speed with a batch divided by the speed with one prefix."""
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
    """Time the generation of text by an untrained net with 28 tokens.

    Args:
        name: the backend.
        cell: "rnn", "gru" or "lstm".
        rounds: the number of timed rounds, after one round to warm up compilers and caches.
        num_preds: the number of characters generated after each prefix.
        num_prefixes: the number of prefixes in the batch.
        num_hiddens: the number of hidden units.

    Raises:
        ValueError: an argument is out of its range.
    """
    checks.choice(cell, "cell", ("rnn", "gru", "lstm"))
    checks.size(rounds=rounds, num_preds=num_preds, num_prefixes=num_prefixes)
    rnn, vocab = backends.load(name), text.Vocab(CHARACTERS)
    net = build.new_net(rnn, cells.Architecture(cell), len(vocab), num_hiddens, fused=True, seed=0)
    several: dict[int, list[float]] = {1: [], num_prefixes: []}
    for _ in range(rounds + 1):
        for count, speeds in several.items():
            start = time.perf_counter()
            rnn.predict_many(["time "] * count, num_preds, net, vocab)
            speeds.append(count * num_preds / (time.perf_counter() - start))
    one, many = (statistics.median(speeds[1:]) for speeds in several.values())
    return Speed(name, cell, one, many, num_prefixes)


def survey(
    names: Iterable[str],
    kinds: Iterable[str],
    *,
    progress: Callable[[], Any] | None = None,
    **settings: int,
) -> list[Speed]:
    """Return measure(name, kind, **settings) of each backend and cell.

    progress is called after each measurement.
    """
    speeds, kinds = [], list(kinds)
    for name in names:
        for kind in kinds:
            arguments = {"name": name, "cell": kind, **settings}
            speeds.append(Speed(**apart.result("d2lrnn.measure.generation", arguments)))
            if progress:
                progress()
    return speeds


def table(speeds: Iterable[Speed]) -> str:
    """Return a table of speeds as text."""
    lines = [f"{'backend':<11}{'cell':<6}{'one':>10}{'many':>11}{'many/one':>10}"]
    for s in speeds:
        lines.append(f"{s.backend:<11}{s.cell:<6}{s.one:>10,.0f}{s.many:>11,.0f}{s.gain:>9.1f}x")
    return "\n".join(lines)


if __name__ == "__main__":
    backends.prepare()
    print(json.dumps(asdict(measure(**json.loads(sys.argv[1])))))
