"""The cells in their concatenated form: one weight matrix per gate, for [H, X] or [X, H].

[H, X] W with W = [W_h; W_x] is H W_h + X W_x: the same cells as in scratch.py, as many tutorials
write them. ``join`` puts H and X side by side in the order asked for.
"""

import functools

import numpy as np

from d2lrnn.nets import concatenated
from d2lrnn.numpy import bptt
from d2lrnn.numpy.bptt import sigmoid
from d2lrnn.numpy.scratch import output_layer, unroll
from d2lrnn.numpy.tensors import concat


def concat_rnn_step(X, state, params, join):
    """Return the state (H,) of a recurrent network after input X."""
    W, b = params
    (H,) = state
    H = np.tanh(join(H, X) @ W + b)
    return (H,)


def concat_gru_step(X, state, params, join):
    """Return the state (H,) of a GRU after input X."""
    W_z, b_z, W_r, b_r, W_h, b_h = params
    (H,) = state
    HX = join(H, X)
    Z = sigmoid(HX @ W_z + b_z)  # update gate
    R = sigmoid(HX @ W_r + b_r)  # reset gate
    H_tilde = np.tanh(join(R * H, X) @ W_h + b_h)  # candidate
    H = Z * H + (1 - Z) * H_tilde
    return (H,)


def concat_lstm_step(X, state, params, join):
    """Return the state (H, C) of an LSTM after input X."""
    W_i, b_i, W_f, b_f, W_o, b_o, W_c, b_c = params
    H, C = state
    HX = join(H, X)
    I = sigmoid(HX @ W_i + b_i)  # input gate
    F = sigmoid(HX @ W_f + b_f)  # forget gate
    O = sigmoid(HX @ W_o + b_o)  # output gate
    C_tilde = np.tanh(HX @ W_c + b_c)  # candidate
    C = F * C + I * C_tilde
    H = O * np.tanh(C)
    return H, C


def run(cell, step, inputs, state, params, order):
    """Run a step over inputs; return all outputs and the last state."""
    concatenated.check(cell, inputs, state, params, order)
    *weights, W_hq, b_q = params

    def join(H, X):
        return concat([H, X] if order == "HX" else [X, H])

    def joined_step(X, state, params):
        return step(X, state, params, join)

    Hs, state = unroll(joined_step, inputs, state, weights)
    return output_layer(Hs, W_hq, b_q), state


def concat_rnn(inputs, state, params, *, order="HX"):
    """Run a recurrent network with params [W, b, W_hq, b_q]."""
    return run("rnn", concat_rnn_step, inputs, state, params, order)


def concat_gru(inputs, state, params, *, order="HX"):
    """Run a GRU with params [W_z, b_z, W_r, b_r, W_h, b_h, W_hq, b_q]."""
    return run("gru", concat_gru_step, inputs, state, params, order)


def concat_lstm(inputs, state, params, *, order="HX"):
    """Run an LSTM with params [W_?, b_? for ? in i, f, o, c, then W_hq, b_q]."""
    return run("lstm", concat_lstm_step, inputs, state, params, order)


def trace(cell, forward_fn, inputs, state, params, *, order="HX"):
    """Return outputs, the last state and a way back, which is that of H W_h + X W_x = [H, X] W."""
    outputs, last = forward_fn(inputs, state, params, order=order)
    summed = concatenated.split_arrays(params, order)

    def back(d_outputs, d_state):
        ends = d_outputs, d_state
        d_inputs, d_first, grads = bptt.backward(cell, inputs, state, summed, *ends)
        return d_inputs, d_first, concatenated.concat_arrays(grads, order)

    return outputs, last, back


# Where d2lrnn/numpy finds the way back.
concat_rnn.trace = functools.partial(trace, "rnn", concat_rnn)
concat_gru.trace = functools.partial(trace, "gru", concat_gru)
concat_lstm.trace = functools.partial(trace, "lstm", concat_lstm)
