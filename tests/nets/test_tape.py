"""The tape of NumPy: the gradient of each operation equals a finite difference."""

import numpy as np
import pytest

from d2lrnn.numpy import tracing

A = np.array([[0.5, -1.2, 2.0], [1.5, 0.3, -0.7]])
B = np.array([[1.1, 0.4, -0.9], [0.2, -1.6, 0.8]])
OPERATIONS = {
    "A + B": lambda A, B: A + B,
    "A - B": lambda A, B: A - B,
    "A * B": lambda A, B: A * B,
    "A / B": lambda A, B: A / B,
    "-A": lambda A, B: -A * B,
    "A ** 3": lambda A, B: A**3 * B,
    "A ** B": lambda A, B: (2 + A) ** B,
    "1 - A": lambda A, B: 1 - A * B,
    "array * A": lambda A, B: np.arange(3.0) * A + B,
    "a row stretched": lambda A, B: A[0] * B,
    "a column stretched": lambda A, B: A[:, :1] * B,
    "a number stretched": lambda A, B: A[0, 0] * B,
    "A @ B.T": lambda A, B: A @ B.T,
    "array @ A": lambda A, B: np.ones((4, 2)) @ A * 2 + B.sum(),
    "matrices of A": lambda A, B: A[:, None, :] @ B.T,
    "np.dot": lambda A, B: np.dot(A, B.T),
    "np.dot of three axes": lambda A, B: np.dot(A[None], B.T),
    "tanh": lambda A, B: np.tanh(A) * B,
    "exp": lambda A, B: np.exp(A) * B,
    "log": lambda A, B: np.log(3 + A) * B,
    "sqrt": lambda A, B: np.sqrt(3 + A) * B,
    "square": lambda A, B: np.square(A) * B,
    "abs": lambda A, B: abs(A) * B,
    "sin and cos": lambda A, B: np.sin(A) * np.cos(B),
    "maximum": lambda A, B: np.maximum(A, B),
    "minimum": lambda A, B: np.minimum(A, 0) * B,
    "clip": lambda A, B: np.clip(A, -0.6, 1.4) * B,
    "where": lambda A, B: np.where(A.array > 0, A, B),
    "where a number": lambda A, B: np.where(A > 0, A, 7.0) * B,
    "sum": lambda A, B: A.sum() * B,
    "sum of rows": lambda A, B: np.sum(A, axis=0) * B,
    "sum kept": lambda A, B: A.sum(axis=1, keepdims=True) * B,
    "mean": lambda A, B: A.mean(axis=1, keepdims=True) * np.mean(B),
    "reshape": lambda A, B: A.reshape(3, 2) @ B,
    "reshape to a tuple": lambda A, B: np.reshape(A, (3, -1)) @ B,
    "transpose": lambda A, B: A.transpose(1, 0) @ B.T.transpose(),
    "swapaxes": lambda A, B: A.swapaxes(0, 1) @ B,
    "slice": lambda A, B: A[1:, ::-1] * B[:1],
    "rows by number": lambda A, B: A[[0, 0, 1]] * B[[1, 0, 1]],
    "concatenate": lambda A, B: np.concatenate([A, B, A], axis=0),
    "concatenate with numbers": lambda A, B: np.concatenate([A, [[1, 2, 3]], B]),
    "stack": lambda A, B: np.stack([A, B, A], axis=1),
    "hstack": lambda A, B: np.hstack([A, B]),
    "split": lambda A, B: np.split(A, 3, axis=1)[1] * B,
    "repeat": lambda A, B: np.repeat(A, 2, axis=0) @ B.T,
    "copy": lambda A, B: A.copy() * B,
    "flip": lambda A, B: np.flip(A, 0) * B,
    "zeros_like": lambda A, B: np.zeros_like(A) + A * B,
    "rows in a loop": lambda A, B: np.stack([2 * row for row in A]) * B,
}


class Plain(np.ndarray):
    """An array that has what the tape's have."""

    array = property(np.asarray)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.usefixtures("reference")
def test_the_gradient_of_an_operation_equals_a_finite_difference(name):
    operation = OPERATIONS[name]
    (result,), back = tracing.trace(lambda A, B: (operation(A, B), ()), A, B)
    weights = np.cos(np.arange(result.size)).reshape(result.shape)

    def value(*arrays):
        return (operation(*(array.view(Plain) for array in arrays)) * weights).sum()

    np.testing.assert_allclose(result, operation(A.view(Plain), B.view(Plain)))
    for number, gradient in enumerate(back([weights])):
        for index in np.ndindex(A.shape):
            ends = []
            for nudge in (1e-6, -1e-6):
                arrays = [A.copy(), B.copy()]
                arrays[number][index] += nudge
                ends.append(value(*arrays))
            expected = (ends[0] - ends[1]) / 2e-6
            assert gradient[index] == pytest.approx(expected, abs=1e-8), (number, index)


def assigned(A, B):
    rows = np.zeros(A.shape)
    rows[0] = A[0]
    return rows


def added_in_place(A, B):
    A += B
    return A


REFUSED = {
    "np.array": (lambda A, B: np.array(A), "^a custom forward function converts an array"),
    "an item": (assigned, "^a custom forward function converts an array"),
    "float": (lambda A, B: float(A[0, 0]) * B, "^a custom forward function converts an array"),
    "in place": (added_in_place, "^np.add in place has no gradient in NumPy; use arithmetic"),
    "a ufunc": (lambda A, B: np.arctan(A), "^np.arctan has no gradient in NumPy; use arithmetic"),
    "a function": (lambda A, B: np.cumsum(A), "^np.cumsum has no gradient in NumPy; use"),
    "np.dot of matrices": (lambda A, B: np.dot(A, B.T[None]), "^np.dot of an array with more"),
    "a vector": (lambda A, B: A @ B[0], "^A @ B of a vector has no gradient in NumPy; use"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.usefixtures("reference")
def test_an_operation_without_a_gradient_is_refused(name):
    operation, words = REFUSED[name]
    with pytest.raises(ValueError, match=words):
        tracing.trace(lambda A, B: (operation(A, B), ()), A, B)


@pytest.mark.usefixtures("reference")
def test_an_attribute_without_a_gradient_is_refused():
    with pytest.raises(AttributeError, match=r"^array\.cumsum has no gradient in NumPy; use"):
        tracing.trace(lambda A, B: (A.cumsum(), ()), A, B)


@pytest.mark.usefixtures("reference")
def test_gradients_keep_the_dtype():
    first, second = A.astype("float32"), B.astype("float32")
    (result,), back = tracing.trace(lambda A, B: (np.tanh(0.5 * A).mean() * B, ()), first, second)
    dtypes = {array.dtype.name for array in (result, *back([np.ones_like(result)]))}
    assert dtypes == {"float32"}
