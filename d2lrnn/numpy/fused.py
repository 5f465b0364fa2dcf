"""The cells of scratch.py, fast, in NumPy: drop-in for rnn, gru and lstm.

The inputs of all steps go through one product before the loop, the hidden states of all steps
through one product after it; in between, the loop writes into memory that is there already. Each
way back is by hand: where bptt.py adds up a weight's gradient step by step, here it is one product
for all steps. ``A`` stands for what a sigmoid or tanh is taken of, and its memory is where the
gates will be; sigmoid' = S (1 - S), tanh' = 1 - T².

A ``trace`` returns outputs, the last state and pull_back(d_outputs, d_state) -> (d_inputs, d_state,
d_params); d_inputs is None for ids.
"""

import functools

import numpy as np

from d2lrnn import cells, checks


def check(inputs, state, weight, num_states=1):
    """Check the arguments of a cell."""
    if inputs.dtype.kind == "f":
        checks.recurrent(inputs.shape, state, weight.shape, num_states)
        return
    checks.recurrent_ids(inputs.shape, state, weight.shape, num_states)
    checks.tokens(inputs, len(weight))


def input_product(inputs, W_x, b):
    """Return X W_x + b (T, n, ...) of rows (T, n, d), or of token ids (T, n) by look-up."""
    A = inputs @ W_x if inputs.dtype.kind == "f" else W_x[inputs]  # a one-hot row times W_x
    A += b
    return A


def input_product_back(inputs, W_x, dA):
    """Return the gradients of the inputs, None for ids, of W_x and of b."""
    flat = dA.reshape(-1, dA.shape[2])
    if inputs.dtype.kind == "f":
        return dA @ W_x.T, one_product(inputs, dA), flat.sum(0)
    return None, rows_added_up(inputs.reshape(-1), flat, len(W_x)), flat.sum(0)


def rows_added_up(ids, rows, vocab_size):
    """Return (V, m): for each id the sum of its rows, which are next to each other once sorted."""
    sums = np.zeros((vocab_size, rows.shape[1]), rows.dtype)
    if len(ids):
        order = np.argsort(ids, kind="stable")
        present, first = np.unique(ids[order], return_index=True)
        sums[present] = np.add.reduceat(rows[order], first)
    return sums


def one_product(lefts, rights):
    """Return the sum over all steps of left.T @ right, (T, n, k) and (T, n, m) as (k, m)."""
    return lefts.reshape(-1, lefts.shape[2]).T @ rights.reshape(-1, rights.shape[2])


def starting_with(first, num_steps):
    """Return room (num_steps + 1, n, h) for the states before and after each step."""
    states = np.empty((num_steps + 1, *first.shape), first.dtype)
    states[0] = first
    return states


def sigmoid_(A):
    """Put 1 / (1 + exp(-A)) in the place of A; this form of it cannot overflow."""
    A *= 0.5
    np.tanh(A, out=A)
    A += 1
    A *= 0.5


def split(gates, h):
    """Return the parts (..., h) of the gates (..., k h), side by side."""
    return [gates[..., i : i + h] for i in range(0, gates.shape[-1], h)]


def rnn_recurrence(A, state, W_hh):
    """Run H_t = tanh(A_t + H_{t-1} W_hh); return Hs (T + 1, n, h), the last state, a way back."""
    Hs = starting_with(*state, len(A))
    for A_t, H, H_new in zip(A, Hs, Hs[1:]):
        A_t += np.matmul(H, W_hh, out=H_new)
        np.tanh(A_t, out=H_new)

    def back(dHs, d_state):
        dA, (dH,) = 1 - Hs[1:] ** 2, (d.copy() for d in d_state)
        for dA_t, dH_t in zip(dA[::-1], dHs[::-1]):
            dH += dH_t  # from this step's output, and from the step after it
            dA_t *= dH
            np.matmul(dA_t, W_hh.T, out=dH)
        return dA, (dH,), [one_product(Hs[:-1], dA)]

    return Hs, (Hs[-1],), back


def gru_recurrence(gates, state, W_hzr, W_hh):
    """Run the update of a GRU, gates being A = [A_z, A_r, A_h]; see rnn_recurrence."""
    Hs, h = starting_with(*state, len(gates)), len(W_hh)
    ZR, (Z, R, H_tilde), RH = gates[..., : 2 * h], split(gates, h), np.empty_like(Hs[1:])
    for H, ZR_t, Z_t, R_t, RH_t, H_tilde_t, H_new in zip(Hs, ZR, Z, R, RH, H_tilde, Hs[1:]):
        ZR_t += H @ W_hzr
        sigmoid_(ZR_t)  # update gate and reset gate
        np.multiply(R_t, H, out=RH_t)
        H_tilde_t += np.matmul(RH_t, W_hh, out=H_new)
        np.tanh(H_tilde_t, out=H_tilde_t)  # candidate
        np.subtract(H, H_tilde_t, out=H_new)
        H_new *= Z_t
        H_new += H_tilde_t  # Z * H + (1 - Z) * H_tilde

    def back(dHs, d_state):
        dA, (dH,), H = gates - gates**2, (d.copy() for d in d_state), Hs[:-1]
        dA_zr, parts, dRH = dA[..., : 2 * h], split(dA, h), np.empty_like(dH)
        parts[0] *= H - H_tilde  # times what arrives at each gate, here and in the loop
        parts[1] *= H
        np.multiply(1 - Z, 1 - H_tilde**2, out=parts[2])
        steps = zip(dHs, Z, R, dA_zr, *parts)
        for dH_t, Z_t, R_t, dA_zr_t, dA_z, dA_r, dA_h in reversed(list(steps)):
            dH += dH_t
            dA_h *= dH
            np.matmul(dA_h, W_hh.T, out=dRH)
            dA_r *= dRH
            dA_z *= dH
            dH *= Z_t
            dRH *= R_t
            dH += dRH
            dH += np.matmul(dA_zr_t, W_hzr.T, out=dRH)
        return dA, (dH,), [one_product(H, dA_zr), one_product(RH, parts[2])]

    return Hs, (Hs[-1],), back


def lstm_recurrence(gates, state, W_h):
    """Run the update of an LSTM, gates being A = [A_i, A_f, A_o, A_c]; see rnn_recurrence."""
    (Hs, Cs), h = (starting_with(first, len(gates)) for first in state), len(W_h)
    IFO, (I, F, O, C_tilde), T = gates[..., : 3 * h], split(gates, h), np.empty_like(Hs[1:])
    steps = zip(gates, IFO, I, F, O, C_tilde, T, Hs, Cs, Hs[1:], Cs[1:])
    for A_t, IFO_t, I_t, F_t, O_t, C_tilde_t, T_t, H, C, H_new, C_new in steps:
        A_t += H @ W_h
        sigmoid_(IFO_t)  # input, forget and output gate
        np.tanh(C_tilde_t, out=C_tilde_t)  # candidate
        np.multiply(F_t, C, out=C_new)
        C_new += np.multiply(I_t, C_tilde_t, out=T_t)
        np.tanh(C_new, out=T_t)
        np.multiply(O_t, T_t, out=H_new)

    def back(dHs, d_state):
        dA, (dH, dC) = gates - gates**2, (d.copy() for d in d_state)
        slope, parts = O * (1 - T**2), split(dA, h)  # slope of H by C
        parts[0] *= C_tilde  # times what arrives at each gate, here and in the loop
        parts[1] *= Cs[:-1]
        parts[2] *= T
        np.multiply(I, 1 - C_tilde**2, out=parts[3])
        steps = zip(dHs, slope, F, dA, *parts)
        for dH_t, slope_t, F_t, dA_t, dA_i, dA_f, dA_o, dA_c in reversed(list(steps)):
            dH += dH_t
            dC += np.multiply(dH, slope_t, out=slope_t)
            dA_o *= dH
            for part in (dA_i, dA_f, dA_c):
                part *= dC
            dC *= F_t
            np.matmul(dA_t, W_h.T, out=dH)
        return dA, (dH, dC), [one_product(Hs[:-1], dA)]

    return Hs, (Hs[-1], Cs[-1]), back


def joined_rnn(params):
    """Return W_x, b and the recurrent weights as the recurrence takes them."""
    W_xh, W_hh, b_h = params
    return W_xh, b_h, [W_hh]


def joined_gru(params):
    """Return the input weights and biases of all gates side by side, and W_hzr and W_hh."""
    W_x, W_h, b = (params[kind::3] for kind in range(3))
    return np.hstack(W_x), np.hstack(b), [np.hstack(W_h[:2]), W_h[2]]


def joined_lstm(params):
    """Return the weights and biases of all gates side by side."""
    W_x, W_h, b = (np.hstack(params[kind::3]) for kind in range(3))
    return W_x, b, [W_h]


def trace(join, recurrence, num_states, inputs, state, params):
    """Run a cell; return outputs, the last state and a way back. See the head of this file."""
    *weights, W_hq, b_q = params
    check(inputs, state, weights[0], num_states)
    W_x, b, W_hs = join(weights)
    Hs, last, back = recurrence(input_product(inputs, W_x, b), state, *W_hs)
    rows = Hs[1:].reshape(-1, len(W_hq))

    def pull_back(d_outputs, d_state):
        dHs = (d_outputs @ W_hq.T).reshape(Hs[1:].shape)
        dA, d_first, dW_hs = back(dHs, d_state)
        d_inputs, dW_x, db = input_product_back(inputs, W_x, dA)
        h = len(W_hq)
        dW_h = [part for dW in dW_hs for part in split(dW, h)]
        d_gates = zip(split(dW_x, h), dW_h, split(db, h))
        d_weights = [gradient for gate in d_gates for gradient in gate]
        return d_inputs, d_first, [*d_weights, rows.T @ d_outputs, d_outputs.sum(0)]

    return rows @ W_hq + b_q, last, pull_back


rnn_trace = functools.partial(trace, joined_rnn, rnn_recurrence, 1)
gru_trace = functools.partial(trace, joined_gru, gru_recurrence, 1)
lstm_trace = functools.partial(trace, joined_lstm, lstm_recurrence, 2)


@cells.is_cell("rnn", takes_ids=True)
def rnn_fused(inputs, state, params):
    """Run a recurrent network over inputs, as rnn does; ids (T, n) will do for their rows."""
    return rnn_trace(inputs, state, params)[:2]


@cells.is_cell("gru", takes_ids=True)
def gru_fused(inputs, state, params):
    """Run a GRU over inputs, as gru does; ids (T, n) will do for their rows."""
    return gru_trace(inputs, state, params)[:2]


@cells.is_cell("lstm", takes_ids=True)
def lstm_fused(inputs, state, params):
    """Run an LSTM over inputs, as lstm does; ids (T, n) will do for their rows."""
    return lstm_trace(inputs, state, params)[:2]


# Where d2lrnn/numpy finds the way back.
rnn_fused.trace, gru_fused.trace, lstm_fused.trace = rnn_trace, gru_trace, lstm_trace
