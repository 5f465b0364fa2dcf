"""Measure the speed of training steps: from scratch, fused, with the framework's layer, and others.

All contenders are timed alternately within one process, and the ratios of their median times are
reported, so that temporary load on the machine affects all of them. The order is shuffled in each
round, because the time of a run depends on the caches and memory that the previous run left (by up
to a sixth). Absolute times depend mostly on the machine and are stored only in the JSON file.

book      training as in the book's package: a Python loop over one-hot minibatches, eager if the
          framework supports it (PyTorch, TensorFlow, MXNet), with our function for clipping
textbook  the same network with the training step of train_ch8, compiled in TensorFlow and JAX
layer     the framework's own layer, loss, clipping and optimizer (not in NumPy); the GRU layers of
          the frameworks compute gru_reset_after, so gru has no layer
fused     the fused cell with the training step of train_ch8
floor     only the matrix products of the fused step, computed by the framework
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np

from d2lrnn import backends, checks
from d2lrnn.measure.agreement import OwnCase
from d2lrnn.nets import build, cells, first_values, networks
from d2lrnn.training import threads

Name = TypeVar("Name")
Run = Callable[[], float]  # trains on one minibatch and returns its loss


@dataclass(frozen=True)
class Size:
    """The shape of a minibatch and a network."""

    vocab_size: int
    num_hiddens: int
    batch_size: int
    num_steps: int

    def __str__(self) -> str:
        """Return the sizes with the letters of the book."""
        return f"V={self.vocab_size} h={self.num_hiddens} n={self.batch_size} T={self.num_steps}"


SIZES = {
    "h256": Size(28, 256, 32, 35),
    "h512": Size(28, 512, 32, 35),
    "wide": Size(28, 32, 1024, 32),
    "words": Size(4580, 512, 32, 35),
    "long": Size(28, 64, 2, 1000),
    "tiny": Size(5, 8, 4, 6),  # for tests of the benchmark itself
}
WARM_UP = 3  # rounds on a GPU, plus one, that are not counted
CELLS = ("rnn", "gru", "gru_reset_after", "lstm")


@dataclass
class Timing:
    """The median times of one size and cell in one backend, in seconds, by contender.

    ``card`` is the name of the GPU, and empty on a CPU.
    """

    backend: str
    cell: str
    size: str
    seconds: dict[str, float]
    rounds: int
    threads: int
    card: str = ""

    def ratio(self, contender: str) -> float | None:
        """Return the time of a contender divided by that of fused; None if it was not timed."""
        if contender not in self.seconds:
            return None
        return self.seconds[contender] / self.seconds["fused"]


def contenders(name: str, cell: str, size: Size, device: Any = None) -> dict[str, Run]:
    """Return the contenders by name; all start from the same parameters."""
    rnn, settings = backends.load(name), {"seed": 0, "device": device}
    rng, shape = np.random.default_rng(0), (2, size.batch_size, size.num_steps)
    X, Y = rng.integers(size.vocab_size, size=shape)
    sizes = size.vocab_size, size.num_hiddens
    nets = {
        kind: build.new_net(
            rnn, cells.Architecture(cell), *sizes, fused=kind == "fused", **settings
        )
        for kind in ("book", "textbook", "fused")
    }
    runs = {kind: training_run(name, net, net.make_step(1.0), X, Y) for kind, net in nets.items()}
    book_step = baselines(name).book_step(nets["book"], 1.0, 1.0)
    runs["book"] = training_run(name, nets["book"], book_step, X, Y)
    if rnn.RNNModelScratch.ops.has_layers and cell in build.LAYERS:
        layer = build.concise_net(rnn, cells.Architecture(cell), *sizes, **settings)
        layer.load_arrays(nets["fused"].arrays())
        runs["layer"] = training_run(name, layer, layer.make_step(1.0), X, Y)
    runs["floor"] = floor(name, cell, size, device)
    return runs


def custom_contenders(name: str, case: OwnCase, size: Size, device: Any = None) -> dict[str, Run]:
    """Return the contenders of a custom cell; instead of its fused form, that of the GRU."""
    rnn, settings = backends.load(name), {"seed": 0, "device": device}
    X, Y = np.random.default_rng(0).integers(
        size.vocab_size, size=(2, size.batch_size, size.num_steps)
    )
    sizes = size.vocab_size, size.num_hiddens
    nets = [build.new_net(rnn, case.architecture(rnn), *sizes, **settings) for _ in range(2)]
    gru = build.new_net(rnn, cells.Architecture("gru"), *sizes, fused=True, **settings)
    steps = {
        "book": (nets[0], baselines(name).book_step(nets[0], 1.0, 1.0)),
        "textbook": (nets[1], nets[1].make_step(1.0)),
        "fused": (gru, gru.make_step(1.0)),
    }
    return {kind: training_run(name, net, step, X, Y) for kind, (net, step) in steps.items()}


def training_run(name: str, net: Any, step: Any, X: Any, Y: Any) -> Run:
    """Return a function that trains on one minibatch and waits for the loss and the update."""
    state, wait_for = net.begin_state(len(X)), baselines(name).wait_for

    def run() -> float:
        loss, _ = step(X, Y, state)
        wait_for(net.params)  # otherwise the next contender would wait
        return float(loss)

    return run


def products(cell: str, size: Size) -> list[tuple[tuple[int, int], tuple[int, int], int]]:
    """Return (left shape, right shape, count) of all matrix products of a fused step.

    The forward and the backward pass have one product per time step each. The gradient of the
    recurrent weights, the output layer, and its two gradients have one product for all time steps.
    The candidate of gru has a separate product, because it needs the reset gate. Lookups are not
    products.
    """
    T, n, h, V = size.num_steps, size.batch_size, size.num_hiddens, size.vocab_size
    widths = {"rnn": [h], "gru": [2 * h, h], "gru_reset_after": [3 * h], "lstm": [4 * h]}[cell]
    shapes = []
    for width in widths:
        shapes += [((n, h), (h, width), T), ((n, width), (width, h), T)]
        shapes += [((h, T * n), (T * n, width), 1)]
    return [*shapes, ((T * n, h), (h, V), 1), ((T * n, V), (V, h), 1), ((h, T * n), (T * n, V), 1)]


def floor(name: str, cell: str, size: Size, device: Any = None) -> Run:
    """Return a function that computes only these products, with the backend."""
    rng = np.random.default_rng(0)
    pairs = [
        (_normal(rng, (times, *left)), _normal(rng, right))
        for left, right, times in products(cell, size)
    ]
    run: Run = baselines(name).multiply(pairs, device)
    return run


def baselines(name: str) -> Any:
    """Return the module ``baselines`` of a backend: the book's step, products and the compiler."""
    return backends.load(name).RNNModelScratch.ops.baselines


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return rng.standard_normal(shape).astype("float32")


def input_contenders(name: str, size: Size, device: Any = None) -> dict[str, Run]:
    """Return two contenders for the input layer alone: a lookup and a one-hot product.

    Each computes the loss and the gradients of a fused network with two outputs, for all tokens of
    the minibatch as rows of a single time step. "fused" receives their ids, "one-hot" their one-hot
    rows.
    """
    rnn = backends.load(name)
    rng, num_rows = np.random.default_rng(0), size.batch_size * size.num_steps
    h = size.num_hiddens
    shapes = [(size.vocab_size, h), (h, h), (h,), (h, 2), (2,)]
    params = rnn.trainable(first_values.draw(shapes, 0), device=device)
    compute = rnn.value_and_grad(networks.Recurrent(rnn.rnn_fused), "softmax")
    compute = baselines(name).compile_function(compute)
    state = rnn.init_rnn_state(num_rows, h, device=device)
    ids = rng.integers(size.vocab_size, size=(1, num_rows))
    targets = rnn.from_numpy(rng.integers(2, size=num_rows), dtype="int64", device=device)
    kinds = {
        "fused": rnn.from_numpy(ids, dtype="int64", device=device),
        "one-hot": rnn.one_hot(ids, size.vocab_size, device=device),
    }

    def running(inputs: Any) -> Run:
        def run() -> float:
            loss, _, grads = compute(params, (inputs, state), targets)
            baselines(name).wait_for(grads)
            return float(loss)

        return run

    return {kind: running(inputs) for kind, inputs in kinds.items()}


def measure(
    name: str,
    cell: str | OwnCase,
    size: str,
    *,
    rounds: int = 21,
    device: Any = None,
    progress: Callable[[], Any] | None = None,
) -> Timing:
    """Time all contenders alternately, and return their median times.

    The first two rounds are not counted, because compilers and caches warm up. On a GPU four more
    are not counted, in which PyTorch records its graph. The losses are compared, to check that all
    contenders compute the same.

    Args:
        name: the backend.
        cell: one of CELLS; "input" for the input layer of an RNN alone; or a custom cell, whose
            times are compared with that of the fused GRU.
        size: a name of SIZES.
        rounds: the number of counted rounds, 1 or above.
        device: the device; None is the default of the framework.
        progress: a function called after each round.

    Raises:
        ValueError: an argument is out of its range, or two contenders disagree.
    """
    if not isinstance(cell, OwnCase):
        checks.choice(cell, "cell", (*CELLS, "input"))
    checks.choice(size, "size", tuple(SIZES))
    checks.size(rounds=rounds)
    shape = SIZES[size]
    if isinstance(cell, OwnCase):
        runs = custom_contenders(name, cell, shape, device)
    elif cell == "input":
        runs = input_contenders(name, shape, device)
    else:
        runs = contenders(name, cell, shape, device)
    losses = {kind: run() for kind, run in runs.items()}
    check_losses(cell, losses)
    card = card_of(name, device)
    if card:
        medians(runs, WARM_UP)
    times = medians(runs, rounds, progress)
    return Timing(name, str(cell), size, times, rounds, num_threads(), card)


def card_of(name: str, device: Any) -> str:
    """Return the name of a device if it is a GPU, otherwise an empty string."""
    ops = backends.load(name).RNNModelScratch.ops
    if device is None or not ops.tensors.is_gpu(device):
        return ""
    return str(ops.baselines.card(device))


def medians(
    runs: Mapping[Name, Callable[[], Any]], rounds: int, progress: Callable[[], Any] | None = None
) -> dict[Name, float]:
    """Run all alternately, and return the median seconds by name; one more round is not counted.

    Each round has a different order; the orders are the same in every call.
    """
    times: dict[Name, list[float]] = {kind: [] for kind in runs}
    order, rng = list(runs), random.Random(0)
    for number in range(rounds + 1):
        rng.shuffle(order)
        for kind in order:
            start = time.perf_counter()
            runs[kind]()
            times[kind].append(time.perf_counter() - start)
        if progress and number:
            progress()
    return {kind: statistics.median(seconds[1:]) for kind, seconds in times.items()}


def check_losses(cell: str | OwnCase, losses: dict[str, float]) -> None:
    """Check that the first losses are equal: all contenders start from the same parameters."""
    excluded = {"floor"} | ({"fused"} if isinstance(cell, OwnCase) else set())  # that of a GRU
    compared = {kind: loss for kind, loss in losses.items() if kind not in excluded}
    if max(compared.values()) - min(compared.values()) > 1e-4 * max(compared.values()):
        raise ValueError(f"the first losses of the contenders differ: {compared}")


def num_threads() -> int:
    """Return the number of threads for the frameworks: OMP_NUM_THREADS, or the available cores."""
    return threads.chosen() or threads.cores()


COLUMNS = ("book", "textbook", "layer", "one-hot")
MEANINGS = {
    "book": "the training step of the book's package, with one-hot minibatches",
    "textbook": "the book's cell in the training step of train_ch8",
    "layer": "the framework's own layer; its GRU is gru_reset_after",
    "one-hot": "the fused form with one-hot rows as inputs",
    "efficiency": "the time of the matrix products alone, divided by that of the fused form",
}


def table(rows: Iterable[Timing]) -> str:
    """Return a table of ratios.

    The slowdown is the time of a form divided by that of the fused form. The efficiency is the time
    of the matrix products alone divided by that of the fused form.
    """
    lines = [
        f"{'':<34}{'slowdown relative to the fused form':^40}{'efficiency of':>15}",
        f"{'backend':<11}{'cell':<16}{'size':<7}"
        + "".join(f"{c:>10}" for c in COLUMNS)
        + f"{'the fused form':>15}",
    ]
    for row in rows:
        cells_of_row = [_times(row.ratio(column)) for column in COLUMNS]
        floor = row.ratio("floor")
        cells_of_row.append(f"{f'{floor:.0%}' if floor else '-':>15}")
        lines.append(
            f"{row.backend:<11}{row.cell:<16}{row.size:<7}"
            + "".join(f"{c:>10}" for c in cells_of_row)
        )
    return "\n".join(lines)


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}x"


def as_json(rows: Iterable[Timing]) -> list[dict[str, Any]]:
    """Return rows as dicts for JSON, with the sizes, the medians in seconds and the ratios."""
    return [
        {
            **asdict(row),
            "shape": asdict(SIZES[row.size]),
            "ratios": {kind: row.ratio(kind) for kind in row.seconds},
        }
        for row in rows
    ]
