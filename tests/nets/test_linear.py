"""The cells that are linear in their state equal two references and their identities.

Each comparison covers the outputs, the last state and all gradients, in float64 to 1e-12 of the
largest element and in float32 within agreement.bound.
"""

import dataclasses
import functools
import importlib
import types

import linear_foreign
import linear_reference
import numpy as np
import pytest
from bounds import AGREED

from d2lrnn.measure import agreement
from d2lrnn.nets import linear

SCANNED = [cell.name for cell in linear.CELLS]
SOLVERS = {"a loop in long double": linear_reference.loop, "LAPACK": linear_reference.solve}
SMALL = {"num_steps": 6, "batch_size": 2, "num_inputs": 3, "num_hiddens": 3}


def results(rnn, forward_fn, problem, dtype="float64"):
    """Outputs, last state, and the gradients of inputs, state and parameters, as arrays."""
    made = functools.partial(rnn.from_numpy, dtype=dtype)
    state, params = tuple(map(made, problem.state)), list(map(made, problem.params))
    outputs, last = forward_fn(made(problem.inputs), state, params)
    ends = made(problem.d_outputs), tuple(map(made, problem.d_state))
    d_inputs, d_first, d_params = rnn.vjp(forward_fn, made(problem.inputs), state, params, *ends)
    return [rnn.to_numpy(x) for x in (outputs, *last, d_inputs, *d_first, *d_params)]


def assert_equal(found, expected, problem, dtype="float64", factor=1):
    number = 1 + len(problem.state)
    for place, (one, other) in enumerate(zip(found, expected, strict=True)):
        quantity = "forward" if place < number else "gradients"
        limit = factor * agreement.bound(quantity, dtype, problem.num_terms)
        assert agreement.difference(one, other) <= limit, place


def compiled(backend, forward_fn):
    """Compile a function in JAX, which otherwise compiles each operation separately."""
    return importlib.import_module("jax").jit(forward_fn) if backend == "jax" else forward_fn


@functools.cache
def results_of(rnn, form, dtype):
    problem = agreement.make_problem(form.removesuffix("_scan"), **SMALL)
    return results(rnn, getattr(rnn, form), problem, dtype)


@functools.cache
def expected_of(cell, solver):
    layer = functools.partial(linear_reference.CELLS[cell], SOLVERS[solver])
    return linear_reference.results(layer, agreement.make_problem(cell, **SMALL))


@pytest.mark.parametrize("dtype", agreement.DTYPES)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("form", ["", "_scan"])
@pytest.mark.parametrize("cell", SCANNED)
def test_a_cell_and_its_gradients_are_those_of_the_equations(rnn, cell, form, solver, dtype):
    problem = agreement.make_problem(cell, **SMALL)
    found = results_of(rnn, cell + form, dtype)
    assert_equal(found, expected_of(cell, solver), problem, dtype)


@pytest.mark.only("jax", "tensorflow")
@pytest.mark.parametrize("cell", SCANNED)
def test_a_cell_is_the_same_with_the_framework_s_own_associative_scan(rnn, backend, cell):
    problem = agreement.make_problem(cell, **SMALL)
    foreign = compiled(backend, linear_foreign.forward_fn(backend, cell))
    expected = results(rnn, foreign, problem)
    for form in (cell, f"{cell}_scan"):
        assert_equal(results_of(rnn, form, "float64"), expected, problem)


@pytest.mark.parametrize("dtype", agreement.DTYPES)
@pytest.mark.parametrize("form", ["s4d", "s4d_scan"])
def test_s4d_and_its_gradients_are_those_of_a_convolution(rnn, form, dtype):
    problem = agreement.make_problem("s4d", **SMALL)
    expected = linear_reference.results(linear_reference.s4d_as_convolution, problem)
    assert_equal(results_of(rnn, form, dtype), expected, problem, dtype)


FFT = {  # functions that move an axis, transform the last axis, and transform it back
    "torch": lambda torch: (torch.moveaxis, torch.fft.rfft, torch.fft.irfft),
    "jax": lambda jax: (jax.numpy.moveaxis, jax.numpy.fft.rfft, jax.numpy.fft.irfft),
    "tensorflow": lambda tf: (
        tf.experimental.numpy.moveaxis,
        lambda x, n: tf.signal.rfft(x, [n]),
        lambda x, n: tf.signal.irfft(x, [n]),
    ),
}


@pytest.mark.only(*FFT)
def test_s4d_is_a_convolution_by_the_fast_fourier_transform(rnn, backend):
    problem = without_state(agreement.make_problem("s4d", **SMALL))
    T, V = SMALL["num_steps"], SMALL["num_inputs"]
    moveaxis, rfft, irfft = FFT[backend](importlib.import_module(backend))
    f = operations(backend)

    def by_fft(inputs, state, params):
        W_xu, b_u, log_a, log_dt, C, D, W_hq, b_q = params
        U, A = f.product(inputs, W_xu) + b_u, -f.exp(log_a)
        dA = f.exp(log_dt)[:, None] * A
        steps = rnn.from_numpy(np.arange(float(T))[:, None, None])
        K = f.total(C * f.exp(dA * steps) * f.expm1(dA) / A)[:, None]  # (T, 1, h)
        spectra = (rfft(moveaxis(x, 0, -1), 2 * T) for x in (U, K))
        one, other = spectra
        Ys = moveaxis(irfft(one * other, 2 * T)[..., :T], -1, 0) + D * U
        return f.reshape(f.product(Ys, W_hq) + b_q, (-1, V)), state

    found = results(rnn, rnn.s4d_scan, problem)
    expected = results(rnn, compiled(backend, by_fft), problem)
    for place in (0, 3, *range(6, 14)):  # outputs and gradients, without those of the state
        assert agreement.difference(found[place], expected[place]) <= AGREED, place


def without_state(problem):
    """Return a problem whose first state is 0, and whose last state does not enter the loss."""
    zeros = tuple(np.zeros_like(x) for x in problem.state)
    return dataclasses.replace(problem, state=zeros, d_state=zeros)


NAMES = {"torch": "torch", "jax": "jax.numpy", "mxnet": "d2lrnn.mxnet.framework"}


def operations(backend):
    """Return the functions exp, log, softplus, reshape and others of a backend."""
    framework = importlib.import_module(NAMES.get(backend, backend))
    framework = framework.np if backend == "mxnet" else framework
    log = framework.math.log if backend == "tensorflow" else framework.log
    own = importlib.import_module(f"d2lrnn.{backend}.linear")
    return types.SimpleNamespace(**{**vars(own), "log": log, "reshape": framework.reshape})


def constant_selection(**sizes):
    """Return a problem whose Mamba computes constant dt, B and C from the constant unit 0 of V."""
    problem = agreement.make_problem("mamba", **sizes)
    p = linear.MAMBA.named(problem.params[:-2])
    p["W_conv"][:, 0], p["b_conv"][0] = 0, 1
    for name in ("W_r", "W_B", "W_C"):
        p[name][1:] = 0
    p["W_B"][0], p["W_C"][0] = [0.5, -1, 2, 1.5], [1, 2, -0.5, 1]
    return problem


def mamba_by_s4d(rnn, f):
    """Return a Mamba block whose state space model is s4d: S_mamba = scale * S_s4d."""

    def forward_fn(inputs, state, params):
        *weights, W_hq, b_q = params
        p, (_, U, S) = linear.MAMBA.named(weights), state
        E = f.product(inputs, p["W_xe"]) + p["b_e"]
        M = f.normalized(E) * p["gain"] + p["shift"]
        G = f.product(M, p["W_g"]) + p["b_g"]
        T, n, h = E.shape
        U = f.concat([f.time_major(U), f.product(M, p["W_u"]) + p["b_u"]], axis=0)
        V = f.silu(sum(p["W_conv"][i] * U[i : i + T] for i in range(4)) + p["b_conv"])
        one = f.silu(p["b_conv"][:1])[:, None]  # unit 0 of V, (1, 1)
        B, C = one * p["W_B"][:1], one * p["W_C"][:1]  # (1, N)
        dt = f.softplus(f.product(one * p["W_r"][:1], p["W_dt"])[0] + p["b_dt"])  # (2h,)
        A = -f.exp(p["log_a"])  # (2h, N)
        scale = B * dt[:, None] * A / f.expm1(dt[:, None] * A)
        made = functools.partial(rnn.from_numpy, dtype="float64")
        eye, zeros = made(np.eye(2 * h)), made(np.zeros(2 * h))
        layer = [eye, zeros, p["log_a"], f.log(dt), C * scale, p["D"], eye, zeros]
        Z, (_, S) = rnn.s4d(V, (made(np.zeros((n, 2 * h))), S / scale), layer)
        Ys = E + f.product(f.reshape(Z, (T, n, 2 * h)) * f.silu(G), p["W_o"]) + p["b_o"]
        outputs = f.reshape(f.product(Ys, W_hq) + b_q, (T * n, len(b_q)))
        return outputs, (Ys[-1], f.time_major(U[-3:]), S * scale)

    return forward_fn


# What both have: in s4d, nothing is computed from units of V except the constant unit 0.
COMMON = {
    **dict.fromkeys(["W_r", "W_B", "W_C"], slice(0, 1)),
    "W_conv": (slice(None), slice(1, None)),
}


def test_mamba_with_constant_selection_is_s4d(rnn, backend):
    problem = constant_selection(**SMALL)
    expected = results(rnn, compiled(backend, mamba_by_s4d(rnn, operations(backend))), problem)
    names = ["outputs", *linear.MAMBA.states, "inputs", *linear.MAMBA.states]
    names += [*linear.MAMBA.parameters, "W_hq", "b_q"]
    for form in (rnn.mamba, rnn.mamba_scan):
        found = results(rnn, form, problem)
        for name, one, other in zip(names, found, expected, strict=True):
            part = COMMON.get(name, ...)
            assert agreement.difference(one[part], other[part]) <= AGREED, name


def test_a_selective_state_space_model_of_one_state_is_a_mingru(rnn, backend):
    f = operations(backend)

    def selective(inputs, state, params):
        """S = exp(dt A) S + (exp(dt A) - 1) / A u, with A = -1, B = C = 1, dt = softplus(X W)."""
        W_xz, b_z, W_xh, b_h, W_hq, b_q = params
        dt = f.softplus(f.product(inputs, W_xz) + b_z)
        u = f.tanh(f.product(inputs, W_xh) + b_h)
        Ss = rnn.associative_scan(f.exp(-dt), -f.expm1(-dt) * u, state[0])
        return f.output_layer(Ss, W_hq, b_q), (Ss[-1],)

    problem = agreement.make_problem("mingru", **SMALL)
    expected = results(rnn, compiled(backend, selective), problem)
    for form in ("mingru", "mingru_scan"):
        assert_equal(results_of(rnn, form, "float64"), expected, problem)


def test_s4d_with_a_time_step_from_the_input_is_a_mingru(rnn, backend):
    f, h = operations(backend), SMALL["num_hiddens"]
    made = functools.partial(rnn.from_numpy, dtype="float64")
    eye, zeros, ones = (made(x) for x in (np.eye(h), np.zeros(h), np.ones(h)))
    C, log_a = made(np.eye(1, linear.N).repeat(h, 0)), made(np.zeros((h, linear.N)))

    def selective(inputs, state, params):
        """The exact B_bar of s4d, with A = -1 and C = 1 for one state of each unit."""
        W_xz, b_z, W_xh, b_h, W_hq, b_q = params
        log_dt = f.log(f.softplus(f.product(inputs, W_xz) + b_z))[:, 0]  # (T, h), of one row
        u, outputs = f.tanh(f.product(inputs, W_xh) + b_h), []
        last = state[0], state[0][:, :, None] * made(np.ones(linear.N))
        for t in range(len(problem.inputs)):
            layer = [eye, zeros, log_a, log_dt[t], C, 0 * ones, W_hq, b_q]
            scores, last = rnn.s4d(u[t : t + 1], last, layer)
            outputs.append(scores)
        return f.concat(outputs, axis=0), (last[0],)

    problem = agreement.make_problem("mingru", **{**SMALL, "batch_size": 1})
    expected = results(rnn, rnn.mingru, problem)
    assert_equal(results(rnn, compiled(backend, selective), problem), expected, problem)


@pytest.mark.only("torch")
@pytest.mark.parametrize("form", ["minlstm", "minlstm_scan"])
def test_minlstm_is_a_sum_of_logarithms(rnn, form):
    """The form of the paper: log h = A + logcumsumexp(log b - A), with A the sum of log a so far.

    It needs positive numbers, so 5 is added to the state and to the candidate, whose weights sum
    up to 1.
    """
    torch = importlib.import_module("torch")

    def by_logarithms(inputs, state, params):
        W_xf, b_f, W_xi, b_i, W_xh, b_h, W_hq, b_q = params
        F, I = (torch.sigmoid(inputs @ W + b) for W, b in ((W_xf, b_f), (W_xi, b_i)))
        A = torch.cumsum(torch.log(F / (F + I)), 0)
        B = I / (F + I) * (torch.tanh(inputs @ W_xh + b_h) + 5)
        terms = torch.cat([torch.log(state[0] + 5)[None], torch.log(B) - A])
        Hs = torch.exp(A + torch.logcumsumexp(terms, 0)[1:]) - 5
        return (Hs @ W_hq + b_q).flatten(0, 1), (Hs[-1],)

    problem = agreement.make_problem("minlstm", **SMALL)
    assert_equal(results_of(rnn, form, "float64"), results(rnn, by_logarithms, problem), problem)
