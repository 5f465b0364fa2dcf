"""Parameters, states, the equations and the model, in every backend."""

import numpy as np
import pytest
from bounds import SAME

from d2lrnn.measure import agreement
from d2lrnn.nets import cells, first_values, layers


def arrays(rnn, tensors):
    return [rnn.to_numpy(tensor) for tensor in tensors]


@pytest.mark.parametrize("dtype", agreement.DTYPES)
@pytest.mark.parametrize("cell", cells.CELLS)
def test_the_same_seed_gives_the_same_parameters_bit_for_bit(rnn, cell, dtype):
    architecture = cells.Architecture(cell)
    get_params, _, _ = layers.functions(rnn.RNNModelScratch.ops, architecture)
    expected = [array.astype(dtype) for array in architecture.arrays(28, 256, 0)]
    found = arrays(rnn, get_params(28, 256, seed=0, dtype=dtype))
    assert {array.dtype.name for array in found} == {dtype}
    assert len(found) == len(cells.CELLS[cell].parameters) + 2
    assert [array.tobytes() for array in found] == [array.tobytes() for array in expected]


def test_parameters_have_the_book_s_shapes_and_spread(rnn):
    W_xh, W_hh, b_h, W_hq, b_q = arrays(rnn, rnn.get_params(28, 256, seed=0))
    shapes = [array.shape for array in (W_xh, W_hh, b_h, W_hq, b_q)]
    assert shapes == [(28, 256), (256, 256), (256,), (256, 28), (28,)]
    assert abs(W_hh.std() - 0.01) < 1e-4
    assert abs(W_hh.mean()) < 1e-4
    assert not b_h.any()
    assert not b_q.any()


def test_without_a_seed_parameters_differ(rnn):
    one, other = (rnn.to_numpy(rnn.get_params(5, 4)[0]) for _ in range(2))
    assert not np.array_equal(one, other)


def test_an_mlp_has_the_same_parameters_for_the_same_seed(rnn):
    found = arrays(rnn, rnn.get_mlp_params(3, 4, 2, seed=1))
    assert [array.shape for array in found] == [(3, 4), (4,), (4, 2), (2,)]
    for array, expected in zip(found, first_values.mlp_arrays(3, 4, 2, 1)):
        np.testing.assert_array_equal(array, expected.astype("float32"))


@pytest.mark.parametrize("dtype", agreement.DTYPES)
def test_the_first_state_is_zero(rnn, dtype):
    (H,) = rnn.init_rnn_state(3, 4, dtype=dtype)
    found = rnn.to_numpy(H)
    assert (found.shape, found.dtype.name, found.any()) == ((3, 4), dtype, False)


@pytest.mark.parametrize("dtype", agreement.DTYPES)
def test_one_hot_rows_hold_a_single_one(rnn, dtype):
    found = rnn.to_numpy(rnn.one_hot(rnn.from_numpy([[0, 2], [1, 1]]), 3, dtype=dtype))
    expected = [[[1, 0, 0], [0, 0, 1]], [[0, 1, 0], [0, 1, 0]]]
    assert found.dtype.name == dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", ["int8", "int16", "int32", "int64", "uint8"])
def test_ids_of_every_integer_dtype_are_accepted(rnn, kind):
    ids = np.array([2, 0], dtype=kind)
    np.testing.assert_array_equal(rnn.to_numpy(rnn.one_hot(ids, 3)), [[0, 0, 1], [1, 0, 0]])


@pytest.mark.parametrize("dtype", agreement.DTYPES)
@pytest.mark.parametrize("cell", ["mlp", *cells.CELLS])
def test_outputs_follow_the_equations(rnn, cell, dtype):
    problem = agreement.make_problem(cell, num_steps=7, batch_size=3, num_inputs=5, num_hiddens=4)
    outputs, state = equations(problem, cell)
    found = agreement.solve(rnn, problem, dtype)["forward"]
    limit = agreement.bound("forward", dtype, problem.num_terms)
    assert agreement.difference(found["outputs"], outputs) <= limit
    for index, expected in enumerate(state):
        assert agreement.difference(found[f"state[{index}]"], expected) <= limit


def equations(problem, cell):
    """The book's sums, number by number."""
    if cell == "mlp":
        W_xh, b_h, W_hq, b_q = problem.params
        outputs = [dense(np.tanh(dense(x, W_xh, b_h)), W_hq, b_q) for x in problem.inputs]
        return np.array(outputs), ()
    *weights, W_hq, b_q = problem.params
    state, outputs = [list(rows) for rows in problem.state], []
    for X in problem.inputs:
        rows = [STEPS[cell](x, *one, weights) for x, *one in zip(X, *state)]
        state = [list(kind) for kind in zip(*rows)]
        outputs += [dense(h, W_hq, b_q) for h in state[0]]
    return np.array(outputs), [np.array(rows) for rows in state]


def gates(x, h, weights):
    """A = x W_x + h W_h + b for each gate."""
    triples = [weights[i : i + 3] for i in range(0, len(weights) - 2, 3)]
    return [dense(x, W_x, b) + dense(h, W_h, 0) for W_x, W_h, b in triples]


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def rnn_step(x, h, weights):
    (a,) = gates(x, h, weights)
    return (np.tanh(a),)


def gru_step(x, h, weights):
    z, r = (sigmoid(a) for a in gates(x, h, weights)[:2])
    W_xh, W_hh, b_h = weights[6:]
    candidate = np.tanh(dense(x, W_xh, b_h) + dense(r * h, W_hh, 0))
    return (z * h + (1 - z) * candidate,)


def gru_reset_after_step(x, h, weights):
    z, r = (sigmoid(a) for a in gates(x, h, weights[:9])[:2])
    W_xh, W_hh, b_h, b_hh = weights[6:]
    candidate = np.tanh(dense(x, W_xh, b_h) + r * dense(h, W_hh, b_hh))
    return (z * h + (1 - z) * candidate,)


def lstm_step(x, h, c, weights):
    i, f, o, candidate = gates(x, h, weights)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(candidate)
    return sigmoid(o) * np.tanh(c), c


def mingru_step(x, h, weights):
    W_xz, b_z, W_xh, b_h = weights
    z = sigmoid(dense(x, W_xz, b_z))
    return ((1 - z) * h + z * np.tanh(dense(x, W_xh, b_h)),)


def minlstm_step(x, h, weights):
    W_xf, b_f, W_xi, b_i, W_xh, b_h = weights
    f, i = sigmoid(dense(x, W_xf, b_f)), sigmoid(dense(x, W_xi, b_i))
    return (f / (f + i) * h + i / (f + i) * np.tanh(dense(x, W_xh, b_h)),)


def s4d_step(x, y, s, weights):
    """The solution of ds/dt = a s + u after a time dt, for each unit and each of its states."""
    W_xu, b_u, log_a, log_dt, C, D = weights
    u, s, y = dense(x, W_xu, b_u), s.copy(), np.zeros_like(y)
    for unit, state in np.ndindex(*s.shape):
        a, dt = -np.exp(log_a[unit, state]), np.exp(log_dt[unit])
        decay = np.exp(a * dt)
        s[unit, state] = decay * s[unit, state] + (decay - 1) / a * u[unit]
        y[unit] += C[unit, state] * s[unit, state]
    return y + D * u, s


def mamba_step(x, y, window, s, weights):
    W_xe, b_e, gain, shift, W_u, b_u, W_g, b_g, W_conv, b_conv, *others = weights
    W_r, W_dt, b_dt, W_B, W_C, log_a, D, W_o, b_o = others
    e, s = dense(x, W_xe, b_e), s.copy()
    m = (e - np.mean(e)) / np.sqrt(np.var(e) + 1e-5) * gain + shift
    g = dense(m, W_g, b_g)
    window = np.array([*window, dense(m, W_u, b_u)])
    v = sum(W_conv[i] * window[i] for i in range(4)) + b_conv
    v = v * sigmoid(v)
    dt = np.log(1 + np.exp(dense(dense(v, W_r, 0), W_dt, b_dt)))
    B, C, z = dense(v, W_B, 0), dense(v, W_C, 0), D * v
    for unit, state in np.ndindex(*s.shape):
        decay = np.exp(-dt[unit] * np.exp(log_a[unit, state]))
        s[unit, state] = decay * s[unit, state] + dt[unit] * v[unit] * B[state]
        z[unit] += s[unit, state] * C[state]
    return e + dense(z * g * sigmoid(g), W_o, b_o), window[1:], s


STEPS = {
    "rnn": rnn_step,
    "gru": gru_step,
    "gru_reset_after": gru_reset_after_step,
    "lstm": lstm_step,
    "mingru": mingru_step,
    "minlstm": minlstm_step,
    "s4d": s4d_step,
    "mamba": mamba_step,
}


def dense(x, W, b):
    return np.array([sum(x[i] * W[i, j] for i in range(len(x))) for j in range(W.shape[1])]) + b


@pytest.mark.parametrize("case", agreement.CASES)
def test_zero_time_steps_give_the_same_state_and_no_outputs(rnn, case):
    problem = agreement.make_problem(case, num_steps=0, batch_size=3, num_inputs=5, num_hiddens=4)
    found = agreement.solve(rnn, problem)
    assert found["forward"]["outputs"].shape == (0, 5)
    for index, H in enumerate(problem.state):
        np.testing.assert_array_equal(found["forward"][f"state[{index}]"], H)
        np.testing.assert_array_equal(
            found["gradients"][f"d_state[{index}]"], problem.d_state[index]
        )
    for index in range(len(problem.params)):
        assert not found["gradients"][f"d_params[{index}]"].any()


@pytest.mark.parametrize("cell", ["mlp", *agreement.CASES])
def test_an_empty_batch_has_zero_gradients(rnn, cell):
    problem = agreement.make_problem(cell, batch_size=0, num_steps=3, num_inputs=5, num_hiddens=4)
    results = agreement.solve(rnn, problem, "float32")
    assert results["forward"]["outputs"].shape == (0, 5)
    for index, state in enumerate(problem.state):
        assert results["forward"][f"state[{index}]"].shape == state.shape
    for name, gradient in results["gradients"].items():
        assert not gradient.any(), name
    for index, param in enumerate(problem.params):
        assert results["gradients"][f"d_params[{index}]"].shape == param.shape


def test_a_model_reads_rows_of_ids_and_answers_in_time_order(rnn, make_net):
    net, ids = make_net(), np.array([[0, 1, 2], [3, 4, 0]])
    outputs, state = net(rnn.from_numpy(ids), net.begin_state(2))
    expected, _ = rnn.rnn(rnn.one_hot(ids.T, 5), net.begin_state(2), net.params)
    assert rnn.to_numpy(outputs).shape == (6, 5)
    assert rnn.to_numpy(state[0]).shape == (2, 4)
    np.testing.assert_allclose(rnn.to_numpy(outputs), rnn.to_numpy(expected), rtol=1e-6)


def test_two_halves_give_the_results_of_the_whole(rnn, make_net):
    net, ids = make_net(dtype="float64"), np.array([[0, 1, 2, 4]])
    whole, last = net(ids, net.begin_state(1))
    first, state = net(ids[:, :2], net.begin_state(1))
    second, state = net(ids[:, 2:], state)
    halves = np.concatenate([rnn.to_numpy(first), rnn.to_numpy(second)])
    np.testing.assert_allclose(halves, rnn.to_numpy(whole), rtol=SAME)
    np.testing.assert_allclose(rnn.to_numpy(state[0]), rnn.to_numpy(last[0]), rtol=SAME)


def test_a_model_accepts_numpy_arrays_and_tensors(rnn, make_net):
    net, ids = make_net(), np.array([[0, 1, 2]])
    one, _ = net.evaluate(ids, net.begin_state(1))
    other, _ = net.evaluate(rnn.from_numpy(ids), net.begin_state(1))
    assert isinstance(one, np.ndarray)
    np.testing.assert_array_equal(one, other)


def test_to_numpy_returns_a_copy(rnn):
    param = rnn.get_params(5, 4, seed=0)[0]
    rnn.to_numpy(param)[:] = 7
    assert not (rnn.to_numpy(param) == 7).any()


@pytest.mark.parametrize("kind", ["float32", "float64", "int32", "int64", "uint8", "bool"])
def test_an_array_is_unchanged_after_conversion_to_the_backend_and_back(rnn, kind):
    array = np.array([[0, 1], [1, 0]], dtype=kind)
    found = rnn.to_numpy(rnn.from_numpy(array))
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


def test_try_gpu_returns_a_device_for_tensors(rnn):
    device = rnn.try_gpu()
    params = rnn.get_params(5, 4, seed=0, device=device)
    net = rnn.RNNModelScratch(
        5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0, device=device
    )
    loss, _ = net.make_step(1.0)(np.array([[1, 2]]), np.array([[2, 3]]), net.begin_state(1))
    np.testing.assert_array_equal(
        rnn.to_numpy(params[0]), rnn.to_numpy(rnn.get_params(5, 4, seed=0)[0])
    )
    assert loss == pytest.approx(np.log(5), rel=1e-3)


def test_a_device_may_be_named_cpu(rnn, make_net):
    net = make_net(device="cpu")
    assert rnn.to_numpy(net(np.array([[0, 1]]), net.begin_state(1))[0]).shape == (2, 5)


def test_a_custom_forward_function_is_called_like_a_built_in_one(rnn):
    def relu_free(inputs, state, params):
        """A linear recurrent network: no tanh."""
        outputs, (H,) = rnn.rnn(inputs, state, params)
        return outputs * 2, (H,)

    functions = rnn.get_params, rnn.init_rnn_state
    nets = [rnn.RNNModelScratch(5, 4, *functions, f, seed=0) for f in (relu_free, rnn.rnn)]
    X = np.array([[0, 1, 2]])
    one, other = (net.evaluate(X, net.begin_state(1))[0] for net in nets)
    np.testing.assert_array_equal(one, 2 * other)
    vocab = rnn.Vocab("abcd")
    assert rnn.predict_ch8("a", 3, nets[0], vocab) == rnn.predict_ch8("a", 3, nets[1], vocab)


def test_try_gpu_returns_one_device_for_all_missing_gpus(rnn):
    assert rnn.try_gpu(99) == rnn.try_gpu(98)
