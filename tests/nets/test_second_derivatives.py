"""Second derivatives of scans and of the cells that are linear in their state; forward mode."""

import dataclasses
import functools
import importlib

import linear_reference
import numpy as np
import pytest
from bounds import AGREED

from d2lrnn.measure import agreement
from d2lrnn.nets import linear

pytestmark = pytest.mark.only("torch", "jax", "tensorflow")
SMALL = {"num_steps": 4, "batch_size": 2, "num_inputs": 2, "num_hiddens": 2}
SCANNED = [cell.name for cell in linear.CELLS]


def product_in_torch(torch, loss, tensors, direction):
    tensors = [tensor.requires_grad_() for tensor in tensors]
    unused = {"allow_unused": True, "materialize_grads": True}  # of the state Y, or of b_q
    first = torch.autograd.grad(loss(tensors), tensors, create_graph=True, **unused)
    total = sum((one * other).sum() for one, other in zip(first, direction, strict=True))
    return torch.autograd.grad(total, tensors, **unused)


def product_in_jax(jax, loss, tensors, direction):
    def total(tensors):
        pairs = zip(jax.grad(loss)(tensors), direction, strict=True)
        return sum((one * other).sum() for one, other in pairs)

    return jax.jit(jax.grad(total))(tensors)


def product_in_tensorflow(tf, loss, tensors, direction):
    zeros = tf.UnconnectedGradients.ZERO
    with tf.GradientTape() as outer:
        outer.watch(tensors)
        with tf.GradientTape() as inner:
            inner.watch(tensors)
            value = loss(tensors)
        first = inner.gradient(value, tensors, unconnected_gradients=zeros)
        pairs = zip(first, direction, strict=True)
        total = sum(tf.reduce_sum(one * other) for one, other in pairs)
    return outer.gradient(total, tensors, unconnected_gradients=zeros)


PRODUCTS = {
    "torch": product_in_torch,
    "jax": product_in_jax,
    "tensorflow": product_in_tensorflow,
}


SUMS = {
    "torch": lambda torch: torch.sum,
    "jax": lambda jax: jax.numpy.sum,
    "tensorflow": lambda tf: tf.reduce_sum,
}


def second_derivatives(rnn, backend, loss, arrays, direction):
    """The product of the second derivatives of a loss and a direction, as arrays."""
    made = functools.partial(rnn.from_numpy, dtype="float64")
    given = importlib.import_module(backend), loss, list(map(made, arrays))
    return [rnn.to_numpy(x) for x in PRODUCTS[backend](*given, list(map(made, direction)))]


def loss_of(rnn, backend, forward_fn, problem):
    """The loss of a problem as a function of a list: the inputs, the state and the parameters."""
    number = 1 + len(problem.state)
    ends = [rnn.from_numpy(x, dtype="float64") for x in (problem.d_outputs, *problem.d_state)]

    def loss(tensors):
        outputs, last = forward_fn(tensors[0], tuple(tensors[1:number]), list(tensors[number:]))
        return sum(added(value * end) for value, end in zip((outputs, *last), ends, strict=True))

    added = SUMS[backend](importlib.import_module(backend))
    return loss


def moved(problem, direction, step):
    """The problem with inputs, state and parameters moved along a direction."""
    given = [problem.inputs, *problem.state, *problem.params]
    given = [one + step * other for one, other in zip(given, direction, strict=True)]
    number = 1 + len(problem.state)
    return dataclasses.replace(
        problem, inputs=given[0], state=tuple(given[1:number]), params=given[number:]
    )


@functools.cache
def expected_of(cell):
    """Central differences of the gradients of the reference in long double, and the direction."""
    problem = agreement.make_problem(cell, **SMALL)
    rng = np.random.default_rng(3)
    given = [problem.inputs, *problem.state, *problem.params]
    direction = [rng.normal(size=x.shape) for x in given]
    layer = functools.partial(linear_reference.CELLS[cell], linear_reference.loop)
    ends = [linear_reference.results(layer, moved(problem, direction, e)) for e in (1e-5, -1e-5)]
    number = 1 + len(problem.state)  # of the outputs and the last state
    return direction, [(one - other) / 2e-5 for one, other in zip(*ends)][number:]


@pytest.mark.parametrize("cell", SCANNED)
def test_second_derivatives_of_a_cell_are_those_of_the_equations(rnn, backend, cell):
    problem, (direction, expected) = agreement.make_problem(cell, **SMALL), expected_of(cell)
    given = [problem.inputs, *problem.state, *problem.params]
    for form in (cell, f"{cell}_scan"):
        loss = loss_of(rnn, backend, getattr(rnn, form), problem)
        found = second_derivatives(rnn, backend, loss, given, direction)
        for place, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert agreement.difference(one, other) <= 1e-7, (form, place)


@pytest.mark.parametrize("num_steps", [3, 70])  # one block and several
def test_second_derivatives_of_a_scan_are_those_of_the_loop(rnn, backend, num_steps):
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(0, 1, (num_steps, 1, 3)), *rng.normal(size=(2, num_steps, 2, 3))]
    a, b, g = arrays
    state, direction = rng.normal(size=(2, 3)), [rng.normal(size=x.shape) for x in (a, b, b[0])]
    g = rnn.from_numpy(g)
    added = SUMS[backend](importlib.import_module(backend))

    def product(name):
        def loss(tensors):
            return added(g * getattr(rnn, name)(*tensors) ** 2)

        return second_derivatives(rnn, backend, loss, [a, b, state], direction)

    found, expected = product("associative_scan"), product("sequential_scan")
    for one, other in zip(found, expected, strict=True):
        assert agreement.difference(one, other) <= AGREED
        assert abs(other).max() > 0.1


@pytest.mark.only("torch")
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # from PyTorch itself
@pytest.mark.parametrize("shape", [(), (1, 2), (70, 1, 2)])
def test_pytorch_s_checks_accept_a_scan_in_forward_and_reverse_mode(rnn, shape):
    torch = importlib.import_module("torch")
    rng = np.random.default_rng(0)
    num_steps = shape[0] if len(shape) == 3 else 3
    arrays = rng.uniform(0, 1, shape), rng.normal(size=(num_steps, 1, 2)), rng.normal(size=(1, 2))
    given = tuple(rnn.from_numpy(x).requires_grad_() for x in arrays)
    assert torch.autograd.gradcheck(rnn.associative_scan, given, check_forward_ad=True)
    once = given[0], given[1].detach(), None  # a tangent of the factors alone
    assert torch.autograd.gradcheck(rnn.associative_scan, once, check_forward_ad=True)
    if num_steps == 3:
        both = {"check_fwd_over_rev": True, "check_rev_over_rev": True}
        assert torch.autograd.gradgradcheck(rnn.associative_scan, given, **both)


@pytest.mark.only("torch")
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # from PyTorch itself
@pytest.mark.parametrize("form", [*(f"{cell}_scan" for cell in SCANNED), "gru_fused"])
def test_pytorch_s_forward_mode_gives_the_same_derivatives(rnn, form):
    torch = importlib.import_module("torch")
    problem = agreement.make_problem(form.partition("_")[0], **SMALL)
    arrays = problem.inputs, *problem.state, *problem.params
    given = tuple(rnn.from_numpy(x).requires_grad_() for x in arrays)
    number = 1 + len(problem.state)

    def run(*tensors):
        outputs, last = getattr(rnn, form)(tensors[0], tensors[1:number], list(tensors[number:]))
        return outputs, *last

    assert torch.autograd.gradcheck(run, given, check_forward_ad=True, fast_mode=True)
