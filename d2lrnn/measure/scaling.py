"""Measure the speed of training with several processes, and the share of communication.

    python -m d2lrnn.measure.scaling FILE SETTINGS

runs in each process of a group, as d2lrnn launch starts it; rank 0 writes its measurements to FILE.
The time of an all-reduce starts when this process has computed its gradients, and ends when it has
the sum over all processes; so it includes waiting for the slowest process.
"""

from __future__ import annotations

import json
import signal
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from d2lrnn import backends
from d2lrnn.data.batches import SeqDataLoader
from d2lrnn.nets import build, cells
from d2lrnn.training import interrupts

if TYPE_CHECKING:
    from d2lrnn.interface import BackendLike

VOCAB_SIZE, BATCH_SIZE, NUM_STEPS = 28, 32, 35
BITS = 8
# The bandwidths, in bits per second, and the numbers of workers of the calculated table.
NETWORKS = {"1 Gb/s": 1e9, "10 Gb/s": 1e10, "100 Gb/s": 1e11}
WORKERS = (8, 64, 512)


@dataclass(frozen=True)
class Point:
    """Measurements for one number of processes: median seconds per step, bytes per all-reduce."""

    backend: str
    kind: str
    processes: int
    num_hiddens: int
    batch_size: int
    step: float
    reduce: float
    num_bytes: int

    @property
    def tokens_per_second(self) -> float:
        """The number of tokens in the whole minibatch, divided by the time of a step."""
        return self.batch_size * NUM_STEPS / self.step

    @property
    def share(self) -> float:
        """The share of communication in the time of a step, from 0 to 1."""
        return self.reduce / self.step


def num_bytes(cell: str, num_hiddens: int, vocab_size: int = VOCAB_SIZE) -> int:
    """Return the bytes of one all-reduce in float32: the parameters and three more numbers."""
    gates = len(cells.CELLS[cell].gates)
    recurrent = gates * num_hiddens * (vocab_size + num_hiddens + 1)
    return 4 * (recurrent + (num_hiddens + 1) * vocab_size + 3)


def seconds_on(network: float, workers: float | np.integer[Any], size: int) -> float:
    """Return the seconds of a ring all-reduce of size bytes: each worker sends 2 (k - 1) / k."""
    return float(2 * (workers - 1) / workers * size * BITS / network)


def measure(backend: str, kind: str, cell: str, num_hiddens: int, rounds: int) -> Point:
    """Time steps of this group; kind "strong" shares 32 rows, "weak" has 32 rows per process."""
    rnn = backends.load(backend)
    processes = rnn.processes()
    batch_size = BATCH_SIZE * (processes.size if kind == "weak" else 1)
    ids = np.random.default_rng(0).integers(VOCAB_SIZE, size=(batch_size + 1) * NUM_STEPS)
    X, Y = next(iter(SeqDataLoader(ids, batch_size, NUM_STEPS, seed=0)))
    architecture = cells.Architecture(cell)
    net = build.new_net(rnn, architecture, VOCAB_SIZE, num_hiddens, fused=True, seed=0)
    step, reduce_times = net.make_step(0.1), _timed(rnn, processes)
    X, Y = processes.share(X), processes.share(Y)
    state, times = net.begin_state(len(X)), []
    for _ in range(rounds + 3):  # the first three compile and warm up
        start = time.perf_counter()
        _, state = step(X, Y, state)
        times.append(time.perf_counter() - start)
    took, reduce = statistics.median(times[3:]), statistics.median(reduce_times[3:] or [0.0])
    sizes = (num_hiddens, batch_size, took, reduce, num_bytes(cell, num_hiddens))
    return Point(backend, kind, processes.size, *sizes)


def _timed(rnn: BackendLike, processes: Any) -> list[float]:
    """Return a list to which the time of each later all-reduce is appended."""
    seconds: list[float] = []
    all_reduce = processes.all_reduce

    def timed(vector: Any) -> Any:
        rnn.to_numpy(vector[:1])  # wait until the gradients are computed
        start = time.perf_counter()
        total = all_reduce(vector)
        rnn.to_numpy(total[:1])
        seconds.append(time.perf_counter() - start)
        return total

    processes.all_reduce = timed
    return seconds


def table(points: Sequence[Point]) -> str:
    """Return a table of the measurements as text, one line per point."""
    lines = [f"{'':8}{'processes':>10}{'h':>6}{'rows':>6}{'tokens/s':>12}{'communication':>15}"]
    for p in points:
        numbers = f"{p.processes:>10}{p.num_hiddens:>6}{p.batch_size:>6}"
        lines.append(f"{p.kind:8}{numbers}{p.tokens_per_second:>12,.0f}{p.share:>15.0%}")
    return "\n".join(lines)


def on_paper(alone: Sequence[Point]) -> str:
    """Return the calculated speedups for each network, from the step times of one process."""
    lines = []
    for p in alone:
        lines.append(f"h={p.num_hiddens}: {p.num_bytes / 1e6:.2f} MB a step, {p.step * 1e3:.1f} ms")
        for name, network in NETWORKS.items():
            parts = []
            for workers in WORKERS:
                reduce = seconds_on(network, workers, p.num_bytes)
                faster = p.step / (p.step / workers + reduce)
                parts.append(f"{workers} workers {faster:.1f} x")
            lines.append(f"  {name:9}" + ", ".join(parts))
    return "\n".join(lines)


def main(file: str, settings: str) -> None:
    """Measure in this process; rank 0 writes the file. Ctrl-C ends it without a message."""
    with interrupts.handling({signal.SIGINT: signal.SIG_DFL}):
        _measure_all(file, settings)


def _measure_all(file: str, settings: str) -> None:
    backends.prepare()
    options = json.loads(settings)
    points = [
        measure(options["backend"], kind, options["cell"], num_hiddens, options["rounds"])
        for kind in options["kinds"]
        for num_hiddens in options["sizes"]
    ]
    if backends.load(options["backend"]).processes().rank == 0:
        Path(file).write_text(json.dumps([asdict(point) for point in points]), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
