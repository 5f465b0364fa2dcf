"""Fast versions of the cells of scratch.py in TensorFlow, which can replace rnn, gru and lstm.

The inputs of all steps are multiplied in one product before the loop, and the hidden states of all
steps in one product after it; TensorFlow differentiates both. The loop between them is a recurrence
whose backward pass is written by hand (``tf.custom_gradient``): the gradient of its weights is one
product for all steps, where a tape adds up one product per step. The loop is a ``tf.while_loop``:
within a training step, XLA compiles its body once for any number of steps. ``A`` is the argument of
a sigmoid or tanh; sigmoid' = S (1 - S), tanh' = 1 - T².
"""

import tensorflow as tf

from d2lrnn import checks
from d2lrnn.nets import cells, forward
from d2lrnn.tensorflow import contexts, sizes
from d2lrnn.tensorflow.tensors import has_values, state_tensors, to_numpy


def check(cell, inputs, state, params):
    """Check the arguments of a cell, and return its inputs and state."""
    cells.check_kind(inputs, params)
    rows = inputs.dtype.is_floating
    (cells.check if rows else cells.check_ids)(cell, inputs, state, params)
    contexts.check_graph(inputs, *state, *params)
    state, vocab_size = sizes.aligned(inputs, state_tensors(state)), params[0].shape[0]
    if not rows and has_values(inputs):
        checks.tokens(to_numpy(inputs), vocab_size)
    elif not rows:
        inputs, zero = contexts.traced_ids(inputs, vocab_size, state[0].dtype)
        state = tuple(part + zero for part in state)
    return inputs, state


def input_product(inputs, W_x, b):
    """Return X W_x + b (T, n, ...) for rows (T, n, d), or by lookup for token ids (T, n)."""
    if inputs.dtype.is_floating:
        T, n, d = sizes.shape_of(inputs)
        return tf.reshape(tf.reshape(inputs, (-1, d)) @ W_x, (T, n, W_x.shape[1])) + b
    return look_up(W_x, tf.cast(inputs, tf.int32)) + b


@tf.custom_gradient
def look_up(table, ids):
    """Return the row of table (V, m) for each id, which equals its one-hot row times the table."""

    def back(d_rows):
        rows = tf.reshape(d_rows, (-1, table.shape[1]))
        sums = tf.math.unsorted_segment_sum(rows, tf.reshape(ids, (-1,)), table.shape[0])
        return sums, None

    return tf.gather(table, ids), back


def output_layer(Hs, W_hq, b_q):
    """Return the outputs (T * n, q) of hidden states (T, n, h), ordered by time step."""
    return tf.reshape(Hs, (-1, W_hq.shape[0])) @ W_hq + b_q


def one_product(lefts, rights):
    """Return the sum over all steps of left.T @ right, (T, n, k) and (T, n, m) as (k, m)."""
    left, right = (tf.reshape(x, (-1, x.shape[2])) for x in (lefts, rights))
    return tf.matmul(left, right, transpose_a=True)


def before(first, states):
    """Return the states (T, n, h) before each step, given the first and those after each step."""
    return tf.concat([first[None], states], axis=0)[:-1]


def scan(step, carried, inputs, shapes, *, reverse=False):
    """Call step(carried, inputs at t) -> (carried, results at t) for every t.

    Args:
        step: the function; carried and inputs are tuples, the results are a list.
        carried: the tensors with which the first step is called.
        inputs: tensors (T, n, ...).
        shapes: the shapes (n, ...) of the results of a step.
        reverse: whether to go from the last step to the first.

    Returns:
        The carried tensors after the last step, and the results of all steps, each (T, n, ...).
    """
    num_steps, dtype = sizes.size(inputs[0], 0), carried[0].dtype
    results = tuple(tf.TensorArray(dtype, num_steps, element_shape=shape) for shape in shapes)

    def body(count, carried, results):
        t = num_steps - 1 - count if reverse else count
        after, new = step(carried, [x[t] for x in inputs])
        carried = tuple(map(sizes.like, after, carried))
        return count + 1, carried, tuple(r.write(t, x) for r, x in zip(results, new))

    start = tf.constant(0), tuple(carried), results
    _, carried, results = tf.while_loop(lambda count, *_: count < num_steps, body, start)
    n = sizes.size(carried[0], 0)
    return carried, [sizes.stacked(r, num_steps, (n, *s[1:])) for r, s in zip(results, shapes)]


# The recurrent network


@tf.custom_gradient
def rnn_recurrence(A, H, W_hh):
    """Return Hs (T, n, h), H_t = tanh(A_t + H_{t-1} W_hh), and the last H."""

    def step(state, given):
        (H,), (A_t,) = state, given
        H = tf.tanh(A_t + H @ W_hh)
        return (H,), [H]

    (last,), (Hs,) = scan(step, (H,), [A], [H.shape])

    def back(dHs, dH):
        W_hh_T = tf.transpose(W_hh)  # outside of the loop

        def step(d_state, given):
            (dH,), (dH_t, H_t) = d_state, given
            dA_t = (dH + dH_t) * (1 - H_t**2)  # from the step after it, and from its output
            return (dA_t @ W_hh_T,), [dA_t]

        (dH,), (dA,) = scan(step, (dH,), [dHs, Hs], [H.shape], reverse=True)
        return dA, dH, one_product(before(H, Hs), dA)

    return (Hs, last), back


@forward.of_cell("rnn", takes_ids=True)
def rnn_fused(inputs, state, params):
    """Compute what rnn computes, faster; inputs may be token ids (T, n) for one-hot rows."""
    inputs, state = check("rnn", inputs, state, params)
    W_xh, W_hh, b_h, W_hq, b_q = map(tf.convert_to_tensor, params)
    Hs, H = rnn_recurrence(input_product(inputs, W_xh, b_h), *state, W_hh)
    return output_layer(Hs, W_hq, b_q), (H,)


# The gated recurrent unit


@tf.custom_gradient
def gru_recurrence(A, H, W_hzr, W_hh):
    """Return Hs (T, n, h) of a GRU, A = [A_z, A_r, A_h] = X W_x + b, and the last H."""
    n, h = H.shape

    def step(state, given):
        (H,), (A_t,) = state, given
        ZR = tf.sigmoid(A_t[:, : 2 * h] + H @ W_hzr)
        Z, R = ZR[:, :h], ZR[:, h:]
        H_tilde = tf.tanh(A_t[:, 2 * h :] + (R * H) @ W_hh)  # candidate
        H = Z * H + (1 - Z) * H_tilde
        return (H,), [H, ZR, H_tilde]

    (last,), (Hs, ZRs, H_tildes) = scan(step, (H,), [A], [(n, h), (n, 2 * h), (n, h)])

    def back(dHs, dH):
        W_hzr_T, W_hh_T = tf.transpose(W_hzr), tf.transpose(W_hh)  # outside of the loop

        def step(d_state, given):
            (dH,), (dH_t, H, ZR, H_tilde) = d_state, given
            dH, Z, R = dH + dH_t, ZR[:, :h], ZR[:, h:]
            dA_h = dH * (1 - Z) * (1 - H_tilde**2)
            dRH = dA_h @ W_hh_T
            dA_zr = tf.concat([dH * (H - H_tilde) * Z * (1 - Z), dRH * H * R * (1 - R)], axis=1)
            dH = dH * Z + dRH * R + dA_zr @ W_hzr_T
            return (dH,), [dA_zr, dA_h]

        Hs_before = before(H, Hs)
        given, shapes = [dHs, Hs_before, ZRs, H_tildes], [(n, 2 * h), (n, h)]
        (dH,), (dA_zr, dA_h) = scan(step, (dH,), given, shapes, reverse=True)
        dW_hzr, dW_hh = one_product(Hs_before, dA_zr), one_product(ZRs[:, :, h:] * Hs_before, dA_h)
        return tf.concat([dA_zr, dA_h], axis=2), dH, dW_hzr, dW_hh

    return (Hs, last), back


@forward.of_cell("gru", takes_ids=True)
def gru_fused(inputs, state, params):
    """Compute what gru computes, faster; inputs may be token ids (T, n) for one-hot rows."""
    inputs, state = check("gru", inputs, state, params)
    W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h, W_hq, b_q = map(tf.convert_to_tensor, params)
    W_x, b = tf.concat([W_xz, W_xr, W_xh], axis=1), tf.concat([b_z, b_r, b_h], axis=0)
    A, W_hzr = input_product(inputs, W_x, b), tf.concat([W_hz, W_hr], axis=1)
    Hs, H = gru_recurrence(A, *state, W_hzr, W_hh)
    return output_layer(Hs, W_hq, b_q), (H,)


# Long short-term memory


@tf.custom_gradient
def lstm_recurrence(A, H, C, W_h):
    """Return Hs (T, n, h) of an LSTM, A = [A_i, A_f, A_o, A_c] = X W_x + b, the last H and C."""
    n, h = H.shape

    def step(state, given):
        (H, C), (A_t,) = state, given
        A_t = A_t + H @ W_h
        I, F, O = tf.split(tf.sigmoid(A_t[:, : 3 * h]), 3, axis=1)
        C_tilde = tf.tanh(A_t[:, 3 * h :])  # candidate
        C = F * C + I * C_tilde
        T = tf.tanh(C)
        H = O * T
        return (H, C), [H, C, tf.concat([I, F, O, C_tilde, T], axis=1)]

    last, (Hs, Cs, gates) = scan(step, (H, C), [A], [(n, h), (n, h), (n, 5 * h)])

    def back(dHs, dH, dC):
        W_h_T = tf.transpose(W_h)  # outside of the loop

        def step(d_state, given):
            (dH, dC), (dH_t, C, gates_t) = d_state, given
            I, F, O, C_tilde, T = tf.split(gates_t, 5, axis=1)
            dH = dH + dH_t
            dC = dC + dH * O * (1 - T**2)
            dA_t = [
                dC * C_tilde * I * (1 - I),
                dC * C * F * (1 - F),
                dH * T * O * (1 - O),
                dC * I * (1 - C_tilde**2),
            ]
            dA_t = tf.concat(dA_t, axis=1)
            return (dA_t @ W_h_T, dC * F), [dA_t]

        given = [dHs, before(C, Cs), gates]
        (dH, dC), (dA,) = scan(step, (dH, dC), given, [(n, 4 * h)], reverse=True)
        return dA, dH, dC, one_product(before(H, Hs), dA)

    return (Hs, *last), back


@forward.of_cell("lstm", takes_ids=True)
def lstm_fused(inputs, state, params):
    """Compute what lstm computes, faster; inputs may be token ids (T, n) for one-hot rows."""
    inputs, state = check("lstm", inputs, state, params)
    *weights, W_hq, b_q = map(tf.convert_to_tensor, params)
    W_x, W_h, b = (tf.concat(kind, axis=-1) for kind in cells.CELLS["lstm"].by_kind(weights))
    Hs, *state = lstm_recurrence(input_product(inputs, W_x, b), *state, W_h)
    return output_layer(Hs, W_hq, b_q), tuple(state)


FUSED = {"rnn": rnn_fused, "gru": gru_fused, "lstm": lstm_fused}
