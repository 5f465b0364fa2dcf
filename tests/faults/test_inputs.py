"""Arbitrary inputs of a model have the same result or error as in NumPy."""

import numpy as np
import pytest
from anything import (
    H,
    V,
    assert_same_answer,
    batches,
    drive,
    floats,
    odd_numbers,
    shapes,
    sizes,
    states,
    tensors,
    tokens,
    unchanged,
)
from hypothesis import settings
from hypothesis import strategies as st


def net_of(rnn, cell="rnn"):
    functions = {
        "rnn": (rnn.get_params, rnn.init_rnn_state, rnn.rnn),
        "gru": (rnn.get_gru_params, rnn.init_gru_state, rnn.gru),
        "lstm": (rnn.get_lstm_params, rnn.init_lstm_state, rnn.lstm),
    }
    return rnn.RNNModelScratch(V, H, *functions[cell], seed=0)


cells = st.sampled_from(["rnn", "gru", "lstm"])


@pytest.fixture
def many(faults):
    """Hypothesis' settings: how many examples."""
    return settings(max_examples=faults(25, 500))


def test_a_model_is_called_with_arbitrary_values(rnn, many):
    def check(cell, X, state):
        assert_same_answer(rnn, lambda b: net_of(b, cell)(X, tensors(b, state)))

    drive(many, {"cell": cells, "X": batches, "state": states}, check)


def test_a_model_is_called_with_the_state_it_begins_with(rnn, many):
    def check(cell, X, batch_size):
        assert_same_answer(rnn, lambda b: run(net_of(b, cell), X, batch_size))

    def run(net, X, batch_size):
        return net(X, net.begin_state(batch_size))

    drive(many, {"cell": cells, "X": batches, "batch_size": sizes}, check)


def test_make_step_receives_arbitrary_values_and_an_error_changes_nothing(rnn, many):
    def step(backend, X, Y, batch_size):
        unchanged(
            net_of(backend), lambda net: net.make_step(0.1)(X, Y, net.begin_state(batch_size))
        )

    def check(X, Y, same, batch_size):
        Y = X if same else Y
        assert_same_answer(rnn, lambda b: step(b, X, Y, batch_size))

    strategies = {"X": batches, "Y": batches, "same": st.booleans(), "batch_size": sizes}
    drive(many, strategies, check)


def test_embedding_is_called_with_arbitrary_values(rnn, many):
    def check(ids):
        assert_same_answer(rnn, lambda b: b.one_hot(ids, V))
        assert_same_answer(rnn, lambda b: b.embedding(ids, *tensors(b, [(V, 3)])))

    drive(many, {"ids": tokens()}, check)


def test_a_cell_is_called_with_arbitrary_values(rnn, many):
    def cell(backend, name, inputs, state):
        params = {"rnn": backend.get_params, "gru": backend.get_gru_params}
        params = params.get(name, backend.get_lstm_params)(V, H, seed=0)
        return getattr(backend, name)(*tensors(backend, [inputs]), tensors(backend, state), params)

    def check(name, inputs, state):
        assert_same_answer(rnn, lambda b: cell(b, name, inputs, state))

    drive(many, {"name": cells, "inputs": floats, "state": states}, check)


def test_a_network_without_hidden_states_is_called_with_arbitrary_values(rnn, many):
    def check(X):
        assert_same_answer(rnn, lambda b: b.mlp(*tensors(b, [X]), b.get_mlp_params(V, H, 2)))

    drive(many, {"X": st.one_of(st.tuples(sizes, st.just(V)), shapes)}, check)


def test_sizes_and_numbers_are_arbitrary_values(rnn, many):
    def check(number, other):
        for call in (
            lambda b: b.get_params(number, 2) if number != 2**40 else None,
            lambda b: b.get_lstm_params(2, number) if number != 2**40 else None,
            lambda b: b.init_rnn_state(number, 2) if number != 2**40 else None,
            lambda b: b.init_lstm_state(2, number) if number != 2**40 else None,
            lambda b: b.stack("rnn", number) and None if number != 2**40 else None,
            lambda b: b.make_step(net_of(b), number, other) and None,
            lambda b: b.grad_clipping(tensors(b, [(2, 2)]), number),
            lambda b: b.grad_clipping(tensors(b, [(2, 2)]), 1.0, clip=number),
            lambda b: (
                len(b.predict_ch8("a", number, net_of(b), b.Vocab("abcd")))
                if number != 2**40
                else None
            ),
            lambda b: b.predict_ch8("a", 2, net_of(b), b.Vocab("abcd"), temperature=number) and "",
            lambda b: list(b.seq_data_iter_random(range(40), number, other)),
            lambda b: list(b.seq_data_iter_sequential(range(40), other, number)),
            lambda b: len(b.SeqDataLoader(range(40), number, 2)),
            lambda b: b.get_params(2, 2, dtype=number),
        ):
            assert_same_answer(rnn, call)

    drive(many, {"number": odd_numbers, "other": odd_numbers}, check)


def test_parameters_are_replaced_by_arbitrary_values(rnn, many):
    def load(backend, shapes):
        arrays = [np.ones(shape) for shape in shapes]
        unchanged(net_of(backend), lambda net: net.load_arrays(arrays))

    def check(shapes):
        assert_same_answer(rnn, lambda b: load(b, shapes))

    right = [(V, H), (H, H), (H,), (H, V), (V,)]
    parts = st.one_of(*(st.just(shape) for shape in right), shapes)
    drive(many, {"shapes": st.one_of(st.just(right), st.lists(parts, max_size=6))}, check)
