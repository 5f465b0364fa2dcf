"""Call a forward function and its backward pass with NumPy arrays, and check what it returns."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.measure.cell_check import subjects
from d2lrnn.measure.cell_check.layout import Layout, Sizes
from d2lrnn.measure.cell_check.subjects import Subject
from d2lrnn.nets import forward, kinds

Array = np.ndarray[Any, Any]
SCALE = 0.5  # of the parameters: large enough that each gate matters, and the state stays bounded


@dataclass(frozen=True)
class Problem:
    """The arguments of a forward function, and the gradients of a loss for its results."""

    inputs: Array
    state: tuple[Array, ...]
    params: tuple[Array, ...]
    d_outputs: Array
    d_state: tuple[Array, ...]

    @property
    def arguments(self) -> tuple[Array, ...]:
        """The inputs, the states and the parameters in one tuple."""
        return (self.inputs, *self.state, *self.params)

    def with_arguments(self, arguments: Sequence[Array]) -> Problem:
        """Return the problem with other inputs, states and parameters."""
        first = 1 + len(self.state)
        inputs, state, params = arguments[0], arguments[1:first], arguments[first:]
        return replace(self, inputs=inputs, state=tuple(state), params=tuple(params))

    @property
    def num_terms(self) -> int:
        """The number of rounded terms in one element of a gradient, for one layer.

        See agreement.Problem: num_steps times the batch size and the width of the products, which
        is at most the largest axis of the parameters.
        """
        width = max(size for array in self.params for size in array.shape)
        return self.inputs.shape[0] * (self.inputs.shape[1] + width)


def draw(layout: Layout, sizes: Sizes, seed: int) -> Problem:
    """Draw a problem from N(0, 1), with parameters from N(0, SCALE²), in numbers of float32."""
    rng = np.random.default_rng(seed)

    def numbers(shape: Sequence[int], scale: float = 1.0) -> Array:
        array: Array = (scale * rng.standard_normal(shape)).astype(np.float32).astype(np.float64)
        return array

    inputs = numbers((sizes.num_steps, sizes.batch_size, sizes.num_inputs))
    params = tuple(numbers(shape, SCALE) for shape in layout.shapes)
    states = [tuple(numbers(shape) for shape in layout.state_shapes) for _ in range(2)]
    num_outputs = layout.shapes[-1][-1] if layout.shapes[-1] else 1
    d_outputs = numbers((sizes.num_steps * sizes.batch_size, num_outputs))
    return Problem(inputs, states[0], params, d_outputs, states[1])


@dataclass(frozen=True)
class Results:
    """What a forward function returned, as NumPy arrays.

    Attributes:
        outputs: (T * n, q).
        state: the last state.
        dtypes: the dtypes of the outputs and of the states.
        changed: the names of the arguments that the function changed in place.
    """

    outputs: Array
    state: tuple[Array, ...]
    dtypes: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class CallError(ValueError):
    """The function raised an error."""


def run(subject: Subject, problem: Problem, layout: Layout, dtype: str) -> Results:
    """Call a forward function.

    Raises:
        CallError: the function raises an error.
        ValueError: it does not return (outputs, state) as tensors of the right shapes, or a number
            is not finite.
    """
    rnn = subject.rnn
    inputs, state, params = tensors_of(rnn, problem, dtype)
    with failing_in_words(subject, problem, layout, dtype):
        results = subject.function(inputs, state, params)
    width = len(problem.params[-1]) if layout.has_output_layer else None
    function = subject.function
    outputs, last = forward.unpacked(function, results, len(state))
    forward.check_results(function, width, inputs, state, outputs, last)
    named = [("outputs", outputs), *zip((f"the state {name}" for name in layout.states), last)]
    arrays = [_array(subject, name, tensor, problem) for name, tensor in named]
    before = ["inputs", *(f"the state {name}" for name in layout.states), *layout.names]
    pairs = zip(before, (inputs, *state, *params), problem.arguments)
    changed = [name for name, tensor, array in pairs if _differs(rnn, tensor, array)]
    dtypes = tuple(checks.dtype_of(tensor) for _, tensor in named)
    return Results(arrays[0], tuple(arrays[1:]), dtypes, tuple(changed))


def tensors_of(rnn: Any, problem: Problem, dtype: str) -> tuple[Any, tuple[Any, ...], list[Any]]:
    """Return the inputs, the state and the parameters of a problem as new tensors."""

    def tensor(array: Array) -> Any:
        return rnn.from_numpy(array, dtype=dtype)

    state, params = tuple(map(tensor, problem.state)), list(map(tensor, problem.params))
    return tensor(problem.inputs), state, params


def _differs(rnn: Any, tensor: Any, array: Array) -> bool:
    after = rnn.to_numpy(tensor)
    return after.shape != array.shape or not np.array_equal(after, array.astype(after.dtype))


def _array(subject: Subject, name: str, tensor: Any, problem: Problem) -> Array:
    """Return a result as a NumPy array; check that it is a tensor of the backend, and finite."""
    if kinds.backend_of(tensor) != subject.backend:
        raise ValueError(
            f"{subject.name} returns {forward.described(tensor)} as {name}; expected a tensor of "
            f"{subject.backend}; compute with the framework's own operations"
        )
    array: Array = subject.rnn.to_numpy(tensor)
    finite = np.isfinite(array)
    if not finite.all():
        place = tuple(map(int, np.argwhere(~finite)[0]))
        rows = problem.inputs.shape[1]
        where = f"time step {place[0] // rows}, row {place[0] % rows}, output {place[-1]}"
        where = where if name == "outputs" else f"index {place}"
        raise ValueError(
            f"{subject.name} returns {array[place]} as {name} at {where}; expected finite "
            "numbers; look for a division by 0, or for exp or log of numbers outside of their range"
        )
    return array


@contextlib.contextmanager
def failing_in_words(
    subject: Subject, problem: Problem, layout: Layout, dtype: str
) -> Iterator[None]:
    """Turn an error of the user's function, in a block, into a CallError with its arguments."""
    try:
        yield
    except Exception as error:
        shapes = (f"{n} {p.shape}" for n, p in zip(layout.names, problem.params, strict=True))
        raise CallError(
            f"{subject.name} fails{_line_of(error, subject)}: {type(error).__name__}: {error}; it "
            f"was called in {dtype} with inputs {problem.inputs.shape}, a state of "
            f"{len(problem.state)} and the parameters {', '.join(shapes)}"
        ) from error


def _line_of(error: Exception, subject: Subject) -> str:
    """Return " in line N", the last line of the function's file that led to an error, or ""."""
    code = getattr(subjects.innermost(subject.function), "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if code and frame.filename == code.co_filename]
    return f" in line {lines[-1]}" if lines else ""


@dataclass(frozen=True)
class Gradients:
    """The gradients of the inputs, the states and the parameters.

    Attributes:
        arrays: the gradients in this order; empty if they cannot be computed.
        unreached: the numbers of the parameters that no gradient reaches.
        error: why the gradients cannot be computed, or "".
    """

    arrays: tuple[Array, ...] = ()
    unreached: tuple[int, ...] = ()
    error: str = ""


def differentiate(subject: Subject, problem: Problem, dtype: str) -> Gradients:
    """Compute the gradients of <d_outputs, outputs> + <d_state, state>."""
    try:
        return Gradients(_vjp(subject, problem, dtype, ()))
    except checks.NotReachedError as error:
        unreached = error.numbers
    except Exception as error:  # an error of the user's function, or of the framework
        return Gradients(error=f"{type(error).__name__}: {error}")
    try:
        return Gradients(_vjp(subject, problem, dtype, unreached), unreached)
    except Exception as error:
        return Gradients((), unreached, f"{type(error).__name__}: {error}")


def _vjp(
    subject: Subject, problem: Problem, dtype: str, constant: Sequence[int]
) -> tuple[Array, ...]:
    """Return the gradients as arrays; those of parameters that are constants are zeros."""
    rnn = subject.rnn
    inputs, state, params = tensors_of(rnn, problem, dtype)
    d_outputs, *d_state = (
        rnn.from_numpy(array, dtype=dtype) for array in (problem.d_outputs, *problem.d_state)
    )
    function, variable = subject.function, params
    if constant:
        variable = [p for number, p in enumerate(params) if number not in constant]
        function = _with_constants(function, params, constant)
    ends = d_outputs, tuple(d_state)
    d_inputs, d_first, d_params = rnn.vjp(function, inputs, state, variable, *ends)
    gradients = iter(d_params)
    filled = [
        np.zeros(array.shape) if number in constant else rnn.to_numpy(next(gradients))
        for number, array in enumerate(problem.params)
    ]
    return (*map(rnn.to_numpy, (d_inputs, *d_first)), *filled)


def _with_constants(
    function: Callable[..., Any], params: Sequence[Any], constant: Sequence[int]
) -> Callable[..., Any]:
    """Return a function of the parameters that are not constants."""

    def of_variables(inputs: Any, state: Any, variable: Any) -> Any:
        left = iter(variable)
        given = [p if number in constant else next(left) for number, p in enumerate(params)]
        return function(inputs, state, given)

    return of_variables
