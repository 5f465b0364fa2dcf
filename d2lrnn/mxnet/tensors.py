"""Conversion between NumPy arrays and MXNet arrays, and the choice of a GPU."""

import ctypes
import functools

import numpy as onp

from d2lrnn import checks
from d2lrnn.mxnet.framework import autograd, follow_numpy, mxnet, np, npx
from d2lrnn.nets import kinds
from d2lrnn.nets.ops import library_threads

WIDER = {"int16": "int32", "uint16": "int32", "uint32": "int64", "uint64": "int64"}


def try_gpu(i=0):
    """Return the i-th GPU if there is one, otherwise the CPU."""
    checks.count(i=i)
    return npx.gpu(i) if i < npx.num_gpus() else npx.cpu()


def is_gpu(device):
    """Return whether a device, as try_gpu returns it, is a GPU."""
    return device.device_type == "gpu"


def device_of(device):
    """Return the device with a name such as "cpu" or "gpu:1"; None for None."""
    return checks.device(device, working)


@functools.cache
def working(device):
    """Return a device after checking that a number can be moved to it and back."""
    if not isinstance(device, mxnet.Context):
        name, _, number = device.partition(":")
        device = mxnet.Context(name, int(number or 0))
    np.zeros((), ctx=device).item()
    return device


def is_tensor(value):
    """Return whether a value is an MXNet array."""
    return isinstance(value, np.ndarray)


def from_numpy(array, *, dtype=None, device=None):
    """Return a copy of a NumPy array as an MXNet array, in a wider dtype if MXNet lacks its own."""
    follow_numpy()
    if is_tensor(array) and checks.stays_floating(array, dtype):
        array = array.astype(dtype or array.dtype)  # gradients flow through it
        return array if device is None else array.as_in_ctx(device_of(device))
    array = checks.numbers(to_numpy(array), dtype)
    if array.dtype.name in WIDER:
        array = checks.numbers(array, WIDER[array.dtype.name])
    return np.array(array, dtype=array.dtype, ctx=device_of(device))


def state_tensors(state, like):
    """Return a state as tensors, with NumPy arrays converted, on the device of another tensor."""
    return tuple(from_numpy(s, device=like.ctx) if isinstance(s, onp.ndarray) else s for s in state)


def has_values(tensor):
    """Return whether a tensor holds numbers: always true in MXNet."""
    return True


def to_numpy(tensor):
    """Return a copy of a tensor as a NumPy array."""
    return tensor.asnumpy() if isinstance(tensor, mxnet.nd.NDArray) else onp.array(tensor)


def trainable(arrays, *, dtype="float32", device=None):
    """Convert NumPy arrays to trainable parameters."""
    checks.several(arrays=arrays)
    dtype = checks.floating(dtype)
    params = [from_numpy(array, dtype=dtype, device=device) for array in arrays]
    for param in params:
        param.attach_grad()
    return params


def is_trainable(param):
    """Return whether a parameter can be trained without conversion."""
    return is_tensor(param) and param.grad is not None


def one_hot(tokens, vocab_size, *, dtype="float32", device=None):
    """Return token ids of any shape S as one-hot rows of shape S + (vocab_size,)."""
    ids = to_numpy(tokens)
    checks.tokens(ids, vocab_size)
    ids = from_numpy(ids, dtype="int64", device=device)
    return npx.one_hot(ids, vocab_size, dtype=checks.floating(dtype))


def unrecorded(function):
    """Return a function that pauses autograd.record, within which arrays cannot be changed."""

    @functools.wraps(function)
    def paused(*args, **kwargs):
        with autograd.pause():
            return function(*args, **kwargs)

    return paused


def with_a_row(tensor, axis=0):
    """Return an empty tensor with one row of zeros added.

    In MXNet, the gradients of a product of empty tensors are undefined: uninitialized memory. One
    row is computed and then dropped, which gives the correct gradients, zeros.
    """
    shape = (*tensor.shape[:axis], 1, *tensor.shape[axis + 1 :])
    row = np.zeros(shape, dtype=tensor.dtype, ctx=tensor.ctx)
    return np.concatenate([tensor, row], axis=axis)


def defined_when_empty(forward_fn):
    """Return a forward function whose gradients for an empty batch are zero; see with_a_row."""

    @functools.wraps(forward_fn)
    def forward(inputs, state, params):
        if isinstance(state, (tuple, list)):
            state = state_tensors(state, inputs)
        states = state if isinstance(state, (tuple, list)) else ()
        if (
            getattr(inputs, "ndim", 0) != 3
            or inputs.shape[1]
            or any(s.ndim < 2 or len(s) for s in states)
        ):
            return forward_fn(inputs, state, params)
        with autograd.pause():  # check the original arguments; MXNet's sum of empty arrays fails
            forward_fn(inputs[:0], state, params)
        state = tuple(with_a_row(s) for s in states)
        outputs, state = forward_fn(with_a_row(inputs, axis=1), state, params)
        return outputs[:0], tuple(s[:0] for s in state)

    return forward


def embedding(tokens, table):
    """Return the row of table (V, d) for each token id of any shape S, as S + (d,)."""
    kinds.check_backend("mxnet", table=[table])
    ids = to_numpy(tokens)
    checks.axes("table", table.shape, "(vocab_size, num_features)")
    checks.tokens(ids, table.shape[0])
    ids = from_numpy(ids, dtype="int64", device=table.ctx)
    return npx.embedding(ids, table, *table.shape, dtype=table.dtype)


def concat(tensors, axis=-1):
    """Return tensors joined along an axis, by default the last, the features."""
    return np.concatenate(tensors, axis=axis)


def time_major(X):
    """Return a tensor X (n, T, ...) as (T, n, ...)."""
    return np.swapaxes(X, 0, 1)


def masked(rows, mask):
    """Return rows (T, n, d) with 0 where a NumPy mask (T, n, 1) of booleans is False."""
    return np.where(np.array(mask, ctx=rows.ctx), rows, np.zeros_like(rows))


def flip(tensor):
    """Return a tensor (T, n, d) with its time steps in reverse."""
    return tensor[::-1]


def merge_time(A):
    """Return A (T, n, q) as (T * n, q)."""
    return A.reshape(-1, A.shape[2])


def tanh(A):
    """Return the hyperbolic tangent of each element."""
    return np.tanh(A)


def set_threads(number):
    """Set the number of threads that compute an operation; return the number before."""
    mxnet.base.check_call(mxnet.base._LIB.MXSetNumOMPThreads(ctypes.c_int(number)))
    return library_threads(number)


def sigmoid(A):
    """Return 1 / (1 + exp(-a)) of each element a."""
    return npx.sigmoid(A)
