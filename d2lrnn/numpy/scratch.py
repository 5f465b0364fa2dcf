"""The equations in NumPy (the book's sections 9.4, 9.5, 10.1 and 10.2).

A cell is a step: it computes the new state from the input X (n, d) and the state before. ``unroll``
runs a step over time; ``output_layer`` computes the outputs from the hidden states.
"""

import numpy as np

from d2lrnn.nets import cells, forward, kinds
from d2lrnn.numpy.tensors import sigmoid


def mlp(X, params):
    """Compute a network without hidden states: one hidden layer, one output layer."""
    kinds.check_backend("numpy", X=[X], params=params)
    cells.check_mlp(X, params)
    W_xh, b_h, W_hq, b_q = params
    H = np.tanh(X @ W_xh + b_h)  # (n, h)
    return H @ W_hq + b_q  # (n, q)


def unroll(step, inputs, state, params):
    """Run a step over time; return the hidden states of all steps and the last state."""
    Hs = []
    for X in inputs:  # X: (batch_size, num_inputs)
        state = step(X, state, params)
        Hs.append(state[0])
    return np.stack(Hs) if Hs else np.zeros_like(state[0][None][:0]), state  # (T, n, h)


def output_layer(Hs, W_hq, b_q):
    """Return the outputs (T * n, q) of hidden states (T, n, h), ordered by time step."""
    return Hs.reshape(-1, len(W_hq)) @ W_hq + b_q


# The recurrent network


def rnn_step(X, state, params):
    """Return the state (H,) of a recurrent network after input X."""
    W_xh, W_hh, b_h = params
    (H,) = state
    H = np.tanh(X @ W_xh + H @ W_hh + b_h)
    return (H,)


@forward.of_cell("rnn")
def rnn(inputs, state, params):
    """Run a recurrent network over inputs; return all outputs and the last state."""
    cells.check("rnn", inputs, state, params)
    *weights, W_hq, b_q = params
    Hs, state = unroll(rnn_step, inputs, state, weights)
    return output_layer(Hs, W_hq, b_q), state


# The gated recurrent unit


def gru_step(X, state, params):
    """Return the state (H,) of a GRU after input X."""
    W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h = params
    (H,) = state
    Z = sigmoid(X @ W_xz + H @ W_hz + b_z)  # update gate
    R = sigmoid(X @ W_xr + H @ W_hr + b_r)  # reset gate
    H_tilde = np.tanh(X @ W_xh + (R * H) @ W_hh + b_h)  # candidate
    H = Z * H + (1 - Z) * H_tilde
    return (H,)


def gru_reset_after_step(X, state, params):
    """Return the state (H,) of a GRU whose reset gate comes after the product, as in cuDNN."""
    W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h, b_hh = params
    (H,) = state
    Z = sigmoid(X @ W_xz + H @ W_hz + b_z)  # update gate
    R = sigmoid(X @ W_xr + H @ W_hr + b_r)  # reset gate
    H_tilde = np.tanh(X @ W_xh + R * (H @ W_hh + b_hh) + b_h)  # candidate
    H = Z * H + (1 - Z) * H_tilde
    return (H,)


@forward.of_cell("gru")
def gru(inputs, state, params):
    """Run a GRU over inputs; return all outputs and the last state."""
    cells.check("gru", inputs, state, params)
    *weights, W_hq, b_q = params
    Hs, state = unroll(gru_step, inputs, state, weights)
    return output_layer(Hs, W_hq, b_q), state


@forward.of_cell("gru_reset_after")
def gru_reset_after(inputs, state, params):
    """Run gru_reset_after_step over inputs; return all outputs and the last state."""
    cells.check("gru_reset_after", inputs, state, params)
    *weights, W_hq, b_q = params
    Hs, state = unroll(gru_reset_after_step, inputs, state, weights)
    return output_layer(Hs, W_hq, b_q), state


# Long short-term memory


def lstm_step(X, state, params):
    """Return the state (H, C) of an LSTM after input X."""
    W_xi, W_hi, b_i, W_xf, W_hf, b_f, W_xo, W_ho, b_o, W_xc, W_hc, b_c = params
    H, C = state
    I = sigmoid(X @ W_xi + H @ W_hi + b_i)  # input gate
    F = sigmoid(X @ W_xf + H @ W_hf + b_f)  # forget gate
    O = sigmoid(X @ W_xo + H @ W_ho + b_o)  # output gate
    C_tilde = np.tanh(X @ W_xc + H @ W_hc + b_c)  # candidate
    C = F * C + I * C_tilde
    H = O * np.tanh(C)
    return H, C


@forward.of_cell("lstm")
def lstm(inputs, state, params):
    """Run an LSTM over inputs; return all outputs and the last state."""
    cells.check("lstm", inputs, state, params)
    *weights, W_hq, b_q = params
    Hs, state = unroll(lstm_step, inputs, state, weights)
    return output_layer(Hs, W_hq, b_q), state


STEP_FUNCTIONS = {
    "rnn": rnn_step,
    "gru": gru_step,
    "gru_reset_after": gru_reset_after_step,
    "lstm": lstm_step,
}
FORWARD = {"rnn": rnn, "gru": gru, "gru_reset_after": gru_reset_after, "lstm": lstm}
