"""Conversion between NumPy arrays and PyTorch tensors, and the choice of a GPU."""

import functools

import numpy as np
import torch
import torch.nn.functional as F

from d2lrnn import checks
from d2lrnn.nets import kinds
from d2lrnn.torch.contexts import has_values, is_transformed


def try_gpu(i=0):
    """Return the i-th CUDA device if there is one, otherwise Apple's GPU (for i = 0) or the CPU."""
    checks.count(i=i)
    if torch.cuda.device_count() > i:
        return torch.device("cuda", i)
    if i == 0 and torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def is_gpu(device):
    """Return whether a device, as try_gpu returns it, is a GPU."""
    return torch.device(device).type != "cpu"


def device_of(device):
    """Return the torch.device for a name or device, or None for None."""
    return checks.device(device, working)


@functools.cache
def working(device):
    """Return a device after checking that a number can be moved to it and back."""
    if isinstance(device, (str, torch.device)):
        torch.zeros(()).to(device).item()
        return torch.device(device)
    raise TypeError(type(device))


def is_tensor(value):
    """Return whether a value is a PyTorch tensor."""
    return isinstance(value, torch.Tensor)


def from_numpy(array, *, dtype=None, device=None):
    """Return a copy of a NumPy array as a PyTorch tensor."""
    if is_tensor(array) and checks.stays_floating(array, dtype):
        dtype = array.dtype if dtype is None else getattr(torch, np.dtype(dtype).name)
        return array.to(device_of(device), dtype, copy=True)  # gradients flow through it
    return tensor_from_array(
        checks.numbers(to_numpy(array) if is_tensor(array) else array, dtype), device
    )


@torch.inference_mode(False)  # a tensor made in inference mode could not be trained
def tensor_from_array(array, device):
    """Return a tensor with the numbers of an array."""
    tensor, device = torch.from_numpy(array), device_of(device)
    if device is not None and device.type == "cuda":
        # From pinned memory, the GPU copies it asynchronously, and Python continues.
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def state_tensors(state, like):
    """Return a state as tensors, with NumPy arrays converted, on the device of another tensor."""
    return tuple(
        from_numpy(s, device=like.device) if isinstance(s, np.ndarray) else s for s in state
    )


def to_numpy(tensor):
    """Return a copy of a tensor as a NumPy array."""
    checks.values(has_values(tensor))
    if is_tensor(tensor):
        if tensor.dtype == torch.bfloat16:  # NumPy does not have this dtype
            tensor = tensor.float()
        tensor = tensor.numpy(force=True)
    return np.array(tensor, order="C")  # parameters may have another layout: see kernel.lay_out


def trainable(arrays, *, dtype="float32", device=None):
    """Convert NumPy arrays to trainable parameters."""
    checks.several(arrays=arrays)
    dtype = checks.floating(dtype)
    return [from_numpy(array, dtype=dtype, device=device).requires_grad_() for array in arrays]


def is_trainable(param):
    """Return whether a parameter can be trained without conversion."""
    return is_tensor(param) and (param.is_leaf and param.requires_grad) and not param.is_inference()


def one_hot(tokens, vocab_size, *, dtype="float32", device=None):
    """Return token ids of any shape S as one-hot rows of shape S + (vocab_size,).

    Within vmap, the values of the ids cannot be checked.
    """
    if not has_values(tokens):
        checks.token_dtype(tokens, vocab_size)
        numbers = torch.arange(vocab_size, device=tokens.device)
        return (tokens[..., None] == numbers).to(getattr(torch, checks.floating(dtype)))
    ids = to_numpy(tokens)
    checks.tokens(ids, vocab_size)
    ids = from_numpy(ids, dtype="int64", device=device)  # scatter accepts only int64
    dtype = getattr(torch, checks.floating(dtype))
    # F.one_hot would return int64, which takes twice the memory of float32.
    rows = torch.zeros(*ids.shape, vocab_size, dtype=dtype, device=ids.device)
    return rows.scatter_(-1, ids[..., None], 1)


def embedding(tokens, table):
    """Return the row of table (V, d) for each token id of any shape S, as S + (d,)."""
    kinds.check_backend("torch", table=[table])
    checks.axes("table", table.shape, "(vocab_size, num_features)")
    if not has_values(tokens):
        checks.token_dtype(tokens, table.shape[0])
        return F.embedding(tokens.long(), table)
    ids = to_numpy(tokens)
    checks.tokens(ids, table.shape[0])
    ids = from_numpy(ids, dtype="int64", device=table.device)
    return F.embedding(ids, table)


class SideBySide(torch.autograd.Function):
    """torch.cat with contiguous gradients; those of torch.cat are views of one tensor."""

    @staticmethod
    def forward(ctx, axis, *tensors):
        """Return tensors joined along an axis."""
        ctx.axis, ctx.widths = axis, [tensor.shape[axis] for tensor in tensors]
        return torch.cat(tensors, dim=axis)

    @staticmethod
    def backward(ctx, gradient):
        """Return None for the axis, and each tensor's part of the gradient."""
        parts = gradient.split(ctx.widths, dim=ctx.axis)
        return None, *(part.contiguous() for part in parts)


def concat(tensors, axis=-1):
    """Return tensors joined along an axis, by default the last, the features."""
    if is_transformed():
        return torch.cat(tensors, dim=axis)
    return SideBySide.apply(axis, *tensors)


def time_major(X):
    """Return a tensor X (n, T, ...) as (T, n, ...)."""
    return X.transpose(0, 1).contiguous()


def masked(rows, mask):
    """Return rows (T, n, d) with 0 where a NumPy mask (T, n, 1) of booleans is False."""
    return rows.masked_fill(torch.from_numpy(~mask).to(rows.device), 0)


def flip(tensor):
    """Return a tensor (T, n, d) with its time steps in reverse."""
    return tensor.flip(0)


def merge_time(A):
    """Return A (T, n, q) as (T * n, q)."""
    return A.flatten(0, 1)


def tanh(A):
    """Return the hyperbolic tangent of each element."""
    return torch.tanh(A)


def set_threads(number):
    """Set the number of threads that compute an operation; return the number before."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    return before


def sigmoid(A):
    """Return 1 / (1 + exp(-a)) of each element a."""
    return torch.sigmoid(A)
