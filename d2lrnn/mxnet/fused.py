"""Fast versions of the cells of scratch.py in MXNet, which can replace rnn, gru and lstm.

The inputs of all steps are multiplied in one product before the loop, and the hidden states of all
steps in one product after it; MXNet differentiates both. The loop between them is a recurrence
whose backward pass is written by hand (``autograd.Function``): the loop itself is not recorded, and
the gradient of its weights is one product for all steps. ``A`` is the argument of a sigmoid or
tanh; sigmoid' = S (1 - S), tanh' = 1 - T².

The gradients that a Function receives and returns are arrays of MXNet's old type, mx.nd. In MXNet
1.9.1 (``autograd.py``), arguments after one that does not need a gradient do not get a gradient
either, so the state, which may not need one, comes last. The backward pass runs later, in another
thread. The arrays saved for it must be copies, such as W.T: otherwise an update of W would wait for
the gradient, and the gradient for the update.
"""

import atexit

from d2lrnn import checks
from d2lrnn.mxnet.framework import autograd, nd, np, npx
from d2lrnn.mxnet.kernel import kernel, kernel_takes
from d2lrnn.mxnet.products import (
    gates_of_inputs,
    input_product,
    is_floating,
    modern,
    old,
    one_product,
    output_layer,
    side_by_side,
)
from d2lrnn.mxnet.tensors import defined_when_empty, to_numpy
from d2lrnn.nets import cells, forward

atexit.register(npx.waitall)  # a backward pass still running when Python ends would never finish


def check(cell, inputs, state, params):
    """Check the arguments of a cell; ids on a GPU are not checked, because that would block."""
    cells.check_kind(inputs, params)
    if is_floating(inputs):
        cells.check(cell, inputs, state, params)
        return
    cells.check_ids(cell, inputs, state, params)
    if inputs.ctx.device_type == "cpu":
        checks.tokens(to_numpy(inputs), len(params[0]))


def recurrence(function, A, weights, state):
    """Return Hs (T, n, h) and the last state, computed by a Function from A (T, n, ...).

    The Function is not called for an empty A, because oneDNN would fail asynchronously.
    """
    if A.size == 0:  # zero steps or zero rows
        shape = len(A), *state[0].shape
        return np.zeros(shape, dtype=A.dtype, ctx=A.ctx), tuple(state)
    Hs, *last = function()(A, *weights, *state)
    return Hs, tuple(last)


def before(first, states):
    """Return the states (T, n, h) before each step, given the first and those after each step.

    Call it in the forward pass only: the thread of the backward pass does not support empty arrays.
    """
    return np.concatenate([first[None], states[:-1]])


def columns(gates, number):
    """Split gates (..., number * h) into their parts (..., h)."""
    return np.split(gates, number, axis=-1)


def tanh(A):
    """Return tanh(A), computed by oneDNN in float32, twenty times as fast as np.tanh."""
    return npx.activation(A, act_type="tanh")


def sigmoid(A):
    """Return 1 / (1 + exp(-A)), computed by oneDNN in float32, six times as fast as npx.sigmoid."""
    return npx.activation(A, act_type="sigmoid")


def slopes(S):
    """Return S (1 - S), the slope of a sigmoid of value S."""
    return S - S * S


class Recurrence(autograd.Function):
    """A Function that releases its saved arrays when the backward pass begins.

    MXNet 1.9.1 does not free recorded Functions, with all their attributes, until Python ends.
    """

    def keep(self, *arrays):
        """Save arrays for the backward pass."""
        self.arrays = arrays

    def give_up(self):
        """Return the saved arrays, and release them."""
        arrays, self.arrays = self.arrays, None
        if arrays is None:
            raise ValueError("the gradient was computed already; run the forward function again")
        return arrays


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
            dA_t = (dH + dH_t) * slope_t  # from the step after it, and from its output
            dH = np.dot(dA_t, W_hh_T)
            dA.append(dA_t)
        dA = np.stack(dA[::-1])
        return old(dA, one_product(Hs_before, dA), dH)


@forward.of_cell("rnn", takes_ids=True)
@defined_when_empty
def rnn_fused(inputs, state, params):
    """Compute what rnn computes, faster; inputs may be token ids (T, n) for one-hot rows."""
    check("rnn", inputs, state, params)
    *weights, W_hq, b_q = params
    if kernel_takes(inputs, state, len(weights[0])):
        Hs, state = kernel("rnn", inputs, state, weights)
        return output_layer(Hs, W_hq, b_q), state
    W_xh, W_hh, b_h = weights
    Hs, state = recurrence(RNNRecurrence, input_product(inputs, W_xh, b_h), [W_hh], state)
    return output_layer(Hs, W_hq, b_q), state


class GRURecurrence(Recurrence):
    """The update of a GRU for every t, A = [A_z, A_r, A_h] = X W_x + b, as (T, 3, n, h).

    MXNet's own kernel computes another GRU, so this is a loop in Python. A call takes 20
    microseconds, so the loop makes few calls, which write their results into preallocated arrays.
    """

    def forward(self, *arguments):
        """Return Hs (T, n, h) and the last H."""
        A, W_hz, W_hr, W_hh, first = old(*arguments)
        H = first
        gates, products = nd.zeros_like(A), nd.zeros_like(A[0])
        Hs, RH = (nd.zeros((len(A), *H.shape), ctx=A.context, dtype=A.dtype) for _ in range(2))
        for_z, for_r, for_h = products
        for A_t, gates_t, RH_t, H_new in zip(A, gates, RH, Hs):
            (Z, R, H_tilde), ZR = gates_t, gates_t[:2]
            nd.dot(H, W_hz, out=for_z)
            nd.dot(H, W_hr, out=for_r)
            nd.elemwise_add(A_t[:2], products[:2], out=ZR)
            nd.Activation(ZR, act_type="sigmoid", out=ZR)  # update gate and reset gate
            nd.elemwise_mul(R, H, out=RH_t)
            nd.dot(RH_t, W_hh, out=for_h)
            nd.elemwise_add(A_t[2], for_h, out=H_tilde)
            nd.Activation(H_tilde, act_type="tanh", out=H_tilde)  # candidate
            nd.elemwise_sub(H, H_tilde, out=H_new)
            nd.elemwise_mul(Z, H_new, out=H_new)
            nd.elemwise_add(H_tilde, H_new, out=H_new)  # Z * H + (1 - Z) * H_tilde
            H = H_new
        (Hs_before,) = old(before(*modern([first, Hs])))
        self.keep(Hs_before, gates, RH, [nd.transpose(W) for W in (W_hz, W_hr, W_hh)])
        return modern([Hs, H.copy()])

    def backward(self, dHs, dH):
        """Return dA, dW_hz, dW_hr, dW_hh and the first dH."""
        dHs, dH = old(dHs, dH)
        Hs, gates, RH, (W_hz_T, W_hr_T, W_hh_T) = self.give_up()
        Z, R, H_tilde = (gate.reshape(Hs.shape) for gate in nd.split(gates, 3, axis=1))
        of_each = [  # factors of each gate's gradient, which the loop multiplies with the others
            (Hs - H_tilde) * slopes(Z),
            Hs * slopes(R),
            (1 - Z) * (1 - H_tilde * H_tilde),
        ]
        dA, dH = nd.zeros_like(gates), dH.copy()
        dRH, from_z, from_r = (nd.zeros_like(dH) for _ in range(3))
        slices = zip(*(list(x) for x in (dHs, Z, R, *of_each, dA)))
        for dH_t, Z_t, R_t, of_z, of_r, of_h, (dA_z, dA_r, dA_h) in reversed(list(slices)):
            nd.elemwise_add(dH, dH_t, out=dH)
            nd.elemwise_mul(dH, of_h, out=dA_h)
            nd.dot(dA_h, W_hh_T, out=dRH)
            nd.elemwise_mul(dRH, of_r, out=dA_r)
            nd.elemwise_mul(dH, of_z, out=dA_z)
            nd.dot(dA_z, W_hz_T, out=from_z)
            nd.dot(dA_r, W_hr_T, out=from_r)
            nd.elemwise_mul(dH, Z_t, out=dH)
            nd.elemwise_mul(dRH, R_t, out=dRH)
            nd.add_n(dH, dRH, from_z, from_r, out=dH)
        lefts, parts = (Hs, Hs, RH), (part.reshape(Hs.shape) for part in nd.split(dA, 3, axis=1))
        return dA, *old(*map(one_product, lefts, parts)), dH


@forward.of_cell("gru", takes_ids=True)
@defined_when_empty
def gru_fused(inputs, state, params):
    """Compute what gru computes, faster; inputs may be token ids (T, n) for one-hot rows."""
    check("gru", inputs, state, params)
    *weights, W_hq, b_q = params
    W_x, W_h, b = cells.CELLS["gru"].by_kind(weights)
    A = gates_of_inputs(inputs, W_x, b)
    Hs, state = recurrence(GRURecurrence, A, W_h, state)
    return output_layer(Hs, W_hq, b_q), state


class LSTMRecurrence(Recurrence):
    """The update of an LSTM for every t, A = [A_i, A_f, A_o, A_c] = X W_x + b."""

    def forward(self, *arguments):
        """Return Hs (T, n, h), the last H and the last C."""
        A, W_h, *first = modern(arguments)
        (H, C), h, slices = first, first[0].shape[1], []
        for A_t in A:
            A_t = A_t + np.dot(H, W_h)
            I, F, O = columns(sigmoid(A_t[:, : 3 * h]), 3)
            C_tilde = tanh(A_t[:, 3 * h :])  # candidate
            C = F * C + I * C_tilde
            T = tanh(C)
            H = O * T
            slices.append((H, C, I, F, O, C_tilde, T))
        Hs, Cs, *gates = map(np.stack, zip(*slices))
        self.keep(before(first[0], Hs), before(first[1], Cs), gates, W_h.T)
        return Hs, H.copy(), C.copy()

    def backward(self, *d_results):
        """Return dA, dW_h and the first dH and dC."""
        (dHs, dH, dC), (Hs, Cs, gates, W_h_T) = modern(d_results), self.give_up()
        I, F, O, C_tilde, T = gates
        slope = O * (1 - T * T)  # the derivative of H with respect to C
        of_each = [  # factors of each gate's gradient, which the loop multiplies with the others
            C_tilde * slopes(I),
            Cs * slopes(F),
            T * slopes(O),
            I * (1 - C_tilde * C_tilde),
        ]
        slices, dA = zip(*(x[::-1] for x in (dHs, slope, F, *of_each))), []
        for dH_t, slope_t, F_t, of_i, of_f, of_o, of_c in slices:
            dH = dH + dH_t
            dC = dC + dH * slope_t
            dA_t = side_by_side([dC * of_i, dC * of_f, dH * of_o, dC * of_c])
            dH, dC = np.dot(dA_t, W_h_T), dC * F_t
            dA.append(dA_t)
        dA = np.stack(dA[::-1])
        return old(dA, one_product(Hs, dA), dH, dC)


@forward.of_cell("lstm", takes_ids=True)
@defined_when_empty
def lstm_fused(inputs, state, params):
    """Compute what lstm computes, faster; inputs may be token ids (T, n) for one-hot rows."""
    check("lstm", inputs, state, params)
    *weights, W_hq, b_q = params
    if kernel_takes(inputs, state, len(weights[0])):
        Hs, state = kernel("lstm", inputs, state, weights)
        return output_layer(Hs, W_hq, b_q), state
    W_x, W_h, b = map(side_by_side, cells.CELLS["lstm"].by_kind(weights))
    Hs, state = recurrence(LSTMRecurrence, input_product(inputs, W_x, b), [W_h], state)
    return output_layer(Hs, W_hq, b_q), state


FUSED = {"rnn": rnn_fused, "gru": gru_fused, "lstm": lstm_fused}
