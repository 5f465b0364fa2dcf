"""Fast versions of the cells of scratch.py in NumPy, which can replace rnn, gru and lstm.

The inputs of all steps are multiplied in one product before the loop, and the hidden states of all
steps in one product after it; the loop writes into memory that is allocated before it. The backward
passes are written by hand: the gradient of a weight is one product for all steps, where bptt.py
adds it up step by step. ``A`` is the argument of a sigmoid or tanh; the gates are written into the
memory of A. sigmoid' = S (1 - S), tanh' = 1 - T².

A ``trace`` returns outputs, the last state and pull_back(d_outputs, d_state) -> (d_inputs, d_state,
d_params); d_inputs is None for ids.
"""

import functools
import itertools

import numpy as np

from d2lrnn import checks
from d2lrnn.nets import cells, forward
from d2lrnn.numpy import tape, tracing

HALF = np.float32(0.5)  # keeps the dtype of float32 and of float64 arrays
SMALL = 256  # up to this vocabulary size, a product with one-hot rows is faster than sorting ids


def check(cell, inputs, state, params):
    """Check the arguments of a cell."""
    cells.check_kind(inputs, params)
    if inputs.dtype.kind == "f":
        cells.check(cell, inputs, state, params)
        return
    cells.check_ids(cell, inputs, state, params)
    checks.tokens(inputs, len(params[0]))


def input_product(inputs, W_x, b):
    """Return X W_x + b (T, n, ...) for rows (T, n, d), or by lookup for token ids (T, n)."""
    A = inputs @ W_x if inputs.dtype.kind == "f" else W_x[inputs]  # a one-hot row times W_x
    if tape.is_traced(A, b):  # in a network that is recorded
        return A + b
    A += b
    return A


def input_product_back(inputs, W_x, dA):
    """Return the gradients of the inputs (None for ids), of W_x and of b."""
    rows = dA.reshape(-1, dA.shape[2])
    if inputs.dtype.kind == "f":
        return dA @ W_x.T, one_product(inputs, dA), rows.sum(0)
    return None, rows_added_up(inputs.reshape(-1), rows, len(W_x)), rows.sum(0)


def rows_added_up(ids, rows, vocab_size):
    """Return an array (V, m): for each id, the sum of its rows."""
    if vocab_size <= SMALL:
        return np.equal.outer(np.arange(vocab_size), ids).astype(rows.dtype) @ rows
    sums = np.zeros((vocab_size, rows.shape[1]), rows.dtype)
    if len(ids):
        order = np.argsort(ids, kind="stable")  # puts the rows of each id next to each other
        present, first = np.unique(ids[order], return_index=True)
        sums[present] = np.add.reduceat(rows[order], first)
    return sums


def one_product(lefts, rights):
    """Return the sum over all steps of left.T @ right, (T, n, k) and (T, n, m) as (k, m)."""
    return lefts.reshape(-1, lefts.shape[2]).T @ rights.reshape(-1, rights.shape[2])


def starting_with(first, num_steps):
    """Return an array (num_steps + 1, n, h) for the states, with the first one filled in."""
    states = np.empty((num_steps + 1, *first.shape), first.dtype)
    states[0] = first
    return states


def activate(A, half):
    """Replace A by sigmoid(A) where half is 1/2, and by tanh(A) where half is 1.

    sigmoid(x) = 1/2 tanh(x/2) + 1/2, so that one call of tanh computes all gates without overflow.
    """
    A *= half
    np.tanh(A, out=A)
    A *= half
    A += 1 - half


def slopes(S, out):
    """Write S (1 - S), the slope of a sigmoid of value S, into out."""
    np.multiply(S, S, out=out)
    np.subtract(S, out, out=out)


def slope_of_tanh(T, out):
    """Write 1 - T², the slope of a tanh of value T, into out, and return it."""
    np.multiply(T, T, out=out)
    return np.subtract(1, out, out=out)


def room_like(array, number):
    """Return that many uninitialized arrays of the shape and dtype of an array."""
    return [np.empty_like(array) for _ in range(number)]


def split(gates, h):
    """Return the parts (..., h) of the gates (..., k h), side by side."""
    return [gates[..., i : i + h] for i in range(0, gates.shape[-1], h)]


def pieces(gradient, h):
    """Return the parts (..., h) of a gradient (..., k h) as contiguous arrays."""
    return [np.ascontiguousarray(part) for part in split(gradient, h)]


def rnn_recurrence(As, state, W_hh):
    """Run H_t = tanh(A_t + H_{t-1} W_hh); return Hs (T + 1, n, h), the last state, back.

    As is a list of products of the inputs (T, n, ...): one here, two for a GRU.
    back(dHs, d_state) returns the gradients of As, of the first state and of the weights.
    """
    (A,) = As
    Hs = starting_with(*state, len(A))
    for A_t, H, H_new in zip(A, Hs, Hs[1:]):
        A_t += np.matmul(H, W_hh, out=H_new)
        np.tanh(A_t, out=H_new)

    def back(dHs, d_state):
        dA, (dH,) = 1 - Hs[1:] ** 2, (d.copy() for d in d_state)
        for dA_t, dH_t in zip(dA[::-1], dHs[::-1]):
            dH += dH_t  # from the output of this step, and from the step after it
            dA_t *= dH
            np.matmul(dA_t, W_hh.T, out=dH)
        return [dA], (dH,), [one_product(Hs[:-1], dA)]

    return Hs, (Hs[-1],), back


def gru_recurrence(As, state, W_hzr, W_hh):
    """Run a GRU for As = [A_z and A_r side by side, A_h]; see rnn_recurrence."""
    (ZR, H_tilde), Hs, h = As, starting_with(*state, len(As[0])), len(W_hh)
    RH, product = np.empty_like(H_tilde), np.empty(ZR.shape[1:], ZR.dtype)
    for ZR_t, H_tilde_t, RH_t, H, H_new in zip(ZR, H_tilde, RH, Hs, Hs[1:]):
        ZR_t += np.matmul(H, W_hzr, out=product)
        activate(ZR_t, HALF)  # update gate and reset gate
        Z, R = split(ZR_t, h)
        np.multiply(R, H, out=RH_t)
        H_tilde_t += np.matmul(RH_t, W_hh, out=H_new)
        np.tanh(H_tilde_t, out=H_tilde_t)  # candidate
        np.subtract(H, H_tilde_t, out=H_new)
        H_new *= Z
        H_new += H_tilde_t  # Z * H + (1 - Z) * H_tilde

    def back(dHs, d_state):
        dZR, dH_tilde, (dH,) = np.empty_like(ZR), np.empty_like(RH), (d.copy() for d in d_state)
        W_hzr_T, W_hh_T, dRH, buffer = W_hzr.T.copy(), W_hh.T.copy(), *room_like(dH, 2)
        arrays = (dHs, ZR, H_tilde, dZR, dH_tilde, Hs[:-1])
        for dH_t, ZR_t, H_tilde_t, dA_zr, dA_h, H in zip(*(part[::-1] for part in arrays)):
            (Z, R), (dA_z, dA_r) = split(ZR_t, h), split(dA_zr, h)
            dH += dH_t
            slopes(ZR_t, out=dA_zr)
            np.multiply(slope_of_tanh(H_tilde_t, buffer), dH, out=dA_h)
            dA_h -= np.multiply(dA_h, Z, out=buffer)  # dH (1 - Z) (1 - H_tilde²)
            np.matmul(dA_h, W_hh_T, out=dRH)
            dA_z *= np.multiply(np.subtract(H, H_tilde_t, out=buffer), dH, out=buffer)
            dA_r *= np.multiply(dRH, H, out=buffer)
            dH *= Z
            dRH *= R
            dH += dRH
            dH += np.matmul(dA_zr, W_hzr_T, out=dRH)
        return [dZR, dH_tilde], (dH,), [one_product(Hs[:-1], dZR), one_product(RH, dH_tilde)]

    return Hs, (Hs[-1],), back


def lstm_recurrence(As, state, W_h):
    """Run an LSTM for As = [A_i, A_f, A_o and A_c side by side]; see rnn_recurrence."""
    (gates,) = As
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
        arrays = (dHs, gates, dA, Ts, Cs[:-1])
        for dH_t, gates_t, dA_t, T, C in zip(*(part[::-1] for part in arrays)):
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
        return [dA], (dH, dC), [one_product(Hs[:-1], dA)]

    return Hs, (Hs[-1], Cs[-1]), back


def joined_rnn(params):
    """Return W_x, b and the recurrent weights as lists, in the form that the recurrence needs."""
    W_xh, W_hh, b_h = params
    return [W_xh], [b_h], [W_hh]


def joined_gru(params):
    """Return the weights and biases of both gates side by side, and those of the candidate."""
    kinds = cells.CELLS["gru"].by_kind(params)
    W_x, W_h, b = ([np.hstack(kind[:2]), kind[2]] for kind in kinds)
    return W_x, b, W_h


def joined_lstm(params):
    """Return the weights and biases of all gates side by side."""
    W_x, W_h, b = ([np.hstack(kind)] for kind in cells.CELLS["lstm"].by_kind(params))
    return W_x, b, W_h


def trace(cell, join, recurrence, inputs, state, params):
    """Run a cell; return outputs, last state and pull_back, as the top of this file describes."""
    check(cell, inputs, state, params)
    if tape.is_traced(inputs, *state, *params):  # in a custom forward function
        run = functools.partial(trace, cell, join, recurrence)
        return *tracing.apply(run, inputs, state, params), None
    *weights, W_hq, b_q = params
    W_xs, bs, W_hs = join(weights)
    As = [input_product(inputs, W_x, b) for W_x, b in zip(W_xs, bs)]
    Hs, last, back = recurrence(As, state, *W_hs)
    rows, h = Hs[1:].reshape(-1, len(W_hq)), len(W_hq)

    def pull_back(d_outputs, d_state):
        dHs = (d_outputs @ W_hq.T).reshape(Hs[1:].shape)
        dAs, d_first, dW_hs = back(dHs, d_state)
        of_inputs = [input_product_back(inputs, W_x, dA) for W_x, dA in zip(W_xs, dAs)]
        d_inputs, dW_xs, dbs = zip(*of_inputs)
        kinds = ([part for d in kind for part in pieces(d, h)] for kind in (dW_xs, dW_hs, dbs))
        d_weights = [d for gate in itertools.zip_longest(*kinds) for d in gate if d is not None]
        d_inputs = None if d_inputs[0] is None else sum(d_inputs)
        return d_inputs, d_first, [*d_weights, rows.T @ d_outputs, d_outputs.sum(0)]

    return rows @ W_hq + b_q, last, pull_back


rnn_trace = functools.partial(trace, "rnn", joined_rnn, rnn_recurrence)
gru_trace = functools.partial(trace, "gru", joined_gru, gru_recurrence)
lstm_trace = functools.partial(trace, "lstm", joined_lstm, lstm_recurrence)


@forward.of_cell("rnn", takes_ids=True, trace=rnn_trace)
def rnn_fused(inputs, state, params):
    """Compute what rnn computes, faster; inputs may be token ids (T, n) for one-hot rows."""
    return rnn_trace(inputs, state, params)[:2]


@forward.of_cell("gru", takes_ids=True, trace=gru_trace)
def gru_fused(inputs, state, params):
    """Compute what gru computes, faster; inputs may be token ids (T, n) for one-hot rows."""
    return gru_trace(inputs, state, params)[:2]


@forward.of_cell("lstm", takes_ids=True, trace=lstm_trace)
def lstm_fused(inputs, state, params):
    """Compute what lstm computes, faster; inputs may be token ids (T, n) for one-hot rows."""
    return lstm_trace(inputs, state, params)[:2]


FUSED = {"rnn": rnn_fused, "gru": gru_fused, "lstm": lstm_fused}
