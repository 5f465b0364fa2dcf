"""A network without hidden states that learns exclusive or, with two layers of sigmoids.

It has two inputs, two hidden units and one output, in plain NumPy. Both inputs are available at
once, so a state is not needed; a recurrent network adds one. Source: Rumelhart, Hinton and
Williams, 1986.
"""

from collections.abc import Callable

import numpy as np

from d2lrnn import checks
from d2lrnn.numpy.tensors import sigmoid
from d2lrnn.training.progress import say

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([[0.0], [1.0], [1.0], [0.0]])


def xor(X, params):
    """Return the hidden layer (n, 2) and the outputs (n, 1), both sigmoids, of inputs (n, 2)."""
    W_xh, b_h, W_hq, b_q = params
    H = sigmoid(X @ W_xh + b_h)
    return H, sigmoid(H @ W_hq + b_q)


def xor_gradients(X, Y, params):
    """Return the outputs and the gradients of half the summed squared error."""
    _, _, W_hq, _ = params
    H, outputs = xor(X, params)
    dA_q = (outputs - Y) * outputs * (1 - outputs)  # sigmoid' = S (1 - S)
    dA_h = (dA_q @ W_hq.T) * H * (1 - H)
    return outputs, [X.T @ dA_h, dA_h.sum(0), H.T @ dA_q, dA_q.sum(0)]


def learn_xor(
    num_epochs: int = 60000,
    lr: float = 0.1,
    *,
    seed: int = 0,
    report: Callable[[str], object] = say,
    report_every: int = 10000,
):
    """Train the 2-2-1 network on all four cases at once; return params and the errors.

    Args:
        num_epochs: the number of updates.
        lr: the learning rate, above 0.
        seed: the seed of the initial weights, N(0, 1). With most seeds training succeeds; with
            some, such as 6, it stays on a plateau.
        report: called every report_every epochs with a line of text, the mean absolute error.
        report_every: the number of epochs from one report to the next.

    Returns:
        [W_xh (2, 2), b_h (2,), W_hq (2, 1), b_q (1,)] and the mean absolute error after each
        epoch, (num_epochs,).
    """
    checks.count(num_epochs=num_epochs)
    checks.size(report_every=report_every)
    lr = checks.positive(lr=lr)
    checks.seed(seed)
    rng = np.random.Generator(np.random.PCG64(seed))
    params = [rng.standard_normal(shape) for shape in ((2, 2), (2,), (2, 1), (1,))]
    errors = np.zeros(num_epochs)
    for epoch in range(num_epochs):
        outputs, grads = xor_gradients(X, Y, params)
        params = [param - lr * grad for param, grad in zip(params, grads)]
        errors[epoch] = np.abs(Y - outputs).mean()
        if (epoch + 1) % report_every == 0:
            report(f"epoch {epoch + 1:,}: mean absolute error {errors[epoch]:.4f}")
    return params, errors
