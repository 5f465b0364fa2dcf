"""Compute the hidden states, gates and predictions of a network for each token of a text.

All values are computed with the functions of the net: states and outputs by running it token by
token, and gates with the step of the recurrent cell of its backend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from d2lrnn import checks
from d2lrnn.data.text import Vocab
from d2lrnn.nets import describe, losses
from d2lrnn.nets.language_model import RNNModelScratch
from d2lrnn.nets.model import Array
from d2lrnn.nets.prediction import prefix_tokens

# The letters in the book; s4d and mamba do not have gates between 0 and 1
GATES = {
    "gru": "ZR",
    "gru_reset_after": "ZR",
    "lstm": "IFO",
    "mingru": "Z",
    "minlstm": "FI",
}


@dataclass(frozen=True)
class Inside:
    """The internal values of a network with h hidden units for T tokens of a vocabulary of V.

    Attributes:
        tokens: the tokens of the text.
        states: the hidden state H_t after each token, (T, h).
        gates: the gates by their letters in the book, (T, h) each, from 0 to 1: Z and R of a GRU;
            I, F and O of an LSTM; Z of a minGRU; F and I, divided by their sum, of a minLSTM; empty
            for other cells.
        candidates: the candidate hidden state of a GRU, minGRU or minLSTM, or the candidate memory
            of an LSTM, (T, h); None for other cells.
        memory: the memory C_t of an LSTM, (T, h), or None.
        probabilities: the probabilities of the next token after each token, (T, V).
        others: the states of a custom cell except the first, by name, (T, ...); those of custom
            functions are named state[1] and so on.
    """

    tokens: list[str]
    states: Array
    gates: dict[str, Array]
    candidates: Array | None
    memory: Any  # Array or None; a type checker cannot infer the cell
    probabilities: Array
    others: dict[str, Array] = field(default_factory=dict)

    def series(self) -> dict[str, Array]:
        """Return the arrays (T, h) by name: H, then the gates, then the memory or similar."""
        others = {name: array for name, array in self.others.items() if array.ndim == 2}
        others |= {"C": self.memory} if self.memory is not None else {}
        return {"H": self.states, **self.gates, **others}


def look_inside(
    net: RNNModelScratch, vocab: Vocab, text: str, *, temperature: float = 1.0
) -> Inside:
    """Return the hidden states, gates and predictions of a network at each token of a text.

    Args:
        net: an RNNModelScratch with one layer and one direction.
        vocab: the Vocab of the net.
        text: at least one token; tokens that the vocabulary does not have become the unknown token.
        temperature: probabilities are softmax(scores / temperature); above 0.

    Returns:
        An Inside with the ``tokens`` (T), ``states`` (T, h), ``gates`` (name: (T, h)) and so on.

    Raises:
        ValueError: the net is deep, bidirectional or not an RNNModelScratch, the text is empty, or
            the temperature is not positive.

    Source: the book's sections 9.4, 10.1 and 10.2.

    Examples:
        >>> net = rnn.RNNModelScratch(5, 4, rnn.get_gru_params, rnn.init_gru_state, rnn.gru, seed=0)
        >>> inside = rnn.look_inside(net, rnn.Vocab("abcd"), "abba")
        >>> inside.tokens, inside.states.shape, sorted(inside.gates)
        (['a', 'b', 'b', 'a'], (4, 4), ['R', 'Z'])
    """
    check_net(net)
    checks.own_vocab(net.vocab_size, len(vocab))
    temperature = checks.positive(temperature=temperature)
    tokens = prefix_tokens(text, vocab)
    state, states, outputs = net.begin_state(1), [], []
    before = [_rows(net, state)]
    for index in vocab[tokens]:
        output, state = net.evaluate(np.array([[index]]), state)
        outputs.append(output)
        before.append(_rows(net, state))
    states = [np.concatenate(kind) for kind in zip(*before, strict=True)]  # each (T + 1, h)
    settings = {"dtype": net.dtype, "device": net.device}
    # (T, V): all steps as rows of one batch
    X = net.tensors.one_hot(np.array(vocab[tokens]), len(vocab), **settings)
    gates, candidates = _gates(net, X, net.tensor(states[0][:-1]))
    later = [array[1:] for array in states[1:]]
    others = dict(zip(_names_of_states(net, states), later, strict=True))
    custom = net.is_custom or net.architecture.custom is not None
    memory = None if custom else others.get("C")
    scores = np.concatenate(outputs).astype(np.float64)
    probabilities = losses.probabilities(scores / temperature)
    other_states = others if custom else {}
    return Inside(tokens, states[0][1:], gates, candidates, memory, probabilities, other_states)


def _names_of_states(net: RNNModelScratch, states: Sequence[Array]) -> list[str]:
    """Return the names of all states but the first; those of custom functions are numbered."""
    if net.is_custom:
        return [f"state[{number}]" for number in range(1, len(states))]
    return list(net.architecture.kind.states)[1:]


def check_net(net: Any) -> None:
    """Check that look_inside supports a net."""
    if not isinstance(net, RNNModelScratch):
        raise ValueError(
            f"the net is an {type(net).__name__}; look_inside needs an RNNModelScratch; "
            "copy its parameters into one with copy_params"
        )
    if not net.is_custom and not net.architecture.plain:
        raise ValueError(
            f"the net is {describe.in_words(net.architecture)}; look_inside needs one layer and "
            "one direction"
        )


def _rows(net: RNNModelScratch, state: Any) -> list[Array]:
    return [net.tensors.to_numpy(tensor) for tensor in state]


def _gates(net: RNNModelScratch, X: Any, H: Any) -> tuple[dict[str, Array], Array | None]:
    """Return the gates and the candidate for inputs X (T, V) and previous states H (T, h).

    Each time step is one row. The step of the recurrent cell computes tanh(X W_x + H W_h + b), and
    gates follow from sigmoid(a) = (1 + tanh(a / 2)) / 2.
    """
    if net.is_custom or net.architecture.custom is not None or net.architecture.cell not in GATES:
        return {}, None
    cell, to_numpy = net.architecture.cell, net.tensors.to_numpy
    if net.architecture.embedding is not None:
        X = net.tensor(to_numpy(X) @ to_numpy(net.params[0]))  # (T, embedding)
    named = dict(zip(net.architecture.parameters, net.arrays(), strict=True))

    def step(X: Any, H: Any, *weights: Array) -> Any:
        (H,) = net.ops.step_functions["rnn"](X, (H,), [net.tensor(weight) for weight in weights])
        return H

    def weights_of_gate(letter: str) -> list[Array]:
        W_x, b = named[f"W_x{letter}"], named[f"b_{letter}"]
        return [W_x, named.get(f"W_h{letter}", np.zeros((len(b), len(b)), b.dtype)), b]

    gates = {
        name: (1 + step(X, H, *(weight / 2 for weight in weights_of_gate(name.lower())))) / 2
        for name in GATES[cell]
    }
    if cell == "minlstm":
        total = gates["F"] + gates["I"]
        gates = {name: gate / total for name, gate in gates.items()}
    if cell == "lstm":
        candidate = step(X, H, *weights_of_gate("c"))
    elif cell in ("mingru", "minlstm"):
        candidate = step(X, H, *weights_of_gate("h"))
    elif cell == "gru":
        candidate = step(X, gates["R"] * H, *weights_of_gate("h"))
    else:  # the reset gate is applied to the product H W_hh + b_hh
        W_xh, W_hh, b_h = weights_of_gate("h")
        product = net.ops.output_layer(H, net.tensor(W_hh), net.tensor(named["b_hh"]))
        candidate = step(X, gates["R"] * product, W_xh, np.eye(len(b_h)), b_h)
    return {name: to_numpy(gate) for name, gate in gates.items()}, to_numpy(candidate)
