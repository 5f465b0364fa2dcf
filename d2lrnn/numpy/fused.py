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

from d2lrnn import checks
from d2lrnn.nets import cells

HALF = np.float32(0.5)  # of which neither float32 nor float64 makes another dtype
SMALL = 256  # a vocabulary so small that a product with its one-hot rows beats sorting them


def check(cell, inputs, state, params):
    """Check the arguments of a cell."""
    if inputs.dtype.kind == "f":
        cells.check(cell, inputs, state, params)
        return
    cells.check_ids(cell, inputs, state, params)
    checks.tokens(inputs, len(params[0]))


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
    """Return (V, m): for each id the sum of its rows."""
    if vocab_size <= SMALL:
        return np.equal.outer(np.arange(vocab_size), ids).astype(rows.dtype) @ rows
    sums = np.zeros((vocab_size, rows.shape[1]), rows.dtype)
    if len(ids):
        order = np.argsort(ids, kind="stable")  # rows of one id are next to each other then
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


def activate(A, half):
    """Put sigmoid(A) in the place of A where half is 1/2, and tanh(A) where it is 1.

    sigmoid(x) = 1/2 tanh(x/2) + 1/2: so one tanh does for all gates, and it cannot overflow.
    """
    A *= half
    np.tanh(A, out=A)
    A *= half
    A += 1 - half


def slopes(S, out):
    """Put S (1 - S), the slope of a sigmoid of value S, into out."""
    np.multiply(S, S, out=out)
    np.subtract(S, out, out=out)


def slope_of_tanh(T, out):
    """Put 1 - T², the slope of a tanh of value T, into out, and return it."""
    np.multiply(T, T, out=out)
    return np.subtract(1, out, out=out)


def room_like(array, number):
    """Return that many arrays of its shape, whatever is in them."""
    return [np.empty_like(array) for _ in range(number)]


def split(gates, h):
    """Return the parts (..., h) of the gates (..., k h), side by side."""
    return [gates[..., i : i + h] for i in range(0, gates.shape[-1], h)]


def pieces(gradient, h):
    """Return the parts (..., h) of a gradient (..., k h), each in memory of its own."""
    return [np.ascontiguousarray(part) for part in split(gradient, h)]


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
    RH, zr = np.empty_like(Hs[1:]), np.empty_like(gates[:1, :, : 2 * h]).reshape(-1, 2 * h)
    for A, RH_t, H, H_new in zip(gates, RH, Hs, Hs[1:]):
        np.matmul(H, W_hzr, out=zr)  # in a piece of memory of its own, which stays in the cache
        zr += A[:, : 2 * h]
        activate(zr, HALF)  # update gate and reset gate
        A[:, : 2 * h] = zr
        Z, R, H_tilde = split(A, h)
        np.multiply(R, H, out=RH_t)
        H_tilde += np.matmul(RH_t, W_hh, out=H_new)
        np.tanh(H_tilde, out=H_tilde)  # candidate
        np.subtract(H, H_tilde, out=H_new)
        H_new *= Z
        H_new += H_tilde  # Z * H + (1 - Z) * H_tilde

    def back(dHs, d_state):
        dA, (dH,) = np.empty_like(gates), (d.copy() for d in d_state)
        W_hzr_T, W_hh_T, dRH, buffer = W_hzr.T.copy(), W_hh.T.copy(), *room_like(dH, 2)
        for dH_t, gates_t, dA_t, H in zip(dHs[::-1], gates[::-1], dA[::-1], Hs[-2::-1]):
            (Z, R, H_tilde), (_, _, dA_h) = split(gates_t, h), split(dA_t, h)
            dH += dH_t
            slopes(gates_t[:, : 2 * h], out=zr)
            np.multiply(slope_of_tanh(H_tilde, buffer), dH, out=dA_h)
            dA_h -= np.multiply(dA_h, Z, out=buffer)  # dH (1 - Z) (1 - H_tilde²)
            np.matmul(dA_h, W_hh_T, out=dRH)
            zr[:, :h] *= np.multiply(np.subtract(H, H_tilde, out=buffer), dH, out=buffer)
            zr[:, h:] *= np.multiply(dRH, H, out=buffer)
            dA_t[:, : 2 * h] = zr
            dH *= Z
            dRH *= R
            dH += dRH
            dH += np.matmul(zr, W_hzr_T, out=dRH)
        dW_hzr, dW_hh = one_product(Hs[:-1], dA[..., : 2 * h]), one_product(RH, dA[..., 2 * h :])
        return dA, (dH,), [dW_hzr, dW_hh]

    return Hs, (Hs[-1],), back


def lstm_recurrence(gates, state, W_h):
    """Run the update of an LSTM, gates being A = [A_i, A_f, A_o, A_c]; see rnn_recurrence."""
    (Hs, Cs), h = (starting_with(first, len(gates)) for first in state), len(W_h)
    Ts, half = np.empty_like(Hs[1:]), np.ones(4 * h, gates.dtype)
    half[: 3 * h] = HALF
    for A, T, H, C, H_new, C_new in zip(gates, Ts, Hs, Cs, Hs[1:], Cs[1:]):
        A += H @ W_h
        activate(A, half)
        I, F, O, C_tilde = split(A, h)  # input, forget and output gate, candidate
        np.multiply(F, C, out=C_new)
        C_new += np.multiply(I, C_tilde, out=T)
        np.tanh(C_new, out=T)
        np.multiply(O, T, out=H_new)

    def back(dHs, d_state):
        dA, (dH, dC) = np.empty_like(gates), (d.copy() for d in d_state)
        W_h_T, (buffer,) = W_h.T.copy(), room_like(dH, 1)
        steps = (dHs, gates, dA, Ts, Cs[:-1])
        for dH_t, gates_t, dA_t, T, C in zip(*(part[::-1] for part in steps)):
            (I, F, O, C_tilde), parts = split(gates_t, h), split(dA_t, h)
            dH += dH_t
            slope_of_tanh(T, buffer)
            buffer *= O
            dC += np.multiply(buffer, dH, out=buffer)
            slopes(gates_t, out=dA_t)
            np.multiply(I, slope_of_tanh(C_tilde, buffer), out=parts[3])
            for part, factor, arrived in zip(parts, (C_tilde, C, T), (dC, dC, dH)):
                part *= factor
                part *= arrived
            parts[3] *= dC
            dC *= F
            np.matmul(dA_t, W_h_T, out=dH)
        return dA, (dH, dC), [one_product(Hs[:-1], dA)]

    return Hs, (Hs[-1], Cs[-1]), back


def joined_rnn(params):
    """Return W_x, b and the recurrent weights as the recurrence takes them."""
    W_xh, W_hh, b_h = params
    return W_xh, b_h, [W_hh]


def joined_gru(params):
    """Return the input weights and biases of all gates side by side, and W_hzr and W_hh."""
    W_x, (W_hz, W_hr, W_hh), b = cells.CELLS["gru"].by_kind(params)
    return np.hstack(W_x), np.hstack(b), [np.hstack([W_hz, W_hr]), W_hh]


def joined_lstm(params):
    """Return the weights and biases of all gates side by side."""
    W_x, W_h, b = map(np.hstack, cells.CELLS["lstm"].by_kind(params))
    return W_x, b, [W_h]


def trace(cell, join, recurrence, inputs, state, params):
    """Run a cell; return outputs, the last state and a way back. See the head of this file."""
    check(cell, inputs, state, params)
    *weights, W_hq, b_q = params
    W_x, b, W_hs = join(weights)
    Hs, last, back = recurrence(input_product(inputs, W_x, b), state, *W_hs)
    rows = Hs[1:].reshape(-1, len(W_hq))

    def pull_back(d_outputs, d_state):
        dHs = (d_outputs @ W_hq.T).reshape(Hs[1:].shape)
        dA, d_first, dW_hs = back(dHs, d_state)
        d_inputs, dW_x, db = input_product_back(inputs, W_x, dA)
        h = len(W_hq)
        dW_h = [part for dW in dW_hs for part in pieces(dW, h)]
        d_gates = zip(pieces(dW_x, h), dW_h, pieces(db, h))
        d_weights = [gradient for gate in d_gates for gradient in gate]
        return d_inputs, d_first, [*d_weights, rows.T @ d_outputs, d_outputs.sum(0)]

    return rows @ W_hq + b_q, last, pull_back


rnn_trace = functools.partial(trace, "rnn", joined_rnn, rnn_recurrence)
gru_trace = functools.partial(trace, "gru", joined_gru, gru_recurrence)
lstm_trace = functools.partial(trace, "lstm", joined_lstm, lstm_recurrence)


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
