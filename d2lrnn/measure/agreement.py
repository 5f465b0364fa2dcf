"""Solve the same problem in each backend, and bound the differences that rounding can explain.

Every backend computes the same problem: outputs, last state and all gradients of a cell, then the
losses of 100 training steps. NumPy in float64 is the reference. The inputs are rounded to float32
first, so that they are equal in both dtypes.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from d2lrnn import backends
from d2lrnn.data import batches, corpora, text
from d2lrnn.nets import build, cells, custom, embedding, first_values
from d2lrnn.nets.forward import described

if TYPE_CHECKING:
    from d2lrnn.interface import BackendLike

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]

DTYPES = ("float64", "float32")
NUM_TRAINING_STEPS = 100
EPS32 = float(np.finfo(np.float32).eps)


# The other cells are stacked by the same code; one of them is compared in a stack.
DEEP = [*(name for name, cell in cells.CELLS.items() if cell.gates), "mamba"]
CASES = {
    **{name: cells.Architecture(name) for name in cells.CELLS},
    **{f"{name}, 2 layers": cells.Architecture(name, 2) for name in DEEP},
    **{f"{name}, bidirectional": cells.Architecture(name, 1, True) for name in DEEP},
    "lstm, 2 layers, bidirectional": cells.Architecture("lstm", 2, True),
    "gru, embedding": cells.Architecture("gru", embedding=16),
}

CONCISE = {
    f"{case}, concise": architecture
    for case, architecture in CASES.items()
    if architecture.cell in build.LAYERS
}


@dataclass(frozen=True)
class OwnCase:
    """A custom cell to compare.

    Attributes:
        name: the name of the case in the results.
        make: called with a backend; returns the cell that its new_cell made.
    """

    name: str
    make: Callable[[Any], Any]

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    def cell(self, rnn: BackendLike) -> custom.CustomCell:
        """Return the cell of a backend.

        Raises:
            ValueError: make does not return a custom cell.
        """
        cell = self.make(rnn)
        if not isinstance(cell, custom.CustomCell):
            raise ValueError(
                f"{self.name} returns {described(cell)}; expected a custom cell, the "
                "result of rnn.new_cell(...)"
            )
        return cell

    def architecture(self, rnn: BackendLike) -> cells.Architecture:
        """Return the cell of a backend as an architecture of one layer; see cell."""
        kind = self.cell(rnn).kind
        return cells.Architecture(kind.name, custom=kind)


Case = str | OwnCase


def architecture_of(case: Case, rnn: BackendLike) -> cells.Architecture | None:
    """Return the architecture of a case in a backend, or None for "mlp"."""
    if isinstance(case, OwnCase):
        return case.architecture(rnn)
    return None if case == "mlp" else CASES[case]


@dataclass(frozen=True)
class Problem:
    """The inputs, state and parameters of a network, and the gradients for its outputs.

    ``d_outputs`` and ``d_state`` are the gradients of the loss for the outputs and the last state.
    ``architecture`` is None for the MLP.
    """

    architecture: cells.Architecture | None
    inputs: Array
    state: tuple[Array, ...]
    params: list[Array]
    d_outputs: Array
    d_state: tuple[Array, ...]

    @property
    def num_terms(self) -> int:
        """The number of rounded terms in one element of a gradient.

        The gradient of a weight is a sum of num_steps · batch_size products, and the gradient at
        the first step results from num_steps products of num_hiddens terms each, in every layer.
        """
        num_steps = len(self.inputs) if self.architecture else 1
        num_layers = self.architecture.num_layers if self.architecture else 1
        batch_size, num_hiddens = self.inputs.shape[-2], len(self.params[-2])
        return num_layers * num_steps * (batch_size + num_hiddens)


def bound(quantity: str, dtype: str, num_terms: int) -> float:
    """Return the largest difference that rounding can explain.

    quantity is "forward" or "gradients", relative to the largest element of the tensor, or
    "losses", relative to each loss. In float64 the bounds are round numbers, well above the
    rounding errors of correct implementations (measured: 9e-16 forward, 4e-14 gradients) and far
    below the effect of an error in the code. In float32 a forward step rounds its product, sum and
    tanh; these errors do not accumulate because tanh contracts (measured: 5 eps). Gradients
    accumulate one rounding error per term, and training steps one per time step of the backward
    pass.
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
    case: Case = "rnn",
    *,
    num_steps: int = 35,
    batch_size: int = 8,
    num_inputs: int = 28,
    num_hiddens: int = 32,
    scale: float = 0.1,
    seed: int = 0,
) -> Problem:
    """Draw the problem of a case, or of "mlp": from N(0, 1), and parameters from N(0, scale²)."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> Array:
        numbers: Array = rng.standard_normal(shape).astype(np.float32).astype(np.float64)
        return numbers

    architecture = architecture_of(case, backends.load("numpy"))
    if architecture is None:
        shapes = [p.shape for p in first_values.mlp_arrays(num_inputs, num_hiddens, num_inputs, 0)]
        inputs, num_rows = draw(batch_size, num_inputs), batch_size
        state_shapes: list[tuple[int, ...]] = []
    else:
        shapes = architecture.shapes(num_inputs, num_hiddens)
        inputs, num_rows = draw(num_steps, batch_size, num_inputs), num_steps * batch_size
        state_shapes = architecture.state_shapes(num_hiddens)
    params = [(scale * draw(*shape)).astype(np.float32).astype(np.float64) for shape in shapes]
    states = [tuple(draw(batch_size, *shape) for shape in state_shapes) for _ in range(2)]
    return Problem(architecture, inputs, states[0], params, draw(num_rows, num_inputs), states[1])


def in_backend(problem: Problem, case: Case, rnn: BackendLike) -> Problem:
    """Return a problem with the architecture of a backend, whose custom cells have other steps.

    Raises:
        ValueError: the parameters and states of the custom cell are not those in NumPy.
    """
    architecture = architecture_of(case, rnn)
    settings = [one and one.settings() for one in (architecture, problem.architecture)]
    if settings[0] != settings[1]:
        raise ValueError(
            f"{case} returns a cell {settings[0]} in {rnn.RNNModelScratch.ops.name}, and "
            f"{settings[1]} in numpy; expected the same parameters and states in each backend"
        )
    return replace(problem, architecture=architecture)


def solve(
    rnn: BackendLike,
    problem: Problem,
    dtype: str = "float64",
    *,
    fused: bool = False,
    device: Any = None,
) -> dict[str, Arrays]:
    """Compute a problem in a backend: {"forward": {name: array}, "gradients": {name: array}}."""

    def tensors(arrays: Iterable[Array]) -> list[Any]:
        return [rnn.from_numpy(array, dtype=dtype, device=device) for array in arrays]

    forward_fn = forward_function(rnn, problem.architecture, fused=fused)
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


def solve_concise(
    rnn: BackendLike, case: str, dtype: str = "float64", *, device: Any = None
) -> dict[str, Arrays]:
    """Compute the results of a framework's layer with the parameters of a scratch model.

    The problem is a minibatch of token ids; the gradients are those of its mean loss. NumPy, the
    reference, does not have layers and uses its scratch model.
    """
    architecture = CONCISE[case]
    problem = make_problem(case.removesuffix(", concise"))
    ids = problem.d_outputs.argsort(axis=1)[:, :2].reshape(35, -1, 2)  # (T, n, 2), at random
    X, Y = ids[:, :, 0].T, ids[:, :, 1].T
    net = build.concise_net(rnn, architecture, 28, 32, dtype=dtype, device=device)
    net.load_arrays(
        [
            np.zeros_like(array) if name.endswith("b_hh") else array  # Flax has no b_hh
            for name, array in zip(architecture.parameters, problem.params)
        ]
    )
    state = tuple(rnn.from_numpy(array, dtype=dtype, device=device) for array in problem.state)
    outputs, last = net.evaluate(X, state)
    _, gradients = net.gradients(X, Y, state)
    named = zip(architecture.parameters, gradients)
    return {
        "forward": {"outputs": outputs}
        | {name: rnn.to_numpy(tensor) for name, tensor in _numbered("state", last).items()},
        "gradients": {name: array for name, array in named if not name.endswith("b_hh")},
    }


def forward_function(
    rnn: BackendLike, architecture: cells.Architecture | None, *, fused: bool = False
) -> Callable[..., Any]:
    """Return forward_fn(inputs, state, params) of a backend; an architecture of None is the MLP."""
    if architecture is not None:
        return embedding.functions(rnn.RNNModelScratch.ops, architecture, fused=fused)[2]

    @functools.wraps(rnn.mlp)
    def without_state(inputs: Any, state: Any, params: Any) -> tuple[Any, Any]:
        return rnn.mlp(inputs, params), state

    return without_state


def train(
    rnn: BackendLike, case: Case, dtype: str, *, num_steps: int = NUM_TRAINING_STEPS
) -> Array:
    """Return the losses of the first training steps on the built-in corpus, from seed 0."""
    return _losses(rnn.RNNModelScratch.ops.name, case, dtype, num_steps)


@functools.cache
def _losses(name: str, case: Case, dtype: str, num_steps: int) -> Array:
    losses = losses_of_training(backends.load(name), case, dtype)
    return np.array(list(itertools.islice(losses, num_steps)))


def losses_of_training(
    rnn: BackendLike, case: Case, dtype: str, *, seed: int = 0, **settings: Any
) -> Iterator[float]:
    """Yield the losses of training steps on the built-in corpus, without end."""
    corpus, vocab = text.build_corpus(corpora.read_builtin())
    loader = batches.SeqDataLoader(corpus, 8, 35, seed=seed)
    architecture = architecture_of(case, rnn)
    assert architecture is not None, "an MLP does not have a language model"
    net = build.new_net(rnn, architecture, len(vocab), 32, seed=seed, dtype=dtype, **settings)
    step, state = net.make_step(lr=1.0, theta=1.0), net.begin_state(8)
    for X, Y in itertools.chain.from_iterable(itertools.repeat(loader)):
        loss, state = step(X, Y, state)
        yield loss


def difference(found: Array, expected: Array) -> float:
    """Return the largest difference divided by the largest expected element; NaN if any is NaN."""
    if found.shape != expected.shape:
        raise ValueError(f"the shape is {found.shape}; expected {expected.shape}")
    largest = float(np.abs(expected).max(initial=0.0))
    worst = np.abs(found.astype(np.float64) - expected).max(initial=0.0)
    return float(worst / largest) if largest else float(worst)


def _numbered(name: str, tensors: Iterable[Any]) -> Mapping[str, Any]:
    return {f"{name}[{index}]": tensor for index, tensor in enumerate(tensors)}
