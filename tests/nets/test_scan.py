"""Scans and the cells that are linear in their state: identities, gradients and long sequences."""

import dataclasses
import functools

import linear_reference
import numpy as np
import pytest
from bounds import AGREED, SAME

from d2lrnn import backends
from d2lrnn.measure import agreement
from d2lrnn.nets import build, cells, layers, linear, linear_scans

NAMES = ("associative_scan", "sequential_scan")
LENGTHS = [*range(1, 131), 1000]
SOME = [1, 2, 63, 64, 65, 130, 1000]  # on both sides of where a scan has more than one block
SCANNED = [cell.name for cell in linear.CELLS]


def long_double(a, b, state):
    """The recurrence in NumPy's long double, one step after the other."""
    h, state = [], state.astype(np.longdouble)
    for a_t, b_t in zip(np.broadcast_to(a, b.shape), b):
        state = a_t * state + b_t
        h.append(state)
    return np.array(h)


def drawn(num_steps, *shape, seed=0, low=0.0):
    rng = np.random.default_rng(seed)
    a = rng.uniform(low, 1, (num_steps, *shape))
    return a, rng.normal(size=(num_steps, *shape)), rng.normal(size=shape)


def scanned(rnn, name, *arrays, dtype="float64"):
    tensors = [None if x is None else rnn.from_numpy(x, dtype=dtype) for x in arrays]
    return rnn.to_numpy(getattr(rnn, name)(*tensors))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", NAMES)
def test_a_scan_equals_the_recurrence_for_every_length(rnn, name, dtype):
    limit = 1e-14 if dtype == "float64" else 1e-5
    every = (name, dtype) == ("associative_scan", "float64")
    for num_steps in LENGTHS if every else SOME:
        a, b, state = drawn(num_steps, 2, 3)
        for first in (state, None):
            expected = long_double(a, b, np.zeros((2, 3)) if first is None else first)
            found = scanned(rnn, name, a, b, first, dtype=dtype)
            assert agreement.difference(found, expected) <= limit, num_steps


@pytest.mark.parametrize("shape", [(3,), (1, 3), (1, 1, 3), (100, 1, 3), (100, 2, 1)])
@pytest.mark.parametrize("name", NAMES)
def test_the_factors_can_be_equal_for_steps_rows_or_units(rnn, name, shape):
    _, b, state = drawn(100, 2, 3)
    a = np.random.default_rng(1).uniform(0, 1, shape)
    found = scanned(rnn, name, a, b, state)
    np.testing.assert_allclose(found, long_double(a, b, state).astype(float), atol=SAME)


@pytest.mark.parametrize("length", [1, 7, 64, 99, 129])
def test_segments_with_passed_states_equal_the_whole_sequence(rnn, length):
    a, b, state = drawn(130, 2, 3)
    parts, last = [], state
    for start in range(0, 130, length):
        parts.append(scanned(rnn, NAMES[0], a[start : start + length], b[start:][:length], last))
        last = parts[-1][-1]
    np.testing.assert_allclose(
        np.concatenate(parts), scanned(rnn, NAMES[0], a, b, state), atol=SAME
    )


def bound(num_steps, dtype="float64"):
    """Each step rounds a product and a sum, and factors of at most 1 do not amplify an error."""
    return 2 * num_steps * float(np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("decay", [1e-30, 1e-8, 0.5, 1 - 1e-6, 1.0])
def test_ten_thousand_steps_do_not_overflow(rnn, decay, dtype):
    limit = bound(10_000, dtype)
    a = np.array([decay, decay], dtype)
    b = np.random.default_rng(0).normal(size=(10_000, 1, 2)).astype("float32")
    state = np.ones((1, 2))
    found = scanned(rnn, NAMES[0], a, b, state, dtype=dtype)
    assert np.isfinite(found).all()
    assert agreement.difference(found, long_double(a, b, state).astype(float)) <= limit


@pytest.mark.parametrize("decay", [1e-30, 0.5, 1 - 1e-12, 1.0])
def test_gradients_of_ten_thousand_steps_do_not_overflow(rnn, decay):
    T = 10_000
    _, b, state = drawn(T, 1, 2)
    a, g = np.full((T, 1, 2), decay), np.random.default_rng(2).normal(size=b.shape)
    expected = scan_in_reverse(a, b, state, g)
    for one, other in zip(gradients(rnn, NAMES[0], a, b, state, g), expected, strict=True):
        assert agreement.difference(one, other) <= bound(T)


@pytest.mark.parametrize("shift", [-40.0, 40.0])
@pytest.mark.parametrize("cell", SCANNED)
def test_a_cell_with_decays_near_0_and_1_stays_finite_for_ten_thousand_steps(rnn, cell, shift):
    """The biases of the gates, or the logarithm of the time step, are shifted far from 0."""
    problem = agreement.make_problem(
        cell, num_steps=10_000, batch_size=1, num_inputs=2, num_hiddens=2
    )
    names = {"mingru": "b_z", "minlstm": "b_f", "s4d": "log_dt", "mamba": "b_dt"}
    place = list(cells.CELLS[cell].parameters).index(names[cell])
    problem.params[place] += shift / 4 if cell == "s4d" else shift
    forward_fn = functools.partial(linear_reference.CELLS[cell], linear_reference.loop)
    given = [x.astype(np.longdouble) for x in (problem.inputs, *problem.state, *problem.params)]
    *weights, W_hq, b_q = given
    Hs, last = forward_fn(*weights)
    made = functools.partial(rnn.from_numpy, dtype="float64")
    state, params = tuple(map(made, problem.state)), list(map(made, problem.params))
    outputs, found = getattr(rnn, f"{cell}_scan")(made(problem.inputs), state, params)
    expected = [(Hs @ W_hq + b_q).reshape(-1, 2), *last]
    for tensor, other in zip((outputs, *found), expected, strict=True):
        one = rnn.to_numpy(tensor)
        assert np.isfinite(one).all()
        assert agreement.difference(one, other.astype(float)) <= bound(10_000)


def test_a_time_step_of_a_wide_net_is_one_block_with_the_same_numbers(rnn):
    a, b, state = drawn(70, 5000)
    found = scanned(rnn, NAMES[0], a, b, state)
    np.testing.assert_allclose(found, long_double(a, b, state).astype(float), atol=SAME)


def gradients(rnn, name, a, b, state, g):
    """The gradients of <g, h> for the state, a and b, by the backend's own differentiation."""
    T, n, h = b.shape

    def forward_fn(inputs, state, params):
        Hs = getattr(rnn, name)(params[0], inputs, state[0])
        return rnn.RNNModelScratch.ops.tensors.merge_time(Hs), state

    made = functools.partial(rnn.from_numpy, dtype="float64")
    ends = made(g.reshape(T * n, h)), (made(np.zeros_like(state)),)
    d_b, (d_state,), (d_a,) = rnn.vjp(forward_fn, made(b), (made(state),), [made(a)], *ends)
    return [rnn.to_numpy(tensor) for tensor in (d_a, d_b, d_state)]


def scan_in_reverse(a, b, state, g):
    """The gradients of a, b and the state by a scan over the time steps in reverse."""
    h = long_double(a, b, state).astype(float)
    later = np.concatenate([np.broadcast_to(a, b.shape)[1:], np.zeros((1, *b.shape[1:]))])
    G = long_double(later[::-1], g[::-1], np.zeros_like(state)).astype(float)[::-1]
    d_a = G * np.concatenate([state[None], h[:-1]])
    return d_a if a.shape == b.shape else d_a.sum(1, keepdims=True), G, a[0] * G[0]


@pytest.mark.parametrize("num_steps", [1, 2, 35, 64, 65, 200])
@pytest.mark.parametrize("broadcast", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_of_a_scan_equals_a_scan_in_reverse(rnn, name, broadcast, num_steps):
    a, b, state = drawn(num_steps, 2, 3)
    a = a[:, :1] if broadcast else a
    g = np.random.default_rng(2).normal(size=b.shape)
    expected = scan_in_reverse(a, b, state, g)
    for one, other in zip(gradients(rnn, name, a, b, state, g), expected, strict=True):
        np.testing.assert_allclose(one, other, atol=AGREED * max(1, abs(other).max()))


MISTAKES = {
    "no axis": (
        (0.5, 1.0, None),
        "b has shape (); expected (num_steps, ...), the time steps first",
    ),
    "factors": (
        (np.ones(2), np.ones((4, 3)), None),
        "a has shape (2,), which does not broadcast to (4, 3), the shape of b; expected that "
        "shape, or 1 in place of some of its sizes",
    ),
    "state": (
        (np.ones(3), np.ones((4, 3)), np.ones(2)),
        "state has shape (2,); expected (3,), the shape of one time step of b",
    ),
    "dtype": (
        (np.ones(3), np.ones((4, 3), "float32"), None),
        "a has dtype float64, b has float32; convert one of them",
    ),
    "integers": (
        (np.ones(3), np.ones((4, 3), "int32"), None),
        "b has dtype int32; expected a dtype of floats, such as float32",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("name", NAMES)
def test_a_mistake_has_the_same_message_in_every_backend(rnn, name, mistake):
    arrays, words = MISTAKES[mistake]
    tensors = [None if x is None else rnn.from_numpy(np.asarray(x)) for x in arrays]
    with pytest.raises(ValueError) as error:
        getattr(rnn, name)(*tensors)
    assert str(error.value) == words


def test_lists_are_refused(rnn):
    with pytest.raises(ValueError, match="b is a list"):
        rnn.associative_scan(rnn.from_numpy([0.5]), [[1.0]])


def results(rnn, forward_fn, problem):
    made = functools.partial(rnn.from_numpy, dtype="float64")
    state, params = tuple(map(made, problem.state)), list(map(made, problem.params))
    outputs, last = forward_fn(made(problem.inputs), state, params)
    ends = made(problem.d_outputs), tuple(map(made, problem.d_state))
    d_inputs, d_first, d_params = rnn.vjp(forward_fn, made(problem.inputs), state, params, *ends)
    return [rnn.to_numpy(x) for x in (outputs, *last, d_inputs, *d_first, *d_params)]


def test_mingru_is_a_gru_without_recurrent_weights_in_the_other_convention(rnn):
    problem = agreement.make_problem("mingru", num_steps=70)
    W_xz, b_z, W_xh, b_h, *output_layer = problem.params
    zeros = np.zeros((len(b_h), len(b_h)))
    gates = [W_xz, zeros, b_z, 0 * W_xz, zeros, 0 * b_z, W_xh, zeros, b_h]

    def as_gru(inputs, state, params):
        return rnn.gru(inputs, state, rnn.flip_update_gate(params))

    gru = dataclasses.replace(problem, params=[*gates, *output_layer])
    found, expected = results(rnn, rnn.mingru, problem), results(rnn, as_gru, gru)
    kept = [0, 1, 2, 3, 4, 6, 10, 12, 13, 14]  # without the gradients of what a minGRU lacks
    for one, other in zip(found, [expected[i] for i in kept], strict=True):
        assert agreement.difference(one, other) <= AGREED


@pytest.mark.parametrize("num_steps", [1, 5, 35, 64, 100])
@pytest.mark.parametrize("cell", SCANNED)
def test_the_scan_of_a_cell_equals_its_loop(rnn, cell, num_steps):
    problem = agreement.make_problem(cell, num_steps=num_steps, batch_size=3, num_hiddens=6)
    check_that_the_scan_equals_the_loop(rnn, cell, problem)


@pytest.mark.parametrize("cell", ["s4d", "mamba"])
def test_the_scan_of_a_cell_with_wide_time_steps_equals_its_loop(rnn, cell):
    """There are 4,160 numbers in a time step, which some backends compute in another way."""
    problem = agreement.make_problem(cell, num_steps=3, batch_size=65, num_hiddens=16)
    check_that_the_scan_equals_the_loop(rnn, cell, problem)


def check_that_the_scan_equals_the_loop(rnn, cell, problem):
    found = results(rnn, getattr(rnn, f"{cell}_scan"), problem)
    expected = results(rnn, getattr(rnn, cell), problem)
    for one, other in zip(found, expected, strict=True):
        assert agreement.difference(one, other) <= AGREED


@pytest.mark.parametrize("cell", SCANNED)
def test_one_token_at_a_time_gives_the_scores_of_all_at_once(rnn, cell):
    net = build.new_net(rnn, cells.Architecture(cell), 5, 4, fused=True, seed=0, dtype="float64")
    X = np.random.default_rng(0).integers(5, size=(2, 70))
    expected, last = net.evaluate(X, net.begin_state(2))
    state, outputs = net.begin_state(2), []
    for t in range(70):
        scores, state = net.evaluate(X[:, t : t + 1], state)
        outputs.append(scores)
    np.testing.assert_allclose(np.concatenate(outputs), expected, atol=AGREED)
    for one, other in zip(state, last, strict=True):
        np.testing.assert_allclose(rnn.to_numpy(one), rnn.to_numpy(other), atol=AGREED)


def test_s4d_is_a_convolution_with_its_kernel(rnn):
    problem = agreement.make_problem("s4d", num_steps=80, batch_size=1, num_hiddens=6)
    W_xu, b_u, log_a, log_dt, C, D, W_hq, b_q = problem.params
    A = -np.exp(log_a)
    dA = np.exp(log_dt)[:, None] * A
    powers = np.exp(dA) ** np.arange(80)[:, None, None]  # (T, h, N)
    kernel = (C * powers * np.expm1(dA) / A).sum(-1)  # (T, h)
    U = problem.inputs[:, 0] @ W_xu + b_u
    Y = [np.convolve(U[:, unit], kernel[:, unit])[:80] for unit in range(6)]
    expected = (np.transpose(Y) + D * U) @ W_hq + b_q
    for name in ("s4d", "s4d_scan"):
        state = rnn.init_s4d_state(1, 6, dtype="float64")
        params = [rnn.from_numpy(p) for p in problem.params]
        outputs, _ = getattr(rnn, name)(rnn.from_numpy(problem.inputs), state, params)
        assert agreement.difference(rnn.to_numpy(outputs), expected) <= AGREED


def test_the_gates_of_minlstm_do_not_become_nan_where_both_are_closed(rnn):
    params = [rnn.to_numpy(p) for p in rnn.get_minlstm_params(3, 2, seed=0)]
    params[1][:], params[3][:] = -200, -200  # b_f and b_i: sigmoid(-200) is 0 in float32
    X = rnn.one_hot([[0], [1]], 3)
    for name in ("minlstm", "minlstm_scan"):
        state = rnn.from_numpy(np.ones((1, 2), "float32"))
        outputs, (H,) = getattr(rnn, name)(X, (state,), list(map(rnn.from_numpy, params)))
        assert np.isfinite(rnn.to_numpy(outputs)).all()
        np.testing.assert_allclose(rnn.to_numpy(H), np.full((1, 2), 0.25), atol=0.02)


def test_padding_does_not_change_the_state(rnn):
    for cell in SCANNED:
        net = rnn.SequenceClassifierScratch(5, 4, 3, cell=cell, seed=0, dtype="float64")
        batch = [[1, 2, 3, 4], [2], [3, 0]]
        alone = np.concatenate([net.evaluate([row]) for row in batch])
        np.testing.assert_allclose(net.evaluate(batch), alone, atol=AGREED, err_msg=cell)


def test_the_reference_s_backward_pass_equals_that_of_the_tape():
    numpy = backends.load("numpy")
    for cell in SCANNED:
        problem = agreement.make_problem(cell, num_steps=20, batch_size=3, num_hiddens=6)
        functions = layers.functions(numpy.RNNModelScratch.ops, cells.Architecture(cell))
        by_hand = results(numpy, functions[2], problem)
        by_tape = results(numpy, lambda *given, run=functions[2]: run(*given), problem)
        for one, other in zip(by_hand, by_tape, strict=True):
            assert agreement.difference(one, other) <= AGREED


@pytest.mark.parametrize("name", NAMES)
def test_a_scan_accepts_one_number_per_step_and_a_scalar_factor(rnn, name):
    b = np.array([1.0, 2.0, 3.0])
    for a in (np.array([0.5, 0.5, 0.5]), np.array(0.5)):
        found = scanned(rnn, name, a, b)
        np.testing.assert_array_equal(found, [1.0, 2.5, 4.25])


@pytest.mark.parametrize("layers", [1, 7])
def test_a_net_with_many_parameters_trains(rnn, layers):
    net = build.new_net(rnn, cells.Architecture("lstm", layers), 5, 3, seed=0)
    expected = build.new_net(
        backends.load("numpy"), cells.Architecture("lstm", layers), 5, 3, seed=0
    )
    X = np.random.default_rng(0).integers(5, size=(2, 4))
    for one in (net, expected):
        step, state = one.make_step(1.0, 1.0), one.begin_state(2)
        for _ in range(2):
            _, state = step(X, X, state)
    for found, array in zip(net.arrays(), expected.arrays(), strict=True):
        np.testing.assert_allclose(found, array, atol=1e-5)


@pytest.mark.parametrize("cell", ["s4d", "mamba"])
def test_a_long_sequence_is_computed_in_parts_to_the_same_numbers(reference, cell, monkeypatch):
    from d2lrnn.numpy import linear

    parts, problem = [], agreement.make_problem(cell, num_steps=150)
    layer = linear_scans.SCANS[cell]

    def counted(f, inputs, state, weights):
        parts.append(len(inputs))
        return layer(f, inputs, state, weights)

    monkeypatch.setattr(linear, "NUMBERS", 0)
    state, weights = problem.state, problem.params[:-2]
    found, last = linear.in_segments(linear, counted, problem.inputs, state, weights)
    expected, expected_last = layer(linear, problem.inputs, state, weights)
    assert parts == [64, 64, 22]
    for one, other in zip((found, *last), (expected, *expected_last), strict=True):
        assert agreement.difference(one, other) <= AGREED
    results = [agreement.solve(reference, problem, fused=fused) for fused in (True, False)]
    for name, expected in results[1]["gradients"].items():
        assert agreement.difference(results[0]["gradients"][name], expected) <= AGREED
