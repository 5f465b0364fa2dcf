"""Gradients from finite differences, in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from d2lrnn.measure.cell_check.runs import Array, Problem, Results

EPS = float(np.finfo(np.float64).eps)
# The error of this formula of four values is about step⁴ by truncation and EPS / step by rounding;
# both are EPS^(4/5) for this step.
STEP = EPS**0.2
WEIGHTS = {1: 8 / 12, -1: -8 / 12, 2: -1 / 12, -2: 1 / 12}
ELEMENT_BOUND = 1e-6  # for the search of the first different element; far above the error
Run = Callable[[Problem], Results]


def compare(
    run: Run, problem: Problem, number: int, gradient: Array, results: Results
) -> tuple[float, float, Array | None]:
    """Compare the gradient of an argument with finite differences.

    Args:
        run: calls the function in float64.
        problem: the arguments, and the gradients of the loss.
        number: the number of the argument in problem.arguments.
        gradient: its gradient.
        results: the results for this problem.

    Returns:
        The difference of the derivatives in a random direction, relative to the size of the loss;
        its bound; and if the bound is exceeded, the derivatives for all elements, otherwise None.
    """
    shape = problem.arguments[number].shape
    direction = np.random.default_rng(number).standard_normal(shape)
    direction /= np.linalg.norm(direction)
    derivative = along(run, problem, number, direction)
    size = max(magnitude(problem, results), float(np.linalg.norm(gradient)))
    difference = abs(derivative - float((gradient * direction).sum())) / size
    bound = problem.num_terms * EPS**0.8
    if difference <= bound:
        return difference, bound, None
    expected = np.zeros(shape)
    for index in np.ndindex(*shape):
        unit = np.zeros(shape)
        unit[index] = 1.0
        expected[index] = along(run, problem, number, unit)
    return difference, bound, expected


def along(run: Run, problem: Problem, number: int, direction: Array) -> float:
    """Return the derivative of the loss along a change of one argument."""
    total = 0.0
    for times, weight in WEIGHTS.items():
        arguments = list(problem.arguments)
        arguments[number] = arguments[number] + times * STEP * direction
        total += weight * loss(problem, run(problem.with_arguments(arguments)))
    return float(total / STEP)


def loss(problem: Problem, results: Results) -> float:
    """Return <d_outputs, outputs> + <d_state, state>."""
    weights = problem.d_outputs, *problem.d_state
    pairs = zip(weights, (results.outputs, *results.state), strict=True)
    return sum(float((w * r).sum()) for w, r in pairs)


def magnitude(problem: Problem, results: Results) -> float:
    """Return the sum of the absolute values of the terms of the loss."""
    weights = problem.d_outputs, *problem.d_state
    pairs = zip(weights, (results.outputs, *results.state), strict=True)
    return sum(float(np.abs(w * r).sum()) for w, r in pairs)
