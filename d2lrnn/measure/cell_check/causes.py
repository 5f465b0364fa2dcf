"""Find the mistake that explains a difference between a function and its reference.

Each candidate is a change of the reference: two parameters exchanged, a time step too late, another
activation function. If the changed reference gives the numbers of the function, the function
contains this mistake. Otherwise, parameters are set to 0 until both agree.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from d2lrnn.measure import agreement
from d2lrnn.measure.cell_check import variants
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

    def words(self, letter: str) -> str:
        """Return the words for a gate, such as "the reset gate"."""
        return f"the {variants.WORDS[self.layout.cell][letter]}"

    @property
    def gates(self) -> dict[str, list[int]]:
        """The numbers of the parameters of each gate by its letter, for a built-in cell."""
        letters = variants.WORDS.get(self.layout.cell, {})
        return {
            letter: [n for n, name in enumerate(self.layout.names[:-2]) if _letter(name) == letter]
            for letter in letters
        }


def _letter(name: str) -> str:
    return name[-1]


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
        return _neutral(evidence)


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
    T, n, _ = problem.inputs.shape

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
    if T > 1:
        yield "the first input is left out", computed[n:], outputs(inputs=problem.inputs[1:])


def _with_parameters(evidence: Evidence) -> Iterator[Candidate]:
    """Yield candidates that are the reference with other parameters."""
    for sentence, params in _changed_parameters(evidence):
        problem = replace(evidence.problem, params=tuple(params))
        yield sentence, evidence.computed.outputs, evidence.reference(problem).outputs


def _changed_parameters(evidence: Evidence) -> Iterator[tuple[str, list[Array]]]:
    names, params = evidence.layout.names, list(evidence.problem.params)

    def changed(numbers: Sequence[int], arrays: Sequence[Array]) -> list[Array]:
        new = list(params)
        for number, array in zip(numbers, arrays, strict=True):
            new[number] = array
        return new

    for number, (name, array) in enumerate(zip(names, params, strict=True)):
        yield f"{name} is not used", changed([number], [0 * array])
    vectors = [number for number, array in enumerate(params) if array.ndim == 1]
    yield "no bias is used", changed(vectors, [0 * params[number] for number in vectors])
    yield from _changed_gates(evidence, changed)
    for one, other in itertools.combinations(range(len(params)), 2):
        if params[one].shape == params[other].shape:
            arrays = [params[other], params[one]]
            yield f"{names[one]} and {names[other]} are exchanged", changed([one, other], arrays)
            sentence = f"{names[other]} is used in place of {names[one]}"
            yield sentence, changed([one], [params[other]])
            sentence = f"{names[one]} is used in place of {names[other]}"
            yield sentence, changed([other], [params[one]])
    for number, (name, array) in enumerate(zip(names, params, strict=True)):
        if array.ndim == 2 and array.shape[0] == array.shape[1]:
            yield f"{name} is transposed", changed([number], [array.T])
        yield f"{name} has the wrong sign", changed([number], [-array])
        yield f"{name} is added twice", changed([number], [2 * array])


def _changed_gates(evidence: Evidence, changed: Any) -> Iterator[tuple[str, list[Array]]]:
    """Yield changes of all parameters of a gate."""
    params, gates = evidence.problem.params, evidence.gates
    for letter, numbers in gates.items():
        opposite = changed(numbers, [-params[number] for number in numbers])
        name = letter.upper()
        if variants.RIGHT.get(letter, "sigmoid") == "sigmoid":
            yield (
                f"{evidence.words(letter)} is reversed: 1 - {name} takes the place of {name}",
                opposite,
            )
        else:
            yield f"{evidence.words(letter)} has the wrong sign", opposite
    numbers = [*itertools.chain.from_iterable(gates.values())]
    orders = itertools.permutations(gates) if len({*map(len, gates.values())}) == 1 else ()
    for order in orders:
        if list(order) != list(gates):
            arrays = [params[number] for letter in order for number in gates[letter]]
            moved = [evidence.words(g) for g, new in zip(gates, order, strict=True) if g != new]
            listed = f"{', '.join(moved[:-1])} and {moved[-1]}"
            yield f"the parameters of {listed} are exchanged", changed(numbers, arrays)


def _with_steps(evidence: Evidence) -> Iterator[Candidate]:
    """Yield candidates that compute a built-in cell with a mistake in its equations."""
    layout, problem = evidence.layout, evidence.problem
    if not evidence.is_built_in or layout.cell not in variants.STEPS:
        return
    W_hq, b_q = problem.params[-2:]
    gates = variants.gates_of(layout.cell, problem.params, joined=layout.joined)
    for sentence, step in variants.steps(layout.cell):
        Hs, _ = variants.unroll(step, problem.inputs, problem.state, gates)
        yield sentence, evidence.computed.outputs, Hs.reshape(-1, len(W_hq)) @ W_hq + b_q


def _neutral(evidence: Evidence) -> str:
    """Return a sentence about the parameters for which both functions agree if they are 0."""
    names, params = evidence.layout.names, evidence.problem.params

    def zeros(numbers: Sequence[int]) -> Problem:
        arrays = [0 * p if number in numbers else p for number, p in enumerate(params)]
        return replace(evidence.problem, params=tuple(arrays))

    alone = [number for number in range(len(names)) if evidence.agree(zeros([number]))]
    places = [f"{names[number]} = 0" for number in alone[:3]]
    places += [
        f"all parameters of {evidence.words(letter)} are 0"
        for letter, numbers in evidence.gates.items()
        if not {*alone} & {*numbers} and evidence.agree(zeros(numbers))
    ]
    if places:
        return f"both functions agree if {', or if '.join(places)}; look there"
    state = tuple(np.zeros_like(s) for s in evidence.problem.state)
    if evidence.agree(replace(evidence.problem, state=state)):
        return "both functions agree if the initial state is 0; look at how the state is used"
    one_step = replace(evidence.problem, inputs=evidence.problem.inputs[:1])
    if evidence.agree(one_step):
        return (
            "the first time step agrees; look at how the state goes from one time step to the next"
        )
    return ""
