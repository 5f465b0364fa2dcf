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
from d2lrnn.mxnet.tensors import defined_when_empty, to_numpy, with_a_row
from d2lrnn.nets import cells, forward

atexit.register(npx.waitall)  # a way back that still runs when Python ends would wait for ever


def is_floating(inputs):
    """Return whether inputs are rows (T, n, d), not ids (T, n)."""
    return inputs.dtype in ("float16", "float32", "float64")


def check(cell, inputs, state, params):
    """Check the arguments of a cell; ids on a GPU are not looked at, which would wait."""
    cells.check_kind(inputs, params)
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


def look_up(ids, table):
    """Return a row of table for each id."""
    return npx.embedding(ids, table, *table.shape, dtype=table.dtype)


def input_product(inputs, W_x, b):
    """Return X W_x + b (T, n, ...) of rows (T, n, d), or of token ids (T, n) by look-up."""
    if is_floating(inputs):
        return biased(np.dot(inputs, W_x), b)
    return biased(look_up(inputs, W_x), b)


def output_layer(Hs, W_hq, b_q):
    """Return the outputs (T * n, q) of hidden states (T, n, h), in the order of time."""
    rows = Hs.reshape(-1, len(W_hq))
    if len(rows) == 0:
        return output_layer(with_a_row(rows), W_hq, b_q)[:0]
    if W_hq.size > Hs.size:
        return biased(np.dot(rows, W_hq), b_q)
    layer = {"num_hidden": len(b_q), "flatten": False}  # oneDNN's, for which W_hq is turned
    return npx.fully_connected(rows, W_hq.T, b_q, **layer)


def recurrence(function, A, weights, state):
    """Return Hs (T, n, h) and the last state, as a Function computes them of A (T, n, ...).

    oneDNN is never given an empty array: it fails, later, and elsewhere.
    """
    if A.size == 0:  # no steps, or no rows
        shape = len(A), *state[0].shape
        return np.zeros(shape, dtype=A.dtype, ctx=A.ctx), tuple(state)
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
    flat = (side.reshape((-1, side.shape[2])) for side in old(lefts, rights))  # copies nothing
    return nd.dot(*flat, transpose_a=True).as_np_ndarray()


def before(first, states):
    """Return the states (T, n, h) before each step, of the first one and those after each.

    For the way ahead: on the way back MXNet runs in a thread that knows no empty arrays.
    """
    return np.concatenate([first[None], states[:-1]])


def side_by_side(parts):
    """Return parts joined along their last axis, where np.concatenate takes ten times as long."""
    return nd.concat(*old(*parts), dim=parts[0].ndim - 1).as_np_ndarray()


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


@forward.of_cell("rnn", takes_ids=True)
@defined_when_empty
def rnn_fused(inputs, state, params):
    """Run a recurrent network over inputs, as rnn does; ids (T, n) will do for their rows."""
    check("rnn", inputs, state, params)
    *weights, W_hq, b_q = params
    if kernel_takes(inputs, state, len(weights[0])):
        Hs, state = kernel("rnn", inputs, state, weights)
        return output_layer(Hs, W_hq, b_q), state
    W_xh, W_hh, b_h = weights
    Hs, state = recurrence(RNNRecurrence, input_product(inputs, W_xh, b_h), [W_hh], state)
    return output_layer(Hs, W_hq, b_q), state


KERNELS = {"rnn": "rnn_tanh", "lstm": "lstm"}  # of npx.rnn, whose GRU is another cell than ours
GATES = {"rnn": "h", "lstm": "ifco"}  # in that order there


def kernel_takes(inputs, state, vocab_size):
    """Return whether npx.rnn can compute this, and faster than our loop does.

    It can in float32. But it multiplies where we look up: ids of a large vocabulary are for us,
    unless there is so little to multiply that our calls from Python take longer.
    """
    num_hiddens = state[0].shape[1]
    if state[0].dtype != "float32" or 0 in inputs.shape:
        return False
    few = vocab_size <= max(num_hiddens // 2, 32) or vocab_size * state[0].size <= 200_000
    return few or is_floating(inputs)


def kernel(cell, inputs, state, weights):
    """Return Hs (T, n, h) and the last state by the one call that MXNet's own layer makes.

    The loop over time is then MXNet's. It takes our parameters, so the gradients are theirs.
    """
    if not is_floating(inputs):
        inputs = npx.one_hot(inputs, len(weights[0]), dtype=weights[0].dtype)
    first, num_hiddens = [np.expand_dims(s, 0) for s in state], state[0].shape[1]
    settings = {"mode": KERNELS[cell], "state_size": num_hiddens, "num_layers": 1}
    Hs, *last = npx.rnn(inputs, packed(cell, weights), *first, state_outputs=True, **settings)
    return Hs, tuple(s[0] for s in last)


def packed(cell, weights):
    """Return a cell's parameters as npx.rnn takes them, in one vector.

    That is all W_x, all W_h, each transposed, all b, and a second bias for each, here of zeros. As
    rows as long as a bias they are joined ten times as fast as vectors are. W_x are joined before
    they are transposed, which saves calls; W_h, larger, after it, which saves time.
    """
    gates, num_hiddens = cells.CELLS[cell].by_gate(weights), len(weights[2])
    W_x, W_h, b = (old(*kind) for kind in zip(*(gates[g] for g in GATES[cell])))
    rows = nd.transpose(nd.concat(*W_x, dim=1)).reshape((-1, num_hiddens))
    biases = nd.stack(*b, *[nd.zeros_like(b[0])] * len(b))
    joined = nd.concat(rows, *map(nd.transpose, W_h), biases, dim=0)
    return joined.reshape((-1,)).as_np_ndarray()


def gates_of_inputs(inputs, weights, biases):
    """Return X W_x + b of each gate, (T, gates, n, h), in which a step's gate is in one piece."""
    if is_floating(inputs):
        return np.stack([biased(np.dot(inputs, W), b) for W, b in zip(weights, biases)], axis=1)
    gate = np.arange(len(weights), dtype=inputs.dtype, ctx=inputs.ctx)[:, None]
    ids = np.expand_dims(inputs, 1) + len(weights[0]) * gate  # (T, gates, n), of all tables in one
    return look_up(ids, np.concatenate(weights)) + look_up(0 * ids + gate, np.stack(biases))


class GRURecurrence(Recurrence):
    """The update of a GRU for every t, A = [A_z, A_r, A_h] = X W_x + b, as (T, 3, n, h).

    MXNet's layer is another GRU, so the loop is ours. A call takes 20 microseconds, so there are
    few, and what they return goes where it is to stay.
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
        of_each = [  # gate, times what arrives at it, which the loop supplies
            (Hs - H_tilde) * slopes(Z),
            Hs * slopes(R),
            (1 - Z) * (1 - H_tilde * H_tilde),
        ]
        dA, dH = nd.zeros_like(gates), dH.copy()
        dRH, from_z, from_r = (nd.zeros_like(dH) for _ in range(3))
        steps = zip(*(list(x) for x in (dHs, Z, R, *of_each, dA)))
        for dH_t, Z_t, R_t, of_z, of_r, of_h, (dA_z, dA_r, dA_h) in reversed(list(steps)):
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
    """Run a GRU over inputs, as gru does; ids (T, n) will do for their rows."""
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
            dA_t = side_by_side([dC * of_i, dC * of_f, dH * of_o, dC * of_c])
            dH, dC = np.dot(dA_t, W_h_T), dC * F_t
            dA.append(dA_t)
        dA = np.stack(dA[::-1])
        return old(dA, one_product(Hs, dA), dH, dC)


@forward.of_cell("lstm", takes_ids=True)
@defined_when_empty
def lstm_fused(inputs, state, params):
    """Run an LSTM over inputs, as lstm does; ids (T, n) will do for their rows."""
    check("lstm", inputs, state, params)
    *weights, W_hq, b_q = params
    if kernel_takes(inputs, state, len(weights[0])):
        Hs, state = kernel("lstm", inputs, state, weights)
        return output_layer(Hs, W_hq, b_q), state
    W_x, W_h, b = map(side_by_side, cells.CELLS["lstm"].by_kind(weights))
    Hs, state = recurrence(LSTMRecurrence, input_product(inputs, W_x, b), [W_h], state)
    return output_layer(Hs, W_hq, b_q), state
