"""Linear recurrences h_t = a_t h_{t-1} + b_t for all time steps at once, for all backends.

A step is the affine map h -> a h + b. Two steps in sequence are an affine map again, (a1, b1) and
then (a2, b2) give (a2 a1, a2 b1 + b2), and this composition is associative. So the time steps can
be divided into blocks: all blocks are computed side by side, each as if its first state were 0;
then the states between the blocks follow from one short recurrence over the blocks, and each is
added to its block, multiplied by the product of the block's factors so far. With sqrt(T) blocks, T
time steps take 2 sqrt(T) operations in sequence instead of T.

The gradient is a scan that runs backwards. With g_t the gradient of h_t from its own output,
G_t = g_t + a_{t+1} G_{t+1}; then dL/db_t = G_t, dL/da_t = G_t h_{t-1}, dL/dh_0 = a_1 G_1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from d2lrnn import checks
from d2lrnn.nets import kinds

FEW = 64  # for fewer time steps, one block
WIDE = 4096  # numbers in a time step; for more, a processor is busy with one block


@dataclass(frozen=True)
class Operations:
    """The operations of a framework that a scan needs.

    Attributes:
        backend: the name of the backend.
        loop: (a, b, state) -> h, the recurrence one time step after the other, where the time axes
            of a and b are equally long.
        concat: (tensors) -> the tensors joined along the time axis.
        broadcast_to: (tensor, shape) -> the tensor in a larger shape.
        size: (tensor, axis) -> the size of an axis, by default as in the shape.
        reshape: (tensor, shape) -> the tensor in another shape.
        swapped: (tensor) -> the tensor with its first two axes swapped.
        flipped: (tensor) -> the tensor with its time steps in reverse.
        total: (tensor, axes) -> the sum over axes, which stay as axes of size 1.
        zeros_like: (tensor) -> zeros.
        ones_like: (tensor) -> ones.
        is_narrow: (b) -> whether blocks are faster than one loop over all time steps.
    """

    backend: str
    loop: Callable[[Any, Any, Any], Any]
    concat: Callable[..., Any]
    broadcast_to: Callable[..., Any]
    reshape: Callable[..., Any]
    swapped: Callable[[Any], Any]
    flipped: Callable[[Any], Any]
    total: Callable[[Any, tuple[int, ...]], Any]
    zeros_like: Callable[[Any], Any]
    ones_like: Callable[[Any], Any]
    size: Callable[[Any, int], Any] = lambda tensor, axis: tensor.shape[axis]
    is_narrow: Callable[[Any], bool] = lambda b: math.prod(b.shape[1:]) <= WIDE


def arguments(ops: Operations, a: Any, b: Any, state: Any) -> tuple[Any, Any, Any]:
    """Check the arguments of a scan; return a with the axes of b, b, and the state, by default 0.

    Raises:
        ValueError: an argument is not a tensor of the backend, a does not broadcast to the shape
            of b, the state does not have the shape of a time step of b, or a dtype differs.
    """
    given = [] if state is None else [state]
    kinds.check_backend(ops.backend, a=[a], b=[b], state=given)
    checks.scan(a, b, state)
    missing = len(b.shape) - len(a.shape)
    a = ops.reshape(a, (1,) * missing + tuple(a.shape)) if missing else a
    if a.shape[0] != b.shape[0]:
        a = ops.broadcast_to(a, (ops.size(b, 0), *a.shape[1:]))
    return a, b, ops.zeros_like(b[0]) if state is None and b.shape[0] != 0 else state


def in_blocks(ops: Operations, a: Any, b: Any, state: Any) -> Any:
    """Return h for all time steps; see the docstring of this module."""
    num_steps = b.shape[0]
    if num_steps is None or num_steps < FEW or not ops.is_narrow(b):
        return ops.loop(a, b, state)
    number = math.isqrt(num_steps)
    length = num_steps // number
    first, rest = number * length, num_steps - number * length
    a_blocks, b_blocks = (_blocks(ops, x[:first], number, length) for x in (a, b))
    zeros, ones = ops.zeros_like(b_blocks[0]), ops.ones_like(a_blocks[0])
    h = ops.loop(a_blocks, b_blocks, zeros)  # (length, number, ...), from states of 0
    products = ops.loop(a_blocks, ops.zeros_like(a_blocks), ones)
    ends = ops.loop(products[-1], h[-1], state)  # (number, ...)
    starts = ops.concat([state[None], ends[:-1]])
    h = ops.reshape(ops.swapped(h + products * starts), (first, *b.shape[1:]))
    return ops.concat([h, ops.loop(a[first:], b[first:], ends[-1])]) if rest else h


def _blocks(ops: Operations, tensor: Any, number: int, length: int) -> Any:
    """Return time steps (number * length, ...) as (length, number, ...)."""
    return ops.swapped(ops.reshape(tensor, (number, length, *tensor.shape[1:])))


def gradient(ops: Operations, a: Any, h: Any, state: Any, g: Any) -> tuple[Any, Any, Any]:
    """Return the gradients of a, b and the state from the gradient g of h, by a reverse scan."""
    one = g.shape[0] == 1
    later = a if one else ops.concat([a[1:], a[:1]])  # the last factor is multiplied by 0
    before = state[None] if one else ops.concat([state[None], h[:-1]])
    reverse = ops.flipped(later), ops.flipped(g), ops.zeros_like(g[0])
    G = ops.flipped(in_blocks(ops, *reverse))
    axes = tuple(i for i, size in enumerate(a.shape) if size != g.shape[i])
    d_a = ops.total(G * before, axes) if axes else G * before
    return d_a, G, a[0] * G[0]
