"""Find the mistake that explains a difference between a function and its reference.

Each candidate is a change of the reference: two parameters exchanged, a time step too late, another
activation function. If the changed reference gives the numbers of the function, the function
contains this mistake. Otherwise, parameters are set to 0 until both agree.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from d2lrnn.measure.cell_check import candidates, changes, variants
from d2lrnn.measure.cell_check.evidence import Candidate, Evidence
from d2lrnn.measure.cell_check.layout import Layout
from d2lrnn.measure.cell_check.runs import Array, Problem


def of_outputs(evidence: Evidence) -> str:
    """Return a sentence about the mistake that explains the outputs, or where to look for it."""
    with np.errstate(all="ignore"):
        mistakes = itertools.chain(
            candidates.of_order(evidence),
            candidates.over_time(evidence),
            candidates.of_other_states(evidence),
            _with_parameters(evidence),
            _with_steps(evidence),
        )
        for sentence, computed, expected in mistakes:
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
