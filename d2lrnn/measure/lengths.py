"""Measure training steps and generation of each form of a cell, for sequences of several lengths.

The forms of a cell are its loop over time, its faster form (a scan, or a fused cell), and the
framework's own layer that computes the same. All forms of all cells run in turn within one process,
in an order that differs in each round, so that other work on the machine slows all of them.

A form whose first training step, which includes the time to compile, would take too long is left
out: that time is predicted from those with smaller numbers of time steps. The memory
of each form is measured in a separate process, as the growth of the maximum resident set size.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from d2lrnn import backends, checks
from d2lrnn.data import text
from d2lrnn.measure import apart, growth, speed
from d2lrnn.measure.generation import CHARACTERS
from d2lrnn.nets import build, cells

if TYPE_CHECKING:
    from d2lrnn.interface import BackendLike
    from d2lrnn.nets.model import Model

STEPS = (32, 128, 512, 2048, 16_384)
NUM_HIDDENS, BATCH_SIZE, ROUNDS, LIMIT = 64, 4, 5, 20.0
NUM_PREDS = 100  # tokens in a run of generation
VOCAB_SIZE = len(text.Vocab(CHARACTERS))
SMALL = 4  # time steps of the step beyond whose memory is counted
FORMS = ("loop", "fast", "layer")


@dataclass
class Line:
    """The measurements of one form of a cell; None where a number of steps was left out.

    ``generation`` is in tokens per second; None for a loop, which generates like the fast form.
    """

    backend: str
    cell: str
    form: str
    steps: list[int] = field(default_factory=list)
    seconds: list[float | None] = field(default_factory=list)
    mebibytes: list[float | None] = field(default_factory=list)
    generation: float | None = None
    reason: str = ""

    @property
    def name(self) -> str:
        """The name of the function, or of the layer."""
        if self.form == "layer":
            return f"{'GRU' if self.cell == 'gru_reset_after' else self.cell.upper()} layer"
        return build.FUSED[self.cell] if self.form == "fast" else self.cell

    @property
    def slopes(self) -> tuple[float, float]:
        """The powers of the number of steps in time and in memory, at the largest numbers."""
        time_slope, memory_slope = (
            growth.slope(*zip(*known)) if known else 0.0
            for known in (self._known(self.seconds), self._known(self.mebibytes))
        )
        return time_slope, memory_slope

    def _known(self, values: Sequence[float | None]) -> list[tuple[float, float]]:
        return [(n, value) for n, value in zip(self.steps, values) if value is not None]


@dataclass
class Contender:
    """A form of a cell with its net, whose training step and generation are timed."""

    line: Line
    net: Any
    step: Any
    first_runs: dict[int, float] = field(default_factory=dict)  # seconds by number of steps

    def predicted(self, num_steps: int) -> float:
        """Return the seconds of the first run with more steps: of compiling, and of the run."""
        *_, last = self.first_runs or [0]
        if not last:
            return 0.0
        factor, seconds = num_steps / last, self.first_runs[last]
        if len(self.first_runs) == 1:  # the time to compile may not depend on the steps
            return seconds + (factor - 1) * (self.line.seconds[-1] or 0.0)
        before = list(self.first_runs)[-2]
        growth_rate = max(seconds - self.first_runs[before], 0.0) / (last - before)
        return seconds + growth_rate * (num_steps - last)

    def first(self, X: Any, run: speed.Run, limit: float) -> float | None:
        """Run for the first time and return the loss, or None if it would take too long."""
        num_steps, line = X.shape[1], self.line
        seconds = self.predicted(num_steps)
        if seconds > limit and not line.reason:
            line.reason = (
                f"a step with {num_steps:,} time steps would take about {seconds:.0f} s, and the "
                f"limit is {limit:g} s"
            )
        if line.reason:
            return None
        start = time.perf_counter()
        loss = run()
        self.first_runs[num_steps] = time.perf_counter() - start
        return loss


def new_net(rnn: BackendLike, cell: str, form: str, num_hiddens: int) -> Model:
    """Return an untrained net of a form; those of one cell have the same parameters."""
    architecture, sizes = cells.Architecture(cell), (VOCAB_SIZE, num_hiddens)
    net = build.new_net(rnn, architecture, *sizes, fused=form == "fast", seed=0)
    if form != "layer":
        return net
    layer = build.concise_net(rnn, architecture, *sizes, seed=0)
    layer.load_arrays(net.arrays())
    return layer


def contenders(name: str, kinds: Sequence[str], num_hiddens: int) -> list[Contender]:
    """Return the forms of some cells in a backend."""
    rnn, competitors = backends.load(name), []
    layers = build.LAYERS if rnn.RNNModelScratch.ops.has_layers else ()
    for kind in kinds:
        for form in FORMS if kind in layers else FORMS[:-1]:
            net = new_net(rnn, kind, form, num_hiddens)
            competitors.append(Contender(Line(name, kind, form), net, net.make_step(0.01)))
    return competitors


def minibatch(batch_size: int, num_steps: int) -> Any:
    """Return random inputs and targets (n, T)."""
    return np.random.default_rng(0).integers(VOCAB_SIZE, size=(2, batch_size, num_steps))


def measure(
    name: str,
    kinds: Sequence[str],
    steps: Sequence[int] = STEPS,
    *,
    num_hiddens: int = NUM_HIDDENS,
    batch_size: int = BATCH_SIZE,
    rounds: int = ROUNDS,
    limit: float = LIMIT,
    memory: bool = True,
    progress: Callable[[], Any] | None = None,
) -> list[Line]:
    """Measure every form of some cells, for several numbers of time steps.

    Args:
        name: the backend.
        kinds: the names of cells, keys of nets.build.FUSED.
        steps: numbers of time steps, each 1 or above.
        num_hiddens: the number of hidden units.
        batch_size: the number of rows of a minibatch.
        rounds: the number of counted rounds, 1 or above; two more are not counted.
        limit: leave out a form whose first training step would take more than these seconds.
        memory: whether to measure the memory too, of each form in a separate process.
        progress: a function called after each number of steps.

    Raises:
        ValueError: an argument is out of its range, or two forms of a cell return different losses.
    """
    for kind in kinds:
        checks.choice(kind, "cell", tuple(build.FUSED))
    for num_steps in steps:
        checks.size(num_steps=num_steps)
    checks.size(num_hiddens=num_hiddens, batch_size=batch_size, rounds=rounds)
    checks.positive(limit=limit)
    competitors = contenders(name, kinds, num_hiddens)
    for num_steps in sorted(set(steps)):
        _time(competitors, minibatch(batch_size, num_steps), rounds, limit)
        if progress:
            progress()
    _generate(competitors, rounds)
    if memory:
        for one in competitors:
            one.line.mebibytes = _memory(one.line, num_hiddens, batch_size)
    return [one.line for one in competitors]


def _time(competitors: Sequence[Contender], batch: Any, rounds: int, limit: float) -> None:
    """Add the time of a training step on a minibatch to each line."""
    X, Y = batch
    runs, losses = {}, []
    for number, one in enumerate(competitors):
        run = speed.training_run(one.line.backend, one.net, one.step, X, Y)
        loss = one.first(X, run, limit)
        if loss is not None:
            runs[number] = run
            losses.append((one.line, loss))
    check_losses(losses)
    medians = speed.medians(runs, rounds)
    for number, one in enumerate(competitors):
        one.line.steps.append(X.shape[1])
        one.line.seconds.append(medians.get(number))


def check_losses(losses: Sequence[tuple[Line, float]]) -> None:
    """Check that the forms of a cell, which start from the same parameters, compute the same loss.

    Raises:
        ValueError: they do not.
    """
    for cell in dict.fromkeys(line.cell for line, _ in losses):
        here = {line.name: loss for line, loss in losses if line.cell == cell}
        if max(here.values()) - min(here.values()) > 1e-3 * max(here.values()):
            raise ValueError(f"the losses of the forms of {cell} differ: {here}")


def _generate(competitors: Sequence[Contender], rounds: int) -> None:
    """Set the speed of generation, token by token, of each line that is not a loop."""
    vocab = text.Vocab(CHARACTERS)
    runs: dict[int, Callable[[], Any]] = {}
    for number, one in enumerate(competitors):
        if one.line.form != "loop":
            predict = backends.load(one.line.backend).predict_ch8
            runs[number] = functools.partial(predict, "time ", NUM_PREDS, one.net, vocab)
    for number, seconds in speed.medians(runs, rounds).items():
        competitors[number].line.generation = NUM_PREDS / seconds


def _memory(line: Line, num_hiddens: int, batch_size: int) -> list[float | None]:
    """Return the memory of each number of steps of a line, from a separate process."""
    steps = [n for n, seconds in zip(line.steps, line.seconds) if seconds is not None]
    arguments = {"name": line.backend, "cell": line.cell, "form": line.form, "steps": steps}
    sizes = {"num_hiddens": num_hiddens, "batch_size": batch_size}
    peaks = apart.result("d2lrnn.measure.lengths", {**arguments, **sizes})
    return [*peaks, *[None] * (len(line.steps) - len(peaks))]


def peaks(
    name: str, cell: str, form: str, steps: Sequence[int], num_hiddens: int, batch_size: int
) -> list[float]:
    """Return the growth of the maximum resident set size with each number of steps, in MiB."""
    net = new_net(backends.load(name), cell, form, num_hiddens)
    step, sizes = net.make_step(0.01), []
    for num_steps in (SMALL, *steps):
        speed.training_run(name, net, step, *minibatch(batch_size, num_steps))()
        sizes.append(growth.peak())
    return [size - sizes[0] for size in sizes[1:]]


def table(lines: Sequence[Line]) -> str:
    """Return the measurements as text: for each form, the milliseconds, slopes and memory."""
    rows = []
    for line in lines:
        known = [m for m in line.mebibytes if m is not None]
        ends = [
            *(f"{power:.2f}" if power else "-" for power in line.slopes),
            f"{known[-1]:,.0f}" if known else "-",
            f"{line.generation:,.0f}" if line.generation else "-",
        ]
        times = ["-" if s is None else _milliseconds(s) for s in line.seconds]
        rows.append([line.backend, line.name, *times, *ends])
    steps = [f"{n:,}" for n in lines[0].steps]
    head = ["backend", "form", *steps, "slope", "memory slope", "MiB", "tokens/s"]
    return _aligned([head, *rows])


def ratios(lines: Sequence[Line]) -> str:
    """Return, as text, the times of the loop and the layer divided by that of the faster form."""
    by_form = {(line.backend, line.cell, line.form): line for line in lines}
    rows = []
    for line in lines:
        fast = by_form[line.backend, line.cell, "fast"]
        if line is not fast:
            pairs = zip(line.seconds, fast.seconds)
            each = [f"{a / b:.2f}" if a is not None and b is not None else "-" for a, b in pairs]
            rows.append([line.backend, f"{line.name} / {fast.name}", *each])
    return _aligned([["backend", "ratio of times", *(f"{n:,}" for n in lines[0].steps)], *rows])


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:,.{0 if seconds >= 0.1 else 1}f}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of words as lines; the first two columns are aligned to the left."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join(
        "  ".join(
            word.ljust(width) if place < 2 else word.rjust(width)
            for place, (word, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    )


if __name__ == "__main__":
    backends.prepare()
    settings = json.loads(sys.argv[1])
    if "measure" in settings:
        print(json.dumps([asdict(line) for line in measure(**settings["measure"])]))
    else:
        print(json.dumps(peaks(**settings)))
