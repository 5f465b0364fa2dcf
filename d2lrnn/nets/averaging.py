"""One update with the gradients of the rows of all processes.

The loss of a minibatch is a mean over its targets, and so is its gradient. Each process sums over
its own targets. The sum over the processes, divided by the number of all targets, is the gradient
of the whole minibatch, for any division into shares. The gradient is clipped after this sum,
because clipping needs the norm of the whole gradient.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.nets import optimizers
from d2lrnn.nets.ops import Ops
from d2lrnn.nets.steps import Update

HEAD = 3  # numbers before loss and gradients: number of targets, whether to stop, whether to save


def make_update(
    ops: Ops, network: Any, loss: str, lr: float, theta: float, *, optimizer: Any, clip: str
) -> Any:
    """Return update(params, inputs, targets, weights=None) -> (mean loss, last state, params).

    Inputs, targets and state are those of this process's rows; the loss is the mean over the rows
    of all processes. In a single process, the result is that of the backend's own make_update.
    """
    settings = {"optimizer": optimizer, "clip": clip}
    if ops.group.size == 1:
        return ops.gradients.make_update(network, loss, lr, theta, **settings)
    from d2lrnn.nets import networks  # imported here, so that importing d2lrnn stays fast

    rule = optimizers.make(optimizer, lr)
    optimizer_state, (theta, clip) = optimizers.OptimizerState(rule), checks.clipping(theta, clip)
    distributed = ops.distributed

    def updated(params: Any, state: Any, total: Any, rate: Any) -> Any:
        value, *grads = parts(distributed, total, [(), *(param.shape for param in params)])
        grads, _ = ops.gradients.grad_clipping(grads, theta, clip=clip)
        return value, *rule.update(params, grads, state, rate)

    sums = networks.compile_network(network, functools.partial(_compile_sums, ops, network, loss))
    updated = distributed.without_gradients(updated)

    def update(
        params: Any, inputs: Any, targets: Any, weights: Any = None, lr: float | None = None
    ) -> Any:
        count = len(targets) if weights is None else np.count_nonzero(ops.tensors.to_numpy(weights))
        vector, state = sums(params, inputs, targets, weights, head_of(ops, params, count))
        total = all_reduce(ops, vector)
        rate = None if lr is None else distributed.placed(np.array(lr), params[0])
        before = optimizer_state.before(params)
        value, new, optimizer_state.tensors = updated(params, before, total, rate)
        return float(value), distributed.detached(state), distributed.assigned(params, new)

    return Update(update, optimizer_state)


def _compile_sums(ops: Ops, network: Any, loss: str) -> Any:
    """Return a compiled function that returns what a process sends, and the last state."""
    compute = ops.gradients.value_and_grad(network, loss)

    def sums(params: Any, inputs: Any, targets: Any, weights: Any, head: Any) -> Any:
        value, state, grads = compute(params, inputs, targets, weights)
        return ops.distributed.pack([head, *(head[0] * part for part in (value, *grads))]), state

    return ops.distributed.compile_function(sums)


def average(ops: Ops, count: int, loss: Any, grads: Sequence[Any]) -> tuple[float, list[Any]]:
    """Return the mean loss and gradients over all processes, given those of this process."""
    distributed, head = ops.distributed, head_of(ops, grads, count)
    vector = distributed.pack([head, *(head[0] * part for part in (loss, *grads))])
    value, *grads = parts(
        distributed, all_reduce(ops, vector), [(), *(grad.shape for grad in grads)]
    )
    return float(value), grads


def head_of(ops: Ops, like: Sequence[Any], count: int) -> Any:
    """Return the numbers that a process sends before loss and gradients, as a tensor (HEAD,)."""
    numbers = [count, float(ops.group.wants_to_stop), float(ops.group.wants_to_save)]
    return ops.distributed.placed(np.array(numbers), like[0])


def all_reduce(ops: Ops, vector: Any) -> Any:
    """Return the sum over all processes, and store whether any of them requests a stop or save."""
    with ops.group.exchange():
        total = ops.group.all_reduce(vector)
        ops.group.stops, ops.group.saves = map(bool, ops.tensors.to_numpy(total[1:HEAD]))
    return total


def parts(distributed: Any, total: Any, shapes: Sequence[Any]) -> list[Any]:
    """Divide a flat sum by the number of targets, and split it into tensors of these shapes."""
    means, start, tensors = total[HEAD:] / total[0], 0, []
    for shape in shapes:
        size = math.prod(shape)
        tensors.append(distributed.shaped(means[start : start + size], shape))
        start += size
    return tensors
