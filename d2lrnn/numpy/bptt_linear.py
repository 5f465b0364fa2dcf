"""Backpropagation through time by hand for the cells that are linear in their state.

As in bptt.py, there are two functions for each cell: a step that also returns a cache, and the
backward pass of the step. It adds to d_params and returns the gradients of X and of the state. The
derivative of silu(P) = P sigmoid(P) is sigmoid(P) (1 + P (1 - sigmoid(P))).
"""

import numpy as np

from d2lrnn.nets.linear import MAMBA, S4D
from d2lrnn.numpy.linear import normalized, silu, softplus
from d2lrnn.numpy.tensors import sigmoid


def product_back(dA, X, W, dW, db=None):
    """Compute the backward pass of A = X W + b: add to dW and db, and return dX."""
    dW += X.T @ dA
    if db is not None:
        db += dA.sum(0)
    return dA @ W.T


def silu_slope(P):
    """Return the derivative of silu."""
    S = sigmoid(P)
    return S * (1 + P * (1 - S))


def mingru_step(X, state, params):
    """Compute one step; cache X, H, the gate and the candidate."""
    W_xz, b_z, W_xh, b_h = params
    (H,) = state
    Z, H_tilde = sigmoid(X @ W_xz + b_z), np.tanh(X @ W_xh + b_h)
    return ((1 - Z) * H + Z * H_tilde,), (X, H, Z, H_tilde)


def mingru_back(cache, params, d_state, d_params):
    """Compute the backward pass of one step, H_new = (1 - Z) H + Z H_tilde."""
    X, H, Z, H_tilde = cache
    (dH_new,), (W_xz, _, W_xh, _), (dW_xz, db_z, dW_xh, db_h) = d_state, params, d_params
    dX_z = product_back(dH_new * (H_tilde - H) * Z * (1 - Z), X, W_xz, dW_xz, db_z)
    dX_h = product_back(dH_new * Z * (1 - H_tilde**2), X, W_xh, dW_xh, db_h)
    return dX_z + dX_h, (dH_new * (1 - Z),)


def minlstm_step(X, state, params):
    """Compute one step; cache X, H, the arguments of the gates, F and the candidate."""
    W_xf, b_f, W_xi, b_i, W_xh, b_h = params
    (H,) = state
    A_f, A_i, H_tilde = X @ W_xf + b_f, X @ W_xi + b_i, np.tanh(X @ W_xh + b_h)
    F = sigmoid(softplus(-A_i) - softplus(-A_f))
    return (F * H + (1 - F) * H_tilde,), (X, H, A_f, A_i, F, H_tilde)


def minlstm_back(cache, params, d_state, d_params):
    """Compute the backward pass of one step, H_new = F H + (1 - F) H_tilde.

    With L = log F - log (1 - F) = softplus(-A_i) - softplus(-A_f): dL = dF F (1 - F),
    dA_f = dL sigmoid(-A_f), dA_i = -dL sigmoid(-A_i).
    """
    X, H, A_f, A_i, F, H_tilde = cache
    (dH_new,), (W_xf, _, W_xi, _, W_xh, _) = d_state, params
    dW_xf, db_f, dW_xi, db_i, dW_xh, db_h = d_params
    dL = dH_new * (H - H_tilde) * F * (1 - F)
    dX_f = product_back(dL * sigmoid(-A_f), X, W_xf, dW_xf, db_f)
    dX_i = product_back(-dL * sigmoid(-A_i), X, W_xi, dW_xi, db_i)
    dX_h = product_back(dH_new * (1 - F) * (1 - H_tilde**2), X, W_xh, dW_xh, db_h)
    return dX_f + dX_i + dX_h, (dH_new * F,)


def s4d_step(X, state, params):
    """Compute one step; cache X, the state before and after, and U."""
    W_xu, b_u, log_a, log_dt, C, D = params
    A, U = -np.exp(log_a), X @ W_xu + b_u
    dA = np.exp(log_dt)[:, None] * A
    S = np.exp(dA) * state[1] + np.expm1(dA) / A * U[:, :, None]
    return ((C * S).sum(-1) + D * U, S), (X, state[1], S, U)


def s4d_back(cache, params, d_state, d_params):
    """Compute the backward pass of one step.

    S_new = E S + B U with E = exp(dA), B = expm1(dA) / A, dA = exp(log_dt) A, A = -exp(log_a), and
    Y = sum(C S_new) + D U. The derivative of B for dA is E / A, and for A it is -B / A.
    """
    X, S, S_new, U = cache
    p, d = S4D.named(params), S4D.named(d_params)
    A, rate = -np.exp(p["log_a"]), np.exp(p["log_dt"])[:, None]
    E, B = np.exp(rate * A), np.expm1(rate * A) / A
    dY, dS = d_state
    dS = dS + dY[:, :, None] * p["C"]
    d["C"] += (dY[:, :, None] * S_new).sum(0)
    d["D"] += (dY * U).sum(0)
    dU = dY * p["D"] + (dS * B).sum(-1)
    dB = (dS * U[:, :, None]).sum(0)
    d_dA = (dS * S).sum(0) * E + dB * E / A
    d["log_dt"] += (d_dA * rate * A).sum(-1)
    d["log_a"] += (d_dA * rate - dB * B / A) * A
    return product_back(dU, X, p["W_xu"], d["W_xu"], d["b_u"]), (np.zeros_like(dY), dS * E)


def mamba_step(X, state, params):
    """Compute one step; cache the state before and what each part of the block computes."""
    p, (_, U, S) = MAMBA.named(params), state
    E = X @ p["W_xe"] + p["b_e"]
    N = normalized(E)
    M = N * p["gain"] + p["shift"]
    G = M @ p["W_g"] + p["b_g"]
    U = np.concatenate([U, (M @ p["W_u"] + p["b_u"])[:, None]], axis=1)
    P = (p["W_conv"] * U).sum(1) + p["b_conv"]
    V = silu(P)
    R = V @ p["W_r"]
    Q = R @ p["W_dt"] + p["b_dt"]
    dt, B, C = softplus(Q), V @ p["W_B"], V @ p["W_C"]
    decay = np.exp(-dt[:, :, None] * np.exp(p["log_a"]))
    S_new = decay * S + (dt * V)[:, :, None] * B[:, None]
    Z = (S_new * C[:, None]).sum(-1) + p["D"] * V
    Y = E + (Z * silu(G)) @ p["W_o"] + p["b_o"]
    return (Y, U[:, 1:], S_new), (X, E, N, M, G, U, P, V, R, Q, dt, B, C, decay, S, S_new, Z)


def mamba_back(cache, params, d_state, d_params):
    """Compute the backward pass of one step: of the gate, the state space model, and the rest."""
    X, E, N, M, G, U, P, *selection, Z = cache
    p, d, (dY, dU_after, dS) = MAMBA.named(params), MAMBA.named(d_params), d_state
    dO = product_back(dY, Z * silu(G), p["W_o"], d["W_o"], d["b_o"])
    dZ, dG = dO * silu(G), dO * Z * silu_slope(G)
    dV, dS = selection_back(selection, p, d, dZ, dS)
    dP = dV * silu_slope(P)
    d["W_conv"] += (dP[:, None] * U).sum(0)
    d["b_conv"] += dP.sum(0)
    dU = dP[:, None] * p["W_conv"]
    dU[:, 1:] += dU_after
    dM = product_back(dU[:, -1], M, p["W_u"], d["W_u"], d["b_u"])
    dM = dM + product_back(dG, M, p["W_g"], d["W_g"], d["b_g"])
    d["gain"] += (dM * N).sum(0)
    d["shift"] += dM.sum(0)
    dE = dY + normalized_back(E, N, dM * p["gain"])
    return product_back(dE, X, p["W_xe"], d["W_xe"], d["b_e"]), (np.zeros_like(dY), dU[:, :-1], dS)


def selection_back(cache, p, d, dZ, dS):
    """Compute the backward pass of mamba's state space model: return dV and dS before the step.

    S_new = exp(-dt a) S + (dt V) B^T with a = exp(log_a), Z = S_new C + D V; dt, B and C are
    computed from V.
    """
    V, R, Q, dt, B, C, decay, S, S_new = cache
    dS = dS + dZ[:, :, None] * C[:, None]
    dC, dB = (dZ[:, :, None] * S_new).sum(1), (dS * (dt * V)[:, :, None]).sum(1)
    d["D"] += (dZ * V).sum(0)
    d_dtV = (dS * B[:, None]).sum(-1)
    rates = -dS * S * decay * np.exp(p["log_a"])
    d["log_a"] += (rates * dt[:, :, None]).sum(0)
    dQ = (d_dtV * V + rates.sum(-1)) * sigmoid(Q)
    dR = product_back(dQ, R, p["W_dt"], d["W_dt"], d["b_dt"])
    dV = dZ * p["D"] + d_dtV * dt + product_back(dR, V, p["W_r"], d["W_r"])
    dV = dV + product_back(dB, V, p["W_B"], d["W_B"]) + product_back(dC, V, p["W_C"], d["W_C"])
    return dV, dS * decay


def normalized_back(E, N, dN):
    """Compute the backward pass of normalized: N = (E - mean) / deviation."""
    deviation = np.sqrt(E.var(-1, keepdims=True) + 1e-5)
    through_mean, through_deviation = dN.mean(-1, keepdims=True), (dN * N).mean(-1, keepdims=True)
    return (dN - through_mean - N * through_deviation) / deviation


STEPS = {"mingru": mingru_step, "minlstm": minlstm_step, "s4d": s4d_step, "mamba": mamba_step}
BACK = {"mingru": mingru_back, "minlstm": minlstm_back, "s4d": s4d_back, "mamba": mamba_back}
