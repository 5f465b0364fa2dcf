"""A fast version of gru_reset_after in JAX, which can replace it; see fused.py.

The reset gate comes after the recurrent product, so that one product H W_h in each step is enough
for all gates. U = H W_hh + b_hh is what the reset gate is multiplied by.
"""

import jax
import jax.numpy as jnp

from d2lrnn.jax.fused import before, check, input_product, one_product, output_layer
from d2lrnn.nets import forward


@jax.custom_vjp
def recurrence(A, H, W_h, b_hh):
    """Return Hs (T, n, h) of gru_reset_after, A = [A_z, A_r, A_h] = X W_x + b, and the last H."""
    return ahead(A, H, W_h, b_hh)[0]


def ahead(A, H, W_h, b_hh):
    """Run the recurrence; return the results, and a cache for the backward pass."""
    h = H.shape[1]

    def step(H, A_t):
        product = H @ W_h
        Z, R = jnp.split(jax.nn.sigmoid(A_t[:, : 2 * h] + product[:, : 2 * h]), 2, axis=1)
        U = product[:, 2 * h :] + b_hh
        H_tilde = jnp.tanh(A_t[:, 2 * h :] + R * U)  # candidate
        H = Z * H + (1 - Z) * H_tilde
        return H, (H, Z, R, U, H_tilde)

    last, (Hs, *gates) = jax.lax.scan(step, H, A)
    return (Hs, last), (before(H, Hs), gates, W_h)


def back(cache, d_results):
    """Return dA, the first dH, dW_h and db_hh."""
    (Hs, gates, W_h), (dHs, dH) = cache, d_results
    W_h_T = W_h.T  # outside of the loop

    def step(dH, given):
        dH_t, H, Z, R, U, H_tilde = given
        dH = dH + dH_t
        dA_h = dH * (1 - Z) * (1 - H_tilde**2)
        dA_z, dA_r = dH * (H - H_tilde) * Z * (1 - Z), dA_h * U * R * (1 - R)
        d_product = jnp.concatenate([dA_z, dA_r, dA_h * R], axis=1)
        return dH * Z + d_product @ W_h_T, (d_product, dA_h)

    dH, (d_products, dA_h) = jax.lax.scan(step, dH, (dHs, Hs, *gates), reverse=True)
    h = dH.shape[1]
    dA = jnp.concatenate([d_products[:, :, : 2 * h], dA_h], axis=2)
    return dA, dH, one_product(Hs, d_products), d_products[:, :, 2 * h :].sum((0, 1))


recurrence.defvjp(ahead, back)


@forward.of_cell("gru_reset_after", takes_ids=True)
def gru_reset_after_fused(inputs, state, params):
    """Compute what gru_reset_after computes, faster; inputs may be token ids (T, n)."""
    check("gru_reset_after", inputs, state, params)
    *weights, b_hh, W_hq, b_q = params
    W_x, W_h, b = (jnp.concatenate(weights[kind::3], axis=-1) for kind in range(3))
    Hs, H = recurrence(input_product(inputs, W_x, b), *state, W_h, b_hh)
    return output_layer(Hs, W_hq, b_q), (H,)


FUSED = {"gru_reset_after": gru_reset_after_fused}
