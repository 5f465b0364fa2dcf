"""Find the mistake that explains a gradient that differs while the outputs agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from d2lrnn.measure import agreement
from d2lrnn.measure.cell_check import variants
from d2lrnn.measure.cell_check.layout import Layout
from d2lrnn.measure.cell_check.runs import Array, Gradients, Problem, Results

DETACHED = "the state is detached in the loop"
REMEDY = "look for detach, stop_gradient, to_numpy or similar"


@dataclass(frozen=True)
class GradientEvidence:
    """The gradients of both functions.

    Attributes:
        problem: the arguments.
        layout: the names of the parameters and the states.
        computed: the gradients of the function that is checked.
        expected: those of the reference, in the same order.
        forward: (problem) -> the results of the function.
        reference: the same for the reference.
        gradients: (problem) -> the gradients of the reference; None for finite differences.
        bound: the largest relative difference that rounding explains.
    """

    problem: Problem
    layout: Layout
    computed: Gradients
    expected: tuple[Array, ...]
    forward: Callable[[Problem], Results]
    reference: Callable[[Problem], Results]
    gradients: Callable[[Problem], tuple[Array, ...]] | None
    bound: float

    def same(self, expected: Sequence[Array]) -> bool:
        """Return whether all gradients agree with arrays."""
        pairs = zip(self.computed.arrays, expected, strict=True)
        return all(agreement.difference(*pair) <= self.bound for pair in pairs)


def of_gradients(evidence: GradientEvidence) -> str:
    """Return a sentence about the mistake that explains the gradients, or ""."""
    if evidence.computed.unreached:
        return of_unreached(evidence)
    for sentence, expected in _candidates(evidence):
        if evidence.same(expected):
            return sentence
    first = 1 + len(evidence.problem.state)
    if not any(array.any() for array in evidence.computed.arrays[1:first]):
        return f"no gradient flows to the initial state; {REMEDY}"
    if not evidence.computed.arrays[0].any():
        return f"no gradient flows to the inputs; {REMEDY}"
    return ""


def of_unreached(evidence: GradientEvidence) -> str:
    """Return a sentence about parameters that no gradient reaches: not used, or detached."""
    numbers, names = evidence.computed.unreached, evidence.layout.names
    unused = [number for number in numbers if not _has_effect(evidence, number)]
    detached = [number for number in numbers if number not in unused]
    sentences = []
    if unused:
        listed, one = ", ".join(names[number] for number in unused), len(unused) == 1
        it = "it" if one else "them"
        sentences.append(
            f"{listed} {'is' if one else 'are'} not used: the results do not depend on {it}; use "
            f"{it}, or remove {it} from the parameters"
        )
    if detached:
        sentences.append(_of_detached(evidence.layout, detached))
    return "; ".join(sentences)


def _has_effect(evidence: GradientEvidence, number: int) -> bool:
    """Return whether the results change with a parameter."""
    problem = evidence.problem
    params = [*problem.params]
    params[number] = params[number] + 1.0
    try:
        before = evidence.forward(problem)
        after = evidence.forward(replace(problem, params=tuple(params)))
    except ValueError:
        return True
    pairs = zip((before.outputs, *before.state), (after.outputs, *after.state), strict=True)
    return not all(np.array_equal(*pair) for pair in pairs)


def _of_detached(layout: Layout, numbers: Sequence[int]) -> str:
    """Return a sentence about parameters that have an effect, but that no gradient reaches."""
    names = [layout.names[number] for number in numbers]
    if len(names) == len(layout.names):
        return f"no gradient reaches any parameter; {REMEDY}"
    letters = {name[-1] for name in names}
    words = variants.WORDS.get(layout.cell, {})
    gate = words.get(letters.pop()) if len(letters) == 1 else None
    of_gate = f", the parameters of the {gate}" if gate and len(names) > 1 else ""
    return f"no gradient reaches {', '.join(names)}{of_gate}; {REMEDY}"


def _candidates(evidence: GradientEvidence) -> Iterator[tuple[str, Sequence[Array]]]:
    """Yield sentences, and the gradients that the reference has with this mistake."""
    problem, gradients = evidence.problem, evidence.gradients
    if gradients is None:
        return
    constant = replace(problem, d_state=tuple(np.zeros_like(d) for d in problem.d_state))
    yield (
        f"no gradient flows through the last state: it is detached before it is returned; {REMEDY}",
        gradients(constant),
    )
    in_loop = f"no gradient flows from a time step to the one before: {DETACHED}; {REMEDY}"
    first = 1 + len(problem.state)
    for with_end in (problem, constant):
        apart = _each_step_alone(evidence, with_end)
        yield in_loop, apart
        yield in_loop, [apart[0], *(0 * array for array in apart[1:first]), *apart[first:]]
    expected = list(evidence.expected)
    for number, name in enumerate(evidence.layout.states, start=1):
        without = [*expected]
        without[number] = np.zeros_like(expected[number])
        yield f"no gradient flows to the initial state {name}; {REMEDY}", without
    without = [np.zeros_like(expected[0]), *expected[1:]]
    yield f"no gradient flows to the inputs; {REMEDY}", without


def _each_step_alone(evidence: GradientEvidence, problem: Problem) -> list[Array]:
    """Return the gradients of the reference if the state is detached after each time step."""
    state = problem.state
    T, n, _ = problem.inputs.shape
    ends = problem.d_outputs.reshape(T, n, -1)
    assert evidence.gradients is not None
    parts = []
    for t in range(T):
        d_state = problem.d_state if t == T - 1 else tuple(0 * d for d in problem.d_state)
        step = Problem(problem.inputs[t : t + 1], state, problem.params, ends[t], d_state)
        parts.append(evidence.gradients(step))
        state = evidence.reference(step).state
    first = 1 + len(state)
    d_inputs = np.concatenate([part[0] for part in parts])
    d_params = [
        np.sum(arrays, axis=0) for arrays in zip(*(part[first:] for part in parts), strict=True)
    ]
    return [d_inputs, *parts[0][1:first], *d_params]
