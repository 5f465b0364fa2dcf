"""A fast version of gru_reset_after in NumPy, which can replace it; see fused.py.

The reset gate comes after the recurrent product, so that one product H W_h in each step is enough
for all gates. U = H W_hh + b_hh is what the reset gate is multiplied by.
"""

import functools

import numpy as np

from d2lrnn.nets import cells, forward
from d2lrnn.numpy.fused import (
    HALF,
    activate,
    one_product,
    slope_of_tanh,
    slopes,
    split,
    starting_with,
    trace,
)


def recurrence(As, state, W_h, b_hh):
    """Run gru_reset_after for As = [A_z, A_r and A_h side by side]; see fused.rnn_recurrence."""
    (gates,), h = As, len(W_h)
    ZR, H_tilde = gates[..., : 2 * h], gates[..., 2 * h :]
    Hs, U, product = starting_with(*state, len(gates)), *empty_arrays(gates, h)
    for ZR_t, H_tilde_t, U_t, H, H_new in zip(ZR, H_tilde, U, Hs, Hs[1:]):
        np.matmul(H, W_h, out=product)
        ZR_t += product[:, : 2 * h]
        activate(ZR_t, HALF)  # update gate and reset gate
        Z, R = split(ZR_t, h)
        np.add(product[:, 2 * h :], b_hh, out=U_t)
        H_tilde_t += np.multiply(R, U_t, out=H_new)
        np.tanh(H_tilde_t, out=H_tilde_t)  # candidate
        np.subtract(H, H_tilde_t, out=H_new)
        H_new *= Z
        H_new += H_tilde_t  # Z * H + (1 - Z) * H_tilde

    def back(dHs, d_state):
        # For each step, [dA_z, dA_r, dU] / dH, which the loop multiplies by dH
        d_products, totals, (dH,) = np.empty_like(gates), np.empty_like(U), d_state
        Z, R, _ = split(gates, h)
        slopes(ZR, out=d_products[..., : 2 * h])
        of_z, of_r, of_u = split(d_products, h)
        of_h = slope_of_tanh(H_tilde, np.empty_like(U)) * (1 - Z)
        of_z *= Hs[:-1] - H_tilde
        of_r *= U * of_h
        np.multiply(R, of_h, out=of_u)
        W_h_T, dH = W_h.T.copy(), dH.copy()
        by_gate = d_products.reshape(*U.shape[:2], 3, h)
        arrays = (dHs, Z, by_gate, d_products, totals)
        for dH_t, Z_t, by_gate_t, d_product, total in zip(*(part[::-1] for part in arrays)):
            np.add(dH, dH_t, out=total)  # from the output of this step, and from the step after it
            by_gate_t *= total[:, None]
            np.matmul(d_product, W_h_T, out=dH)
            dH += total * Z_t
        d_weights = [one_product(Hs[:-1], d_products), of_u.sum((0, 1))]
        of_h *= totals
        return [np.concatenate([d_products[..., : 2 * h], of_h], axis=2)], (dH,), d_weights

    return Hs, (Hs[-1],), back


def empty_arrays(gates, h):
    """Return uninitialized arrays for U of all steps (T, n, h), and for one product (n, 3h)."""
    return np.empty((*gates.shape[:2], h), gates.dtype), np.empty(gates.shape[1:], gates.dtype)


def joined(params):
    """Return W_x, b and [W_h, b_hh], the weights and biases of all gates side by side."""
    W_x, W_h, b = map(np.hstack, cells.CELLS["gru_reset_after"].by_kind(params))
    return [W_x], [b], [W_h, params[-1]]


gru_reset_after_trace = functools.partial(trace, "gru_reset_after", joined, recurrence)


@forward.of_cell("gru_reset_after", takes_ids=True, trace=gru_reset_after_trace)
def gru_reset_after_fused(inputs, state, params):
    """Compute what gru_reset_after computes, faster; inputs may be token ids (T, n)."""
    return gru_reset_after_trace(inputs, state, params)[:2]


FUSED = {"gru_reset_after": gru_reset_after_fused}
