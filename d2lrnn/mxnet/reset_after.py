"""A fast version of gru_reset_after in MXNet, which can replace it; see fused.py.

The reset gate comes after the recurrent product, so that one product H W_h in each step is enough
for all gates. U = H W_hh + b_hh is what the reset gate is multiplied by.
"""

from d2lrnn.mxnet.framework import np
from d2lrnn.mxnet.fused import (
    Recurrence,
    before,
    check,
    columns,
    recurrence,
    sigmoid,
    slopes,
    tanh,
)
from d2lrnn.mxnet.kernel import kernel, kernel_takes
from d2lrnn.mxnet.products import (
    input_product,
    modern,
    old,
    one_product,
    output_layer,
    side_by_side,
)
from d2lrnn.mxnet.tensors import defined_when_empty
from d2lrnn.nets import cells, forward


class ResetAfterRecurrence(Recurrence):
    """The update of gru_reset_after for every t, A = [A_z, A_r, A_h] = X W_x + b."""

    def forward(self, *arguments):
        """Return Hs (T, n, h) and the last H."""
        A, W_h, b_hh, first = modern(arguments)
        H, h, slices = first, first.shape[1], []
        for A_t in A:
            product = np.dot(H, W_h)
            Z, R = columns(sigmoid(A_t[:, : 2 * h] + product[:, : 2 * h]), 2)
            U = product[:, 2 * h :] + b_hh
            H_tilde = tanh(A_t[:, 2 * h :] + R * U)  # candidate
            H = Z * H + (1 - Z) * H_tilde
            slices.append((H, Z, R, U, H_tilde))
        Hs, *gates = map(np.stack, zip(*slices))
        self.keep(before(first, Hs), gates, W_h.T)
        return Hs, H.copy()

    def backward(self, *d_results):
        """Return dA, dW_h, db_hh and the first dH."""
        (dHs, dH), (Hs, (Z, R, U, H_tilde), W_h_T) = modern(d_results), self.give_up()
        of_h = (1 - Z) * (1 - H_tilde * H_tilde)
        of_each = [(Hs - H_tilde) * slopes(Z), of_h * U * slopes(R), of_h * R]
        slices, totals, d_products = zip(*(x[::-1] for x in (dHs, Z, *of_each))), [], []
        for dH_t, Z_t, *factors in slices:
            dH = dH + dH_t
            totals.append(dH)
            d_products.append(side_by_side([dH * factor for factor in factors]))
            dH = dH * Z_t + np.dot(d_products[-1], W_h_T)
        d_product, dA_h = np.stack(d_products[::-1]), np.stack(totals[::-1]) * of_h
        h = dH.shape[1]
        dA = side_by_side([d_product[:, :, : 2 * h], dA_h])
        return old(dA, one_product(Hs, d_product), d_product[:, :, 2 * h :].sum((0, 1)), dH)


@forward.of_cell("gru_reset_after", takes_ids=True)
@defined_when_empty
def gru_reset_after_fused(inputs, state, params):
    """Compute what gru_reset_after computes, faster; inputs may be token ids (T, n)."""
    check("gru_reset_after", inputs, state, params)
    *weights, W_hq, b_q = params
    if kernel_takes(inputs, state, len(weights[0])):
        Hs, state = kernel("gru_reset_after", inputs, state, weights)
        return output_layer(Hs, W_hq, b_q), state
    W_x, W_h, b = map(side_by_side, cells.CELLS["gru_reset_after"].by_kind(weights))
    A = input_product(inputs, W_x, b)
    Hs, state = recurrence(ResetAfterRecurrence, A, [W_h, weights[-1]], state)
    return output_layer(Hs, W_hq, b_q), state


FUSED = {"gru_reset_after": gru_reset_after_fused}
