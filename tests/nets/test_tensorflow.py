"""Calls in contexts of TensorFlow: tf.function, an open tape, a tf.Graph, a strategy."""

import numpy as np
import pytest
from bounds import SAME, TIGHT

from d2lrnn import backends
from d2lrnn.nets import build, cells

V, H, N, T = 5, 4, 3, 7
NETS = {
    **{cell: (cells.Architecture(cell), False) for cell in cells.CELLS},
    **{f"{cell}_fused": (cells.Architecture(cell), True) for cell in build.FUSED},
    "lstm, 2 layers, bidirectional": (cells.Architecture("lstm", 2, True), False),
}
KINDS = ["rnn", "lstm_fused", "s4d", "concise"]
RNG = np.random.default_rng(0)
X, Y = RNG.integers(V, size=(2, N, T))


@pytest.fixture
def tf(keras):
    import tensorflow

    return tensorflow


@pytest.fixture
def rnn(keras):
    return backends.load("tensorflow")


@pytest.fixture
def make(rnn):
    """A function that makes a net of a kind, always with the same parameters."""

    def make(kind):
        settings = {"seed": 0, "dtype": "float64"}
        if kind == "concise":
            return build.concise_net(rnn, cells.Architecture("lstm"), V, H, **settings)
        architecture, fused = NETS[kind]
        return build.new_net(rnn, architecture, V, H, fused=fused, **settings)

    return make


def state_of(net):
    rng = np.random.default_rng(1)
    return tuple(rng.normal(size=tuple(part.shape)) for part in net.begin_state(N))


def trained(net, rnn, **settings):
    """The parameters after two steps."""
    step, state = rnn.make_step(net, 0.5, **settings), net.begin_state(N)
    for _ in range(2):
        _, state = step(X, Y, state)
    return net.arrays()


def loss_and_gradients(tf, net):
    """A function (inputs, *state) -> a number that depends on all results, its gradients."""

    def compute(inputs, *state):
        with tf.GradientTape() as tape:
            outputs, last = net.forward_fn(inputs, state, net.params)
            loss = tf.reduce_sum(tf.sin(outputs)) + sum(map(tf.reduce_sum, last))
        return [loss, *map(tf.convert_to_tensor, tape.gradient(loss, net.params))]

    return compute


@pytest.mark.parametrize(
    ("known", "jit_compile"),
    [((None, None), False), ((T, None), False), ((None, N), False), ((None, None), True)],
)
@pytest.mark.parametrize("kind", NETS)
def test_sizes_that_are_unknown_while_tracing_do_not_change_results(
    tf, rnn, make, kind, known, jit_compile
):
    net = make(kind)
    compute, state = loss_and_gradients(tf, net), state_of(net)
    rows = rnn.one_hot(X.T, V, dtype="float64")
    signature = [tf.TensorSpec([*known, V], tf.float64)]
    signature += [tf.TensorSpec([known[1], *part.shape[1:]], tf.float64) for part in state]
    settings = {"autograph": False, "jit_compile": jit_compile, "input_signature": signature}
    outputs = tf.function(compute, **settings)(rows, *state)
    for output, expected in zip(outputs, compute(rows, *state), strict=True):
        np.testing.assert_allclose(output, expected, rtol=SAME, atol=TIGHT)


@pytest.mark.parametrize("sizes", [(0, N), (T, 0), (0, 0)])
@pytest.mark.parametrize("kind", NETS)
def test_a_size_that_is_unknown_while_tracing_can_be_0(tf, make, kind, sizes):
    net, (num_steps, batch_size) = make(kind), sizes
    state = [np.ones((batch_size, *part.shape[1:])) for part in net.begin_state(0)]
    signature = [tf.TensorSpec([None, None, V], tf.float64)]
    signature += [tf.TensorSpec([None, *part.shape[1:]], tf.float64) for part in state]

    def forward(inputs, *state):
        return net.forward_fn(inputs, state, net.params)

    traced = tf.function(forward, autograph=False, input_signature=signature)
    outputs, last = traced(np.zeros((num_steps, batch_size, V)), *state)
    assert outputs.shape == (0, V)
    assert [tuple(part.shape) for part in last] == [part.shape for part in state]


@pytest.mark.parametrize("kind", NETS)
def test_a_state_for_another_batch_size_is_an_error_when_the_sizes_become_known(tf, make, kind):
    net = make(kind)
    state = [np.zeros((1, *part.shape[1:])) for part in net.begin_state(0)]
    signature = [tf.TensorSpec([None, None, V], tf.float64)]
    signature += [tf.TensorSpec([None, *part.shape[1:]], tf.float64) for part in state]

    def forward(inputs, *state):
        return net.forward_fn(inputs, state, net.params)[0]

    traced = tf.function(forward, autograph=False, input_signature=signature)
    with pytest.raises(tf.errors.InvalidArgumentError, match="state is for another batch_size"):
        traced(np.zeros((T, N, V)), *state)


@pytest.mark.parametrize("kind", ["rnn", "rnn_fused"])
def test_inputs_of_an_unknown_number_of_axes_are_refused(tf, make, kind):
    net = make(kind)

    @tf.function(autograph=False, input_signature=[tf.TensorSpec(None, tf.float64)])
    def traced(inputs):
        return net.forward_fn(inputs, net.begin_state(N), net.params)

    with pytest.raises(ValueError, match="inputs has an unknown number of axes; expected axes"):
        traced(np.zeros((T, N, V)))


@pytest.mark.parametrize("tokens", [[0, V], [-1, 0], [0, 2**32]])
def test_a_traced_id_outside_the_vocabulary_is_an_error_or_with_xla_not_a_number(tf, rnn, tokens):
    def rows(ids):
        return rnn.one_hot(ids, V)

    ids = tf.constant(tokens, tf.int64)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"a token id is outside 0\.\.4; use"):
        tf.function(rows, autograph=False)(ids)
    assert np.isnan(tf.function(rows, autograph=False, jit_compile=True)(ids)).all()


@pytest.mark.parametrize("cell", build.FUSED)
def test_a_traced_id_outside_the_vocabulary_is_an_error_in_a_fused_cell(tf, make, cell):
    net = make(f"{cell}_fused")

    def forward(ids):
        return net.forward_fn(ids, net.begin_state(N), net.params)[0]

    expected = forward(tf.constant(X.T))
    traced, compiled = (
        tf.function(forward, autograph=False, jit_compile=jit_compile)
        for jit_compile in (False, True)
    )
    np.testing.assert_allclose(traced(tf.constant(X.T)), expected, rtol=SAME, atol=TIGHT)
    np.testing.assert_allclose(compiled(tf.constant(X.T)), expected, rtol=SAME, atol=TIGHT)
    with pytest.raises(tf.errors.InvalidArgumentError, match="a token id is outside"):
        traced(tf.constant(X.T + 1))
    assert np.isnan(compiled(tf.constant(X.T + 1))).all()


@pytest.mark.parametrize("kind", [*NETS, "concise"])
def test_a_net_called_with_traced_ids_of_unknown_sizes_computes_or_refuses_them(tf, make, kind):
    net = make(kind)
    state = state_of(net)
    signature = [tf.TensorSpec([None, None], tf.int64)]
    signature += [tf.TensorSpec([None, *part.shape[1:]], tf.float64) for part in state]

    @tf.function(autograph=False, input_signature=signature)
    def traced(ids, *state):
        return net(ids, state)

    outputs, last = traced(X, *state)
    expected, last_expected = net(X, state)
    np.testing.assert_allclose(outputs, expected, rtol=SAME, atol=TIGHT)
    for part, part_expected in zip(last, last_expected, strict=True):
        np.testing.assert_allclose(part, part_expected, rtol=SAME, atol=TIGHT)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"a token id is outside 0\.\.4"):
        traced(X + 1, *state)


@pytest.mark.parametrize("tokens", [[0, V], [-1, 0]])
def test_a_traced_id_has_its_row_of_a_table_or_is_an_error(tf, rnn, tokens):
    table = tf.constant(np.random.default_rng(0).normal(size=(V, 3)))
    traced = tf.function(lambda ids: rnn.embedding(ids, table), autograph=False)
    np.testing.assert_array_equal(traced(tf.constant(X)), rnn.embedding(X, table))
    with pytest.raises(tf.errors.InvalidArgumentError, match="a token id is outside"):
        traced(tf.constant(tokens))


@pytest.mark.parametrize(
    ("kind", "settings"),
    [*((kind, {}) for kind in KINDS), ("rnn", {"optimizer": "adam"}), ("rnn", {"segment": 3})],
)
def test_training_within_an_open_tape_is_not_recorded(tf, rnn, make, kind, settings):
    expected, net = trained(make(kind), rnn, **settings), make(kind)
    with tf.GradientTape(persistent=True) as tape:
        arrays = trained(net, rnn, **settings)
        step = rnn.make_step(make(kind), 0.5, **settings)
        _, last = step(X, Y, net.begin_state(N))
    for array, same in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(array, same)
    assert all(tape.gradient(last[0], param) is None for param in tape.watched_variables())


@pytest.mark.parametrize("kind", KINDS)
def test_generating_within_an_open_tape_is_unchanged(tf, rnn, make, kind):
    net, vocab = make(kind), rnn.Vocab("abcd")
    expected = rnn.predict_ch8("ab", 5, net, vocab)
    with tf.GradientTape(persistent=True):
        assert rnn.predict_ch8("ab", 5, net, vocab) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_training_with_eager_functions_equals_ordinary_training(tf, rnn, make, kind):
    expected = trained(make(kind), rnn)
    tf.config.run_functions_eagerly(True)
    try:
        arrays = trained(make(kind), rnn)
    finally:
        tf.config.run_functions_eagerly(False)
    for array, same in zip(arrays, expected, strict=True):
        np.testing.assert_allclose(array, same, rtol=SAME, atol=SAME)


WITHIN_A_STRATEGY = "a net is made or trained within a strategy of tf.distribute"


@pytest.mark.parametrize("kind", KINDS)
def test_a_net_is_neither_made_nor_trained_within_a_strategy(tf, rnn, make, kind):
    strategy, net = tf.distribute.MirroredStrategy(["/CPU:0"]), make(kind)
    step, arrays = rnn.make_step(net, 0.5), net.arrays()
    with strategy.scope():
        with pytest.raises(ValueError, match=WITHIN_A_STRATEGY):
            make(kind)
        with pytest.raises(ValueError, match=WITHIN_A_STRATEGY):
            step(X, Y, net.begin_state(N))
    with pytest.raises(ValueError, match=WITHIN_A_STRATEGY):
        strategy.run(lambda: step(X, Y, net.begin_state(N)))
    for array, same in zip(net.arrays(), arrays, strict=True):
        np.testing.assert_array_equal(array, same)


def test_parameters_with_a_copy_on_each_device_are_not_trained(tf, make):
    net = make("rnn")
    with tf.distribute.MirroredStrategy(["/CPU:0"]).scope():
        net.params = [tf.Variable(param) for param in net.params]
    with pytest.raises(ValueError, match=WITHIN_A_STRATEGY):
        net.make_step(0.5)(X, Y, net.begin_state(N))


@pytest.mark.parametrize("kind", ["rnn", "lstm_fused"])
def test_a_net_that_is_made_in_a_tf_graph_computes_in_its_session(tf, make, kind):
    net = make(kind)
    expected, _ = net(X, net.begin_state(N))
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        net = make(kind)
        outputs, _ = net(X, net.begin_state(N))
        session.run(tf.compat.v1.global_variables_initializer())
        np.testing.assert_array_equal(session.run(outputs), expected)


IN_A_GRAPH = "a tf.Graph is being built, which cannot use the values of parameters"


@pytest.mark.parametrize("kind", KINDS)
def test_a_net_that_has_values_is_refused_in_a_tf_graph(tf, rnn, make, kind):
    net = make(kind)
    step = rnn.make_step(net, 0.5)
    with tf.Graph().as_default():
        with pytest.raises(ValueError, match=IN_A_GRAPH):
            net(X, net.begin_state(N))
        with pytest.raises(ValueError, match=f"{IN_A_GRAPH}|a tensor has no values while"):
            step(X, Y, net.begin_state(N))
        with pytest.raises(ValueError, match=IN_A_GRAPH):
            rnn.predict_ch8("ab", 5, net, rnn.Vocab("abcd"))


@pytest.mark.parametrize("kind", NETS)
def test_a_cell_with_parameters_that_have_values_is_refused_in_a_tf_graph(tf, rnn, make, kind):
    net = make(kind)
    with tf.Graph().as_default():
        rows, state = rnn.one_hot(X.T, V, dtype="float64"), net.begin_state(N)
        with pytest.raises(ValueError, match=IN_A_GRAPH):
            net.forward_fn(rows, state, net.params)


@pytest.fixture
def policy(keras):
    """A function that sets the dtype policy of Keras for one test."""
    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("name", ["mixed_float16", "mixed_bfloat16", "float16", "bfloat16"])
def test_a_policy_of_less_precision_than_the_parameters_is_refused(rnn, make, policy, name):
    policy(name)
    with pytest.raises(ValueError, match=f"the dtype policy of Keras is '{name}'; expected one"):
        make("concise")


def test_a_layer_of_mixed_precision_is_refused(keras, rnn):
    settings = {"return_sequences": True, "return_state": True, "dtype": "mixed_bfloat16"}
    layer = keras.layers.LSTM(H, **settings)
    layer.build((None, None, V))
    with pytest.raises(ValueError, match="the dtype policy of Keras is 'mixed_bfloat16'"):
        rnn.RNNModel(layer, V)
