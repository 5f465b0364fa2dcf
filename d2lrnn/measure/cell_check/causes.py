"""Find the mistake that explains a difference between a function and its reference.

Each candidate is a change of the reference: two parameters exchanged, a time step too late, another
activation function. If the changed reference gives the numbers of the function, the function
contains this mistake. Otherwise, parameters are set to 0 until both agree.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from d2lrnn.measure import agreement
from d2lrnn.measure.cell_check import changes, variants
from d2lrnn.measure.cell_check.layout import Layout
from d2lrnn.measure.cell_check.runs import Array, CallError, Problem, Results

Candidate = tuple[str, Array, Array]  # a sentence, the array of the function, that of the change


@dataclass(frozen=True)
class Evidence:
    """The results of both functions for a problem, and the functions themselves.

    Attributes:
        problem: the arguments.
        layout: the names of the parameters and the states.
        computed: the results of the function that is checked.
        expected: those of the reference.
        forward: (problem) -> the results of the function for another problem.
        reference: the same for the reference.
        bound: the largest difference that rounding explains, relative to the largest element.
        is_built_in: whether the reference is a function of this package.
    """

    problem: Problem
    layout: Layout
    computed: Results
    expected: Results
    forward: Callable[[Problem], Results]
    reference: Callable[[Problem], Results]
    bound: float
    is_built_in: bool

    def same(self, computed: Array, expected: Array) -> bool:
        """Return whether two arrays agree to within rounding."""
        if computed.shape != expected.shape or not computed.size or not np.isfinite(expected).all():
            return False
        return agreement.difference(computed, expected) <= self.bound

    def agree(self, problem: Problem) -> bool:
        """Return whether both functions agree for another problem."""
        try:
            computed, expected = self.forward(problem), self.reference(problem)
        except (CallError, ValueError):
            return False
        pairs = zip(
            (computed.outputs, *computed.state), (expected.outputs, *expected.state), strict=True
        )
        return all(self.same(*pair) for pair in pairs)


def of_outputs(evidence: Evidence) -> str:
    """Return a sentence about the mistake that explains the outputs, or where to look for it."""
    with np.errstate(all="ignore"):
        candidates = itertools.chain(
            _arrangements(evidence),
            _over_time(evidence),
            _with_parameters(evidence),
            _with_steps(evidence),
        )
        for sentence, computed, expected in candidates:
            if evidence.same(computed, expected):
                return sentence
        return _two_mistakes(evidence) or _neutral(evidence)


def of_state(evidence: Evidence, number: int) -> str:
    """Return a sentence about the mistake that explains a last state, or ""."""
    computed, name = evidence.computed.state[number], evidence.layout.states[number]
    problem, total = evidence.problem, len(evidence.problem.inputs)
    if evidence.same(computed, problem.state[number]):
        return f"the function returns the state {name} that it received, not the one that follows"
    if not computed.any():
        return f"the function returns zeros as the state {name}"
    for other, expected in zip(evidence.layout.states, evidence.expected.state, strict=True):
        if other != name and evidence.same(computed, expected):
            return f"the function returns {other} in place of {name}; check the order of the states"
    for end in range(1, total):
        part = evidence.reference(replace(problem, inputs=problem.inputs[:end]))
        if evidence.same(computed, part.state[number]):
            return (
                f"the function returns the state {name} after time step {end - 1}, not after the "
                f"last one, {total - 1}"
            )
    return ""


def _by_step(evidence: Evidence, outputs: Array) -> Array:
    T, n, _ = evidence.problem.inputs.shape
    return outputs.reshape(T, n, -1)


def _arrangements(evidence: Evidence) -> Iterator[Candidate]:
    """Yield candidates that arrange or change the outputs of the reference."""
    computed, right = evidence.computed.outputs, evidence.expected.outputs
    F, R = (_by_step(evidence, outputs) for outputs in (computed, right))
    by_row = R.swapaxes(0, 1).reshape(right.shape)
    yield (
        "the rows of the outputs are ordered by batch row; expected by time step",
        computed,
        by_row,
    )
    if len(R) > 1:
        yield (
            "each output comes one time step too late: it is computed before the state is updated",
            F[1:],
            R[:-1],
        )
        yield "each output belongs to the time step after it", F[:-1], R[1:]
        yield "the outputs are in reverse order of the time steps", F, R[::-1]
    exponentials = np.exp(right - right.max(axis=1, keepdims=True))
    softmax = exponentials / exponentials.sum(axis=1, keepdims=True)
    for name, changed in (
        ("softmax", softmax),
        ("log_softmax", np.log(softmax)),
        *((name, function(right)) for name, function in variants.ACTIVATIONS.items()),
    ):
        yield f"{name} is applied to the outputs; expected scores without it", computed, changed


def _over_time(evidence: Evidence) -> Iterator[Candidate]:
    """Yield candidates about the way in which the state goes from step to step."""
    computed, problem = evidence.computed.outputs, evidence.problem
    T = len(problem.inputs)

    def outputs(state: Sequence[Array] = problem.state, inputs: Array = problem.inputs) -> Array:
        return evidence.reference(replace(problem, inputs=inputs, state=tuple(state))).outputs

    zeros = [np.zeros_like(s) for s in problem.state]
    yield (
        "the state that the function receives is not used: it starts from zeros",
        computed,
        outputs(zeros),
    )
    alone = [outputs(inputs=problem.inputs[t : t + 1]) for t in range(T)]
    yield (
        "each time step starts from the initial state: the new state is not carried to the next "
        "time step",
        computed,
        np.concatenate(alone),
    )
    alone = [outputs(zeros, problem.inputs[t : t + 1]) for t in range(T)]
    yield "each time step starts from a state of zeros", computed, np.concatenate(alone)
    yield (
        "the time steps are processed in reverse order",
        computed,
        outputs(inputs=problem.inputs[::-1]),
    )
    first = [np.broadcast_to(s[:1], s.shape) for s in problem.state]
    yield "all rows of the batch start from the state of row 0", computed, outputs(first)
    rows = np.broadcast_to(problem.inputs[:, :1], problem.inputs.shape)
    yield "all rows of the batch get the inputs of row 0", computed, outputs(inputs=rows)
    if len(problem.state) > 1 and len({s.shape for s in problem.state}) == 1:
        names = " and ".join(evidence.layout.states)
        yield f"the states {names} are exchanged", computed, outputs(problem.state[::-1])
    for number, name in enumerate(evidence.layout.states if len(zeros) > 1 else ()):
        state = [z if i == number else s for i, (z, s) in enumerate(zip(zeros, problem.state))]
        yield (
            f"the state {name} that the function receives is not used: it starts from zeros",
            computed,
            outputs(state),
        )
    if T > 1:
        yield from _shifted(evidence, outputs)


def _shifted(evidence: Evidence, outputs: Callable[..., Array]) -> Iterator[Candidate]:
    """Yield candidates whose inputs are those of other time steps or rows."""
    computed, inputs = evidence.computed.outputs, evidence.problem.inputs
    n = inputs.shape[1]
    late, early = np.roll(inputs, 1, axis=0), np.roll(inputs, -1, axis=0)
    sentence = "each time step gets the input of the time step before it"
    yield sentence, computed, outputs(inputs=late)
    late[0] = 0
    yield sentence, computed, outputs(inputs=late)
    sentence = "each time step gets the input of the time step after it"
    yield sentence, computed[:-n], outputs(inputs=early)[:-n]
    mixed = inputs.swapaxes(0, 1).reshape(inputs.shape)
    yield (
        "the inputs are reshaped, which mixes rows and time steps",
        computed,
        outputs(inputs=mixed),
    )


def _with_parameters(evidence: Evidence) -> Iterator[Candidate]:
    """Yield candidates that are the reference with other parameters."""
    for sentence, params in changes.of_parameters(evidence.layout, evidence.problem.params):
        problem = replace(evidence.problem, params=tuple(params))
        yield sentence, evidence.computed.outputs, evidence.reference(problem).outputs


def _with_steps(evidence: Evidence) -> Iterator[Candidate]:
    """Yield candidates that compute a built-in cell with a mistake in its equations."""
    if evidence.is_built_in:
        for sentence, outputs in _of_steps(evidence.layout, evidence.problem):
            yield sentence, evidence.computed.outputs, outputs


def _of_steps(layout: Layout, problem: Problem) -> Iterator[tuple[str, Array]]:
    """Yield the outputs of a built-in cell with each mistake in its equations."""
    if layout.cell not in variants.STEPS:
        return
    W_hq, b_q = problem.params[-2:]
    gates = variants.gates_of(layout.cell, problem.params, joined=layout.joined)
    for sentence, step in variants.steps(layout.cell):
        Hs, _ = variants.unroll(step, problem.inputs, problem.state, gates)
        yield sentence, Hs.reshape(-1, len(W_hq)) @ W_hq + b_q


def _two_mistakes(evidence: Evidence) -> str:
    """Return a sentence about two mistakes, of which one is frequent, or "".

    Only those pairs that explain the first time step are tried for all time steps.
    """
    if not evidence.is_built_in:
        return ""
    layout, problem = evidence.layout, evidence.problem
    first = replace(problem, inputs=problem.inputs[:1])
    computed = evidence.computed.outputs[: problem.inputs.shape[1]]
    for sentence, params in changes.frequent(layout, problem.params):
        pairs = _second(evidence, replace(first, params=tuple(params)))
        for number, (other, outputs) in enumerate(pairs):
            if evidence.same(computed, outputs):
                every = _second(evidence, replace(problem, params=tuple(params)))
                _, outputs = next(itertools.islice(every, number, None))
                if evidence.same(evidence.computed.outputs, outputs):
                    return f"there are two mistakes: {sentence}, and {other}"
    return ""


def _second(evidence: Evidence, problem: Problem) -> Iterator[tuple[str, Array]]:
    """Yield the outputs of the reference with each mistake that is frequent or in equations."""
    for sentence, params in changes.frequent(evidence.layout, problem.params):
        yield sentence, evidence.reference(replace(problem, params=tuple(params))).outputs
    yield from _of_steps(evidence.layout, problem)


def _neutral(evidence: Evidence) -> str:
    """Return a sentence about the parameters for which both functions agree if they are 0."""
    names, params = evidence.layout.names, evidence.problem.params

    def zeros(numbers: Sequence[int]) -> Problem:
        arrays = [0 * p if number in numbers else p for number, p in enumerate(params)]
        return replace(evidence.problem, params=tuple(arrays))

    alone = [number for number in range(len(names)) if evidence.agree(zeros([number]))]
    places = [f"{names[number]} = 0" for number in alone[:3]]
    places += [
        f"all parameters of {changes.words(evidence.layout, letter)} are 0"
        for letter, numbers in changes.gates(evidence.layout).items()
        if not {*alone} & {*numbers} and evidence.agree(zeros(numbers))
    ]
    if places:
        return f"both functions agree if {', or if '.join(places)}; look there"
    state = tuple(np.zeros_like(s) for s in evidence.problem.state)
    if evidence.agree(replace(evidence.problem, state=state)):
        return "both functions agree if the initial state is 0; look at how the state is used"
    number = len(evidence.problem.inputs[0])
    if evidence.same(evidence.computed.outputs[:number], evidence.expected.outputs[:number]):
        return (
            "the first time step agrees; look at how the state goes from one time step to the next"
        )
    return ""
