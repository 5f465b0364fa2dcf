"""Outputs of the reference in another order, or with other inputs and states in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from d2lrnn.measure.cell_check import variants
from d2lrnn.measure.cell_check.evidence import Candidate, Evidence
from d2lrnn.measure.cell_check.runs import Array


def _by_step(evidence: Evidence, outputs: Array) -> Array:
    T, n, _ = evidence.problem.inputs.shape
    return outputs.reshape(T, n, -1)


def of_order(evidence: Evidence) -> Iterator[Candidate]:
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
        yield (
            "all time steps hold the output of the last one: the same array was appended in each "
            "time step; append a new array or a copy",
            F,
            np.broadcast_to(R[-1:], R.shape),
        )
    exponentials = np.exp(right - right.max(axis=1, keepdims=True))
    softmax = exponentials / exponentials.sum(axis=1, keepdims=True)
    for name, changed in (
        ("softmax", softmax),
        ("log_softmax", np.log(softmax)),
        *((name, function(right)) for name, function in variants.ACTIVATIONS.items()),
    ):
        yield f"{name} is applied to the outputs; expected scores without it", computed, changed


def over_time(evidence: Evidence) -> Iterator[Candidate]:
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


def of_other_states(evidence: Evidence) -> Iterator[Candidate]:
    """Yield candidates that compute the outputs from another state than the first one."""
    layout, problem, state = evidence.layout, evidence.problem, evidence.problem.state
    if not layout.has_output_layer or layout.num_layers > 1 or len(state) < 2:
        return
    by_step = []
    for t in range(len(problem.inputs)):
        one = replace(problem, inputs=problem.inputs[t : t + 1], state=state)
        state = evidence.reference(one).state
        by_step.append(state)
    W_hq, b_q = problem.params[-2:]
    for name, *states in list(zip(layout.states, *by_step))[1:]:
        if states[0].shape[1:] == W_hq.shape[:1]:
            outputs = np.concatenate(states) @ W_hq
            sentence = f"the outputs are computed from {name} instead of {layout.states[0]}"
            yield sentence, evidence.computed.outputs, outputs + b_q
            yield f"{sentence}, and without b_q", evidence.computed.outputs, outputs
