"""The cells that are linear in their state, written again in NumPy's long double.

No line is shared with the package. All time steps are computed with one of two solvers: the loop
over time, or LAPACK, because h_t - a_t h_{t-1} = b_t is a system of linear equations. Gradients are
complex steps: for a function f that is analytic, f'(x) is the imaginary part of f(x + i e) / e,
which does not lose digits for a small e.
"""

import numpy as np

LONG, COMPLEX = np.longdouble, np.clongdouble
STEP = LONG(1e-200)


def loop(a, b, h):
    """Solve the recurrence one time step after the other."""
    hs = []
    for a_t, b_t in zip(np.broadcast_to(a, b.shape), b):
        h = a_t * h + b_t
        hs.append(h)
    return np.array(hs)


def solve(a, b, h):
    """Solve the recurrence as a system of linear equations with LAPACK, in double precision."""
    T, sizes = len(b), b.shape[1:]
    a, b = (np.broadcast_to(x, b.shape).reshape(T, -1).T.astype(complex) for x in (a, b))
    matrices = np.eye(T) - np.eye(T, k=-1) * a[:, :, None]
    b = b.copy()
    b[:, 0] += a[:, 0] * h.reshape(-1).astype(complex)
    return np.linalg.solve(matrices, b[:, :, None])[:, :, 0].T.reshape(T, *sizes)


def sigmoid(A):
    return 1 / (1 + np.exp(-A))


def mingru(solver, X, H, W_xz, b_z, W_xh, b_h):
    Z = sigmoid(X @ W_xz + b_z)
    Hs = solver(1 - Z, Z * np.tanh(X @ W_xh + b_h), H)
    return Hs, (Hs[-1],)


def minlstm(solver, X, H, W_xf, b_f, W_xi, b_i, W_xh, b_h):
    F, I = sigmoid(X @ W_xf + b_f), sigmoid(X @ W_xi + b_i)
    Hs = solver(F / (F + I), I / (F + I) * np.tanh(X @ W_xh + b_h), H)
    return Hs, (Hs[-1],)


def s4d(solver, X, Y, S, W_xu, b_u, log_a, log_dt, C, D):
    U, A = X @ W_xu + b_u, -np.exp(log_a)
    A_bar = np.exp(np.exp(log_dt)[:, None] * A)
    Ss = solver(A_bar, (A_bar - 1) / A * U[..., None], S)
    Ys = np.einsum("tnhk,hk->tnh", Ss, C) + D * U
    return Ys, (Ys[-1], Ss[-1])


def s4d_as_convolution(X, Y, S, W_xu, b_u, log_a, log_dt, C, D):
    """S4D from its kernel K_j = sum_N C A_bar^j B_bar; the first state decays by A_bar^(t + 1)."""
    U, A, T = X @ W_xu + b_u, -np.exp(log_a), len(X)
    powers = np.exp(np.arange(T + 1)[:, None, None] * np.exp(log_dt)[:, None] * A)
    B_bar = (powers[1] - 1) / A
    K = (C * powers * B_bar).sum(-1)
    Ys = D * U + np.einsum("thk,nhk->tnh", C * powers[1:], S)
    last = powers[T] * S
    for t in range(T):
        Ys[t] += sum(K[j] * U[t - j] for j in range(t + 1))
        last = last + powers[T - 1 - t] * B_bar * U[t][..., None]
    return Ys, (Ys[-1], last)


def mamba(solver, X, Y, window, S, *weights):
    W_xe, b_e, gain, shift, W_u, b_u, W_g, b_g, W_conv, b_conv, *weights = weights
    W_r, W_dt, b_dt, W_B, W_C, log_a, D, W_o, b_o = weights
    E = X @ W_xe + b_e
    mean = E.mean(-1, keepdims=True)
    M = (E - mean) / np.sqrt((E * E).mean(-1, keepdims=True) - mean * mean + LONG("1e-5"))
    M = M * gain + shift
    U = np.concatenate([np.moveaxis(window, 1, 0), M @ W_u + b_u])
    P = np.array([(W_conv[:, None] * U[t : t + 4]).sum(0) for t in range(len(X))]) + b_conv
    V = P * sigmoid(P)
    dt = np.log(1 + np.exp(V @ W_r @ W_dt + b_dt))
    a = np.exp(-dt[..., None] * np.exp(log_a))
    Ss = solver(a, np.einsum("tnh,tnk->tnhk", dt * V, V @ W_B), S)
    Z = np.einsum("tnhk,tnk->tnh", Ss, V @ W_C) + D * V
    G = M @ W_g + b_g
    Ys = E + (Z * G * sigmoid(G)) @ W_o + b_o
    return Ys, (Ys[-1], np.moveaxis(U[-3:], 0, 1), Ss[-1])


CELLS = {"mingru": mingru, "minlstm": minlstm, "s4d": s4d, "mamba": mamba}


def results(layer, problem):
    """Return the outputs, the last state, and the gradients of inputs, state and parameters.

    layer(inputs, *state, *weights) returns the states that the output layer reads, and the last
    state. The result is a list of arrays in the order of test_scan.results.
    """
    given = [x.astype(COMPLEX) for x in (problem.inputs, *problem.state, *problem.params)]

    def run():
        *arguments, W_hq, b_q = given
        Hs, last = layer(*arguments)
        return [(Hs @ W_hq + b_q).reshape(-1, len(b_q)), *last]

    def loss():
        ends = problem.d_outputs, *problem.d_state
        return sum((value * end).sum() for value, end in zip(run(), ends, strict=True))

    found = [value.real for value in run()]
    for array in given:
        gradient = np.zeros(array.shape, LONG)
        for index in np.ndindex(array.shape):
            array[index] += 1j * STEP
            gradient[index] = loss().imag / STEP
            array[index] = array[index].real
        found.append(gradient)
    return [value.astype(float) for value in found]
