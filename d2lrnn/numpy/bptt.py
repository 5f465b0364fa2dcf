"""Backpropagation through time by hand: the reference for every other backend's gradients.

``backward`` is the whole vector-Jacobian product of a cell. It computes in the dtype of its
arguments: the reference hands it float64. The outputs O_t = H_t W_hq + b_q hand each step a
gradient, dO_t W_hqᵀ, and each step hands the one before it another, through H_t: the loops below
run from the last step to the first and add the two (the book's section 9.7).
"""

import numpy as np


def backward(cell, inputs, state, params, d_outputs, d_state):
    """Return (d_inputs, d_state, d_params) of <d_outputs, outputs> + <d_state, last state>.

    Args:
        cell: "rnn", or "mlp" (whose state is ()).
        inputs: (num_steps, batch_size, num_inputs); for "mlp" (batch_size, num_inputs).
        state: the tuple of tensors before the first step.
        params: in the order of get_params.
        d_outputs: the gradient with respect to outputs, of the outputs' shape.
        d_state: that with respect to the last state, a tuple of the state's shapes.

    Raises:
        ValueError: there is no such cell.
    """
    if cell not in BACKWARD:
        raise ValueError(
            f"no gradient is written for {cell!r}; NumPy has no automatic differentiation, "
            f"so forward_fn must be one of {', '.join(BACKWARD)}"
        )
    return BACKWARD[cell](inputs, state, params, d_outputs, d_state)


def mlp_backward(X, state, params, d_outputs, d_state):
    """Go back through the output layer, then through tanh, whose derivative is 1 - H²."""
    W_xh, b_h, W_hq, _ = params
    H = np.tanh(X @ W_xh + b_h)
    dA = (d_outputs @ W_hq.T) * (1 - H**2)  # A is what tanh is taken of
    d_params = [X.T @ dA, dA.sum(0), H.T @ d_outputs, d_outputs.sum(0)]
    return dA @ W_xh.T, state, d_params


def rnn_backward(inputs, state, params, d_outputs, d_state):
    """Go back through the steps of a recurrent network."""
    W_xh, W_hh, b_h, W_hq, b_q = params
    (num_steps, batch_size, _), num_outputs = inputs.shape, len(b_q)
    d_outputs = d_outputs.reshape(num_steps, batch_size, num_outputs)
    Hs = list(state)  # H_0 to H_T
    for X in inputs:
        Hs.append(np.tanh(X @ W_xh + Hs[-1] @ W_hh + b_h))
    d_inputs = np.zeros_like(inputs)
    dW_xh, dW_hh, db_h, dW_hq, db_q = d_params = [np.zeros_like(param) for param in params]
    (dH,) = d_state
    for t in reversed(range(num_steps)):
        X, H_before, H, dO = inputs[t], Hs[t], Hs[t + 1], d_outputs[t]
        dW_hq += H.T @ dO
        db_q += dO.sum(0)
        dA = (dO @ W_hq.T + dH) * (1 - H**2)  # A = X W_xh + H_before W_hh + b_h
        dW_xh += X.T @ dA
        dW_hh += H_before.T @ dA
        db_h += dA.sum(0)
        d_inputs[t] = dA @ W_xh.T
        dH = dA @ W_hh.T
    return d_inputs, (dH,), d_params


BACKWARD = {"mlp": mlp_backward, "rnn": rnn_backward}
