"""Measure the memory for the loss and gradients of a long sequence, as a whole and in segments.

Each is measured in a separate process, because the memory is the maximum resident set size of the
process, minus the maximum after a short sequence of the same kind.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from d2lrnn import backends
from d2lrnn.measure import apart
from d2lrnn.nets import build, cells
from d2lrnn.training import segments

VOCAB_SIZE, NUM_HIDDENS, BATCH_SIZE, SHORT = 28, 64, 2, 100


@dataclass(frozen=True)
class Peak:
    """The peak memory beyond that of a short sequence, in MiB, and the time in seconds."""

    num_steps: int
    segment: int | None
    mebibytes: float
    seconds: float


def survey(
    name: str,
    cell: str,
    lengths: Sequence[int],
    *,
    fused: bool = False,
    progress: Callable[[], Any] | None = None,
) -> list[Peak]:
    """Return two peaks per length: for the whole sequence, and for segments of sqrt(length) steps.

    Args:
        name: the backend.
        cell: "rnn", "gru" or "lstm".
        lengths: numbers of time steps.
        fused: use the fused cell.
        progress: a function called after each measurement.
    """
    peaks = []
    for num_steps in lengths:
        for segment in (None, 0):
            settings = {"cell": cell, "num_steps": num_steps, "segment": segment, "fused": fused}
            arguments = {"name": name, **settings}
            mebibytes, seconds = apart.result("d2lrnn.measure.memory", arguments)
            peaks.append(Peak(num_steps, segment, mebibytes, seconds))
            if progress:
                progress()
    return peaks


def table(peaks: Sequence[Peak]) -> str:
    """Return the peaks of ``survey`` as text: one line per length."""
    lines = [f"{'steps':>8}{'whole':>12}{'segments':>12}"]
    for whole, parts in zip(peaks[::2], peaks[1::2], strict=True):
        lines.append(
            f"{whole.num_steps:>8}{whole.mebibytes:>8.0f} MiB{parts.mebibytes:>8.0f} MiB"
            f"   ({whole.seconds:.0f} s, {parts.seconds:.0f} s)"
        )
    return "\n".join(lines)


def measure(
    name: str, cell: str, num_steps: int, segment: int | None, fused: bool
) -> tuple[float, float]:
    """Return the growth of the maximum resident set size, in MiB, and the time in seconds."""
    import resource  # not on Windows

    net = build.new_net(
        backends.load(name), cells.Architecture(cell), VOCAB_SIZE, NUM_HIDDENS, fused=fused, seed=0
    )
    X, Y = np.random.default_rng(0).integers(VOCAB_SIZE, size=(2, BATCH_SIZE, num_steps))

    def peak(length: int) -> float:
        minibatch = X[:, :length], Y[:, :length], net.begin_state(BATCH_SIZE)
        if segment is None:
            net.gradients(*minibatch)
        else:
            segments.value_and_grad(net, *minibatch, segment)
        unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB on Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20

    before, start = peak(SHORT), time.perf_counter()
    return peak(num_steps) - before, time.perf_counter() - start


if __name__ == "__main__":
    backends.prepare()
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
