"""Gradients of custom forward functions in NumPy: a tape of the operations of a function.

bptt.py has the backward pass of each cell of this package, equation by equation. A custom function
is called with Traced arrays instead. Each operation returns another Traced array, which holds its
sources and a function that computes their gradients from its own. NumPy calls __array_ufunc__ and
__array_function__.

Two rules cover most operations. SLOPES holds the derivatives of elementwise functions, one per
argument. A function that only rearranges numbers (MOVING) is called a second time with the
positions of the numbers; the positions in the result show where each gradient belongs.
"""

import itertools
import math

import numpy as np

JOINING = {np.concatenate, np.hstack, np.stack, np.vstack}
MOVING = JOINING | {
    *(np.broadcast_to, np.copy, np.expand_dims, np.flip, np.moveaxis, np.ravel, np.repeat),
    *(np.reshape, np.roll, np.split, np.squeeze, np.swapaxes, np.tile, np.transpose),
}
SLOPES = {  # the derivative for each argument, from the arguments and the result R
    np.add: (lambda A, B, R: 1, lambda A, B, R: 1),
    np.subtract: (lambda A, B, R: 1, lambda A, B, R: -1),
    np.multiply: (lambda A, B, R: B, lambda A, B, R: A),
    np.divide: (lambda A, B, R: 1 / B, lambda A, B, R: -R / B),
    np.power: (lambda A, B, R: B * A ** (B - 1), lambda A, B, R: R * np.log(A)),
    np.maximum: (lambda A, B, R: A >= B, lambda A, B, R: A < B),
    np.minimum: (lambda A, B, R: A <= B, lambda A, B, R: A > B),
    np.negative: (lambda A, R: -1,),
    np.absolute: (lambda A, R: np.sign(A),),
    np.square: (lambda A, R: 2 * A,),
    np.sqrt: (lambda A, R: 0.5 / R,),
    np.exp: (lambda A, R: R,),
    np.expm1: (lambda A, R: R + 1,),
    np.log: (lambda A, R: 1 / A,),
    np.log1p: (lambda A, R: 1 / (1 + A),),
    np.tanh: (lambda A, R: 1 - R * R,),
    np.sin: (lambda A, R: np.cos(A),),
    np.cos: (lambda A, R: -np.sin(A),),
}
CONSTANT = {  # results whose gradient is 0 everywhere: plain arrays
    *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.sign),
    *(np.isfinite, np.isnan, np.shape, np.ndim, np.size, np.argmax, np.argmin),
    *(np.zeros_like, np.ones_like),
}
SHORT = 16  # numbers along an axis
REMEDY = (
    "use arithmetic, @, tanh, exp, log, sum, mean, slices, reshape, concatenate, stack and the "
    "functions of d2lrnn.numpy, or another backend"
)
_numbers = itertools.count()


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """An array, the Traced arrays it was computed from, and back(gradient) -> their gradients."""

    def __init__(self, array, sources=(), back=None):
        """Store the array, and number it in the order of computation."""
        self.array, self.sources, self.back = np.asarray(array), sources, back
        self.number = next(_numbers)

    shape, dtype, ndim, size = (
        property(lambda self, name=name: getattr(self.array, name))
        for name in ("shape", "dtype", "ndim", "size")
    )
    T = property(lambda self: np.transpose(self))

    def __len__(self):
        """Return the number of rows."""
        return len(self.array)

    def __getitem__(self, index):
        """Return a part."""
        return part(self, index) if is_basic(index) else moved(lambda array: array[index], self)

    def reshape(self, *shape):
        """Return the same numbers in another shape."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes):
        """Return the same numbers with their axes in another order."""
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)

    def swapaxes(self, one, other):
        """Return the same numbers with two axes swapped."""
        return np.swapaxes(self, one, other)

    def sum(self, axis=None, keepdims=False):
        """Return the sum over some axes, or all."""
        return summed(self, axis, keepdims=keepdims)

    def mean(self, axis=None, keepdims=False):
        """Return the mean over some axes, or all."""
        return mean(self, axis, keepdims=keepdims)

    def astype(self, dtype):
        """Return the same numbers in another dtype of floats."""
        return Traced(self.array.astype(dtype), [self], lambda gradient: [gradient])

    def copy(self):
        """Return a copy."""
        return np.copy(self)

    def __getattr__(self, name):
        """Raise AttributeError for all other attributes of arrays."""
        raise AttributeError(f"array.{name} has no gradient in NumPy; {REMEDY}")

    def __array__(self, *args, **kwargs):
        """Raise ValueError: a plain array would lose the gradient."""
        raise ValueError(
            "a custom forward function converts an array that needs a gradient (by to_numpy, "
            f"np.array, float or A[0] = ...), which would lose it; {REMEDY}"
        )

    __float__ = __int__ = __bool__ = __array__

    def __array_ufunc__(self, ufunc, method, *inputs, **settings):
        """Return the result of a ufunc, traced."""
        if ufunc in CONSTANT and method == "__call__":
            return ufunc(*map(array_of, inputs), **settings)
        if method != "__call__" or settings:
            raise ValueError(f"np.{ufunc.__name__} in place has no gradient in NumPy; {REMEDY}")
        if ufunc is np.matmul:
            return product(*inputs)
        if ufunc in SLOPES:
            return sloped(ufunc, inputs)
        raise ValueError(f"np.{ufunc.__name__} has no gradient in NumPy; {REMEDY}")

    def __array_function__(self, function, types, args, settings):
        """Return the result of another function of NumPy, traced."""
        if function in CONSTANT:
            return function(*map(array_of, args), **settings)
        if function in MOVING and args:
            return moved(function, *args, **settings)
        if function in OTHERS:
            return OTHERS[function](*args, **settings)
        raise ValueError(f"np.{function.__name__} has no gradient in NumPy; {REMEDY}")


def array_of(value):
    """Return the array of a traced value, and any other value unchanged."""
    return value.array if isinstance(value, Traced) else value


def is_traced(*values):
    """Return whether one of these values is traced."""
    return any(isinstance(value, Traced) for value in values)


def traced_only(inputs, gradients):
    """Return the gradients of those inputs that are traced."""
    return [d for i, d in zip(inputs, gradients) if isinstance(i, Traced)]


def shrunk(gradient, shape):
    """Return the gradient of an array of a shape, given the gradient of its broadcast form."""
    extra = gradient.ndim - len(shape)
    stretched = [i + extra for i, n in enumerate(shape) if n != gradient.shape[i + extra]]
    return total(gradient, (*range(extra), *stretched)).reshape(shape)


def total(array, axes):
    """Return the sum over axes, which stay as axes of size 1.

    NumPy adds up a short last axis thirty times as slowly as a product with ones does.
    """
    last = array.ndim - 1
    if last in axes and 1 < array.shape[-1] <= SHORT:
        array = (array @ np.ones(array.shape[-1], array.dtype))[..., None]
        axes = tuple(axis for axis in axes if axis != last)
    return array.sum(axis=axes, keepdims=True) if axes else array


def sloped(ufunc, inputs):
    """Return ufunc(*inputs), traced: the gradient of each input is slope times gradient."""
    arrays = list(map(array_of, inputs))
    result = ufunc(*arrays)
    ways = [(i, slope) for i, slope in zip(inputs, SLOPES[ufunc]) if isinstance(i, Traced)]

    def back(gradient):
        return [shrunk(gradient * slope(*arrays, result), i.shape) for i, slope in ways]

    return Traced(result, [i for i, _ in ways], back)


def product(A, B):
    """Return A @ B, traced, for matrices or stacks of matrices."""
    left, right = map(array_of, (A, B))
    if min(np.ndim(left), np.ndim(right)) < 2:
        raise ValueError(f"A @ B of a vector has no gradient in NumPy; {REMEDY}")

    def back(gradient):
        dA = gradient @ right.swapaxes(-1, -2)
        if right.ndim == 2:  # one product for all matrices of a stack
            dB = left.reshape(-1, left.shape[-1]).T @ gradient.reshape(-1, gradient.shape[-1])
        else:
            dB = left.swapaxes(-1, -2) @ gradient
        return traced_only((A, B), (shrunk(dA, left.shape), shrunk(dB, right.shape)))

    return Traced(left @ right, traced_only((A, B), (A, B)), back)


def is_basic(index):
    """Return whether an index selects each number at most once: integers, slices, None and ..."""
    parts = index if isinstance(index, tuple) else (index,)
    kinds = int, np.integer, slice, type(None), type(...)
    return all(isinstance(one, kinds) and not isinstance(one, bool) for one in parts)


def part(A, index):
    """Return A[index] for a basic index, traced; faster than moved."""

    def back(gradient):
        d_A = np.zeros(A.shape, gradient.dtype)
        d_A[index] = gradient
        return [d_A]

    return Traced(A.array[index], [A], back)


def moved(function, given, *args, **settings):
    """Return function(given, ...), traced, for a function that only rearranges numbers.

    given is an array or a list of arrays. Positions count from 1 through all traced arrays; 0 marks
    a number without a gradient.
    """
    parts = list(given) if isinstance(given, (list, tuple)) else [given]
    sources = traced_only(parts, parts)
    ends = np.cumsum([1, *(source.size for source in sources)])
    starts = iter(ends)

    def places(part):
        if not isinstance(part, Traced):
            return np.zeros(np.shape(part), int)
        start = next(starts)
        return np.arange(start, start + part.size).reshape(part.shape)

    def called(parts):
        return function(parts if isinstance(given, (list, tuple)) else parts[0], *args, **settings)

    def traced(array, origin):
        def back(gradient):
            total = np.zeros(ends[-1], gradient.dtype)
            np.add.at(total, origin, gradient)
            pieces = np.split(total, ends)[1:-1]
            return [piece.reshape(s.shape) for piece, s in zip(pieces, sources)]

        return Traced(array, sources, back)

    results, origins = called(list(map(array_of, parts))), called(list(map(places, parts)))
    if isinstance(results, list):
        return [traced(*both) for both in zip(results, origins)]
    return traced(results, origins)


def summed(A, axis=None, *, keepdims=False):
    """Return the sum of A over some axes, or all, traced."""
    array = A.array
    is_last = array.ndim > 1 and axis in (-1, array.ndim - 1)
    result = total(array, (array.ndim - 1,)) if is_last else array.sum(axis=axis, keepdims=True)

    def back(gradient):
        return [np.broadcast_to(gradient.reshape(result.shape), array.shape)]

    return Traced(result if keepdims else result.squeeze(axis), [A], back)


def mean(A, axis=None, *, keepdims=False):
    """Return the mean of A over some axes, or all, traced."""
    shape = A.array.sum(axis=axis, keepdims=True).shape
    number = math.prod(size for size, left in zip(A.shape, shape, strict=True) if size != left)
    return summed(A, axis, keepdims=keepdims) / A.dtype.type(number)


def where(condition, A, B):
    """Return A where a condition holds and B elsewhere, traced."""
    return moved(lambda both: np.where(condition, *both), [A, B])


def clip(A, low, high):
    """Return A limited to low..high, traced."""
    return np.minimum(np.maximum(A, low), high)


def dot(A, B):
    """Return np.dot(A, B), traced, for a matrix B; for more axes, it differs from A @ B."""
    if np.ndim(array_of(B)) > 2:
        raise ValueError(
            f"np.dot of an array with more than two axes has no gradient in NumPy; {REMEDY}"
        )
    return product(A, B)


OTHERS = {np.clip: clip, np.dot: dot, np.mean: mean, np.sum: summed, np.where: where}
