"""One step and one epoch of the training of a language model, independent of the framework.

The methods of a net that are used here are ``begin_state(batch_size)`` and
``make_step(lr, theta, optimizer=..., clip=...)``.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable
from typing import Any

from d2lrnn import checks
from d2lrnn.nets import dropout as dropouts
from d2lrnn.nets import group, kinds, remedies
from d2lrnn.nets.language_model import RNNModelScratch
from d2lrnn.nets.schedules import Schedule
from d2lrnn.nets.steps import TrainingStep
from d2lrnn.training import divergence, minibatches, segments, together
from d2lrnn.training.epoch import Epoch
from d2lrnn.training.history import DivergenceError, perplexity_of


def make_step(
    net: Any,
    lr: float,
    theta: float = 1.0,
    *,
    optimizer: str = "sgd",
    clip: str = "norm",
    segment: int | None = None,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    schedule: Schedule | None = None,
    dropout: float = 0.0,
    seed: int | None = None,
) -> TrainingStep:
    """Return a function that trains a language model on one minibatch.

    A step computes the outputs for X and their mean cross-entropy with the targets Y,
    backpropagates through the time steps of this minibatch only, clips the gradients at theta, and
    updates the parameters.

    Args:
        net: the model; its params change.
        lr: the learning rate, above 0.
        theta: the largest norm of the gradients; see grad_clipping.
        optimizer: "sgd", "adagrad", "adam" or "adamw"; see d2lrnn.nets.optimizers.
        clip: "norm" or "value"; see grad_clipping.
        segment: None, or a number of time steps: backpropagate through the minibatch in segments of
            that length, which needs little memory for many steps; 0 chooses the square root of the
            number of steps. See d2lrnn.training.segments.
        momentum: of "sgd", from 0 to below 1: v <- momentum * v + g, w <- w - lr * v.
        weight_decay: of "sgd" or "adamw", 0 or above: with "sgd", weight_decay * w is added to the
            clipped gradient; with "adamw", w also becomes smaller by lr * weight_decay * w.
        schedule: None, or a function of the number k of steps that were taken: the learning rate of
            the next step is lr * schedule(k). For example, a CosineSchedule, StepSchedule or
            WarmupSchedule.
        dropout: the probability, from 0 to below 1, with which each token of the inputs, and each
            hidden unit between two layers, is set to 0; the others are divided by 1 - dropout. The
            masks are drawn in NumPy and are the same in every backend. A custom forward function
            has dropout of its inputs only.
        seed: the seed of the masks, or None for a random one.

    Returns:
        step(X, Y, state), which returns the mean loss as a float and the new state.

    Raises:
        ValueError: lr or theta is not positive, another number is out of its range, segments are
            requested for a framework's own layer, or the framework's own optimizer cannot do what
            is requested; in step, the schedule does not return a number, 0 or above, the minibatch
            is empty, X and Y have different shapes, or an id is not valid.

    Source: the book's section 9.5, Training.

    Examples:
        >>> net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
        >>> step, state = rnn.make_step(net, lr=0.5), net.begin_state(1)
        >>> for _ in range(3):
        ...     loss, _ = step(rnn.from_numpy([[0, 1, 2]]), rnn.from_numpy([[1, 2, 3]]), state)
        ...     print(f"{loss:.2f}")
        1.61
        1.55
        1.49
    """
    kinds.language_model(net, "the order is make_step(net, lr)")
    if not isinstance(net, RNNModelScratch):
        checks.one_process(
            group.group_of(net).size, "a framework's own layer can be trained by one process only"
        )
    settings: dict[str, Any] = {"optimizer": optimizer, "clip": clip, "schedule": schedule}
    settings |= {"momentum": momentum, "weight_decay": weight_decay}
    if segment is None:
        settings |= {"dropout": dropout, "seed": seed}
    elif dropouts.check(dropout):
        raise ValueError("dropout and segment are both given; choose one")
    step: TrainingStep = (
        net.make_step(lr, theta, **settings)
        if segment is None
        else segments.make_step(net, lr, theta, segment=segment, **settings)
    )
    return step


@remedies.explained(
    "train with step = make_step(net, lr), which holds the loss and the optimizer, and leave out "
    "the device: the net's own is used"
)
def train_epoch_ch8(
    net: Any,
    train_iter: Iterable[Any],
    step: Callable[[Any, Any, Any], tuple[Any, Any]],
    *,
    use_random_iter: bool = False,
    on_minibatch: Callable[[], Any] | None = None,
    epoch: Epoch | None = None,
) -> tuple[float, float]:
    """Train for one epoch.

    Args:
        net: the model, such as RNNModelScratch.
        train_iter: yields X and Y, both (batch_size, num_steps) token ids: tensors of the backend,
            NumPy arrays or lists.
        step: the result of make_step(net, lr), or another function step(X, Y, state) that trains
            and returns the loss and the new state.
        use_random_iter: start each minibatch from a zero state; otherwise, start from the last
            state of the minibatch before, detached from the graph.
        on_minibatch: called after each minibatch, for a progress bar.
        epoch: the progress of an epoch that is resumed in the middle, or None; updated after each
            minibatch.

    Returns:
        perplexity and tokens per second.

    Raises:
        DivergenceError: a FloatingPointError; the loss, or the perplexity of the epoch, is not
            finite.
        ValueError: train_iter yields no minibatch, or something other than pairs.

    Source: the book's section 9.5, Training.

    Examples:
        >>> net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
        >>> train_iter = rnn.SeqDataLoader([1, 2, 3, 4] * 10, batch_size=2, num_steps=5, seed=0)
        >>> perplexity, speed = rnn.train_epoch_ch8(net, train_iter, rnn.make_step(net, lr=0.5))
        >>> perplexity < 5
        True
    """
    kinds.language_model(net, "the order is train_epoch_ch8(net, train_iter, step)")
    minibatches.check_iterable(train_iter)
    if not callable(step):
        raise ValueError(
            f"step is {step!r}; expected a function that trains; pass make_step(net, lr)"
        )
    epoch, step = epoch or Epoch(), step.deferred if isinstance(step, TrainingStep) else step
    state, start = epoch.state, time.perf_counter() - epoch.seconds
    processes, first, num_rows = group.group_of(net), epoch.num_minibatches, None
    for minibatch in itertools.islice(train_iter, first, None):
        X, Y = map(minibatches.array, minibatches.parts(minibatch, ("X", "Y")))
        if epoch.num_minibatches == first:
            together.check_minibatch(net, X, Y)
        checks.axes("X", X.shape, "(batch_size, num_steps)")
        rows = processes.share(X)
        if not use_random_iter:
            minibatches.check_carried(epoch.num_minibatches + 1, num_rows, rows.shape[0])
        num_rows = rows.shape[0]
        if state is None or use_random_iter:
            state = net.begin_state(rows.shape[0])
        loss, state = step(rows, processes.share(Y), state)
        epoch.add(loss, math.prod(Y.shape), state, time.perf_counter() - start)
        epoch.minibatch = X, Y
        if epoch.is_time_to_look(loss) and not math.isfinite(epoch.loss):
            raise DivergenceError(epoch.loss)
        if on_minibatch:
            on_minibatch()
    if epoch.num_tokens == 0:
        raise ValueError("train_iter yields no minibatch; an iterator can be used only once")
    loss = epoch.loss / epoch.num_tokens
    divergence.check_loss(loss)
    return perplexity_of(loss), epoch.num_tokens / (time.perf_counter() - start)
