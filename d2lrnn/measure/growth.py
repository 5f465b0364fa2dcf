"""Measure how time and memory grow with the steps, hidden units, vocabulary and length of a text.

Each point is measured in a separate process, because the memory is the maximum resident set size of
the process, minus the maximum after a small step of the same kind. The time is the median of three
steps after the first one, which compiles. The slope on logarithmic axes is the power of the size: a
slope of 1 means that twice the size takes twice as much.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from d2lrnn import backends, checks
from d2lrnn.measure import apart
from d2lrnn.nets import build, cells

if TYPE_CHECKING:
    from d2lrnn.interface import BackendLike

# For each axis, the expected powers of its size in the time and in the memory.
WORK = MappingProxyType(
    {"num_steps": (1, 1), "num_hiddens": (2, 2), "vocab_size": (1, 1), "mebibytes": (1, 1)}
)
SIZES: Mapping[str, Sequence[int]] = MappingProxyType(
    {
        "num_steps": (10, 100, 1000, 10_000),
        "num_hiddens": (64, 128, 256, 512, 1024, 2048),
        "vocab_size": (28, 280, 2800, 28_000, 50_000),
        "mebibytes": (1, 10, 100),
    }
)
QUICK: Mapping[str, Sequence[int]] = MappingProxyType(
    {"num_steps": (10, 40), "num_hiddens": (8, 32), "vocab_size": (28, 112), "mebibytes": (1, 4)}
)
USUAL = MappingProxyType({"vocab_size": 28, "num_hiddens": 256, "batch_size": 32, "num_steps": 35})
SMALL = MappingProxyType({"vocab_size": 5, "num_hiddens": 8, "batch_size": 2, "num_steps": 5})
REPEATS = 3
STATUS = Path("/proc/self/status")  # of Linux


@dataclass(frozen=True)
class Curve:
    """For each size, the seconds of a step (or of reading a text) and the memory in MiB."""

    backend: str
    cell: str
    axis: str
    sizes: Sequence[int]
    seconds: Sequence[float]
    mebibytes: Sequence[float]

    @property
    def slopes(self) -> tuple[float, float]:
        """The powers of the size in time and in memory."""
        return slope(self.sizes, self.seconds), slope(self.sizes, self.mebibytes)


def survey(
    name: str,
    cell: str,
    sizes: Mapping[str, Sequence[int]] = SIZES,
    *,
    progress: Callable[[], Any] | None = None,
) -> list[Curve]:
    """Return a curve for each axis, with the other sizes at their usual values.

    Args:
        name: the backend.
        cell: "rnn", "gru" or "lstm".
        sizes: the sizes for each axis: "num_steps", "num_hiddens", "vocab_size", or "mebibytes" (of
            a text that is read and divided into minibatches).
        progress: a function called after each size.

    Raises:
        ValueError: an axis or the cell is unknown.
    """
    checks.choice(cell, "cell", ("rnn", "gru", "lstm"))
    curves = []
    for axis, several in sizes.items():
        checks.choice(axis, "axis", tuple(WORK))
        costs = []
        for size in several:
            settings = {"name": name, "cell": cell, "axis": axis, "size": size}
            costs.append(apart.result("d2lrnn.measure.growth", settings))
            if progress:
                progress()
        curves.append(Curve(name, cell, axis, list(several), *map(list, zip(*costs, strict=True))))
    return curves


def slope(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Return the power of the size in the growth of the values, at the largest sizes.

    It is computed from the largest size and the largest one that is at most a quarter of it, so
    that the variation between runs is small compared with the growth. Small sizes are not used,
    because fixed costs hide the growth. The result is 0 for a single size, and for values that are
    not above 0, such as memory that did not grow.
    """
    points = dict(zip(sizes, values, strict=True))
    largest = max(points)
    smaller = [size for size in points if size <= largest / 4]
    if not smaller or min(points[largest], points[max(smaller)]) <= 0:
        return 0.0
    grown = points[largest] / points[max(smaller)]
    return float(np.log(grown) / np.log(largest / max(smaller)))


def table(curves: Sequence[Curve]) -> str:
    """Return curves as text: one line per size, then the slopes, with expected ones in brackets."""
    lines = [f"{'backend':<11}{'cell':<6}{'axis':<12}{'size':>8}{'seconds':>13}{'MiB':>13}"]
    for curve in curves:
        head = f"{curve.backend:<11}{curve.cell:<6}{curve.axis:<12}"
        for size, seconds, mebibytes in zip(curve.sizes, curve.seconds, curve.mebibytes):
            lines.append(f"{head}{size:>8}{seconds:>13.4f}{mebibytes:>13.1f}")
        slopes = [f"{s:.2f} ({w})" for s, w in zip(curve.slopes, WORK[curve.axis])]
        lines.append(f"{head}{'slope':>8}" + "".join(f"{words:>13}" for words in slopes))
    return "\n".join(lines)


def measure(name: str, cell: str, axis: str, size: int) -> tuple[float, float]:
    """Measure the seconds and the memory, in MiB, of one size in this process."""
    rnn = backends.load(name)
    train(rnn, cell, **SMALL)()
    before = peak()
    with tempfile.TemporaryDirectory() as folder:
        if axis == "mebibytes":
            run = reading(rnn, size, Path(folder))
        else:
            run = train(rnn, cell, **{**USUAL, axis: size})
        run()
        memory = peak() - before
        return statistics.median(seconds_of(run) for _ in range(REPEATS)), memory


def seconds_of(run: Callable[[], Any]) -> float:
    """Return the run time of a function in seconds."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def train(
    rnn: BackendLike, cell: str, vocab_size: int, num_hiddens: int, batch_size: int, num_steps: int
) -> Callable[[], float]:
    """Return a function that trains a fused network on one minibatch and returns the loss."""
    net = build.new_net(rnn, cells.Architecture(cell), vocab_size, num_hiddens, fused=True, seed=0)
    X, Y = np.random.default_rng(0).integers(vocab_size, size=(2, batch_size, num_steps))
    step, state = net.make_step(0.1), net.begin_state(batch_size)

    def run() -> float:
        loss, _ = step(X, Y, state)
        net.arrays()[0][:1].sum()  # reading the result waits for the update
        return float(loss)

    return run


def reading(rnn: BackendLike, mebibytes: int, folder: Path) -> Callable[[], Any]:
    """Return a function that reads a text of that size and divides it into minibatches."""
    line = "the time traveller for so it will be convenient to speak of him\n"
    path, block = folder / "text.txt", line * (2**20 // len(line))
    with path.open("w", encoding="utf-8") as file:
        for _ in range(mebibytes):
            file.write(block)

    def run() -> Any:
        loader, _ = rnn.load_data_text(path, 32, 35)
        return next(iter(loader))

    return run


def peak() -> float:
    """Return the maximum resident set size of this process, in MiB.

    On Linux, getrusage would include the memory of the process that started this one.
    """
    if STATUS.exists():
        lines = STATUS.read_text(encoding="utf-8").splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024
    import resource  # not on Windows

    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB on Linux
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


if __name__ == "__main__":
    backends.prepare()
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
