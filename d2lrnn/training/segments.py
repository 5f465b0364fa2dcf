"""Backpropagation through time in segments (gradient checkpointing): long sequences, less memory.

The forward pass stores only the state before each segment. The backward pass goes from the last
segment to the first and computes each segment again, this time with the intermediate results that
its gradient needs. With segments of sqrt(T) steps, the memory grows as sqrt(T), at the cost of one
more forward pass (Chen et al., 2016, "Training deep nets with sublinear memory cost").
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.nets import averaging, forward, losses, optimizers, schedules, values_read
from d2lrnn.nets.language_model import RNNModelScratch
from d2lrnn.nets.steps import TrainingStep, counted

Array = np.ndarray[Any, Any]


def value_and_grad(
    net: Any, X: Any, Y: Any, state: Any, segment: int
) -> tuple[float, tuple[Any, ...], list[Array]]:
    """Return the mean loss of a minibatch, the last state and the gradients of the parameters.

    Args:
        net: a scratch model.
        X: token ids (batch_size, num_steps).
        Y: their targets.
        state: the state before the first step.
        segment: the number of steps of a segment, 1 or above; 0 for sqrt(num_steps), rounded up.

    Raises:
        ValueError: the minibatch is empty, an argument is out of its range, or the net is not a
            scratch model.
    """
    check(net, segment)
    X, Y = net.tensors.to_numpy(X), net.tensors.to_numpy(Y)
    checks.minibatch(X, Y, net.vocab_size)
    net.check_state(state, len(X))
    length = segment or math.ceil(math.sqrt(X.shape[1]))
    parts = [slice(start, start + length) for start in range(0, X.shape[1], length)]
    forward, vjp = passes(net.ops, net.forward_fn, net.vocab_size)
    params, first = map(net.ops.distributed.detached, (net.params, net.as_tensors(state)))
    states = [first]
    for part in parts:
        states.append(forward(net.inputs(X[:, part], states[-1]), states[-1], params)[1])
    last, d_state, value = states.pop(), net.begin_state(len(X)), 0.0
    total: list[Array] = [np.zeros_like(array) for array in net.arrays()]
    for part in reversed(parts):
        before, rows = states.pop(), net.rows(X[:, part], state)
        share = (rows.shape[0] * rows.shape[1]) / X.size
        outputs, _ = forward(net.inputs(X[:, part], before), before, params)
        targets = Y[:, part].T.reshape(-1)  # time-major, as the outputs
        loss, d_outputs = losses.softmax(net.tensors.to_numpy(outputs), targets)
        ends = net.tensor(share * d_outputs), d_state
        _, d_state, grads = vjp(rows, before, params, *ends)
        value += share * loss
        total = [sum_ + net.tensors.to_numpy(grad) for sum_, grad in zip(total, grads)]
    return value, last, total


@functools.lru_cache(16)
def passes(ops: Any, forward_fn: Any, width: int) -> tuple[Any, Any]:
    """Return a forward function and its vjp, compiled if the backend compiles repeated functions.

    The segments have at most two different lengths, so each function is compiled for at most two
    shapes.
    """
    run = functools.partial(forward.run, forward_fn, width)
    vjp = functools.partial(ops.gradients.vjp, forward_fn)
    code = forward.user_code(forward_fn)
    # JAX would trace the same object only once.
    return (
        values_read.compile_code(code, lambda: ops.repeated(functools.partial(run))),
        values_read.compile_code(code, lambda: ops.repeated(functools.partial(vjp))),
    )


def make_step(
    net: Any,
    lr: float,
    theta: float,
    *,
    segment: int,
    clip: str,
    schedule: schedules.Schedule | None = None,
    **options: Any,
) -> TrainingStep:
    """Return step(X, Y, state) -> (mean loss, new state); see training.language_epoch.make_step.

    The options are the other arguments of optimizers.make.
    """
    rule = optimizers.make(options.pop("optimizer"), lr, **options)
    rate = schedules.Rate(rule.lr, schedule)
    optimizer_state = optimizers.OptimizerState(rule)
    theta, clip = checks.clipping(theta, clip)
    check(net, segment)

    def deferred(X: Any, Y: Any, state: Any) -> tuple[float, Any]:
        loss, state, grads = value_and_grad(net, X, Y, state, segment)
        if net.ops.group.size > 1:
            loss, grads = _averaged(net, Y, loss, grads)
        arrays = net.arrays()
        clipped, _ = optimizers.clip_arrays(grads, theta, clip)
        before = optimizer_state.before(arrays)
        updated, optimizer_state.tensors = rule.update(arrays, clipped, before, rate())
        net.load_arrays(updated)
        return loss, state

    def load_memory(arrays: dict[str, Array]) -> None:
        optimizer_state.load(arrays, net.arrays(), np.asarray)

    arrays_of = functools.partial(optimizer_state.arrays, np.asarray)
    return counted(TrainingStep(deferred, arrays_of, load_memory), rate)


def _averaged(net: Any, Y: Any, loss: float, grads: list[Array]) -> tuple[float, list[Array]]:
    """Return the mean loss and gradients of all processes' rows."""
    tensors = [net.tensor(np.asarray(part)) for part in (loss, *grads)]
    loss, means = averaging.average(net.ops, math.prod(Y.shape), tensors[0], tensors[1:])
    return loss, [net.tensors.to_numpy(mean) for mean in means]


def check(net: Any, segment: int) -> None:
    """Check that a net can backpropagate in segments of that many steps."""
    checks.count(segment=segment)
    if not isinstance(net, RNNModelScratch):
        raise ValueError(
            f"the net is a {type(net).__name__}, whose layer is the framework's own; "
            "only a scratch model can backpropagate in segments"
        )
    net.check_call()
