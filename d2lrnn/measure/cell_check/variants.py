"""The cells with typical mistakes: steps in NumPy that differ from the equations in one place.

A function that computes the same as one of these steps contains its mistake. The equations are
written again here, so that one function or one term can be exchanged.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from d2lrnn.nets import cells, concatenated
from d2lrnn.nets.cell import Gate

Array = np.ndarray[Any, Any]
Functions = Mapping[str, Callable[[Array], Array]]
Step = Callable[[Array, Sequence[Array], Mapping[str, Gate]], tuple[Array, ...]]


def sigmoid(A: Array) -> Array:
    """Return 1 / (1 + exp(-A)) of each element."""
    result: Array = 0.5 * (1 + np.tanh(0.5 * A))
    return result


def relu(A: Array) -> Array:
    """Return the elements, with 0 in place of negative numbers."""
    return np.maximum(A, 0)


def tanh(A: Array) -> Array:
    """Return the hyperbolic tangent of each element."""
    result: Array = np.tanh(A)
    return result


def identity(A: Array) -> Array:
    """Return the elements unchanged."""
    return A


ACTIVATIONS = {"sigmoid": sigmoid, "tanh": tanh, "relu": relu, "no activation": identity}
# The words for the gates of each cell, by their letters
WORDS = {
    "rnn": {"h": "hidden state"},
    "gru": {"z": "update gate", "r": "reset gate", "h": "candidate"},
    "gru_reset_after": {"z": "update gate", "r": "reset gate", "h": "candidate"},
    "lstm": {"i": "input gate", "f": "forget gate", "o": "output gate", "c": "candidate"},
    "mingru": {"z": "update gate", "h": "candidate"},
    "minlstm": {"f": "forget gate", "i": "input gate", "h": "candidate"},
}
RIGHT = {"h": "tanh", "c": "tanh", "state": "tanh"}  # and sigmoid for all others


def linear(X: Array, H: Array, gate: Gate) -> Array:
    """Return X W_x + H W_h + b."""
    product: Array = X @ gate.W_x + H @ gate.W_h + gate.b
    return product


def rnn(X: Array, state: Sequence[Array], p: Any, act: Functions, form: str) -> tuple[Array, ...]:
    """Return the state of a recurrent network; form "residual" adds the state before."""
    (H,) = state
    after = act["h"](linear(X, H, p["h"]))
    return (after + H if form == "residual" else after,)


def gru(X: Array, state: Sequence[Array], p: Any, act: Functions, form: str) -> tuple[Array, ...]:
    """Return the state of a GRU in one of the forms of FORMS."""
    (H,) = state
    Z, R = (act[g](linear(X, H, p[g])) for g in "zr")
    W_xh, W_hh, b_h = p["h"]
    extra = p["h2"].b if "h2" in p else 0.0  # b_hh of gru_reset_after
    A = {
        "before": X @ W_xh + (R * H) @ W_hh + b_h,
        "after": X @ W_xh + R * (H @ W_hh + extra) + b_h,
        "everything": R * (X @ W_xh + H @ W_hh + b_h),
        "bias": X @ W_xh + R * (H @ W_hh + b_h),
        "no reset": X @ W_xh + H @ W_hh + b_h,
    }
    right = "after" if "h2" in p else "before"
    H_tilde = act["h"](A.get(form, A[right]))
    new = {"no old": (1 - Z) * H_tilde, "all new": Z * H + H_tilde, "only new": H_tilde}
    new["twice"] = Z * H + Z * H_tilde
    return (new.get(form, Z * H + (1 - Z) * H_tilde),)


def lstm(X: Array, state: Sequence[Array], p: Any, act: Functions, form: str) -> tuple[Array, ...]:
    """Return the state of an LSTM in one of the forms of FORMS."""
    H, C = state
    I, F, O, C_tilde = (act[g](linear(X, H, p[g])) for g in "ifoc")
    new = {
        "coupled": F * C + (1 - F) * C_tilde,
        "no forget": C + I * C_tilde,
        "no input": F * C + C_tilde,
    }.get(form, F * C + I * C_tilde)
    out = {"old": O * act["state"](C), "no output": act["state"](new)}
    return out.get(form, O * act["state"](new)), new


def mingru(
    X: Array, state: Sequence[Array], p: Any, act: Functions, form: str
) -> tuple[Array, ...]:
    """Return the state of a minGRU."""
    (H,) = state
    Z, H_tilde = (act[g](X @ p[g].W_x + p[g].b) for g in "zh")
    return ((1 - Z) * H + Z * H_tilde,)


def minlstm(
    X: Array, state: Sequence[Array], p: Any, act: Functions, form: str
) -> tuple[Array, ...]:
    """Return the state of a minLSTM; form "sum" does not divide the gates by their sum."""
    (H,) = state
    F, I, H_tilde = (act[g](X @ p[g].W_x + p[g].b) for g in "fih")
    total = 1.0 if form == "sum" else F + I
    return (F / total * H + I / total * H_tilde,)


STEPS = {"rnn": rnn, "gru": gru, "lstm": lstm, "mingru": mingru, "minlstm": minlstm}
STEPS["gru_reset_after"] = gru
# By cell and form, where the mistake is
FORMS = {
    "rnn": {"residual": "the state before is added to the new state"},
    "gru": {
        "after": "the reset gate is applied after the product with W_hh instead of before it",
        "bias": "the reset gate is applied after the product with W_hh, and to b_h",
        "everything": "the reset gate is applied to the inputs too, not only to the state",
        "no reset": "the reset gate has no effect on the candidate",
        "no old": "the update gate has an effect on the candidate only, and not on the old state",
        "all new": "the update gate has an effect on the old state only, not on the candidate",
        "twice": "the candidate is weighted by the update gate Z, and not by 1 - Z",
        "only new": "the update gate has no effect: the new state is the candidate",
    },
    "lstm": {
        "coupled": "the input gate is not used: 1 minus the forget gate takes its place",
        "no forget": "the forget gate has no effect on the memory cell",
        "no input": "the input gate has no effect on the candidate",
        "old": "the hidden state is computed from the memory cell before its update",
        "no output": "the output gate has no effect on the hidden state",
    },
    "minlstm": {"sum": "the forget gate and the input gate are not divided by their sum"},
}
FORMS["gru_reset_after"] = {
    **FORMS["gru"],
    "before": "the reset gate is applied before the product with W_hh instead of after it",
}
del FORMS["gru_reset_after"]["after"]


def steps(cell: str) -> Iterator[tuple[str, Step]]:
    """Yield, for a built-in cell, a sentence about each mistake and the step that contains it."""
    if cell not in STEPS:
        return
    words = {
        **WORDS[cell],
        **({"state": "memory cell in the hidden state"} if cell == "lstm" else {}),
    }
    right = {letter: RIGHT.get(letter, "sigmoid") for letter in words}

    def with_functions(names: Mapping[str, str], form: str = "") -> Step:
        act = {letter: ACTIVATIONS[name] for letter, name in names.items()}
        return functools.partial(STEPS[cell], act=act, form=form)

    for form, sentence in FORMS.get(cell, {}).items():
        yield sentence, with_functions(right, form)
    for letter, word in words.items():
        for name in ACTIVATIONS:
            if name != right[letter]:
                used = name if name == "no activation" else f"the activation {name}"
                sentence = f"the {word} has {used} instead of {right[letter]}"
                yield sentence, with_functions({**right, letter: name})


def gates_of(cell: str, params: Sequence[Array], *, joined: bool) -> dict[str, Gate]:
    """Return the parameters of a built-in cell by the letter of the gate."""
    if joined:
        params = concatenated.separated(params, "HX", np.concatenate)
    kind = cells.CELLS[cell]
    named = kind.named(list(params[:-2]))
    by_gate = {
        g: Gate(named[f"W_x{g}"], named.get(f"W_h{g}"), named[f"b_{g}"]) for g in WORDS[cell]
    }
    if "b_hh" in named:
        by_gate["h2"] = Gate(None, None, named["b_hh"])
    return by_gate


def unroll(
    step: Step, inputs: Array, state: Sequence[Array], gates: Mapping[str, Gate]
) -> tuple[Array, tuple[Array, ...]]:
    """Return the hidden states (T, n, h) and the last state."""
    Hs, last = [], tuple(state)
    for X in inputs:
        last = step(X, last, gates)
        Hs.append(last[0])
    return np.stack(Hs), last
