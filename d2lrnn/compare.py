"""Do the backends agree? The same numbers through each of them, and what differs.

Every backend computes one problem: outputs, last state and all gradients of a cell, then the
losses of 100 training steps. NumPy in float64 is the reference. The problem's numbers are rounded
to float32 first, so that both dtypes start from the same ones.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from d2lrnn import backends, batches, cells, corpora, text

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]

DTYPES = ("float64", "float32")
NUM_TRAINING_STEPS = 100
EPS32 = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Problem:
    """What a cell is called with, and the gradients that arrive at what it returns."""

    cell: str
    inputs: Array
    state: tuple[Array, ...]
    params: list[Array]
    d_outputs: Array
    d_state: tuple[Array, ...]

    @property
    def num_terms(self) -> int:
        """How many rounded terms reach one element of a gradient.

        A weight's gradient sums num_steps · batch_size products, and the gradient at the first
        step has come through num_steps products of num_hiddens terms each.
        """
        num_steps = len(self.inputs) if self.state else 1
        batch_size, num_hiddens = self.inputs.shape[-2], len(self.params[-2])
        return num_steps * (batch_size + num_hiddens)


def bound(quantity: str, dtype: str, num_terms: int) -> float:
    """Return the largest difference that is rounding; the one table of bounds there is.

    quantity is "forward" or "gradients", in units of the tensor's largest element, or "losses",
    relative. In float64 the bounds are round numbers well above the rounding of any correct
    version (seen: 9e-16 forward, 4e-14 gradients) and far below the effect of any fault. In
    float32 a forward step rounds its product, sum and tanh, which does not pile up because tanh
    contracts (seen: 5 eps); gradients pile up one rounding for each term; training steps, one for
    each step that the gradients come back through.
    """
    return {
        ("forward", "float64"): 1e-12,
        ("gradients", "float64"): 1e-12,
        ("losses", "float64"): 1e-9,
        ("forward", "float32"): 8 * EPS32,
        ("gradients", "float32"): num_terms * EPS32,
        ("losses", "float32"): NUM_TRAINING_STEPS * 35 * EPS32,
    }[quantity, dtype]


def make_problem(
    cell: str = "rnn",
    *,
    num_steps: int = 35,
    batch_size: int = 8,
    num_inputs: int = 28,
    num_hiddens: int = 32,
    scale: float = 0.1,
    seed: int = 0,
) -> Problem:
    """Return a problem for a cell, drawn from N(0, 1), weights and biases from N(0, scale²)."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> Array:
        numbers: Array = rng.standard_normal(shape).astype(np.float32).astype(np.float64)
        return numbers

    if cell == "mlp":
        shapes = [p.shape for p in cells.mlp_arrays(num_inputs, num_hiddens, num_inputs, 0)]
        inputs, num_states = draw(batch_size, num_inputs), 0
        num_rows = batch_size
    else:
        shapes = [p.shape for p in cells.rnn_arrays(num_inputs, num_hiddens, 0)]
        inputs, num_states = draw(num_steps, batch_size, num_inputs), 1
        num_rows = num_steps * batch_size
    params = [np.float64(np.float32(scale)) * draw(*shape) for shape in shapes]
    params = [param.astype(np.float32).astype(np.float64) for param in params]
    states = [tuple(draw(batch_size, num_hiddens) for _ in range(num_states)) for _ in range(2)]
    return Problem(cell, inputs, states[0], params, draw(num_rows, num_inputs), states[1])


def solve(rnn: Any, problem: Problem, dtype: str = "float64") -> dict[str, Arrays]:
    """Return {"forward": {name: array}, "gradients": {name: array}} as a backend computes them."""

    def tensors(arrays: Iterable[Array]) -> list[Any]:
        return [rnn.from_numpy(array, dtype=dtype) for array in arrays]

    forward_fn = cell_function(rnn, problem.cell)
    inputs, d_outputs = tensors([problem.inputs, problem.d_outputs])
    state, d_state = tuple(tensors(problem.state)), tuple(tensors(problem.d_state))
    params = tensors(problem.params)
    outputs, new_state = forward_fn(inputs, state, params)
    d_inputs, d_first, d_params = rnn.vjp(forward_fn, inputs, state, params, d_outputs, d_state)
    forward = {"outputs": outputs, **_numbered("state", new_state)}
    gradients = {
        "d_inputs": d_inputs,
        **_numbered("d_state", d_first),
        **_numbered("d_params", d_params),
    }
    return {
        "forward": {name: rnn.to_numpy(tensor) for name, tensor in forward.items()},
        "gradients": {name: rnn.to_numpy(tensor) for name, tensor in gradients.items()},
    }


def cell_function(rnn: Any, cell: str) -> Callable[..., Any]:
    """Return a backend's cell as a forward_fn(inputs, state, params), the MLP too."""
    function: Callable[..., Any] = getattr(rnn, cell)
    if cell != "mlp":
        return function

    @functools.wraps(function)
    def without_state(inputs: Any, state: Any, params: Any) -> tuple[Any, Any]:
        return function(inputs, params), state

    return without_state


@functools.cache
def train(rnn: Any, dtype: str, *, cell: str = "rnn", num_steps: int = NUM_TRAINING_STEPS) -> Array:
    """Return the losses of the first training steps on the built-in corpus, from seed 0."""
    corpus, vocab = text.build_corpus(corpora.read_builtin())
    loader = batches.SeqDataLoader(corpus, 8, 35, seed=0)
    net = cells.new_net(rnn, cell, len(vocab), 32, seed=0, dtype=dtype)
    step, state = net.make_step(lr=1.0, theta=1.0), net.begin_state(8)
    losses = []
    for X, Y in itertools.islice(
        itertools.chain.from_iterable(itertools.repeat(loader)), num_steps
    ):
        loss, state = step(X, Y, state)
        losses.append(loss)
    return np.array(losses)


def difference(found: Array, expected: Array) -> float:
    """Return the largest difference, in units of the largest expected element; NaN if any is."""
    if found.shape != expected.shape:
        raise ValueError(f"shape {found.shape} was found where {expected.shape} was expected")
    largest = float(np.abs(expected).max(initial=0.0))
    worst = np.abs(found.astype(np.float64) - expected).max(initial=0.0)
    return float(worst / largest) if largest else float(worst)


@dataclass(frozen=True)
class Row:
    """The largest difference of one quantity, for one backend or pair of backends."""

    cell: str
    quantity: str
    dtype: str
    who: str
    difference: float
    bound: float

    @property
    def holds(self) -> bool:
        """Whether the difference is rounding; NaN is not."""
        return self.difference <= self.bound


def compare(names: Iterable[str], progress: Callable[[str], Any] = lambda text: None) -> list[Row]:
    """Return the differences of each backend from the reference and from each other one."""
    names = list(names)
    rows = []
    for cell, dtype in itertools.product(("mlp", *cells.CELLS), DTYPES):
        problem = make_problem(cell)
        reference = _results(backends.load("numpy"), problem, "float64")
        found = {}
        for name in names:
            progress(f"{cell}, {dtype}, {name}")
            found[name] = _results(backends.load(name), problem, dtype)
        for quantity in reference:
            limit = bound(quantity, dtype, problem.num_terms)
            for name in names:
                gap = _largest(found[name][quantity], reference[quantity])
                rows.append(Row(cell, quantity, dtype, name, gap, limit))
            for one, other in itertools.combinations(names, 2):
                gap = _largest(found[one][quantity], found[other][quantity])
                # Two that are each within the bound of the truth are within twice of each other.
                rows.append(Row(cell, quantity, dtype, f"{one}-{other}", gap, 2 * limit))
    return rows


def table(rows: Iterable[Row], names: Iterable[str]) -> str:
    """Return rows as text: a line for each quantity, a column for each backend, the worst pair."""
    names = list(names)
    grouped: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        grouped.setdefault((row.cell, row.quantity, row.dtype), []).append(row)
    width = max(10, *map(len, names)) + 1
    heads = "".join(f"{name:>{width}}" for name in names)
    lines = [f"{'':24}{heads}{'bound':>10}   each other (bound is twice that)"]
    for (cell, quantity, dtype), group in grouped.items():
        single = {row.who: row for row in group}
        cells_ = "".join(f"{single[name].difference:>{width}.1e}" for name in names)
        pairs = [row for row in group if row.who not in names]
        worst = max(pairs, key=lambda row: row.difference, default=None)
        pair = f"{worst.difference:.1e} {worst.who}" if worst else "-"
        verdict = "" if all(row.holds for row in group) else "   BROKEN"
        lines.append(
            f"{f'{cell} {quantity} {dtype}':24}{cells_}{group[0].bound:>10.1e}   {pair}{verdict}"
        )
    return "\n".join(lines)


def _results(rnn: Any, problem: Problem, dtype: str) -> dict[str, Arrays]:
    results = solve(rnn, problem, dtype)
    if problem.cell in cells.CELLS:
        results["losses"] = {"loss": train(rnn, dtype, cell=problem.cell)}
    return results


def _largest(found: Arrays, expected: Arrays) -> float:
    return max(difference(found[name], expected[name]) for name in expected)


def _numbered(name: str, tensors: Iterable[Any]) -> Mapping[str, Any]:
    return {f"{name}[{index}]": tensor for index, tensor in enumerate(tensors)}
