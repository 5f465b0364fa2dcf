"""Properties of GRU and LSTM: conventions, the concatenated form, known values."""

import dataclasses
import functools
import inspect

import numpy as np
import pytest
from bounds import AGREED, TIGHT
from hypothesis import given, settings
from hypothesis import strategies as st

from d2lrnn import backends
from d2lrnn.measure import agreement
from d2lrnn.nets import build, cells, concatenated, concise, layers
from d2lrnn.numpy import bptt

CONCATENATED = ["rnn", "gru", "lstm"]
sizes = st.fixed_dictionaries(
    {
        "num_steps": st.integers(1, 5),
        "batch_size": st.integers(1, 4),
        "num_inputs": st.integers(1, 6),
        "num_hiddens": st.integers(1, 6),
        "seed": st.integers(0, 2**16),
    }
)


def solve(rnn, forward_fn, problem, dtype="float64"):
    """Return outputs, states and all gradients of a forward function, as NumPy arrays."""
    tensors = [
        [rnn.from_numpy(array, dtype=dtype) for array in group]
        for group in (problem["inputs"], problem["state"], problem["params"], problem["ends"])
    ]
    (inputs,), state, params, (d_outputs, *d_state) = tensors
    outputs, last = forward_fn(inputs, tuple(state), params)
    grads = rnn.vjp(forward_fn, inputs, tuple(state), params, d_outputs, tuple(d_state))
    flat = [outputs, *last, grads[0], *grads[1], *grads[2]]
    return [rnn.to_numpy(tensor) for tensor in flat]


def as_lists(problem, params):
    ends = [problem.d_outputs, *problem.d_state]
    inputs = [problem.inputs]
    return {"inputs": inputs, "state": problem.state, "params": params, "ends": ends}


@pytest.mark.parametrize("order", concatenated.ORDERS)
@pytest.mark.parametrize("cell", CONCATENATED)
@settings(max_examples=4)
@given(sizes)
def test_the_concatenated_form_equals_the_summed_form(rnn, cell, order, sizes):
    problem = agreement.make_problem(cell, **sizes)
    joined = concatenated.joined(problem.params, order, np.concatenate)
    forward_fn = functools.partial(getattr(rnn, f"concat_{cell}"), order=order)
    found = solve(rnn, forward_fn, as_lists(problem, joined))
    expected = solve(rnn, getattr(rnn, cell), as_lists(problem, problem.params))
    num_params = len(problem.params)
    expected[-num_params:] = concatenated.joined(expected[-num_params:], order, np.concatenate)
    for one, other in zip(found, expected, strict=True):
        assert agreement.difference(one, other) <= AGREED


@pytest.mark.parametrize("cell", CONCATENATED)
def test_the_concatenated_form_agrees_with_the_reference_in_float32(rnn, cell):
    problem = agreement.make_problem(cell)
    joined = concatenated.joined(problem.params, "HX", np.concatenate)
    found = solve(rnn, getattr(rnn, f"concat_{cell}"), as_lists(problem, joined), "float32")
    reference = backends.load("numpy")
    expected = solve(reference, getattr(reference, cell), as_lists(problem, problem.params))
    num_params = len(problem.params)
    expected[-num_params:] = concatenated.joined(expected[-num_params:], "HX", np.concatenate)
    for index, (one, other) in enumerate(zip(found, expected, strict=True)):
        quantity = "forward" if index <= len(problem.state) else "gradients"
        limit = agreement.bound(quantity, "float32", problem.num_terms)
        assert agreement.difference(one, other) <= limit


@pytest.mark.parametrize("order", concatenated.ORDERS)
@pytest.mark.parametrize("cell", CONCATENATED)
def test_parameters_are_joined_and_split_again(rnn, cell, order):
    params = layers.functions(rnn.RNNModelScratch.ops, cells.Architecture(cell))[0](5, 4, seed=0)
    joined = rnn.concat_params(params, order=order)
    assert len(joined) == 2 + 2 * len(cells.CELLS[cell].gates)
    assert rnn.to_numpy(joined[0]).shape == (9, 4)
    rows = rnn.to_numpy(joined[0])[:4] if order == "HX" else rnn.to_numpy(joined[0])[5:]
    np.testing.assert_array_equal(rows, rnn.to_numpy(params[1]))
    for one, other in zip(rnn.split_params(joined, order=order), params, strict=True):
        np.testing.assert_array_equal(rnn.to_numpy(one), rnn.to_numpy(other))


def test_an_unknown_order_is_refused(rnn):
    params = rnn.concat_params(rnn.get_params(5, 4))
    inputs, state = rnn.from_numpy(np.zeros((1, 2, 5), "float32")), rnn.init_rnn_state(2, 4)
    with pytest.raises(ValueError) as error:
        rnn.concat_rnn(inputs, state, params, order="hx")
    assert str(error.value) == "order is 'hx'; expected one of 'HX', 'XH'"


@pytest.mark.parametrize("cell", ["gru", "gru_reset_after"])
def test_the_other_gru_convention_is_the_update_gate_with_its_sign_changed(rnn, cell):
    problem = agreement.make_problem(cell, num_steps=1, batch_size=3)
    X, (H,) = problem.inputs[0], problem.state
    W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h, *extra = problem.params[:-2]
    Z, R = (1 / (1 + np.exp(-A)) for A in (X @ W_xz + H @ W_hz + b_z, X @ W_xr + H @ W_hr + b_r))
    inner = R * (H @ W_hh + extra[0]) if extra else (R * H) @ W_hh
    H_other = (1 - Z) * H + Z * np.tanh(X @ W_xh + inner + b_h)
    flipped = rnn.flip_update_gate([rnn.from_numpy(p) for p in problem.params])
    inputs, state = rnn.from_numpy(problem.inputs), (rnn.from_numpy(H),)
    _, (H_ours,) = getattr(rnn, cell)(inputs, state, flipped)
    np.testing.assert_allclose(rnn.to_numpy(H_ours), H_other, rtol=AGREED, atol=TIGHT)
    for twice, once in zip(rnn.flip_update_gate(flipped), problem.params, strict=True):
        np.testing.assert_array_equal(rnn.to_numpy(twice), once)


def gru_states(rnn, cell, problem, **replaced):
    """Return H after the first step of a GRU, some of its parameters replaced."""
    names = [*cells.CELLS[cell].parameters, "W_hq", "b_q"]
    arrays = [
        np.broadcast_to(replaced.get(name, array), array.shape)
        for name, array in zip(names, problem.params, strict=True)
    ]
    inputs, state = rnn.from_numpy(problem.inputs[:1]), rnn.from_numpy(problem.state[0])
    _, (H,) = getattr(rnn, cell)(inputs, (state,), [rnn.from_numpy(array) for array in arrays])
    return rnn.to_numpy(H)


def test_a_gru_with_its_gates_forced_is_a_simpler_network(rnn):
    problem = agreement.make_problem("gru")
    weights, (X, H) = problem.params[6:9], (problem.inputs[0], problem.state[0])
    (plain,), _ = bptt.rnn_step(X, (H,), weights)
    memoryless = np.tanh(X @ weights[0] + weights[2])
    no_weights = {"W_xz": 0.0, "W_hz": 0.0, "W_xr": 0.0, "W_hr": 0.0}
    for b_z, b_r, expected in [(50, 0, H), (-50, 50, plain), (-50, -50, memoryless)]:
        found = gru_states(rnn, "gru", problem, b_z=float(b_z), b_r=float(b_r), **no_weights)
        np.testing.assert_allclose(found, expected, rtol=0, atol=TIGHT)


def test_the_place_of_the_reset_gate_matters_unless_the_product_is_diagonal(rnn):
    before = agreement.make_problem("gru")
    params = [*before.params[:9], np.zeros_like(before.params[8]), *before.params[9:]]
    after = dataclasses.replace(before, params=params)
    diagonal = np.diag(np.linspace(-1, 1, before.params[7].shape[0]))
    problems = {"gru": before, "gru_reset_after": after}
    one, other = (gru_states(rnn, cell, problem) for cell, problem in problems.items())
    assert agreement.difference(one, other) > 1e-3
    one, other = (gru_states(rnn, c, problem, W_hh=diagonal) for c, problem in problems.items())
    assert agreement.difference(one, other) <= TIGHT


SIGMOIDS = {0.3: 0.574442516811659, 0.7: 0.6681877721681662, 0.5: 0.6224593312018546}


def lstm_step(rnn, candidate):
    """One LSTM step with A_f, A_i, A_o = 0.3, 0.7, 0.5, by biases alone; return H and C."""
    biases = {"i": [0.7] * 3, "f": [0.3] * 3, "o": [0.5] * 3, "c": candidate}
    params = []
    for gate in "ifoc":
        params += [np.zeros((1, 3)), np.zeros((3, 3)), np.array(biases[gate])]
    params += [np.eye(3), np.zeros(3)]
    state = np.zeros((1, 3)), np.array([[0.2, 0.1, 0.4]])
    _, last = rnn.lstm(
        rnn.from_numpy(np.zeros((1, 1, 1))),
        tuple(rnn.from_numpy(s) for s in state),
        [rnn.from_numpy(p) for p in params],
    )
    return [rnn.to_numpy(tensor)[0] for tensor in last]


def test_one_lstm_step_with_the_candidate_as_it_is(rnn):
    H, C = lstm_step(rnn, np.arctanh([0.6, 0.3, -0.2]))  # tanh takes it back
    np.testing.assert_allclose(C, [0.51580117, 0.25790058, 0.09613945], atol=5e-9)
    np.testing.assert_allclose(H, [0.2953276, 0.15706568, 0.05965921], atol=5e-9)


def test_one_lstm_step_with_the_tanh_of_the_equation(rnn):
    forget, enter, leave = SIGMOIDS[0.3], SIGMOIDS[0.7], SIGMOIDS[0.5]
    expected = forget * np.array([0.2, 0.1, 0.4]) + enter * np.tanh([0.6, 0.3, -0.2])
    H, C = lstm_step(rnn, [0.6, 0.3, -0.2])
    np.testing.assert_allclose(C, expected, rtol=TIGHT)
    np.testing.assert_allclose(H, leave * np.tanh(expected), rtol=TIGHT)
    np.testing.assert_allclose(C, [0.47373846, 0.25209578, 0.09789323], atol=5e-9)


@pytest.mark.parametrize("a", SIGMOIDS)
def test_the_gates_are_sigmoids(rnn, a):
    """H = O tanh(C) with C all but infinite is the output gate itself."""
    params = []
    for bias in (50.0, 50.0, a, 50.0):
        params += [np.zeros((1, 1)), np.zeros((1, 1)), np.array([bias])]
    params += [np.eye(1), np.zeros(1)]
    state = rnn.from_numpy(np.zeros((1, 1))), rnn.from_numpy(np.full((1, 1), 50.0))
    inputs = rnn.from_numpy(np.zeros((1, 1, 1)))
    _, (H, _) = rnn.lstm(inputs, state, [rnn.from_numpy(p) for p in params])
    assert rnn.to_numpy(H).item() == pytest.approx(SIGMOIDS[a], rel=TIGHT)


@pytest.mark.parametrize("cell", cells.CELLS)
def test_a_stack_of_one_layer_equals_the_cell(rnn, cell):
    problem = agreement.make_problem(cell, num_steps=4)
    problem_lists = as_lists(problem, problem.params)
    found = solve(rnn, rnn.stack(cell)[2], problem_lists)
    for one, other in zip(found, solve(rnn, getattr(rnn, cell), problem_lists), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_second_direction_reads_from_the_end(rnn):
    architecture = cells.Architecture("rnn", 1, bidirectional=True)
    problem = agreement.make_problem("rnn, bidirectional", num_steps=6, batch_size=2)
    forward, backward = (problem.params[i : i + 3] for i in (0, 3))
    identity, zero = np.eye(32), np.zeros(32)
    numbers = []
    for weights, H, X in (
        (forward, problem.state[0], problem.inputs),
        (backward, problem.state[1], problem.inputs[::-1]),
    ):
        params = [rnn.from_numpy(p) for p in (*weights, identity, zero)]
        outputs, _ = rnn.rnn(rnn.from_numpy(X.copy()), (rnn.from_numpy(H),), params)
        numbers.append(rnn.to_numpy(outputs).reshape(6, 2, 32))
    hidden = np.concatenate([numbers[0], numbers[1][::-1]], axis=2)
    expected = hidden.reshape(12, 64) @ problem.params[-2] + problem.params[-1]
    found = agreement.solve(rnn, problem)["forward"]["outputs"]
    assert agreement.difference(found, expected) <= AGREED
    assert architecture.num_states == len(problem.state) == 2


@pytest.mark.parametrize("cell", cells.CELLS)
def test_a_deep_model_learns(rnn, builtin, cell):
    corpus, vocab = builtin
    net = build.new_net(rnn, cells.Architecture(cell, 2), len(vocab), 16, seed=0)
    step, state = net.make_step(2.0), net.begin_state(4)
    X = np.array(corpus[:40]).reshape(4, 10)
    losses = [step(X[:, :-1], X[:, 1:], state)[0] for _ in range(6)]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(("cell", "layers"), [("elman", 1), ("rnn", 0)])
def test_an_impossible_stack_is_refused(rnn, cell, layers):
    with pytest.raises(ValueError, match="expected"):
        rnn.stack(cell, layers)


# The frameworks' own layers


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("cell", build.LAYERS)
def test_parameters_go_to_a_layer_and_come_back(rnn, make_concise, cell, num_layers, bidirectional):
    net = make_concise(cell, num_layers, bidirectional)
    scratch = build.new_net(rnn, net.architecture, 5, 4, seed=3)
    rnn.copy_params(scratch, net)
    for one, other in zip(net.arrays(), scratch.arrays(), strict=True):
        np.testing.assert_array_equal(one, other)
    fresh = build.new_net(rnn, net.architecture, 5, 4, seed=4)
    rnn.copy_params(net, fresh)
    for one, other in zip(fresh.arrays(), scratch.arrays(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("cell", build.LAYERS)
def test_a_trained_layer_equals_the_scratch_model_with_its_parameters(rnn, make_concise, cell):
    net, X = make_concise(cell, 2, dtype="float64"), np.array([[0, 1, 2, 3], [4, 3, 2, 1]])
    step = net.make_step(0.5)
    for _ in range(3):
        step(X[:, :-1], X[:, 1:], net.begin_state(2))
    scratch = build.new_net(rnn, net.architecture, 5, 4, dtype="float64")
    rnn.copy_params(net, scratch)
    one, other = (n.evaluate(X, n.begin_state(2))[0] for n in (net, scratch))
    assert agreement.difference(one, other) <= AGREED


@pytest.mark.parametrize("cell", build.LAYERS)
def test_a_layer_learns_and_generates(rnn, make_concise, builtin, cell):
    corpus, vocab = builtin
    net = make_concise(cell, vocab_size=len(vocab))
    loader = rnn.SeqDataLoader(corpus, 8, 10, seed=0)
    history = rnn.train_ch8(net, loader, vocab, 1.0, 3, progress=False)
    assert history.perplexity[-1] < history.perplexity[0]
    assert rnn.predict_ch8("the", 10, net, vocab).startswith("the")


def test_the_same_seed_gives_the_same_layer(make_concise):
    one, same, other = (make_concise("lstm", 2, seed=seed).arrays() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same))
    assert not np.array_equal(one[0], other[0])


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (0, 0)])
@pytest.mark.parametrize("cell", build.LAYERS)
def test_a_layer_accepts_empty_minibatches(rnn, make_concise, cell, shape):
    net = make_concise(cell, 2)
    outputs, state = net(np.zeros(shape, int), net.begin_state(shape[0]))
    assert rnn.to_numpy(outputs).shape == (0, 5)
    assert [rnn.to_numpy(s).shape for s in state] == [(shape[0], 4)] * len(state)


def test_a_layer_for_another_vocabulary_is_refused(rnn, make_concise):
    with pytest.raises(ValueError) as error:
        rnn.RNNModel(rnn.GRU(7, 4), 5)
    assert str(error.value) == (
        "the layer takes 7 inputs, the vocabulary has 5 tokens; "
        "make the layer for len(vocab) inputs"
    )


def test_the_two_directions_of_a_layer_start_apart(make_concise):
    first, _, _, second, *_ = make_concise("rnn", 1, True).arrays()
    assert not np.allclose(first, second)


def test_the_bias_within_the_reset_gate_is_copied_too(rnn, backend, make_concise):
    net, X = make_concise("gru_reset_after", dtype="float64"), np.array([[0, 1, 2, 3]])
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(array.shape) for array in net.arrays()]
    scratch = build.new_net(rnn, net.architecture, 5, 4, dtype="float64")
    scratch.load_arrays(arrays)
    if backend == "jax":  # Flax has no such bias
        with pytest.raises(ValueError, match="does not have the bias b_hh within the reset gate"):
            rnn.copy_params(scratch, net)
        return
    rnn.copy_params(scratch, net)
    (_, one), (_, other) = (n.gradients(X, X, n.begin_state(1)) for n in (net, scratch))
    for name, found, expected in zip(net.architecture.parameters, one, other, strict=True):
        assert agreement.difference(found, expected) <= AGREED, name


def test_gradient_norms_are_for_scratch_models(rnn, make_concise):
    with pytest.raises(ValueError, match="gradient_norms needs an RNNModelScratch"):
        rnn.gradient_norms(make_concise(), np.array([[1, 2]]), np.array([[2, 3]]))


@pytest.mark.parametrize("mistake", ["state", "ids", "empty"])
def test_mistakes_with_a_layer_have_the_messages_of_the_scratch_model(
    rnn, make_net, make_concise, mistake
):
    calls = {
        "state": lambda net: net(np.array([[0, 1]]), net.begin_state(2)),
        "ids": lambda net: net(np.array([[0, 5]]), net.begin_state(1)),
        "empty": lambda net: net.make_step(1.0)(
            np.zeros((0, 3), int), np.zeros((0, 3), int), net.begin_state(0)
        ),
    }
    words = []
    for net in (make_net(), make_concise()):
        with pytest.raises(ValueError) as error:
            calls[mistake](net)
        words.append(str(error.value))
    assert words[0] == words[1]


def test_models_that_differ_are_not_copied(rnn, make_net):
    deep = build.new_net(rnn, cells.Architecture("gru", 2), 5, 4)
    with pytest.raises(ValueError, match="make both equal"):
        rnn.copy_params(make_net(), deep)
    with pytest.raises(ValueError, match="the arrays have shapes"):
        rnn.copy_params(make_net(), make_net(num_hiddens=3))


def test_joined_biases_become_one_and_their_gradients_too():
    joined = concise.Joined(np.ones((2, 3)), np.ones((3, 3)), np.array([1.0, 2, 3]), np.ones(3))
    assert list(concise.separate("rnn", "h", joined)[2]) == [2, 3, 4]
    assert list(concise.separate("rnn", "h", joined, gradient=True)[2]) == [1, 2, 3]


def test_the_source_of_a_cell_fits_on_a_screen(rnn):
    for cell in cells.CELLS:
        assert len(inspect.getsource(getattr(rnn, cell)).splitlines()) < 25


@pytest.mark.parametrize("name", ["mlp", "concat_features"])
def test_a_custom_function_is_not_mistaken_for_a_built_in_one_by_its_name(reference, name):
    def doubled(inputs, state, params):
        return reference.rnn(inputs, state, [2 * param for param in params])

    doubled.__name__ = name
    problem = agreement.make_problem("rnn", num_steps=2)
    ends, start = (problem.d_outputs, problem.d_state), (problem.inputs, problem.state)
    found = reference.vjp(doubled, *start, problem.params, *ends)[2]
    twice = [2 * param for param in problem.params]
    for one, half in zip(found, reference.vjp(reference.rnn, *start, twice, *ends)[2], strict=True):
        assert agreement.difference(one, 2 * half) <= AGREED
