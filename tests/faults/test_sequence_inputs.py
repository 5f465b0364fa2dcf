"""Networks over sequences and of framework layers, called with arbitrary values."""

import inspect

import contracts
import numpy as np
import pytest
from anything import H, V, assert_same_answer, drive, of, tokens, unchanged
from arguments import Argument, batch, labels, right_or_odd, size, small_numbers, states
from hypothesis import settings
from hypothesis import strategies as st

from d2lrnn.nets import build, encoder_decoder
from d2lrnn.nets.build import new_net
from d2lrnn.nets.cells import Architecture

X = np.arange(6).reshape(2, 3) % V
LISTS = [[0, 1, 2], [3, 4]]
rectangles = st.tuples(st.integers(0, 2), st.integers(0, 2))
ids = tokens(st.one_of(rectangles, rectangles, st.just((2,)), st.just((1, 1, 1))))
rows = st.one_of(rectangles.map(lambda shape: (*shape, V)), st.just((2, 3, 4)))
odd_rows = st.builds(np.full, rows, st.sampled_from([0.5, np.nan, np.inf, 1e30, 2.0]))
ragged = st.lists(st.lists(st.integers(-1, V), max_size=3), max_size=3)
source = Argument(
    st.one_of(st.just(X), st.just(LISTS), st.just(np.eye(V)[X])), st.one_of(ids, odd_rows, ragged)
)
valid = Argument(
    st.sampled_from([None, None, np.array([3, 1]), np.ones((2, 3), bool)]),
    st.one_of(tokens(st.just((2,))), tokens(st.just((2, 3)))),
)
context = Argument(
    st.just(np.full((2, 3), 0.5)),
    st.builds(np.full, st.one_of(rectangles, st.just((2, 3))), st.sampled_from([0.5, np.nan])),
)
tags = Argument(st.sampled_from([X % 2, LISTS]), st.one_of(ids, ragged))
pictures = Argument(st.just(np.full((2, 3, V), 0.5)), odd_rows)
few_arrays = st.lists(
    st.builds(np.ones, st.lists(st.integers(0, 5), max_size=2).map(tuple)), max_size=3
)
counts = Argument(st.integers(1, 3), small_numbers)
reads = {"X": Argument(st.just(X), source.odd), "valid": valid}
judged = {"X": reads["X"], "y": labels, "valid": valid}
tagged = {"X": reads["X"], "Y": Argument(st.just(X % 2), tags.odd), "valid": valid}
estimated = {
    "X": reads["X"],
    "y": Argument(st.just(np.full((2, 2), 0.5)), odd_rows),
    "valid": valid,
}
translated = {"X": source, "Y": Argument(st.just(np.array([[1, 2], [3, 2]])), ids)}
written = {"context": context, "Y": pictures}

# Every method of every network: what it is called with, in this order.
READER = {"__call__": reads, "evaluate": reads, "inputs": reads}
TRAINED = ("minibatch", "gradients", "score", "step", "tensors_of")
METHODS = {
    "SequenceClassifierScratch": {
        **READER,
        **{name: reads for name in ("predict", "probabilities")},
        **{name: judged for name in TRAINED},
    },
    "SequenceTaggerScratch": {**READER, "predict": reads, **{name: tagged for name in TRAINED}},
    "SequenceRegressorScratch": {
        **READER,
        "predict": reads,
        **{name: estimated for name in (*TRAINED, "mean_squared_error")},
    },
    "EncoderScratch": {
        **{name: READER[name] for name in ("__call__", "inputs")},
        **{name: tagged for name in TRAINED},
    },
    "DecoderScratch": {
        "__call__": {"Y": pictures, "state": states(1), "context": context},
        **{name: written for name in TRAINED},
        "generate": {"context": context, "num_steps": counts},
    },
    "EncoderDecoderScratch": {
        **{name: translated for name in TRAINED},
        "predict": {
            **{"X": source, "end": right_or_odd([2], [-1, V, 0.5, None, 2**32 + 1])},
            **{"num_steps": counts, "beam_size": counts},
        },
    },
}
EVERYWHERE = {"load_arrays": {"arrays": few_arrays}, "begin_state": {"batch_size": size}}
EVERYWHERE |= {
    "make_step": {"lr": right_or_odd([0.1, 1], [0, -1, np.nan, "1", None])},
    "arrays": {},
}
# Steps of what is tried here, given what has been checked.
WITHIN = {"tensor", "run", "checked", "teacher", "compute", "compile_function"}


@pytest.fixture
def many(faults):
    return settings(max_examples=faults(6, 200))


def make(rnn, kind):
    """A small network of a kind."""
    if kind == "EncoderDecoderScratch":
        decoder = rnn.DecoderScratch(V, H, H, seed=0)
        return rnn.EncoderDecoderScratch(make(rnn, "EncoderScratch"), decoder)
    settings = {"num_context": 3, "loss": "sigmoid"} if kind == "DecoderScratch" else {}
    settings |= {"num_outputs": 2} if kind.startswith("Sequence") else {}
    net = getattr(rnn, kind)
    return net(V, num_hiddens=H, seed=0, **settings)


def call(net, rnn, method, given):
    """Call a method with drawn arguments; step is the result of make_step."""
    values = {name: of(rnn, value) for name, value in given.items()}
    function = net.make_step(0.1) if method == "step" else getattr(net, method)
    named = {name: values.pop(name) for name in ("end", "num_steps", "beam_size") if name in values}
    return function(*values.values(), **named)


@st.composite
def arguments(draw, named):
    odd = draw(st.sampled_from([None, *named]))
    return {
        name: draw(values.odd if name == odd else values.right)
        if isinstance(values, Argument)
        else draw(values)
        for name, values in named.items()
    }


CASES = [(kind, name) for kind in METHODS for name in {**METHODS[kind], **EVERYWHERE}]


def test_every_public_method_of_every_network_is_tested_with_arbitrary_values():
    for net in encoder_decoder.NETS:
        public = {name for name, _ in inspect.getmembers(net, callable) if name[0] != "_"}
        public |= {"__call__"} if "__call__" in dir(net) and net.__name__ in METHODS else set()
        known = {*METHODS[net.__name__], *EVERYWHERE, "step"} | WITHIN
        assert public - {"network", "__call__"} <= known, net


@pytest.mark.parametrize(("kind", "method"), CASES)
def test_a_network_receives_arbitrary_values_and_an_error_changes_nothing(rnn, many, kind, method):
    named = {**METHODS[kind], **EVERYWHERE}[method]

    def check(given):
        def tried(backend):
            return unchanged(make(backend, kind), lambda net: call(net, backend, method, given))

        assert_same_answer(rnn, tried)

    drive(many, {"given": arguments(named)}, check)


def own(rnn, cell):
    """A model of a framework's own layer; in NumPy, one from scratch that computes the same."""
    architecture = Architecture(cell)
    if hasattr(rnn, "RNNModel"):
        return build.concise_net(rnn, architecture, V, H, seed=0)
    return new_net(rnn, architecture, V, H, seed=0)


minibatch = {"X": batch, "Y": batch, "state": states(1)}
NET = {
    "__call__": {"X": batch, "state": states(1)},
    "evaluate": {"X": batch, "state": states(1)},
    "inputs": {"X": batch, "state": states(1)},
    "begin_state": {"batch_size": size},
    "make_step": {
        "lr": right_or_odd([0.1, 1], [0, -1, np.nan, "1", None]),
        "theta": right_or_odd([0.1, 1], [0, -1, np.inf, True, None]),
        "optimizer": right_or_odd(["sgd", "adam"], ["momentum", None]),
        "clip": right_or_odd(["norm", "value"], ["hard", None]),
    },
    "step": minibatch,
    "gradients": minibatch,
    "arrays": {},
    "load_arrays": {"arrays": few_arrays},
    "load_exactly": {"arrays": few_arrays, "own": few_arrays},
    "own_arrays": {},
}


def test_every_method_of_a_language_model_is_tested_with_arbitrary_values():
    assert {*contracts.METHODS} == {*NET} - {"step"}


@pytest.mark.parametrize("cell", ["rnn", "gru_reset_after", "lstm"])
@pytest.mark.parametrize("method", [name for name in NET if name != "own_arrays"])
def test_a_framework_s_own_layer_is_called_with_arbitrary_values(
    rnn, make_concise, many, cell, method
):
    number = 2 if cell == "lstm" else 1
    named = {n: states(number) if n == "state" else values for n, values in NET[method].items()}

    def check(given):
        def tried(backend):
            kept = {**given}
            if method == "load_exactly" and backend.__name__.endswith("numpy"):
                kept["own"] = []
            values = {name: of(backend, value) for name, value in kept.items()}

            def call(net):
                made = net.make_step(0.1) if method == "step" else getattr(net, method)
                result = made(**values) if method != "step" else made(*values.values())
                return None if method in ("inputs", "make_step") else result

            if method == "load_exactly":  # each framework has parameters of its own
                with pytest.raises(ValueError, match=r"^the arrays have shapes"):
                    unchanged(own(backend, cell), call)
                return None

            return unchanged(own(backend, cell), call)

        assert_same_answer(rnn, tried)

    drive(many, {"given": arguments(named)}, check)
