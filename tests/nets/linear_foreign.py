"""The cells that are linear in their state, with the scans that JAX and Keras offer.

ops is a namespace with the names that jax.numpy, jax.nn and keras.ops have in common.
"""

import types


def namespace(name):
    """Return the operations of a framework, with its associative scan."""
    if name == "tensorflow":
        import keras

        return keras.ops
    import jax

    scan = jax.lax.associative_scan
    return types.SimpleNamespace(**{**vars(jax.numpy), **vars(jax.nn), "associative_scan": scan})


def scan(ops, a, b, h):
    """Return all h, with the first state folded into the first time step."""

    def then(one, other):
        return one[0] * other[0], other[0] * one[1] + other[1]

    a = ops.broadcast_to(a, b.shape)
    b = ops.concatenate([b[:1] + a[:1] * h, b[1:]])
    return ops.associative_scan(then, (a, b))[1]


def mingru(ops, X, H, W_xz, b_z, W_xh, b_h):
    A = ops.matmul(X, W_xz) + b_z
    Hs = scan(ops, ops.sigmoid(-A), ops.sigmoid(A) * ops.tanh(ops.matmul(X, W_xh) + b_h), H)
    return Hs, (Hs[-1],)


def minlstm(ops, X, H, W_xf, b_f, W_xi, b_i, W_xh, b_h):
    F, I = ops.sigmoid(ops.matmul(X, W_xf) + b_f), ops.sigmoid(ops.matmul(X, W_xi) + b_i)
    Hs = scan(ops, F / (F + I), I / (F + I) * ops.tanh(ops.matmul(X, W_xh) + b_h), H)
    return Hs, (Hs[-1],)


def s4d(ops, X, Y, S, W_xu, b_u, log_a, log_dt, C, D):
    U, A = ops.matmul(X, W_xu) + b_u, -ops.exp(log_a)
    dA = ops.exp(log_dt)[:, None] * A
    Ss = scan(ops, ops.exp(dA), U[..., None] * ops.expm1(dA) / A, S)
    Ys = ops.einsum("tnhk,hk->tnh", Ss, C) + D * U
    return Ys, (Ys[-1], Ss[-1])


def mamba(ops, X, Y, window, S, *weights):
    W_xe, b_e, gain, shift, W_u, b_u, W_g, b_g, W_conv, b_conv, *weights = weights
    W_r, W_dt, b_dt, W_B, W_C, log_a, D, W_o, b_o = weights
    E = ops.matmul(X, W_xe) + b_e
    mean, variance = ops.mean(E, -1, keepdims=True), ops.var(E, -1, keepdims=True)
    M = (E - mean) / ops.sqrt(variance + 1e-5) * gain + shift
    U = ops.concatenate([ops.moveaxis(window, 1, 0), ops.matmul(M, W_u) + b_u])
    V = ops.silu(sum(W_conv[i] * U[i : i + len(X)] for i in range(4)) + b_conv)
    dt = ops.softplus(ops.matmul(ops.matmul(V, W_r), W_dt) + b_dt)
    B, C = ops.matmul(V, W_B), ops.matmul(V, W_C)
    a = ops.exp(ops.einsum("tnh,hk->tnhk", dt, -ops.exp(log_a)))
    Ss = scan(ops, a, ops.einsum("tnh,tnk->tnhk", dt * V, B), S)
    Z = ops.einsum("tnhk,tnk->tnh", Ss, C) + D * V
    Ys = E + ops.matmul(Z * ops.silu(ops.matmul(M, W_g) + b_g), W_o) + b_o
    return Ys, (Ys[-1], ops.moveaxis(U[-3:], 0, 1), Ss[-1])


CELLS = {"mingru": mingru, "minlstm": minlstm, "s4d": s4d, "mamba": mamba}


def forward_fn(name, cell):
    """Return a cell as forward_fn(inputs, state, params) of a backend."""
    ops = namespace(name)

    def forward(inputs, state, params):
        *weights, W_hq, b_q = params
        Hs, last = CELLS[cell](ops, inputs, *state, *weights)
        outputs = ops.matmul(Hs, W_hq) + b_q
        return ops.reshape(outputs, (-1, outputs.shape[-1])), last

    return forward
