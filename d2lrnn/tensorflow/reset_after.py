"""A fast version of gru_reset_after in TensorFlow, which can replace it; see fused.py.

The reset gate comes after the recurrent product, so that one product H W_h in each step is enough
for all gates. U = H W_hh + b_hh is what the reset gate is multiplied by.
"""

import tensorflow as tf

from d2lrnn.nets import forward
from d2lrnn.tensorflow.fused import before, check, input_product, one_product, output_layer, scan


@tf.custom_gradient
def recurrence(A, H, W_h, b_hh):
    """Return Hs (T, n, h) of gru_reset_after, A = [A_z, A_r, A_h] = X W_x + b, and the last H."""
    n, h = H.shape

    def step(state, given):
        (H,), (A_t,) = state, given
        product = H @ W_h
        ZR = tf.sigmoid(A_t[:, : 2 * h] + product[:, : 2 * h])
        (Z, R), U = (ZR[:, :h], ZR[:, h:]), product[:, 2 * h :] + b_hh
        H_tilde = tf.tanh(A_t[:, 2 * h :] + R * U)  # candidate
        H = Z * H + (1 - Z) * H_tilde
        return (H,), [H, tf.concat([ZR, U, H_tilde], axis=1)]

    (last,), (Hs, gates) = scan(step, (H,), [A], [(n, h), (n, 4 * h)])

    def back(dHs, dH):
        W_h_T, Hs_before = tf.transpose(W_h), before(H, Hs)  # outside of the loop

        def step(d_state, given):
            (dH,), (dH_t, H, gates_t) = d_state, given
            dH, (Z, R, U, H_tilde) = dH + dH_t, tf.split(gates_t, 4, axis=1)
            dA_h = dH * (1 - Z) * (1 - H_tilde**2)
            dA_z, dA_r = dH * (H - H_tilde) * Z * (1 - Z), dA_h * U * R * (1 - R)
            d_product = tf.concat([dA_z, dA_r, dA_h * R], axis=1)
            return (dH * Z + d_product @ W_h_T,), [d_product, dA_h]

        given, shapes = [dHs, Hs_before, gates], [(n, 3 * h), (n, h)]
        (dH,), (d_products, dA_h) = scan(step, (dH,), given, shapes, reverse=True)
        dA = tf.concat([d_products[:, :, : 2 * h], dA_h], axis=2)
        db_hh = tf.reduce_sum(d_products[:, :, 2 * h :], axis=(0, 1))
        return dA, dH, one_product(Hs_before, d_products), db_hh

    return (Hs, last), back


@forward.of_cell("gru_reset_after", takes_ids=True)
def gru_reset_after_fused(inputs, state, params):
    """Compute what gru_reset_after computes, faster; inputs may be token ids (T, n)."""
    inputs, state = check("gru_reset_after", inputs, state, params)
    *weights, b_hh, W_hq, b_q = map(tf.convert_to_tensor, params)
    W_x, W_h, b = (tf.concat(weights[kind::3], axis=-1) for kind in range(3))
    Hs, H = recurrence(input_product(inputs, W_x, b), *state, W_h, b_hh)
    return output_layer(Hs, W_hq, b_q), (H,)


FUSED = {"gru_reset_after": gru_reset_after_fused}
