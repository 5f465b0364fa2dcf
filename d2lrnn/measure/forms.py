"""Time the optimizations that lead from a textbook implementation of an RNN to the fused one.

0. everything in the loop: one-hot rows, their product, the recurrence and the output layer;
1. the output layer once, after the loop: this is rnn;
2. the product of the inputs once, before the loop;
3. a lookup in place of this product: a one-hot row times a matrix is one of its rows;
4. a hand-written gradient, with one product per weight for all steps: this is rnn_fused.

All forms compute the same results. NumPy, whose gradients are all hand-written, has steps 1, 2
together with 4, and 3.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from d2lrnn import checks
from d2lrnn.measure import speed
from d2lrnn.nets.forward import ForwardFunction

if TYPE_CHECKING:
    from d2lrnn.interface import BackendLike

Outputs = tuple[Any, tuple[Any, ...]]
LOOK_UP = "rows of the weights are looked up by token ids instead of a one-hot product"


@dataclass(frozen=True)
class Form:
    """A forward function, and the optimization that it adds to the previous one."""

    name: str
    change: str
    forward_fn: Callable[..., Outputs]


def all_forms(backend: BackendLike) -> list[Form]:
    """Return the forms of a recurrent network in a backend, from the textbook form to the fused.

    Each ``forward_fn(inputs, state, params)`` can be used in RNNModelScratch, with get_params and
    init_rnn_state; its source can be displayed.

    Args:
        backend: a module, such as d2lrnn.torch.
    """
    ops = backend.RNNModelScratch.ops
    by_hand = Form("by hand", "the gradient is written by hand", backend.rnn_fused)
    once = Form("output once", "the output layer is applied once, after the loop", backend.rnn)
    if not ops.has_layers:  # NumPy does not differentiate automatically
        on_rows = "the product of the inputs is before the loop, the gradients of weights after it"
        input_first = Form("input once", on_rows, reading_rows(backend.rnn_fused))
        return [once, input_first, Form("look-up", LOOK_UP, backend.rnn_fused)]

    def naive(inputs: Any, state: Any, params: Any) -> Outputs:
        W_xh, W_hh, b_h, W_hq, b_q = params

        def step(X: Any, before: Any, params: Any) -> tuple[Any, ...]:
            *weights, W_hq, b_q = params
            _, H = before  # the previous outputs are not used
            (H,) = ops.step_functions["rnn"](X, (H,), weights)
            return H @ W_hq + b_q, H

        nothing = state[0] @ W_hq  # has the shape of the outputs
        outputs, (_, H) = ops.unroll(step, inputs, (nothing, *state), (W_xh, W_hh, b_h, W_hq, b_q))
        return ops.tensors.merge_time(outputs), (H,)

    def input_once(inputs: Any, state: Any, params: Any) -> Outputs:
        W_xh, W_hh, b_h, W_hq, b_q = params

        def step(A_t: Any, before: Any, params: Any) -> tuple[Any, ...]:
            (H,), (W_hh,) = before, params
            return (ops.tensors.tanh(A_t + H @ W_hh),)

        A = ops.input_product(inputs, W_xh, b_h)
        Hs, state = ops.unroll(step, A, tuple(state), (W_hh,))
        return ops.output_layer(Hs, W_hq, b_q), tuple(state)

    return [
        Form("in the loop", "inputs, recurrence and outputs, step by step", naive),
        once,
        Form("input once", "the product of the inputs is before the loop", input_once),
        Form("look-up", LOOK_UP, ForwardFunction(input_once, takes_ids=True)),
        by_hand,
    ]


def reading_rows(forward_fn: Any) -> Any:
    """Return a copy of a fused function of NumPy that receives one-hot rows instead of ids."""
    return dataclasses.replace(forward_fn, takes_ids=False)


def speed_ups(
    backend: BackendLike,
    *,
    size: str = "h256",
    rounds: int = 11,
    progress: Callable[[], Any] | None = None,
) -> dict[str, float]:
    """Time training steps with each form, and return the speed of each relative to the first.

    Args:
        backend: a module, such as d2lrnn.torch.
        size: a key of d2lrnn.measure.speed.SIZES.
        rounds: the number of timed rounds, 1 or above; medians are compared.
        progress: a function called after each round.

    Raises:
        ValueError: an argument is out of its range, or two forms compute different losses.
    """
    checks.choice(size, "size", tuple(speed.SIZES))
    checks.size(rounds=rounds)
    shape, name = speed.SIZES[size], backend.RNNModelScratch.ops.name
    X, Y = np.random.default_rng(0).integers(
        shape.vocab_size, size=(2, shape.batch_size, shape.num_steps)
    )
    runs = {}
    for form in all_forms(backend):
        functions = backend.get_params, backend.init_rnn_state, form.forward_fn
        net = backend.RNNModelScratch(shape.vocab_size, shape.num_hiddens, *functions, seed=0)
        runs[form.name] = speed.training_run(name, net, net.make_step(1.0), X, Y)
    speed.check_losses("rnn", {kind: run() for kind, run in runs.items()})
    seconds = list(speed.medians(runs, rounds, progress).items())
    return {kind: seconds[0][1] / value for kind, value in seconds}
