"""Cells that are linear in their state, in NumPy (the book's edition of 2026).

As in scratch.py, a cell is a step, which computes the new state from the input X (n, d) and the
state before. mingru_scan and the other scans compute the same for all time steps at once; see
d2lrnn.nets.linear_scans.
"""

import sys

import numpy as np

from d2lrnn.nets import cells, forward, linear_scans
from d2lrnn.numpy import fused, tape
from d2lrnn.numpy.scan import associative_scan
from d2lrnn.numpy.scratch import output_layer, unroll
from d2lrnn.numpy.tensors import concat, sigmoid, time_major

__all__ = ["associative_scan", "concat", "time_major"]

NUMBERS = 2**18  # of all time steps of a part; 1 MiB in float32
exp, expm1, tanh, product = np.exp, np.expm1, np.tanh, np.matmul


def check(cell, inputs, state, params):
    """Check the arguments of a cell, and return its inputs and state."""
    fused.check(cell, inputs, state, params)
    return inputs, state


def input_product(inputs, W_x, b):
    """Return X W_x + b (T, n, h) for rows (T, n, d), or by lookup for token ids (T, n)."""
    return (inputs @ W_x if inputs.dtype.kind == "f" else look_up(inputs, W_x)) + b


def in_segments(f, layer, inputs, state, weights):
    """Return the outputs and the last state of a layer, run over parts of a long sequence.

    Each operation reads and writes whole arrays, which are in the cache only if they are small. The
    arrays of a cell whose only state is H are small in any case.
    """
    length, parts = max(64, NUMBERS // max(1, state[-1].size)), []
    if len(state) == 1 or len(inputs) <= length:
        return layer(f, inputs, state, weights)
    for start in range(0, len(inputs), length):
        Hs, state = layer(f, inputs[start : start + length], state, weights)
        parts.append(Hs)
    return np.concatenate(parts), state


def look_up(ids, table):
    """Return the row of table for each id."""
    if not tape.is_traced(table):
        return table[ids]

    def back(gradient):
        rows = gradient.reshape(-1, gradient.shape[-1])
        return [fused.rows_added_up(ids.reshape(-1), rows, len(table))]

    return tape.Traced(table.array[ids], [table], back)


def total(A):
    """Return the sum over the last axis."""
    return A.sum(-1)


def softplus(A):
    """Return log(1 + exp(A)), in a form that cannot overflow."""
    return 0.5 * (A + np.abs(A)) + np.log1p(np.exp(-np.abs(A)))


def silu(A):
    """Return A sigmoid(A)."""
    return A * sigmoid(A)


def normalized(A):
    """Return A with mean 0 and variance 1 over the last axis, as in a layer normalization."""
    A = A - A.mean(-1, keepdims=True)
    return A / np.sqrt((A * A).mean(-1, keepdims=True) + 1e-5)


# minGRU


def mingru_step(X, state, params):
    """Return the state (H,) of a minGRU after input X: the gates do not depend on H."""
    W_xz, b_z, W_xh, b_h = params
    (H,) = state
    Z = sigmoid(X @ W_xz + b_z)  # update gate
    H_tilde = np.tanh(X @ W_xh + b_h)  # candidate
    H = (1 - Z) * H + Z * H_tilde
    return (H,)


@forward.of_cell("mingru")
def mingru(inputs, state, params):
    """Run a minGRU over inputs; return all outputs and the last state."""
    cells.check("mingru", inputs, state, params)
    *weights, W_hq, b_q = params
    Hs, state = unroll(mingru_step, inputs, state, weights)
    return output_layer(Hs, W_hq, b_q), state


# minLSTM


def minlstm_step(X, state, params):
    """Return the state (H,) of a minLSTM after input X."""
    W_xf, b_f, W_xi, b_i, W_xh, b_h = params
    (H,) = state
    A_f, A_i = X @ W_xf + b_f, X @ W_xi + b_i
    # sigmoid(A_f) / (sigmoid(A_f) + sigmoid(A_i)), in a form that cannot become 0 / 0
    F = sigmoid(softplus(-A_i) - softplus(-A_f))  # forget gate
    I = 1 - F  # input gate
    H = F * H + I * np.tanh(X @ W_xh + b_h)
    return (H,)


@forward.of_cell("minlstm")
def minlstm(inputs, state, params):
    """Run a minLSTM over inputs; return all outputs and the last state."""
    cells.check("minlstm", inputs, state, params)
    *weights, W_hq, b_q = params
    Hs, state = unroll(minlstm_step, inputs, state, weights)
    return output_layer(Hs, W_hq, b_q), state


# S4D: a diagonal state space model


def s4d_step(X, state, params):
    """Return the state (Y, S) of an S4D layer after input X; Y (n, h) is the output."""
    W_xu, b_u, log_a, log_dt, C, D = params
    _, S = state  # (n, h, N)
    U = X @ W_xu + b_u
    A = -np.exp(log_a)  # (h, N): the rates of decay
    dA = np.exp(log_dt)[:, None] * A
    # The exact solution of dS/dt = A S + U for a constant U
    S = np.exp(dA) * S + (np.expm1(dA) / A) * U[:, :, None]
    Y = (C * S).sum(-1) + D * U
    return Y, S


@forward.of_cell("s4d")
def s4d(inputs, state, params):
    """Run an S4D layer over inputs; return all outputs and the last state."""
    cells.check("s4d", inputs, state, params)
    *weights, W_hq, b_q = params
    Ys, state = unroll(s4d_step, inputs, state, weights)
    return output_layer(Ys, W_hq, b_q), state


# Mamba: a selective state space model in a residual block


def mamba_step(X, state, params):
    """Return the state (Y, U, S) of a Mamba block after input X; Y (n, h) is the output."""
    W_xe, b_e, gain, shift, W_u, b_u, W_g, b_g, W_conv, b_conv, *others = params
    W_r, W_dt, b_dt, W_B, W_C, log_a, D, W_o, b_o = others
    _, U, S = state  # (n, 3, 2h) and (n, 2h, N)
    E = X @ W_xe + b_e
    M = normalized(E) * gain + shift
    G = M @ W_g + b_g
    U = np.concatenate([U, (M @ W_u + b_u)[:, None]], axis=1)  # the last four inputs
    V = silu((W_conv * U).sum(1) + b_conv)
    dt = softplus(V @ W_r @ W_dt + b_dt)  # how much of the input enters the state
    B, C = V @ W_B, V @ W_C  # (n, N)
    S = np.exp(dt[:, :, None] * -np.exp(log_a)) * S + (dt * V)[:, :, None] * B[:, None]
    Z = (S * C[:, None]).sum(-1) + D * V
    Y = E + (Z * silu(G)) @ W_o + b_o
    return Y, U[:, 1:], S


@forward.of_cell("mamba")
def mamba(inputs, state, params):
    """Run a Mamba block over inputs; return all outputs and the last state."""
    cells.check("mamba", inputs, state, params)
    *weights, W_hq, b_q = params
    Ys, state = unroll(mamba_step, inputs, state, weights)
    return output_layer(Ys, W_hq, b_q), state


STEP_FUNCTIONS = {
    "mingru": mingru_step,
    "minlstm": minlstm_step,
    "s4d": s4d_step,
    "mamba": mamba_step,
}
FORWARD = {"mingru": mingru, "minlstm": minlstm, "s4d": s4d, "mamba": mamba}
mingru_scan, minlstm_scan, s4d_scan, mamba_scan = linear_scans.functions(sys.modules[__name__])
SCANS = {"mingru": mingru_scan, "minlstm": minlstm_scan, "s4d": s4d_scan, "mamba": mamba_scan}
