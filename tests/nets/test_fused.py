"""The fused functions: equal to the plain cells, with additional features."""

import dataclasses
import functools
import subprocess
import sys

import numpy as np
import pytest
from bounds import AGREED, SAME, UPDATED
from hypothesis import given, settings
from hypothesis import strategies as st

from d2lrnn import backends
from d2lrnn.measure import agreement
from d2lrnn.nets import build, cells, layers, networks

FUSED = list(build.FUSED)
IDS = np.array([[0, 1, 2], [2, 1, 0]])  # (batch_size, num_steps), of a vocabulary of 5
sizes = st.fixed_dictionaries(
    {
        "num_steps": st.integers(0, 6),
        "batch_size": st.integers(0, 4),
        "num_inputs": st.integers(1, 6),
        "num_hiddens": st.integers(2, 6),
        "seed": st.integers(0, 2**16),
    }
)


@functools.cache
def solution(backend, cell, dtype="float64", fused=True):
    problem = agreement.make_problem(cell)
    return agreement.solve(backends.load(backend), problem, dtype, fused=fused)


@pytest.fixture
def make_pair(rnn):
    """A function that makes the model of a cell and the equal model of the fused cell."""

    def make(cell="rnn", vocab_size=5, num_hiddens=4, **settings):
        architecture, settings = cells.Architecture(cell), {"seed": 0, **settings}
        return [
            build.new_net(rnn, architecture, vocab_size, num_hiddens, fused=fused, **settings)
            for fused in (False, True)
        ]

    return make


@pytest.mark.parametrize("quantity", ["forward", "gradients"])
@pytest.mark.parametrize("dtype", agreement.DTYPES)
@pytest.mark.parametrize("cell", FUSED)
def test_a_fused_cell_agrees_with_the_float64_reference(backend, cell, dtype, quantity):
    expected = solution("numpy", cell, fused=False)[quantity]
    found = solution(backend, cell, dtype)[quantity]
    limit = agreement.bound(quantity, dtype, agreement.make_problem(cell).num_terms)
    assert found.keys() == expected.keys()
    for name in expected:
        assert found[name].dtype.name == dtype, name
        assert agreement.difference(found[name], expected[name]) <= limit, name


@settings(max_examples=8)
@given(sizes)
@pytest.mark.parametrize("cell", FUSED)
def test_fused_cells_agree_for_any_sizes_and_for_empty_batches(rnn, cell, sizes):
    problem = agreement.make_problem(cell, **sizes)
    expected = agreement.solve(backends.load("numpy"), problem)
    for quantity, arrays in agreement.solve(rnn, problem, fused=True).items():
        for name, array in arrays.items():
            assert agreement.difference(array, expected[quantity][name]) <= AGREED, name


@pytest.mark.parametrize("dtype", agreement.DTYPES)
@pytest.mark.parametrize("cell", FUSED)
def test_ids_are_equivalent_to_their_one_hot_rows(rnn, cell, dtype):
    forward_fn, problem = getattr(rnn, build.FUSED[cell]), agreement.make_problem(cell)
    ids = problem.inputs.argmax(axis=2)  # (T, n), at random
    targets = rnn.from_numpy(problem.d_outputs.argmax(axis=1), dtype="int64")
    state = tuple(rnn.from_numpy(s, dtype=dtype) for s in problem.state)
    compute = rnn.value_and_grad(networks.Recurrent(forward_fn), "softmax")
    results = []
    for inputs in (rnn.from_numpy(ids), rnn.one_hot(ids, 28, dtype=dtype)):
        params = rnn.trainable(problem.params, dtype=dtype)
        value, last, grads = compute(params, (inputs, state), targets)
        results.append([rnn.to_numpy(tensor) for tensor in (value, *last, *grads)])
    limit = agreement.bound("gradients", dtype, problem.num_terms)
    for one, other in zip(*results, strict=True):
        assert agreement.difference(one, other) <= limit


@pytest.mark.parametrize("cell", FUSED)
def test_looking_up_ids_in_a_large_vocabulary_gives_the_same_numbers(rnn, cell):
    forward_fn, rng = getattr(rnn, build.FUSED[cell]), np.random.default_rng(0)
    functions = layers.functions(rnn.RNNModelScratch.ops, cells.Architecture(cell))
    get_params, init_state = functions[:2]
    ids = rng.integers(2000, size=(4, 8))  # (T, n): looked up; its rows may be multiplied
    targets = rnn.from_numpy(rng.integers(2000, size=32), dtype="int64")
    compute = rnn.value_and_grad(networks.Recurrent(forward_fn), "softmax")
    results = []
    for inputs in (rnn.from_numpy(ids), rnn.one_hot(ids, 2000)):
        given = get_params(2000, 64, seed=0), (inputs, init_state(8, 64)), targets
        value, last, grads = compute(*given)
        results.append([rnn.to_numpy(tensor) for tensor in (value, *last, *grads)])
    limit = agreement.bound("gradients", "float32", 4 * (8 + 64))  # as Problem.num_terms
    for one, other in zip(*results, strict=True):
        assert agreement.difference(one, other) <= limit


@pytest.mark.parametrize("kind", ["int8", "int32", "int64", "uint8"])
def test_ids_of_every_integer_dtype_are_looked_up(rnn, kind):
    params, state = rnn.get_params(5, 4, seed=0), rnn.init_rnn_state(2, 4)
    ids = rnn.from_numpy(IDS.T.astype(kind))
    found, _ = rnn.rnn_fused(ids, state, params)
    expected, _ = rnn.rnn_fused(rnn.one_hot(IDS.T, 5), state, params)
    np.testing.assert_allclose(rnn.to_numpy(found), rnn.to_numpy(expected), rtol=1e-6)


@pytest.mark.parametrize("cell", FUSED)
def test_a_fused_model_receives_ids(rnn, make_pair, cell):
    net, fused = make_pair(cell)
    assert not net.takes_ids
    assert fused.takes_ids
    found = rnn.to_numpy(fused.inputs(IDS, fused.begin_state(2)))
    assert found.dtype.kind == "i"
    np.testing.assert_array_equal(found, IDS.T)
    assert rnn.to_numpy(net.inputs(IDS, net.begin_state(2))).shape == (3, 2, 5)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("cell", FUSED)
def test_a_fused_model_learns_like_the_plain_model(rnn, make_pair, cell, optimizer):
    rows = np.random.default_rng(0).integers(5, size=(2, 41))
    losses = []
    for net in make_pair(cell, dtype="float64"):
        step, state, seen = net.make_step(0.1, optimizer=optimizer), net.begin_state(2), []
        for start in range(0, 40, 10):  # the state is carried on
            X, Y = rows[:, start : start + 10], rows[:, start + 1 : start + 11]
            loss, state = step(X, Y, state)
            seen.append(loss)
        losses.append(seen)
    np.testing.assert_allclose(losses[1], losses[0], rtol=UPDATED)


@pytest.mark.parametrize("cell", FUSED)
def test_a_fused_model_has_the_gradients_of_the_plain_model(rnn, make_pair, cell):
    net, fused = make_pair(cell, dtype="float64")
    results = [n.gradients(IDS, IDS[::-1], n.begin_state(2)) for n in (net, fused)]
    assert results[1][0] == pytest.approx(results[0][0], rel=AGREED)
    for one, other in zip(results[1][1], results[0][1], strict=True):
        assert agreement.difference(one, other) <= AGREED
    if not net.architecture.kind.separate_output:
        norms = [rnn.gradient_norms(n, IDS, IDS[::-1]) for n in (net, fused)]
        np.testing.assert_allclose(norms[1], norms[0], rtol=AGREED)


@pytest.mark.parametrize("cell", FUSED)
def test_two_halves_give_the_results_of_the_whole(rnn, make_pair, cell):
    _, net = make_pair(cell, dtype="float64")
    whole, last = net(IDS, net.begin_state(2))
    first, state = net(IDS[:, :1], net.begin_state(2))
    second, state = net(IDS[:, 1:], state)
    halves = np.concatenate([rnn.to_numpy(first), rnn.to_numpy(second)])
    np.testing.assert_allclose(halves, rnn.to_numpy(whole), rtol=SAME)
    for one, other in zip(state, last, strict=True):
        np.testing.assert_allclose(rnn.to_numpy(one), rnn.to_numpy(other), rtol=SAME)


def test_a_fused_model_is_saved_and_predicts_like_the_plain_model(rnn, make_pair, tmp_path):
    vocab = rnn.Vocab("abcd")
    net, fused = make_pair("lstm")
    assert rnn.predict_ch8("ab", 5, fused, vocab) == rnn.predict_ch8("ab", 5, net, vocab)
    rnn.save_model(tmp_path / "model", fused, vocab)
    loaded, _ = rnn.load_model(tmp_path / "model")
    for one, other in zip(loaded.arrays(), fused.arrays(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_numbers_are_the_same_on_every_available_device(rnn, make_pair):
    losses = []
    for device in (None, rnn.try_gpu()):
        _, net = make_pair("lstm", dtype="float64", device=device)
        step = net.make_step(1.0)
        losses.append([step(IDS, IDS, net.begin_state(2))[0] for _ in range(3)])
    np.testing.assert_allclose(losses[1], losses[0], rtol=AGREED)


def zeros(rnn, *shape):
    return rnn.from_numpy(np.zeros(shape, "float32"))


def call(rnn, inputs, states=((2, 4),), cell="rnn"):
    made = layers.functions(rnn.RNNModelScratch.ops, cells.Architecture(cell))
    state = tuple(zeros(rnn, *shape) for shape in states)
    return getattr(rnn, build.FUSED[cell])(inputs, state, made[0](5, 4))


MISTAKES = {
    "an id that is too high": (
        lambda rnn, net: net(np.array([[0, 5]]), net.begin_state(1)),
        "token id 5 is outside 0..4; use the Vocab that the model was made for",
    ),
    "an id that is too high for the function": (
        lambda rnn, net: call(rnn, rnn.from_numpy(IDS.T + 3)),
        "token id 5 is outside 0..4; use the Vocab that the model was made for",
    ),
    "ids that are no integers": (
        lambda rnn, net: net(np.array([[0.0, 1.0]]), net.begin_state(1)),
        "token ids have dtype float64; expected integers from 0 to 4; "
        "turn tokens into ids with vocab[tokens]",
    ),
    "ids of another rank": (
        lambda rnn, net: call(rnn, rnn.from_numpy(IDS[0])),
        "inputs has shape (3,); expected axes (num_steps, batch_size)",
    ),
    "rows of another rank": (
        lambda rnn, net: call(rnn, zeros(rnn, 3, 5)),
        "inputs has shape (3, 5); expected axes (num_steps, batch_size, num_inputs)",
    ),
    "rows of another width": (
        lambda rnn, net: call(rnn, zeros(rnn, 3, 2, 7)),
        "inputs has 7 features per row, the parameters are for 5; "
        "make the parameters for that width, or the rows for these parameters",
    ),
    "a state for another batch": (
        lambda rnn, net: call(rnn, rnn.from_numpy(IDS.T), [(3, 4)]),
        "state is for batch_size 3, the minibatch has 2; call net.begin_state(2)",
    ),
    "a state of another width": (
        lambda rnn, net: call(rnn, zeros(rnn, 3, 2, 5), [(2, 6)], "gru"),
        "state has 6 hidden units, the parameters have 4; call net.begin_state(2)",
    ),
    "one state instead of two": (
        lambda rnn, net: call(rnn, rnn.from_numpy(IDS.T), [(2, 4)], "lstm"),
        "state is 1 tensors; expected a tuple of length 2; call net.begin_state(2)",
    ),
    "functions of two kinds": (
        lambda rnn, net: rnn.RNNModelScratch(
            5, 4, rnn.get_gru_params, rnn.init_gru_state, rnn.rnn_fused
        ),
        "there are 11 parameters; expected 5: W_xh, W_hh, b_h, W_hq, b_q; "
        "use get_params, init_state and forward_fn of the same cell",
    ),
    "an architecture that does not have a fused form": (
        lambda rnn, net: build.new_net(rnn, cells.Architecture("lstm", 2), 5, 4, fused=True),
        "only one layer in one direction of rnn, gru, lstm, gru_reset_after, mingru, minlstm, s4d "
        "or mamba has a fused form; this is lstm, 2 layers",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_has_its_error_message(rnn, make_pair, mistake):
    make, words = MISTAKES[mistake]
    with pytest.raises(ValueError) as error:
        make(rnn, make_pair()[1])
    assert str(error.value) == words


def test_a_training_step_is_traced_once_for_each_shape(rnn, backend):
    calls = []

    @functools.wraps(rnn.rnn_fused)
    def counted(inputs, state, params):
        calls.append(tuple(inputs.shape))
        return rnn.rnn_fused(inputs, state, params)

    net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, counted, seed=0)
    step, state = net.make_step(0.1), net.begin_state(2)
    for X in [IDS] * 5 + [IDS[:, :2]] * 5:
        _, state = step(X, X, state)
    if backend in ("tensorflow", "jax"):  # which compile: the function runs to be traced only
        assert sorted(set(calls)) == sorted(calls) == [(2, 2, 5), (3, 2, 5)]
    else:
        assert len(calls) == 10


@pytest.mark.parametrize("fused", [False, True])
def test_a_step_trains_on_a_long_sequence(rnn, fused):
    net = build.new_net(rnn, cells.Architecture("rnn"), 5, 4, fused=fused, seed=0, dtype="float64")
    reference = build.new_net(
        backends.load("numpy"), cells.Architecture("rnn"), 5, 4, seed=0, dtype="float64"
    )
    X, Y = np.random.default_rng(0).integers(5, size=(2, 2, 1000))
    losses = []
    for model in (net, reference):
        step = model.make_step(1.0)
        losses.append([step(X, Y, model.begin_state(2))[0] for _ in range(2)])
    np.testing.assert_allclose(*losses, rtol=UPDATED)  # the second tells of all gradients


# Prints how much more memory 30 steps take than 10, in a process that has done nothing else before.
GROWTH = """
import resource
import sys
import numpy as np
from d2lrnn import backends
from d2lrnn.nets import build, cells, layers, networks
net = build.new_net(backends.load(sys.argv[1]), cells.Architecture(sys.argv[2]), 5, 64, fused=True)
step, (X, Y) = net.make_step(0.1), np.zeros((2, 32, 60), int)
def largest():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # MiB, on Linux
for number in range(40):
    if number == 10:
        before = largest()
    loss, _ = step(X, Y, net.begin_state(32))
    float(loss)
print(largest() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count in other units")
@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_steps_do_not_leak_memory(backend, cell):
    command = [sys.executable, "-c", GROWTH, backend, cell]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout
    one_step_keeps = 2 * 60 * 32 * 64 * 4 / 2**20  # hidden states, and those before them, in MiB
    assert float(said) < 15 * one_step_keeps


def test_float32_does_not_depend_on_pytorch_s_default(pytorch):
    import torch

    net = build.new_net(pytorch, cells.Architecture("lstm"), 5, 64, fused=True, seed=0)
    expected, _ = net(IDS, net.begin_state(2))
    torch.set_default_dtype(torch.float64)
    try:
        found, _ = net(IDS, net.begin_state(2))
    finally:
        torch.set_default_dtype(torch.float32)
    assert found.equal(expected)


def trained_by(net, *, vocab_size):
    """Three steps of training, and the parameters as they then are."""
    step, rows = net.make_step(0.5), np.random.default_rng(0).integers(vocab_size, size=(2, 31))
    for start in range(0, 30, 10):
        step(rows[:, start : start + 10], rows[:, start + 1 : start + 11], net.begin_state(2))
    return net.arrays()


def test_in_training_the_weights_of_an_lstm_have_the_layout_of_its_kernel(pytorch):
    from d2lrnn.torch import kernel

    architecture = cells.Architecture("lstm")
    net, other = (build.new_net(pytorch, architecture, 5, 8, fused=True, seed=0) for _ in range(2))
    params = list(net.params)
    found = trained_by(net, vocab_size=5)
    other.forward_fn = dataclasses.replace(other.forward_fn, lay_out=None)
    expected = trained_by(other, vocab_size=5)
    lie = [
        [kernel.lie_turned(gates) for gates in kernel.for_kernel(one.params[:-2])[:2]]
        for one in (net, other)
    ]
    assert lie == [[True, True], [False, False]]
    assert all(one is before for one, before in zip(net.params, params, strict=True))
    assert all(array.flags.c_contiguous for array in found)
    for one, twin in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, twin)
    X, targets = IDS, pytorch.from_numpy(IDS.T.reshape(-1), dtype="int64")
    compute = pytorch.value_and_grad(networks.Recurrent(net.forward_fn), "softmax")
    state = net.begin_state(2)
    _, _, grads = compute(net.params, (net.inputs(X, state), state), targets)
    assert all(grad.is_contiguous() for grad in grads)


def test_an_lstm_that_looks_up_ids_keeps_the_layout_of_its_weights(pytorch):
    net = build.new_net(pytorch, cells.Architecture("lstm"), 4000, 8, fused=True, seed=0)
    trained_by(net, vocab_size=4000)
    assert all(param.is_contiguous() for param in net.params)
