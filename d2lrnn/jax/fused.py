"""Fast versions of the cells of scratch.py in JAX, which can replace rnn, gru and lstm.

The inputs of all steps are multiplied in one product before the loop, and the hidden states of all
steps in one product after it; JAX differentiates both. The loop between them is a recurrence whose
backward pass is written by hand (``jax.custom_vjp``): the gradient of its weights is one product
for all steps, where the gradient of a scan adds up one product per step. ``A`` is the argument of a
sigmoid or tanh; sigmoid' = S (1 - S), tanh' = 1 - T².
"""

import jax
import jax.numpy as jnp

from d2lrnn import checks
from d2lrnn.jax.tensors import has_values, to_numpy
from d2lrnn.nets import cells, forward


def check(cell, inputs, state, params):
    """Check the arguments of a cell; within jit, the values of ids cannot be checked."""
    cells.check_kind(inputs, params)
    if jnp.issubdtype(inputs.dtype, jnp.floating):
        cells.check(cell, inputs, state, params)
        return
    cells.check_ids(cell, inputs, state, params)
    if has_values(inputs):
        checks.tokens(to_numpy(inputs), len(params[0]))


def input_product(inputs, W_x, b):
    """Return X W_x + b (T, n, ...) for rows (T, n, d), or by lookup for token ids (T, n)."""
    if jnp.issubdtype(inputs.dtype, jnp.floating):
        return inputs @ W_x + b
    return look_up(W_x, inputs) + b  # a one-hot row times W_x is a row of W_x


@jax.custom_vjp
def look_up(table, ids):
    """Return the row of table (V, m) for each id."""
    return table[ids]


def look_up_forward(table, ids):
    """Return the rows, and for the backward pass the ids and the size of the table."""
    return table[ids], (ids.reshape(-1), len(table))


def look_up_back(cache, d_rows):
    """Return the gradient of the table: for each id, the sum of the gradients of its rows."""
    ids, vocab_size = cache
    rows = d_rows.reshape(-1, d_rows.shape[-1])
    return jax.ops.segment_sum(rows, ids, vocab_size), None


look_up.defvjp(look_up_forward, look_up_back)


def output_layer(Hs, W_hq, b_q):
    """Return the outputs (T * n, q) of hidden states (T, n, h), ordered by time step."""
    return Hs.reshape(-1, len(W_hq)) @ W_hq + b_q


def one_product(lefts, rights):
    """Return the sum over all steps of left.T @ right, (T, n, k) and (T, n, m) as (k, m)."""
    return lefts.reshape(-1, lefts.shape[2]).T @ rights.reshape(-1, rights.shape[2])


def before(first, states):
    """Return the states (T, n, h) before each step, given the first and those after each step."""
    return jnp.concatenate([first[None], states])[:-1]


# The recurrent network


@jax.custom_vjp
def rnn_recurrence(A, H, W_hh):
    """Return Hs (T, n, h), H_t = tanh(A_t + H_{t-1} W_hh), and the last H."""
    return rnn_ahead(A, H, W_hh)[0]


def rnn_ahead(A, H, W_hh):
    """Run the recurrence; return the results, and a cache for the backward pass."""

    def step(H, A_t):
        H = jnp.tanh(A_t + H @ W_hh)
        return H, H

    last, Hs = jax.lax.scan(step, H, A)
    return (Hs, last), (H, Hs, W_hh)


def rnn_back(cache, d_results):
    """Return dA, the first dH and dW_hh."""
    (H, Hs, W_hh), (dHs, dH) = cache, d_results
    W_hh_T = W_hh.T  # outside of the loop

    def step(dH, given):
        dH_t, H_t = given
        dA_t = (dH + dH_t) * (1 - H_t**2)  # from the step after it, and from its output
        return dA_t @ W_hh_T, dA_t

    dH, dA = jax.lax.scan(step, dH, (dHs, Hs), reverse=True)
    return dA, dH, one_product(before(H, Hs), dA)


rnn_recurrence.defvjp(rnn_ahead, rnn_back)


@forward.of_cell("rnn", takes_ids=True)
def rnn_fused(inputs, state, params):
    """Compute what rnn computes, faster; inputs may be token ids (T, n) for one-hot rows."""
    check("rnn", inputs, state, params)
    W_xh, W_hh, b_h, W_hq, b_q = params
    Hs, H = rnn_recurrence(input_product(inputs, W_xh, b_h), *state, W_hh)
    return output_layer(Hs, W_hq, b_q), (H,)


# The gated recurrent unit


@jax.custom_vjp
def gru_recurrence(A, H, W_hzr, W_hh):
    """Return Hs (T, n, h) of a GRU, A = [A_z, A_r, A_h] = X W_x + b, and the last H."""
    return gru_ahead(A, H, W_hzr, W_hh)[0]


def gru_ahead(A, H, W_hzr, W_hh):
    """Run the recurrence; return the results, and a cache for the backward pass."""
    h = H.shape[1]

    def step(H, A_t):
        Z, R = jnp.split(jax.nn.sigmoid(A_t[:, : 2 * h] + H @ W_hzr), 2, axis=1)
        H_tilde = jnp.tanh(A_t[:, 2 * h :] + (R * H) @ W_hh)  # candidate
        H = Z * H + (1 - Z) * H_tilde
        return H, (H, Z, R, H_tilde)

    last, (Hs, *gates) = jax.lax.scan(step, H, A)
    return (Hs, last), (before(H, Hs), gates, W_hzr, W_hh)


def gru_back(cache, d_results):
    """Return dA, the first dH, dW_hzr and dW_hh."""
    (Hs, gates, W_hzr, W_hh), (dHs, dH) = cache, d_results
    W_hzr_T, W_hh_T = W_hzr.T, W_hh.T  # outside of the loop

    def step(dH, given):
        dH_t, H, Z, R, H_tilde = given
        dH = dH + dH_t
        dA_h = dH * (1 - Z) * (1 - H_tilde**2)
        dRH = dA_h @ W_hh_T
        dA_zr = jnp.concatenate([dH * (H - H_tilde) * Z * (1 - Z), dRH * H * R * (1 - R)], axis=1)
        return dH * Z + dRH * R + dA_zr @ W_hzr_T, (dA_zr, dA_h)

    dH, (dA_zr, dA_h) = jax.lax.scan(step, dH, (dHs, Hs, *gates), reverse=True)
    dA = jnp.concatenate([dA_zr, dA_h], axis=2)
    return dA, dH, one_product(Hs, dA_zr), one_product(gates[1] * Hs, dA_h)


gru_recurrence.defvjp(gru_ahead, gru_back)


@forward.of_cell("gru", takes_ids=True)
def gru_fused(inputs, state, params):
    """Compute what gru computes, faster; inputs may be token ids (T, n) for one-hot rows."""
    check("gru", inputs, state, params)
    W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h, W_hq, b_q = params
    W_x, b = jnp.concatenate([W_xz, W_xr, W_xh], axis=1), jnp.concatenate([b_z, b_r, b_h])
    A, W_hzr = input_product(inputs, W_x, b), jnp.concatenate([W_hz, W_hr], axis=1)
    Hs, H = gru_recurrence(A, *state, W_hzr, W_hh)
    return output_layer(Hs, W_hq, b_q), (H,)


# Long short-term memory


@jax.custom_vjp
def lstm_recurrence(A, H, C, W_h):
    """Return Hs (T, n, h) of an LSTM, A = [A_i, A_f, A_o, A_c] = X W_x + b, the last H and C."""
    return lstm_ahead(A, H, C, W_h)[0]


def lstm_ahead(A, H, C, W_h):
    """Run the recurrence; return the results, and a cache for the backward pass."""
    h = H.shape[1]

    def step(state, A_t):
        H, C = state
        A_t = A_t + H @ W_h
        I, F, O = jnp.split(jax.nn.sigmoid(A_t[:, : 3 * h]), 3, axis=1)
        C_tilde = jnp.tanh(A_t[:, 3 * h :])  # candidate
        C = F * C + I * C_tilde
        T = jnp.tanh(C)
        H = O * T
        return (H, C), (H, C, I, F, O, C_tilde, T)

    last, (Hs, Cs, *gates) = jax.lax.scan(step, (H, C), A)
    return (Hs, *last), (before(H, Hs), before(C, Cs), gates, W_h)


def lstm_back(cache, d_results):
    """Return dA, the first dH and dC, and dW_h."""
    (Hs, Cs, gates, W_h), (dHs, dH, dC) = cache, d_results
    W_h_T = W_h.T  # outside of the loop

    def step(d_state, given):
        dH, dC = d_state
        dH_t, C, I, F, O, C_tilde, T = given
        dH = dH + dH_t
        dC = dC + dH * O * (1 - T**2)
        dA_t = [
            dC * C_tilde * I * (1 - I),
            dC * C * F * (1 - F),
            dH * T * O * (1 - O),
            dC * I * (1 - C_tilde**2),
        ]
        dA_t = jnp.concatenate(dA_t, axis=1)
        return (dA_t @ W_h_T, dC * F), dA_t

    (dH, dC), dA = jax.lax.scan(step, (dH, dC), (dHs, Cs, *gates), reverse=True)
    return dA, dH, dC, one_product(Hs, dA)


lstm_recurrence.defvjp(lstm_ahead, lstm_back)


@forward.of_cell("lstm", takes_ids=True)
def lstm_fused(inputs, state, params):
    """Compute what lstm computes, faster; inputs may be token ids (T, n) for one-hot rows."""
    check("lstm", inputs, state, params)
    *weights, W_hq, b_q = params
    W_x, W_h, b = (jnp.concatenate(kind, axis=-1) for kind in cells.CELLS["lstm"].by_kind(weights))
    Hs, *state = lstm_recurrence(input_product(inputs, W_x, b), *state, W_h)
    return output_layer(Hs, W_hq, b_q), tuple(state)


FUSED = {"rnn": rnn_fused, "gru": gru_fused, "lstm": lstm_fused}
