"""Cells that are linear in their state, in JAX (the book's edition of 2026).

As in scratch.py, a cell is a step, which computes the new state from the input X (n, d) and the
state before. mingru_scan and the other scans compute the same for all time steps at once; see
d2lrnn.nets.linear_scans.
"""

import math
import sys

import jax
import jax.numpy as jnp

from d2lrnn.jax import fused, scratch
from d2lrnn.jax.fused import input_product, output_layer
from d2lrnn.jax.scan import associative_scan
from d2lrnn.jax.tensors import concat, time_major
from d2lrnn.nets import cells, forward, linear_scans

__all__ = ["associative_scan", "concat", "input_product", "output_layer", "time_major"]

exp, expm1, tanh, sigmoid = jnp.exp, jnp.expm1, jnp.tanh, jax.nn.sigmoid
product, silu, softplus = jnp.matmul, jax.nn.silu, jax.nn.softplus


def check(cell, inputs, state, params):
    """Check the arguments of a cell, and return its inputs and state."""
    fused.check(cell, inputs, state, params)
    return inputs, state


def total(A):
    """Return the sum over the last axis."""
    return A.sum(-1)


def normalized(A):
    """Return A with mean 0 and variance 1 over the last axis, as in a layer normalization."""
    A = A - A.mean(-1, keepdims=True)
    return A / jnp.sqrt((A * A).mean(-1, keepdims=True) + 1e-5)


# minGRU


def mingru_step(X, state, params):
    """Return the state (H,) of a minGRU after input X: the gates do not depend on H."""
    W_xz, b_z, W_xh, b_h = params
    (H,) = state
    Z = sigmoid(X @ W_xz + b_z)  # update gate
    H_tilde = jnp.tanh(X @ W_xh + b_h)  # candidate
    H = (1 - Z) * H + Z * H_tilde
    return (H,)


@forward.of_cell("mingru")
def mingru(inputs, state, params):
    """Run a minGRU over inputs; return all outputs and the last state."""
    cells.check("mingru", inputs, state, params)
    *weights, W_hq, b_q = params
    Hs, state = scratch.unroll(mingru_step, inputs, state, weights)
    return scratch.output_layer(Hs, W_hq, b_q), state


# minLSTM


def minlstm_step(X, state, params):
    """Return the state (H,) of a minLSTM after input X."""
    W_xf, b_f, W_xi, b_i, W_xh, b_h = params
    (H,) = state
    A_f, A_i = X @ W_xf + b_f, X @ W_xi + b_i
    # sigmoid(A_f) / (sigmoid(A_f) + sigmoid(A_i)), in a form that cannot become 0 / 0
    F = sigmoid(softplus(-A_i) - softplus(-A_f))  # forget gate
    I = 1 - F  # input gate
    H = F * H + I * jnp.tanh(X @ W_xh + b_h)
    return (H,)


@forward.of_cell("minlstm")
def minlstm(inputs, state, params):
    """Run a minLSTM over inputs; return all outputs and the last state."""
    cells.check("minlstm", inputs, state, params)
    *weights, W_hq, b_q = params
    Hs, state = scratch.unroll(minlstm_step, inputs, state, weights)
    return scratch.output_layer(Hs, W_hq, b_q), state


# S4D: a diagonal state space model


def s4d_step(X, state, params):
    """Return the state (Y, S) of an S4D layer after input X; Y (n, h) is the output."""
    W_xu, b_u, log_a, log_dt, C, D = params
    _, S = state  # (n, h, N)
    U = X @ W_xu + b_u
    A = -jnp.exp(log_a)  # (h, N): the rates of decay
    dA = jnp.exp(log_dt)[:, None] * A
    # The exact solution of dS/dt = A S + U for a constant U
    S = jnp.exp(dA) * S + (jnp.expm1(dA) / A) * U[:, :, None]
    Y = (C * S).sum(-1) + D * U
    return Y, S


@forward.of_cell("s4d")
def s4d(inputs, state, params):
    """Run an S4D layer over inputs; return all outputs and the last state."""
    cells.check("s4d", inputs, state, params)
    *weights, W_hq, b_q = params
    Ys, state = scratch.unroll(s4d_step, inputs, state, weights)
    return scratch.output_layer(Ys, W_hq, b_q), state


# Mamba: a selective state space model in a residual block


def mamba_step(X, state, params):
    """Return the state (Y, U, S) of a Mamba block after input X; Y (n, h) is the output."""
    W_xe, b_e, gain, shift, W_u, b_u, W_g, b_g, W_conv, b_conv, *others = params
    W_r, W_dt, b_dt, W_B, W_C, log_a, D, W_o, b_o = others
    _, U, S = state  # (n, 3, 2h) and (n, 2h, N)
    E = X @ W_xe + b_e
    M = normalized(E) * gain + shift
    G = M @ W_g + b_g
    U = jnp.concatenate([U, (M @ W_u + b_u)[:, None]], axis=1)  # the last four inputs
    V = silu((W_conv * U).sum(1) + b_conv)
    dt = softplus(V @ W_r @ W_dt + b_dt)  # how much of the input enters the state
    B, C = V @ W_B, V @ W_C  # (n, N)
    S = jnp.exp(dt[:, :, None] * -jnp.exp(log_a)) * S + (dt * V)[:, :, None] * B[:, None]
    Z = (S * C[:, None]).sum(-1) + D * V
    Y = E + (Z * silu(G)) @ W_o + b_o
    return Y, U[:, 1:], S


@forward.of_cell("mamba")
def mamba(inputs, state, params):
    """Run a Mamba block over inputs; return all outputs and the last state."""
    cells.check("mamba", inputs, state, params)
    *weights, W_hq, b_q = params
    Ys, state = scratch.unroll(mamba_step, inputs, state, weights)
    return scratch.output_layer(Ys, W_hq, b_q), state


# S4D for wide time steps

WIDE = 512  # numbers in a state of S4D; for more, one loop is faster on a processor


def fused_step(carry, U):
    """Return the carry (S, A_bar, B_bar, C) with the new state, and the sum of C S (n, h)."""
    S, A_bar, B_bar, C = carry
    S = A_bar * S + B_bar * U[:, :, None]
    return (S, A_bar, B_bar, C), (C * S).sum(-1)


def in_segments(f, layer, inputs, state, weights):
    """Run a layer at once; S4D with wide time steps on a processor as a loop.

    XLA fuses the operations of a time step. For all steps at once, the states (T, n, h, N) are
    written to memory and read again, which takes longer than the loop saves.
    """
    is_wide = math.prod(state[-1].shape) > WIDE and jax.default_backend() == "cpu"
    if layer is not linear_scans.scan_s4d or not is_wide:
        return linear_scans.run_whole(f, layer, inputs, state, weights)
    W_xu, b_u, log_a, log_dt, C, D = weights
    U = input_product(inputs, W_xu, b_u)  # (T, n, h)
    A = -jnp.exp(log_a)  # (h, N)
    dA = jnp.exp(log_dt)[:, None] * A
    carry = state[1], jnp.exp(dA), jnp.expm1(dA) / A, C
    (S, *_), Ys = jax.lax.scan(fused_step, carry, U)
    Ys = Ys + D * U
    return Ys, (Ys[-1], S)


STEP_FUNCTIONS = {
    "mingru": mingru_step,
    "minlstm": minlstm_step,
    "s4d": s4d_step,
    "mamba": mamba_step,
}
FORWARD = {"mingru": mingru, "minlstm": minlstm, "s4d": s4d, "mamba": mamba}
mingru_scan, minlstm_scan, s4d_scan, mamba_scan = linear_scans.functions(sys.modules[__name__])
SCANS = {"mingru": mingru_scan, "minlstm": minlstm_scan, "s4d": s4d_scan, "mamba": mamba_scan}
