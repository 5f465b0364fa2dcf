"""Whatever is put into the interface: the same answer as NumPy's, or the same error, everywhere."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d2lrnn import backends
from d2lrnn.cells import Architecture, new_net

V, H = 5, 4
NUMPY = backends.load("numpy")

INTEGERS = ["int8", "int16", "int32", "int64", "uint8"]
OTHERS = ["uint16", "uint32", "uint64", "bool", "float16", "float32", "float64", "complex64", "U1"]

sizes = st.integers(0, 3)
shapes = st.lists(sizes, max_size=4).map(tuple)
odd_numbers = st.sampled_from(
    [0, -1, 1, 2, 2**40, True, 0.5, 2.0, float("nan"), float("inf"), "3", None, np.int8(2), [1]]
)


@st.composite
def tokens(draw, shape=shapes):
    """Arrays that might be token ids: of any dtype and shape, most of them within 0..4."""
    shape = draw(shape)
    dtype = draw(st.sampled_from(INTEGERS * 3 + OTHERS))
    ids = np.array(draw(st.lists(st.integers(0, V - 1), min_size=81, max_size=81)))
    array = np.resize(ids, shape).astype(dtype)
    if array.size and draw(st.integers(0, 3)) == 0:
        array.flat[draw(st.integers(0, array.size - 1))] = draw(st.sampled_from(odd_ids(array)))
    return array


def odd_ids(array):
    """What is no token id, as far as an array can hold it."""
    if array.dtype.kind == "f":
        return [np.nan, np.inf, -np.inf]
    if array.dtype.kind in "iu":
        top = np.iinfo(array.dtype).max
        odd = [V, top, min(2**32 + 1, top), min(2**31, top)]
        return odd if array.dtype.kind == "u" else [*odd, -1, np.iinfo(array.dtype).min]
    return [array.flat[0]]


pairs = st.tuples(sizes, sizes)
batches = tokens(st.one_of(pairs, pairs, pairs, shapes))
floats = st.one_of(st.tuples(sizes, sizes, st.just(V)), shapes)
states = st.lists(
    st.one_of(st.tuples(sizes, st.just(H)), st.tuples(sizes, sizes), shapes), min_size=0, max_size=3
)


def answer(rnn, call):
    """Return what a call gives, as shapes and dtypes, or the class and the words of its error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return "a value", described(rnn, call(rnn))
    except Exception as error:
        return type(error).__name__, str(error)


def described(rnn, value):
    if isinstance(value, (list, tuple)):
        return [described(rnn, part) for part in value]
    if isinstance(value, (str, int)) or value is None:
        return value
    array = rnn.to_numpy(value)
    return (array.shape, array.dtype.name) if array.ndim else "a number"


def assert_same_answer(rnn, call):
    """The backend answers as NumPy does; an error is one of ours."""
    expected = answer(NUMPY, call)
    assert expected[0] in ("a value", "ValueError"), expected
    assert answer(rnn, call) == expected


def net_of(rnn, cell="rnn"):
    functions = {
        "rnn": (rnn.get_params, rnn.init_rnn_state, rnn.rnn),
        "gru": (rnn.get_gru_params, rnn.init_gru_state, rnn.gru),
        "lstm": (rnn.get_lstm_params, rnn.init_lstm_state, rnn.lstm),
    }
    return rnn.RNNModelScratch(V, H, *functions[cell], seed=0)


def tensors(rnn, shapes):
    return tuple(rnn.from_numpy(np.full(shape, 0.5, "float32")) for shape in shapes)


cells = st.sampled_from(["rnn", "gru", "lstm"])


@pytest.fixture
def many(faults):
    """Hypothesis' settings: how many examples."""
    return settings(max_examples=faults(25, 500))


def drive(many, strategies, check):
    """Check a function of what the strategies draw."""
    many(given(**strategies)(check))()


def test_a_model_is_called_with_anything(rnn, many):
    def check(cell, X, state):
        assert_same_answer(rnn, lambda b: net_of(b, cell)(X, tensors(b, state)))

    drive(many, {"cell": cells, "X": batches, "state": states}, check)


def test_a_model_is_called_with_the_state_it_begins_with(rnn, many):
    def check(cell, X, batch_size):
        assert_same_answer(rnn, lambda b: run(net_of(b, cell), X, batch_size))

    def run(net, X, batch_size):
        return net(X, net.begin_state(batch_size))

    drive(many, {"cell": cells, "X": batches, "batch_size": sizes}, check)


def test_a_step_is_made_with_anything_and_a_mistake_changes_nothing(rnn, many):
    def step(backend, X, Y, batch_size):
        net = net_of(backend)
        before = net.arrays()
        try:
            net.make_step(0.1)(X, Y, net.begin_state(batch_size))
        except ValueError:
            for param, array in zip(net.arrays(), before):
                np.testing.assert_array_equal(param, array)
            raise

    def check(X, Y, same, batch_size):
        Y = X if same else Y
        assert_same_answer(rnn, lambda b: step(b, X, Y, batch_size))

    strategies = {"X": batches, "Y": batches, "same": st.booleans(), "batch_size": sizes}
    drive(many, strategies, check)


def test_rows_and_vectors_are_looked_up_with_anything(rnn, many):
    def check(ids):
        assert_same_answer(rnn, lambda b: b.one_hot(ids, V))
        assert_same_answer(rnn, lambda b: b.embedding(ids, *tensors(b, [(V, 3)])))

    drive(many, {"ids": tokens()}, check)


def test_a_cell_is_called_with_anything(rnn, many):
    def cell(backend, name, inputs, state):
        params = {"rnn": backend.get_params, "gru": backend.get_gru_params}
        params = params.get(name, backend.get_lstm_params)(V, H, seed=0)
        return getattr(backend, name)(*tensors(backend, [inputs]), tensors(backend, state), params)

    def check(name, inputs, state):
        assert_same_answer(rnn, lambda b: cell(b, name, inputs, state))

    drive(many, {"name": cells, "inputs": floats, "state": states}, check)


def test_a_network_without_hidden_states_is_called_with_anything(rnn, many):
    def check(X):
        assert_same_answer(rnn, lambda b: b.mlp(*tensors(b, [X]), b.get_mlp_params(V, H, 2)))

    drive(many, {"X": st.one_of(st.tuples(sizes, st.just(V)), shapes)}, check)


def test_whatever_is_a_size_or_a_number_is_anything(rnn, many):
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


def test_parameters_are_replaced_by_anything(rnn, many):
    def load(backend, shapes):
        net = net_of(backend)
        before = net.arrays()
        try:
            net.load_arrays([np.ones(shape) for shape in shapes])
        except ValueError:
            for param, array in zip(net.arrays(), before):
                np.testing.assert_array_equal(param, array)
            raise

    def check(shapes):
        assert_same_answer(rnn, lambda b: load(b, shapes))

    right = [(V, H), (H, H), (H,), (H, V), (V,)]
    parts = st.one_of(*(st.just(shape) for shape in right), shapes)
    drive(many, {"shapes": st.one_of(st.just(right), st.lists(parts, max_size=6))}, check)


CELLS = ["rnn", "gru", "gru_reset_after", "lstm"]


def odd_forward(rnn, cell, odd, row=1):
    """Return outputs (T, n, q) and states where one number of one row is odd, in float64."""
    rng = np.random.default_rng(0)
    net = new_net(rnn, Architecture(cell), V, H, seed=0, dtype="float64")
    net.load_arrays([rng.normal(size=array.shape) for array in net.arrays()])
    inputs = rng.normal(size=(6, 3, V))
    inputs[2, row, 3] = odd
    state = tuple(rnn.from_numpy(np.zeros((3, H))) for _ in net.begin_state(3))
    with np.errstate(invalid="ignore"):  # NumPy tells of it, as it is set to, and goes on
        outputs, state = net.forward_fn(rnn.from_numpy(inputs), state, net.params)
    return [rnn.to_numpy(outputs).reshape(6, 3, V), *(rnn.to_numpy(H)[None] for H in state)]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 1e300])
def test_what_is_no_number_spreads_as_in_the_reference(rnn, cell, odd):
    for found, expected in zip(odd_forward(rnn, cell, odd), odd_forward(NUMPY, cell, odd)):
        np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
        np.testing.assert_array_equal(np.isinf(found), np.isinf(expected))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("odd", [np.nan, np.inf, 1e300])
def test_the_other_rows_of_a_batch_are_untouched_by_it(rnn, cell, odd):
    for found, plain in zip(odd_forward(rnn, cell, odd), odd_forward(rnn, cell, 0.5)):
        np.testing.assert_array_equal(found[:, [0, 2]], plain[:, [0, 2]])


@pytest.mark.parametrize("cell", CELLS)
def test_before_it_comes_a_row_is_what_it_was(rnn, cell):
    outputs, plain = odd_forward(rnn, cell, np.nan)[0], odd_forward(rnn, cell, 0.5)[0]
    np.testing.assert_array_equal(outputs[:2], plain[:2])
    assert np.isnan(outputs[2:, 1]).all()
