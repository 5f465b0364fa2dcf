"""One update by the gradients of all processes' rows.

The loss of a minibatch is a mean over its targets, and so is its gradient. Each process sums over
its own targets; one sum over the processes, divided by the number of all targets, is the gradient
of the whole minibatch, whatever share each process had. Clipping comes after: its norm is that of
the whole gradient, which no process knows before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.nets import optimizers
from d2lrnn.nets.ops import Ops
from d2lrnn.nets.steps import Update

HEAD = 3  # before loss and gradients: the number of targets, and who wants to stop and to save


def make_update(
    ops: Ops, network: Any, loss: str, lr: float, theta: float, *, optimizer: str, clip: str
) -> Any:
    """Return update(params, inputs, targets, weights=None) -> (mean loss, last state, params).

    Inputs, targets and state are those of this process's rows, the loss is that of all. Alone, it
    is the backend's own make_update.
    """
    settings = {"optimizer": optimizer, "clip": clip}
    if ops.group.size == 1:
        return ops.gradients.make_update(network, loss, lr, theta, **settings)
    rule = optimizers.make(optimizer, lr)
    memory, (theta, clip) = optimizers.Memory(rule), checks.clipping(theta, clip)
    compute, engine = ops.gradients.value_and_grad(network, loss), ops.distributed

    def sums(params: Any, inputs: Any, targets: Any, weights: Any, head: Any) -> Any:
        value, state, grads = compute(params, inputs, targets, weights)
        return engine.flat([head, *(head[0] * part for part in (value, *grads))]), state

    def updated(params: Any, kept: Any, total: Any) -> Any:
        value, *grads = parts(engine, total, [(), *(param.shape for param in params)])
        grads, _ = ops.gradients.grad_clipping(grads, theta, clip=clip)
        return value, *rule.update(params, grads, kept)

    sums, updated = engine.compiled(sums), engine.without_gradients(updated)

    def update(params: Any, inputs: Any, targets: Any, weights: Any = None) -> Any:
        count = len(targets) if weights is None else np.count_nonzero(ops.tensors.to_numpy(weights))
        flat, state = sums(params, inputs, targets, weights, head_of(ops, params, count))
        total = all_reduce(ops, flat)
        value, new, memory.kept = updated(params, memory.before(params), total)
        return float(value), engine.detached(state), engine.assigned(params, new)

    return Update(update, memory)


def average(ops: Ops, count: int, loss: Any, grads: Sequence[Any]) -> tuple[float, list[Any]]:
    """Return the mean loss and gradients of all processes' rows, of those of this one's."""
    engine, head = ops.distributed, head_of(ops, grads, count)
    flat = engine.flat([head, *(head[0] * part for part in (loss, *grads))])
    value, *grads = parts(engine, all_reduce(ops, flat), [(), *(grad.shape for grad in grads)])
    return float(value), grads


def head_of(ops: Ops, like: Sequence[Any], count: int) -> Any:
    """Return what a process says of itself, as a tensor (HEAD,)."""
    said = [count, float(ops.group.wants_to_stop), float(ops.group.wants_to_save)]
    return ops.distributed.placed(np.array(said), like[0])


def all_reduce(ops: Ops, flat: Any) -> Any:
    """Return the sum over all processes, and note whether one of them wants to stop or to save."""
    with ops.group.exchange():
        total = ops.group.all_reduce(flat)
        ops.group.stops, ops.group.saves = map(bool, ops.tensors.to_numpy(total[1:HEAD]))
    return total


def parts(engine: Any, total: Any, shapes: Sequence[Any]) -> list[Any]:
    """Return the means that a sum stands for, each in its shape."""
    means, start, found = total[HEAD:] / total[0], 0, []
    for shape in shapes:
        size = math.prod(shape)
        found.append(engine.shaped(means[start : start + size], shape))
        start += size
    return found
