"""Every recurrent step, re-derived in long double from the backend's own state before it.

The bound of a pre-activation x W + h U + b is that of its sum of d + h + 1 terms, in any order:
(d + h + 3) eps (|x||W| + |h||U| + |b|), and 12 eps for the activation; no activation's slope is
above 1. What gates multiply is bounded by the product rule.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d2lrnn.nets.cells import CELLS, Architecture
from d2lrnn.nets.layers import functions

LONG = np.longdouble
DTYPES = ["float32", "float64"]


def sigmoid(A):
    return LONG(1) / (LONG(1) + np.exp(-np.clip(A, -11000, 11000)))


def affine(x, W, H, U, b, eps):
    """Return x W + H U + b in long double, and the bound of its error."""
    A = x @ W + H @ U + b
    size = abs(x) @ abs(W) + abs(H) @ abs(U) + abs(b)
    return A, (len(W) + len(U) + 3) * eps * size + 12 * eps


def rnn_step(x, states, params, eps):
    W, U, b = params
    A, error = affine(x, W, states[0], U, b, eps)
    return [(np.tanh(A), error)]


def gru_step(x, states, params, eps):
    (H,) = states
    A, e_Z = affine(x, params[0], H, params[1], params[2], eps)
    B, e_R = affine(x, params[3], H, params[4], params[5], eps)
    Z, R = sigmoid(A), sigmoid(B)
    W, U, b = params[6:]
    A, e_H = affine(x, W, R * H, U, b, eps)
    H_tilde = np.tanh(A)
    e_H = e_H + ((e_R + eps) * abs(H)) @ abs(U)
    return [(Z * H + (1 - Z) * H_tilde, e_Z * (abs(H) + 1) + e_H + 12 * eps * (abs(H) + 1))]


def lstm_step(x, states, params, eps):
    H, C = states
    gates = [
        affine(x, *params[3 * i : 3 * i + 1], H, *params[3 * i + 1 : 3 * i + 3], eps)
        for i in range(4)
    ]
    (A_i, e_I), (A_f, e_F), (A_o, e_O), (A_c, e_c) = gates
    new_C = sigmoid(A_f) * C + sigmoid(A_i) * np.tanh(A_c)
    e_C = e_F * abs(C) + e_I + e_c + 12 * eps * (abs(C) + 1)
    return [(sigmoid(A_o) * np.tanh(new_C), e_O + e_C + 12 * eps), (new_C, e_C)]


STEPS = {"rnn": rnn_step, "gru": gru_step, "lstm": lstm_step}


def check_steps(rnn, cell, dtype, sizes, scales, seed):
    """Run a cell step by step, and compare each of its states with the bound."""
    (num_steps, n, d, h), (scale, input_scale) = sizes, scales
    rng, eps = np.random.default_rng(seed), np.finfo(dtype).eps
    shapes = [*CELLS[cell].shapes(d, h), (h, 1), (1,)]
    arrays = [(scale * rng.normal(size=shape)).astype(dtype) for shape in shapes]
    xs = (input_scale * rng.normal(size=(num_steps, n, d))).astype(dtype)
    forward = functions(rnn.RNNModelScratch.ops, Architecture(cell))[2]
    params = rnn.trainable(arrays, dtype=dtype)
    zeros = np.zeros((n, h), dtype)
    state = tuple(rnn.from_numpy(zeros) for _ in CELLS[cell].states)
    wide = [array.astype(LONG) for array in arrays[:-2]]
    for x in xs:
        before = [rnn.to_numpy(part).astype(LONG) for part in state]
        _, state = forward(rnn.from_numpy(x[None]), state, params)
        for part, (value, bound) in zip(state, STEPS[cell](x.astype(LONG), before, wide, eps)):
            found = rnn.to_numpy(part)
            assert found.dtype == dtype
            assert (abs(found - value) <= bound).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cell", STEPS)
def test_every_step_is_within_its_bound(rnn, faults, cell, dtype):
    def check(num_steps, n, h, d, seed):
        check_steps(rnn, cell, dtype, (num_steps, n, d, h), (0.5, 1.0), seed)

    sizes = {"num_steps": (1, 50), "n": (1, 33), "h": (1, 64), "d": (1, 64), "seed": (0, 10**6)}
    drawn = {name: st.integers(*ends) for name, ends in sizes.items()}
    settings(max_examples=faults(3, 50))(given(**drawn)(check))()


@pytest.mark.parametrize("scales", [(30.0, 1.0), (1.0, 1e30), (1e30, 1.0), (1e-30, 1e-3)])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cell", STEPS)
def test_extreme_values_are_within_the_same_bound(rnn, cell, dtype, scales):
    with np.errstate(under="ignore"):
        check_steps(rnn, cell, dtype, (4, 3, 5, 6), scales, 0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_long_sequence_s_steps_are_within_the_same_bound(rnn, faults, dtype):
    """One call: with the identity as W_hq and no b_q the outputs are the hidden states."""
    rng, eps, (T, n, d, h) = np.random.default_rng(0), np.finfo(dtype).eps, (1000, 2, 5, 8)
    T = faults(T, 10_000)
    arrays = [rng.normal(size=s).astype(dtype) for s in ((d, h), (h, h), (h,))]
    params = rnn.trainable([*arrays, np.eye(h), np.zeros(h)], dtype=dtype)
    xs = rng.normal(size=(T, n, d)).astype(dtype)
    state = (rnn.from_numpy(np.zeros((n, h), dtype)),)
    outputs, _ = rnn.rnn(rnn.from_numpy(xs), state, params)
    Hs = rnn.to_numpy(outputs).reshape(T, n, h)
    W, U, b = (array.astype(LONG) for array in arrays)
    before = np.concatenate([np.zeros((1, n, h), LONG), Hs[:-1].astype(LONG)])
    A, bound = affine(xs.astype(LONG), W, before, U, b, eps)
    assert (abs(Hs - np.tanh(A)) <= bound).all()
