"""A state may be NumPy arrays: the same numbers, in every backend."""

import numpy as np
import pytest

from d2lrnn.measure import agreement, gradient_flow
from d2lrnn.nets import build, cells
from d2lrnn.training import segments

X = np.array([[0, 1, 2], [2, 1, 0]])
CALLS = {
    "called": lambda net, state: net(X, state),
    "called for no steps": lambda net, state: net(X[:, :0], state),
    "called for no rows": lambda net, state: net(X[:0], [s[:0] for s in state]),
    "evaluated": lambda net, state: net.evaluate(X, state),
    "trained": lambda net, state: net.make_step(0.1)(X, X, state),
    "asked for gradients": lambda net, state: net.gradients(X, X, state),
}
SCRATCH = {
    "asked for norms": lambda net, state: gradient_flow.gradient_norms(net, X, X, state),
    "asked for scores": lambda net, state: net.next_scores(np.array([1]), [s[:1] for s in state]),
    "trained in segments": lambda net, state: segments.value_and_grad(net, X, X, state, 2),
}
CASES = ["lstm", "gru_fused", "gru, bidirectional"]


def flat(rnn, results):
    """Tensors within tuples and lists, in one list of NumPy arrays."""
    if isinstance(results, (tuple, list)):
        return [array for part in results for array in flat(rnn, part)]
    return [rnn.to_numpy(results)]


def assert_same(rnn, use, make, state):
    """Used with tensors and with arrays, a net gives the same numbers, in tensors of one kind."""
    results = []
    for given in (state, tuple(rnn.to_numpy(s) for s in state)):
        results.append(use(make(), given))
    for one, other in zip(*(flat(rnn, result) for result in results), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    lasts = [result[1] for result in results]
    kinds = [list(map(type, last)) for last in lasts if isinstance(last, tuple)]
    assert kinds[:1] == kinds[1:]


def some_state(rnn, net):
    """A state of two rows that is not zero."""
    rng = np.random.default_rng(0)
    return tuple(
        rnn.from_numpy(rng.standard_normal((2, 4)).astype("float32")) for _ in net.begin_state(2)
    )


USES = [(case, use) for case in CASES for use in CALLS] + [("lstm", use) for use in SCRATCH]


@pytest.mark.parametrize(("case", "use"), USES)
def test_a_net_accepts_a_state_of_arrays(rnn, case, use):
    architecture, fused = agreement.CASES[case.removesuffix("_fused")], case.endswith("_fused")
    call = {**CALLS, **SCRATCH}[use]

    def make():
        return build.new_net(rnn, architecture, 5, 4, fused=fused, seed=0)

    assert_same(rnn, call, make, some_state(rnn, make()))


@pytest.mark.parametrize("use", CALLS)
@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_a_framework_s_own_layer_accepts_a_state_of_arrays(rnn, make_concise, cell, use):
    assert_same(rnn, CALLS[use], lambda: make_concise(cell), some_state(rnn, make_concise(cell)))


@pytest.mark.parametrize("temperature", [0, 1])
def test_text_is_generated_from_a_state_of_arrays(rnn, make_net, temperature):
    net, vocab = make_net(), rnn.Vocab("abcd")
    state = tuple(s[:1] for s in some_state(rnn, net))
    said = [
        rnn.predict_ch8("ab", 5, net, vocab, temperature=temperature, seed=1, state=given)
        for given in (state, tuple(map(rnn.to_numpy, state)))
    ]
    assert said[0] == said[1]


@pytest.mark.parametrize("name", ["rnn", "lstm", "lstm_fused", "concat_gru"])
def test_a_function_accepts_a_state_of_arrays(rnn, name):
    cell = name.removesuffix("_fused").removeprefix("concat_")
    problem = agreement.make_problem(cell, num_steps=3, batch_size=2, num_inputs=4, num_hiddens=5)
    params = list(map(rnn.from_numpy, problem.params))
    params = rnn.concat_params(params) if name.startswith("concat_") else params
    state, d_state = (tuple(map(rnn.from_numpy, s)) for s in (problem.state, problem.d_state))
    inputs, d_outputs = map(rnn.from_numpy, (problem.inputs, problem.d_outputs))
    forward_fn = getattr(rnn, name)

    def use(_, given):
        back = rnn.vjp(forward_fn, inputs, given, params, d_outputs, d_state)
        return [forward_fn(inputs, given, params)[0], forward_fn(inputs, given, params)[1], *back]

    assert_same(rnn, use, lambda: None, state)


def test_a_decoder_accepts_a_state_of_arrays(rnn):
    net, rows = rnn.DecoderScratch(5, 4, 2, seed=0), np.eye(5, dtype="float32")[X]
    context = np.ones((2, 2))
    assert_same(rnn, lambda net, s: net(rows, s, context), lambda: net, some_state(rnn, net))


@pytest.mark.parametrize("concise", [False, True])
def test_arrays_of_another_dtype_are_one_clear_error(rnn, make_net, concise):
    net = build.concise_net(rnn, cells.PLAIN["rnn"], 5, 4, seed=0) if concise else make_net()
    with pytest.raises(ValueError) as error:
        net(X, (np.zeros((2, 4)),))
    words = "state has dtype float64, the parameters have float32; convert one of them"
    assert str(error.value) == words
