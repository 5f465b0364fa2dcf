"""Backpropagation through time by hand: the reference for every other backend's gradients.

``backward`` is the vector-Jacobian product of a cell. It computes in the dtype of its arguments,
which is float64 when it serves as the reference. Each hidden state receives a gradient from two
places: from the output of its step, and from the state of the step after it. The loops below run
from the last step to the first and add the two (the book's section 9.7).

For each cell there are two functions: a step that also returns a cache, the intermediate results
that its gradient needs, and the backward pass of the step. ``A`` is the argument of a sigmoid or
tanh; sigmoid' = S (1 - S), tanh' = 1 - T².
"""

import numpy as np

from d2lrnn.nets import cells
from d2lrnn.nets.cells import CELLS
from d2lrnn.nets.layers import spread
from d2lrnn.numpy import bptt_linear
from d2lrnn.numpy.tensors import sigmoid


def backward(cell, inputs, state, params, d_outputs, d_state):
    """Return (d_inputs, d_state, d_params) of <d_outputs, outputs> + <d_state, last state>.

    Args:
        cell: the name of a cell or a cells.Architecture.
        inputs: (num_steps, batch_size, num_inputs).
        state: the tuple of tensors before the first step.
        params: the parameters in the order of get_params.
        d_outputs: the gradient with respect to the outputs, of the shape of the outputs.
        d_state: the gradient with respect to the last state, a tuple of the shapes of the state.

    Raises:
        ValueError: the cell is not known.
    """
    architecture = cells.Architecture(cell) if isinstance(cell, str) else cell
    _, _, tape = forward(architecture, inputs, state, params)
    return go_back(architecture, tape, params, d_outputs, d_state)


def forward(architecture, inputs, state, params):
    """Return the outputs (T * n, q), the last state, and a tape for the backward pass."""
    *weights, W_hq, b_q = params
    Hs, last, tape = run_layers(architecture, inputs, state, weights)
    return output_layer(Hs, W_hq, b_q), last, (tape, Hs)


def go_back(architecture, tape, params, d_outputs, d_state):
    """Compute the backward pass of forward from its tape: (d_inputs, d_state, d_params)."""
    *weights, W_hq, _ = params
    tape, Hs = tape
    dHs = (d_outputs @ W_hq.T).reshape(Hs.shape)
    d_inputs, d_first, d_weights = layers_back(architecture, tape, weights, dHs, d_state)
    return (
        d_inputs,
        d_first,
        [*d_weights, Hs.reshape(-1, len(W_hq)).T @ d_outputs, d_outputs.sum(0)],
    )


def output_layer(Hs, W_hq, b_q):
    """Return the outputs (T * n, q) of hidden states (T, n, h), ordered by time step."""
    return Hs.reshape(-1, len(W_hq)) @ W_hq + b_q


def run_layers(architecture, inputs, state, weights, mask=None):
    """Return the last layer's hidden states (T, n, directions * h), the last state and a tape.

    Where the mask (T, n, 1) is 0, the state does not change.
    """
    step, Hs, last, tape = STEP_FUNCTIONS[architecture.cell], inputs, (), []
    for directions in architecture.layers(weights, state):
        outputs = []
        for order, (params, before) in zip(ORDERS, directions):
            ordered = None if mask is None else mask[order]
            out, after, saved = run(step, Hs[order], tuple(before), params, ordered)
            outputs.append(out[order])
            last += after
            tape.append(saved)
        Hs = np.concatenate(outputs, axis=2)  # (T, n, num_directions * h)
    return Hs, last, tape


def layers_back(architecture, tape, weights, dHs, d_state):
    """Compute the backward pass of run_layers from its tape: (d_inputs, d_state, d_weights)."""
    tape, d_first, d_weights = list(tape), [], []
    layers = list(architecture.layers(weights, d_state))
    for directions in reversed(layers):
        d_inputs, states, grads = 0, [], []
        parts = np.split(dHs, len(directions), axis=2)
        saved = [tape.pop() for _ in directions][::-1]
        for order, part, cache, (param, d_last) in zip(ORDERS, parts, saved, directions):
            d_in, d_before, grad, _ = run_back(
                architecture.cell, cache, param, part[order], tuple(d_last)
            )
            d_inputs = d_inputs + d_in[order]
            states += d_before
            grads += grad
        dHs, d_first, d_weights = d_inputs, states + d_first, grads + d_weights
    return dHs, tuple(d_first), d_weights


ORDERS = (slice(None), slice(None, None, -1))  # first to last step, and last to first


def run(step, inputs, state, params, mask=None):
    """Run a cell over time; return hidden states (T, n, h), the last state and a cache."""
    Hs, tape = np.empty((len(inputs), *state[0].shape), inputs.dtype), []
    for t, X in enumerate(inputs):
        m = None if mask is None else mask[t]
        state, cache = masked_step(step, X, m, state, params)
        Hs[t] = state[0]
        tape.append(cache)
    return Hs, state, (inputs, mask, tape)


def run_back(cell, cache, params, dHs, d_state):
    """Compute the backward pass of run: d_inputs, d_state of the first step, d_params, dL/dH_t."""
    inputs, mask, tape = cache
    d_inputs, totals = np.zeros_like(inputs), np.zeros_like(dHs)
    d_params = [np.zeros_like(param) for param in params]
    for t in reversed(range(len(tape))):
        totals[t] = dHs[t] + d_state[0]  # from the output of this step, and from the step after it
        m, d_after = None if mask is None else mask[t], (totals[t], *d_state[1:])
        d_inputs[t], d_state = masked_back(cell, tape[t], m, params, d_after, d_params)
    return d_inputs, d_state, d_params, totals


def masked_step(step, X, m, state, params):
    """Compute one step; where the mask m (n, 1) is 0, the state does not change."""
    after, cache = step(X, state, params)
    if m is not None:
        masks = [spread(m, old) for old in state]
        after = tuple(m * new + (1 - m) * old for m, new, old in zip(masks, after, state))
    return after, cache


def masked_back(cell, cache, m, params, d_state, d_params):
    """Compute the backward pass of masked_step: where m is 0, the gradient skips the step."""
    if m is None:
        return BACK[cell](cache, params, d_state, d_params)
    masks = [spread(m, d) for d in d_state]
    d_after = tuple(m * d for m, d in zip(masks, d_state))
    dX, d_before = BACK[cell](cache, params, d_after, d_params)
    return dX, tuple(d + (1 - m) * past for m, d, past in zip(masks, d_before, d_state))


def gate_back(dA, X, H, gate, d_gate):
    """Compute the backward pass of A = X W_x + H W_h + b: add to d_gate, and return dX and dH.

    dW_x = X^T dA, dW_h = H^T dA, db = the sum of the rows of dA; dX = dA W_x^T, dH = dA W_h^T.
    """
    W_x, W_h, _ = gate
    dW_x, dW_h, db = d_gate
    dW_x += X.T @ dA
    dW_h += H.T @ dA
    db += dA.sum(0)
    return dA @ W_x.T, dA @ W_h.T


def rnn_step(X, state, params):
    """Compute one step; cache X, the state before and the state after."""
    W_xh, W_hh, b_h = params
    (H,) = state
    H_new = np.tanh(X @ W_xh + H @ W_hh + b_h)
    return (H_new,), (X, H, H_new)


def rnn_back(cache, params, d_state, d_params):
    """Compute the backward pass of one step, H_new = tanh(A): dA = dH_new (1 - H_new²)."""
    X, H, H_new = cache
    (dH_new,) = d_state
    W, dW = (CELLS["rnn"].by_gate(tensors) for tensors in (params, d_params))
    dX, dH = gate_back(dH_new * (1 - H_new**2), X, H, W["h"], dW["h"])
    return dX, (dH,)


def gru_step(X, state, params):
    """Compute one step; cache X, H and the gates."""
    W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h = params
    (H,) = state
    Z = sigmoid(X @ W_xz + H @ W_hz + b_z)
    R = sigmoid(X @ W_xr + H @ W_hr + b_r)
    H_tilde = np.tanh(X @ W_xh + (R * H) @ W_hh + b_h)
    return (Z * H + (1 - Z) * H_tilde,), (X, H, Z, R, H_tilde)


def gru_back(cache, params, d_state, d_params):
    """Compute the backward pass of one step, H_new = Z H + (1 - Z) H_tilde; H_tilde uses R H.

    dA_h = dH_new (1 - Z) (1 - H_tilde²), d(R H) = dA_h W_hh^T,
    dA_z = dH_new (H - H_tilde) Z (1 - Z), dA_r = d(R H) H R (1 - R),
    dH = dH_new Z + d(R H) R + dA_z W_hz^T + dA_r W_hr^T.
    """
    X, H, Z, R, H_tilde = cache
    (dH_new,) = d_state
    W, dW = (CELLS["gru"].by_gate(tensors) for tensors in (params, d_params))
    dX_h, dRH = gate_back(dH_new * (1 - Z) * (1 - H_tilde**2), X, R * H, W["h"], dW["h"])
    dX_z, dH_z = gate_back(dH_new * (H - H_tilde) * Z * (1 - Z), X, H, W["z"], dW["z"])
    dX_r, dH_r = gate_back(dRH * H * R * (1 - R), X, H, W["r"], dW["r"])
    return dX_h + dX_z + dX_r, (dH_new * Z + dRH * R + dH_z + dH_r,)


def gru_reset_after_step(X, state, params):
    """Compute one step; cache X, H, the gates, and U, to which the reset gate is applied."""
    W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h, b_hh = params
    (H,) = state
    Z = sigmoid(X @ W_xz + H @ W_hz + b_z)
    R = sigmoid(X @ W_xr + H @ W_hr + b_r)
    U = H @ W_hh + b_hh
    H_tilde = np.tanh(X @ W_xh + R * U + b_h)
    return (Z * H + (1 - Z) * H_tilde,), (X, H, Z, R, H_tilde, U)


def gru_reset_after_back(cache, params, d_state, d_params):
    """Compute the backward pass of one step as gru_back, but with R U, U = H W_hh + b_hh.

    dA_h = dH_new (1 - Z) (1 - H_tilde²), dU = dA_h R, dA_r = dA_h U R (1 - R),
    dH = dH_new Z + dU W_hh^T + dA_z W_hz^T + dA_r W_hr^T.
    """
    X, H, Z, R, H_tilde, U = cache
    (dH_new,) = d_state
    cell = CELLS["gru_reset_after"]
    W, dW = (cell.by_gate(tensors) for tensors in (params, d_params))
    dA_h = dH_new * (1 - Z) * (1 - H_tilde**2)
    dU = dA_h * R
    dW["h"].W_x[...] += X.T @ dA_h
    dW["h"].W_h[...] += H.T @ dU
    dW["h"].b[...] += dA_h.sum(0)
    cell.named(d_params)["b_hh"][...] += dU.sum(0)
    dX_z, dH_z = gate_back(dH_new * (H - H_tilde) * Z * (1 - Z), X, H, W["z"], dW["z"])
    dX_r, dH_r = gate_back(dA_h * U * R * (1 - R), X, H, W["r"], dW["r"])
    return dA_h @ W["h"].W_x.T + dX_z + dX_r, (dH_new * Z + dU @ W["h"].W_h.T + dH_z + dH_r,)


def lstm_step(X, state, params):
    """Compute one step; cache X, H, C, the gates and tanh of the new C."""
    W_xi, W_hi, b_i, W_xf, W_hf, b_f, W_xo, W_ho, b_o, W_xc, W_hc, b_c = params
    H, C = state
    I = sigmoid(X @ W_xi + H @ W_hi + b_i)
    F = sigmoid(X @ W_xf + H @ W_hf + b_f)
    O = sigmoid(X @ W_xo + H @ W_ho + b_o)
    C_tilde = np.tanh(X @ W_xc + H @ W_hc + b_c)
    C_new = F * C + I * C_tilde
    T = np.tanh(C_new)
    return (O * T, C_new), (X, H, C, I, F, O, C_tilde, T)


def lstm_back(cache, params, d_state, d_params):
    """Compute the backward pass of H_new = O tanh(C_new), C_new = F C + I C_tilde.

    dH_new O (1 - tanh(C_new)²) is added to dC_new; dA_i = dC_new C_tilde I (1 - I),
    dA_f = dC_new C F (1 - F), dA_o = dH_new tanh(C_new) O (1 - O),
    dA_c = dC_new I (1 - C_tilde²), dC = dC_new F.
    """
    X, H, C, I, F, O, C_tilde, T = cache  # T = tanh(C_new)
    dH_new, dC_new = d_state
    dC_new = dC_new + dH_new * O * (1 - T**2)
    W, dW = (CELLS["lstm"].by_gate(tensors) for tensors in (params, d_params))
    dA = {
        "i": dC_new * C_tilde * I * (1 - I),
        "f": dC_new * C * F * (1 - F),
        "o": dH_new * T * O * (1 - O),
        "c": dC_new * I * (1 - C_tilde**2),
    }
    ends = [gate_back(dA[gate], X, H, W[gate], dW[gate]) for gate in dA]
    return sum(dX for dX, _ in ends), (sum(dH for _, dH in ends), dC_new * F)


STEP_FUNCTIONS = {
    "rnn": rnn_step,
    "gru": gru_step,
    "gru_reset_after": gru_reset_after_step,
    "lstm": lstm_step,
    **bptt_linear.STEPS,
}
BACK = {
    "rnn": rnn_back,
    "gru": gru_back,
    "gru_reset_after": gru_reset_after_back,
    "lstm": lstm_back,
    **bptt_linear.BACK,
}
