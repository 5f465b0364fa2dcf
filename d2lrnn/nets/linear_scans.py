"""Cells that are linear in their state, computed for all time steps at once.

f is a backend's module linear, whose functions are used; inputs are rows (T, n, d) or token ids
(T, n). Each function returns the outputs (T, n, h) and the state after the last time step. The
equations are those of the steps in that module; all sums over time are in associative_scan. A
backend whose arrays are computed one operation after the other may have the function in_segments,
which runs a layer over parts of a long sequence.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from d2lrnn.nets import forward
from d2lrnn.nets.linear import WIDTH

State = tuple[Any, ...]


def _last(f: Any, steps: Any, first: Any) -> Any:
    """Return the last time step; the first state if an unknown number of time steps is 0."""
    if steps.shape[0] is None:
        return f.concat([first[None], steps], axis=0)[-1]
    return steps[-1]


def scan_mingru(f: Any, inputs: Any, state: Any, weights: Any) -> tuple[Any, State]:
    """Return the outputs (T, n, h) of minGRU and the state (H,) after the last time step."""
    W_xz, b_z, W_xh, b_h = weights
    (H,) = state
    Z = f.sigmoid(f.input_product(inputs, W_xz, b_z))
    H_tilde = f.tanh(f.input_product(inputs, W_xh, b_h))
    Hs = f.associative_scan(1 - Z, Z * H_tilde, H)
    return Hs, (_last(f, Hs, H),)


def scan_minlstm(f: Any, inputs: Any, state: Any, weights: Any) -> tuple[Any, State]:
    """Return the outputs (T, n, h) of minLSTM and the state (H,) after the last time step."""
    W_xf, b_f, W_xi, b_i, W_xh, b_h = weights
    (H,) = state
    A_f, A_i = f.input_product(inputs, W_xf, b_f), f.input_product(inputs, W_xi, b_i)
    # sigmoid(A_f) / (sigmoid(A_f) + sigmoid(A_i)), in a form that cannot become 0 / 0
    F = f.sigmoid(f.softplus(-A_i) - f.softplus(-A_f))
    H_tilde = f.tanh(f.input_product(inputs, W_xh, b_h))
    Hs = f.associative_scan(F, (1 - F) * H_tilde, H)
    return Hs, (_last(f, Hs, H),)


def scan_s4d(f: Any, inputs: Any, state: Any, weights: Any) -> tuple[Any, State]:
    """Return the outputs (T, n, h) of S4D and the state (Y, S) after the last time step."""
    W_xu, b_u, log_a, log_dt, C, D = weights
    Y, S = state
    U = f.input_product(inputs, W_xu, b_u)  # (T, n, h)
    A = -f.exp(log_a)  # (h, N)
    dA = f.exp(log_dt)[:, None] * A
    Ss = f.associative_scan(f.exp(dA), (f.expm1(dA) / A) * U[:, :, :, None], S)  # (T, n, h, N)
    Ys = f.total(C * Ss) + D * U
    return Ys, (_last(f, Ys, Y), _last(f, Ss, S))


def scan_mamba(f: Any, inputs: Any, state: Any, weights: Any) -> tuple[Any, State]:
    """Return the outputs (T, n, h) of Mamba and the state (Y, U, S) after the last time step."""
    W_xe, b_e, gain, shift, W_u, b_u, W_g, b_g, W_conv, b_conv, *weights = weights
    W_r, W_dt, b_dt, W_B, W_C, log_a, D, W_o, b_o = weights
    Y, before, S = state
    E = f.input_product(inputs, W_xe, b_e)
    M = f.normalized(E) * gain + shift
    U, G = f.product(M, W_u) + b_u, f.product(M, W_g) + b_g  # (T, n, 2h)
    U = f.concat([f.time_major(before), U], axis=0)  # preceded by the three inputs in the state
    shifted = [U[i : i + 1 - WIDTH or None] for i in range(WIDTH)]  # each (T, n, 2h)
    V = f.silu(sum(W_conv[i] * shifted[i] for i in range(WIDTH)) + b_conv)
    dt = f.softplus(f.product(f.product(V, W_r), W_dt) + b_dt)
    B, C = f.product(V, W_B), f.product(V, W_C)  # (T, n, N)
    a = f.exp(dt[:, :, :, None] * -f.exp(log_a))
    Ss = f.associative_scan(a, (dt * V)[:, :, :, None] * B[:, :, None], S)  # (T, n, 2h, N)
    Z = f.total(Ss * C[:, :, None]) + D * V
    Ys = E + f.product(Z * f.silu(G), W_o) + b_o
    return Ys, (_last(f, Ys, Y), f.time_major(U[1 - WIDTH :]), _last(f, Ss, S))


SCANS = {"mingru": scan_mingru, "minlstm": scan_minlstm, "s4d": scan_s4d, "mamba": scan_mamba}


def layers(f: Any) -> dict[str, Callable[..., tuple[Any, State]]]:
    """Return, by cell, the function (inputs, state, weights) -> outputs (T, n, h), last state.

    f is the backend's module linear.
    """
    return {cell: functools.partial(layer, f) for cell, layer in SCANS.items()}


def run_whole(
    f: Any, layer: Callable[..., Any], inputs: Any, state: Any, weights: Any
) -> tuple[Any, State]:
    """Return the outputs (T, n, h) of a layer and the last state."""
    Hs, last = layer(f, inputs, state, weights)
    return Hs, last


def functions(f: Any, wrapped: Callable[..., Any] = lambda cell, run: run) -> list[Any]:
    """Return the forward functions mingru_scan, minlstm_scan, s4d_scan and mamba_scan.

    Args:
        f: the backend's module linear.
        wrapped: (cell, forward function) -> the function with what the framework needs around it.
    """
    return [_function(f, cell, layer, wrapped) for cell, layer in SCANS.items()]


def _function(f: Any, cell: str, layer: Callable[..., Any], wrapped: Callable[..., Any]) -> Any:
    def run(inputs: Any, state: Any, params: Any) -> tuple[Any, State]:
        inputs, state = f.check(cell, inputs, state, params)
        *weights, W_hq, b_q = params
        if inputs.shape[0] == 0:  # no time steps: the state stays as it is
            return f.output_layer(state[0][None][:0], W_hq, b_q), tuple(state)
        Hs, last = getattr(f, "in_segments", run_whole)(f, layer, inputs, state, weights)
        return f.output_layer(Hs, W_hq, b_q), last

    run = wrapped(cell, run)
    forward.name(run, __name__=f"{cell}_scan", __qualname__=f"{cell}_scan", __module__=f.__name__)
    return forward.of_cell(cell, takes_ids=True)(run)
