"""The cells of scratch.py, fast, in MXNet: drop-in for rnn, gru and lstm.

The inputs of all steps go through one product before the loop, the hidden states of all steps
through one product after it, and both of those MXNet differentiates by itself. The loop between
them is a recurrence with a gradient by hand (``autograd.Function``): nothing of the loop is
recorded, and its weights' gradient is one product for all steps. ``A`` stands for what a sigmoid
or tanh is taken of; sigmoid' = S (1 - S), tanh' = 1 - T².

A Function's gradients are arrays of MXNet's old kind, coming and going. It gives no gradient to
what comes after an argument that needs none (``autograd.py`` of 1.9.1), so the state, which may
need none, comes last. Its way back runs later, in another thread. What it keeps must be copies,
such as W.T is: an update of W itself would wait for the gradient, and the gradient for the update.
"""

import atexit

from d2lrnn import checks
from d2lrnn.mxnet.framework import autograd, nd, np, npx
from d2lrnn.mxnet.tensors import defined_when_empty, to_numpy
from d2lrnn.nets import cells

atexit.register(npx.waitall)  # a way back that still runs when Python ends would wait for ever


def is_floating(inputs):
    """Return whether inputs are rows (T, n, d), not ids (T, n)."""
    return inputs.dtype in ("float16", "float32", "float64")


def check(cell, inputs, state, params):
    """Check the arguments of a cell; ids on a GPU are not looked at, which would wait."""
    if is_floating(inputs):
        cells.check(cell, inputs, state, params)
        return
    cells.check_ids(cell, inputs, state, params)
    if inputs.ctx.device_type == "cpu":
        checks.tokens(to_numpy(inputs), len(params[0]))


def biased(A, b):
    """Return A (..., m) + b (m,), with b's gradient by a product, ten times as fast as MXNet's sum.

    The gradient of a product of no rows would be undefined: then it is a sum.
    """
    if A.size == 0:
        return A + b
    ones = np.ones((A.size // len(b), 1), dtype=A.dtype, ctx=A.ctx)
    return A + np.dot(ones, b[None]).reshape(A.shape)


def input_product(inputs, W_x, b):
    """Return X W_x + b (T, n, ...) of rows (T, n, d), or of token ids (T, n) by look-up."""
    if is_floating(inputs):
        return biased(np.dot(inputs, W_x), b)
    rows = npx.embedding(inputs, W_x, *W_x.shape, dtype=W_x.dtype)  # a row of W_x for each id
    return biased(rows, b)


def output_layer(Hs, W_hq, b_q):
    """Return the outputs (T * n, q) of hidden states (T, n, h), in the order of time."""
    return biased(np.dot(Hs.reshape(-1, len(W_hq)), W_hq), b_q)


def recurrence(function, A, weights, state):
    """Return Hs (T, n, h) and the last state, as a Function computes them of A (T, n, ...).

    oneDNN is never given an empty array: it fails, later, and elsewhere.
    """
    if A.size == 0:  # no steps, or no rows
        return np.zeros((*A.shape[:2], state[0].shape[1]), dtype=A.dtype, ctx=A.ctx), tuple(state)
    Hs, *last = function()(A, *weights, *state)
    return Hs, tuple(last)


def modern(arrays):
    """Return arrays of MXNet's old kind as mx.np arrays."""
    return [array.as_np_ndarray() for array in arrays]


def old(*arrays):
    """Return mx.np arrays as arrays of MXNet's old kind, which gradients must be."""
    return tuple(array.as_nd_ndarray() for array in arrays)


def one_product(lefts, rights):
    """Return the sum over all steps of left.T @ right, (T, n, k) and (T, n, m) as (k, m)."""
    flat = old(lefts.reshape(-1, lefts.shape[2]), rights.reshape(-1, rights.shape[2]))
    return nd.dot(*flat, transpose_a=True).as_np_ndarray()


def before(first, states):
    """Return the states (T, n, h) before each step, of the first one and those after each.

    For the way ahead: on the way back MXNet runs in a thread that knows no empty arrays.
    """
    return np.concatenate([first[None], states[:-1]])


def columns(gates, number):
    """Return the parts of gates (..., number * h), side by side."""
    return np.split(gates, number, axis=-1)


def tanh(A):
    """Return tanh(A), by oneDNN in float32, where np.tanh takes twenty times as long."""
    return npx.activation(A, act_type="tanh")


def sigmoid(A):
    """Return 1 / (1 + exp(-A)), by oneDNN in float32, where npx.sigmoid takes six times as long."""
    return npx.activation(A, act_type="sigmoid")


def slopes(S):
    """Return S (1 - S), the slope of a sigmoid of value S."""
    return S - S * S


class Recurrence(autograd.Function):
    """A Function that gives up what it has kept for the way back, when that begins.

    MXNet 1.9.1 holds every Function that was recorded until Python ends, and what it keeps with it.
    """

    def keep(self, *kept):
        """Keep arrays for the way back."""
        self.kept = kept

    def give_up(self):
        """Return what was kept, which is then gone."""
        kept, self.kept = self.kept, None
        if kept is None:
            raise ValueError("the gradient was taken already; run the forward function again")
        return kept


class RNNRecurrence(Recurrence):
    """H_t = tanh(A_t + H_{t-1} W_hh) for every t, A = X W_xh + b_h."""

    def forward(self, *arguments):
        """Return Hs (T, n, h) and the last H."""
        A, W_hh, first = modern(arguments)
        H, Hs = first, []
        for A_t in A:
            H = tanh(A_t + np.dot(H, W_hh))
            Hs.append(H)
        Hs = np.stack(Hs)
        self.keep(Hs, before(first, Hs), W_hh.T)
        return Hs, H.copy()

    def backward(self, *d_results):
        """Return dA, dW_hh and the first dH."""
        (dHs, dH), (Hs, Hs_before, W_hh_T) = modern(d_results), self.give_up()
        slope, dA = 1 - Hs * Hs, []
        for dH_t, slope_t in zip(dHs[::-1], slope[::-1]):
            dA_t = (dH + dH_t) * slope_t  # from this step's output, and from the step after it
            dH = np.dot(dA_t, W_hh_T)
            dA.append(dA_t)
        dA = np.stack(dA[::-1])
        return old(dA, one_product(Hs_before, dA), dH)


@cells.is_cell("rnn", takes_ids=True)
@defined_when_empty
def rnn_fused(inputs, state, params):
    """Run a recurrent network over inputs, as rnn does; ids (T, n) will do for their rows."""
    check("rnn", inputs, state, params)
    W_xh, W_hh, b_h, W_hq, b_q = params
    Hs, state = recurrence(RNNRecurrence, input_product(inputs, W_xh, b_h), [W_hh], state)
    return output_layer(Hs, W_hq, b_q), state


class GRURecurrence(Recurrence):
    """The update of a GRU for every t, A = [A_z, A_r, A_h] = X W_x + b."""

    def forward(self, *arguments):
        """Return Hs (T, n, h) and the last H."""
        A, W_hzr, W_hh, first = modern(arguments)
        h, H, kept = first.shape[1], first, []
        for A_zr, A_h in zip(A[:, :, : 2 * h], A[:, :, 2 * h :]):
            Z, R = columns(sigmoid(A_zr + np.dot(H, W_hzr)), 2)
            H_tilde = tanh(A_h + np.dot(R * H, W_hh))  # candidate
            H = H_tilde + Z * (H - H_tilde)  # Z * H + (1 - Z) * H_tilde
            kept.append((H, Z, R, H_tilde))
        Hs, *gates = map(np.stack, zip(*kept))
        self.keep(before(first, Hs), gates, W_hzr.T, W_hh.T)
        return Hs, H.copy()

    def backward(self, *d_results):
        """Return dA, dW_hzr, dW_hh and the first dH."""
        (dHs, dH), (Hs, (Z, R, H_tilde), W_hzr_T, W_hh_T) = modern(d_results), self.give_up()
        of_each = [  # gate, times what arrives at it, which the loop supplies
            (Hs - H_tilde) * slopes(Z),
            Hs * slopes(R),
            (1 - Z) * (1 - H_tilde * H_tilde),
        ]
        steps, dA = zip(*(x[::-1] for x in (dHs, Z, R, *of_each))), []
        for dH_t, Z_t, R_t, of_z, of_r, of_h in steps:
            dH = dH + dH_t
            dA_h = dH * of_h
            dRH = np.dot(dA_h, W_hh_T)
            dA_zr = np.concatenate([dH * of_z, dRH * of_r], axis=1)
            dH = dH * Z_t + dRH * R_t + np.dot(dA_zr, W_hzr_T)
            dA.append((dA_zr, dA_h))
        dA_zr, dA_h = (np.stack(part) for part in zip(*dA[::-1]))
        d_weights = one_product(Hs, dA_zr), one_product(R * Hs, dA_h)
        return old(np.concatenate([dA_zr, dA_h], axis=2), *d_weights, dH)


@cells.is_cell("gru", takes_ids=True)
@defined_when_empty
def gru_fused(inputs, state, params):
    """Run a GRU over inputs, as gru does; ids (T, n) will do for their rows."""
    check("gru", inputs, state, params)
    W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h, W_hq, b_q = params
    W_x, b = np.concatenate([W_xz, W_xr, W_xh], axis=1), np.concatenate([b_z, b_r, b_h])
    weights = np.concatenate([W_hz, W_hr], axis=1), W_hh
    Hs, state = recurrence(GRURecurrence, input_product(inputs, W_x, b), weights, state)
    return output_layer(Hs, W_hq, b_q), state


class LSTMRecurrence(Recurrence):
    """The update of an LSTM for every t, A = [A_i, A_f, A_o, A_c] = X W_x + b."""

    def forward(self, *arguments):
        """Return Hs (T, n, h), the last H and the last C."""
        A, W_h, *first = modern(arguments)
        (H, C), h, kept = first, first[0].shape[1], []
        for A_t in A:
            A_t = A_t + np.dot(H, W_h)
            I, F, O = columns(sigmoid(A_t[:, : 3 * h]), 3)
            C_tilde = tanh(A_t[:, 3 * h :])  # candidate
            C = F * C + I * C_tilde
            T = tanh(C)
            H = O * T
            kept.append((H, C, I, F, O, C_tilde, T))
        Hs, Cs, *gates = map(np.stack, zip(*kept))
        self.keep(before(first[0], Hs), before(first[1], Cs), gates, W_h.T)
        return Hs, H.copy(), C.copy()

    def backward(self, *d_results):
        """Return dA, dW_h and the first dH and dC."""
        (dHs, dH, dC), (Hs, Cs, gates, W_h_T) = modern(d_results), self.give_up()
        I, F, O, C_tilde, T = gates
        slope = O * (1 - T * T)  # of H by C
        of_each = [  # gate, times what arrives at it, which the loop supplies
            C_tilde * slopes(I),
            Cs * slopes(F),
            T * slopes(O),
            I * (1 - C_tilde * C_tilde),
        ]
        steps, dA = zip(*(x[::-1] for x in (dHs, slope, F, *of_each))), []
        for dH_t, slope_t, F_t, of_i, of_f, of_o, of_c in steps:
            dH = dH + dH_t
            dC = dC + dH * slope_t
            dA_t = np.concatenate([dC * of_i, dC * of_f, dH * of_o, dC * of_c], axis=1)
            dH, dC = np.dot(dA_t, W_h_T), dC * F_t
            dA.append(dA_t)
        dA = np.stack(dA[::-1])
        return old(dA, one_product(Hs, dA), dH, dC)


@cells.is_cell("lstm", takes_ids=True)
@defined_when_empty
def lstm_fused(inputs, state, params):
    """Run an LSTM over inputs, as lstm does; ids (T, n) will do for their rows."""
    check("lstm", inputs, state, params)
    *weights, W_hq, b_q = params
    W_x, W_h, b = (np.concatenate(kind, axis=-1) for kind in cells.CELLS["lstm"].by_kind(weights))
    Hs, state = recurrence(LSTMRecurrence, input_product(inputs, W_x, b), [W_h], state)
    return output_layer(Hs, W_hq, b_q), state
