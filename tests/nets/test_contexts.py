"""Functions called within contexts of the frameworks: no_grad, autocast, jit, vmap and so on.

The result is the one without it, of fused and plain cells alike, or one clear error.
"""

import contextlib

import numpy as np
import pytest
from bounds import AGREED

from d2lrnn.measure import agreement
from d2lrnn.nets import build, cells
from d2lrnn.training import segments

X, Y = np.array([[[0, 1, 2, 3], [3, 2, 1, 0]], [[1, 2, 3, 4], [2, 1, 0, 4]]])
FUSED = ["rnn_fused", "gru_fused", "gru_reset_after_fused", "lstm_fused"]
# In half precision, the gradients of a Mamba block overflow, in plain PyTorch too
CELLS = [*(cell for cell in cells.CELLS if cell != "mamba"), *FUSED]
NETS = ["rnn", "gru", "lstm_fused", "custom", "stack", "concise"]
SMALL = 1e-6  # of float32: what half precision would change is a hundred times as much


def make(rnn, kind, dtype="float32"):
    """A small net; the framework's own layer where kind is "concise"."""
    settings = {"seed": 0, "dtype": dtype}
    if kind == "concise":
        return build.concise_net(rnn, cells.Architecture("lstm"), 5, 4, **settings)
    if kind == "stack":
        return rnn.RNNModelScratch(5, 4, *rnn.stack("lstm", 2, bidirectional=True), **settings)
    if kind == "custom":

        def forward_fn(inputs, state, params):
            return rnn.concat_rnn(inputs, state, rnn.concat_params(params))

        functions = rnn.get_params, rnn.init_rnn_state, forward_fn
        return rnn.RNNModelScratch(5, 4, *functions, **settings)
    architecture = cells.Architecture(kind.removesuffix("_fused"))
    return build.new_net(rnn, architecture, 5, 4, fused=kind.endswith("_fused"), **settings)


def of_a_call(rnn, net):
    outputs, _ = net(X, net.begin_state(2))
    assert net.dtype in str(outputs.dtype)
    return [rnn.to_numpy(outputs)]


def of_training(rnn, net):
    step, (_, state) = net.make_step(0.5), net(X, net.begin_state(2))
    losses = []
    for _ in range(3):
        loss, state = step(X, Y, state)
        losses.append(loss)
    return [np.array(losses), *net.arrays()]


def of_sgd_step(rnn, net):
    losses = [rnn.sgd_step(net, X, Y, net.begin_state(2), 0.5)[0] for _ in range(2)]
    return [rnn.to_numpy(loss) for loss in losses] + net.arrays()


def of_gradients(rnn, net):
    loss, gradients = net.gradients(X, Y, net.begin_state(2))
    return [np.array(loss), *gradients]


def of_segments(rnn, net):
    loss, _, gradients = segments.value_and_grad(net, X, Y, net.begin_state(2), 0)
    return [np.array(loss), *gradients]


def of_text(rnn, net):
    return [np.array([ord(c) for c in rnn.predict_ch8("ab", 8, net, rnn.Vocab("abcd"))])]


def of_norms(rnn, net):
    return [rnn.gradient_norms(net, X, Y)]


def of_the_inside(rnn, net):
    inside = rnn.look_inside(net, rnn.Vocab("abcd"), "abba")
    return [inside.states, *inside.gates.values(), inside.probabilities]


EVERYTHING = [
    *(of_a_call, of_training, of_sgd_step, of_gradients, of_segments, of_text, of_norms),
    of_the_inside,
]
NOT_OF = {
    "custom": [of_norms, of_the_inside],
    "stack": [of_text, of_norms, of_the_inside],
    "concise": [of_sgd_step, of_segments, of_norms, of_the_inside],
}
CASES = [
    (kind, results)
    for kind in NETS
    for results in EVERYTHING
    if results not in NOT_OF.get(kind, [])
]


def assert_same(rnn, kind, results, context, *, made_within):
    """Compare results(net) within a context and without it."""
    expected, net = results(rnn, make(rnn, kind)), make(rnn, kind)
    with context():
        found = results(rnn, make(rnn, kind) if made_within else net)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=SMALL)


def pytorch_contexts():
    import torch

    return {
        "no_grad": torch.no_grad,
        "inference_mode": torch.inference_mode,
        "bfloat16": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
        "float16": lambda: torch.autocast("cpu", dtype=torch.float16),
    }


@pytest.mark.parametrize("made_within", [False, True])
@pytest.mark.parametrize("context", ["no_grad", "inference_mode", "bfloat16", "float16"])
@pytest.mark.parametrize(("kind", "results"), CASES)
def test_a_context_of_pytorch_changes_nothing(pytorch, kind, results, context, made_within):
    context = pytorch_contexts()[context]
    assert_same(pytorch, kind, results, context, made_within=made_within)


def test_a_net_made_in_inference_mode_is_trained_outside_of_it(pytorch):
    import torch

    for kind in ("lstm", "concise"):
        with torch.inference_mode():
            net = make(pytorch, kind)
        expected = of_training(pytorch, make(pytorch, kind))
        for one, other in zip(of_training(pytorch, net), expected, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("context", ["no_grad", "inference_mode", "bfloat16", "float16"])
def test_a_context_of_pytorch_changes_no_classifier(pytorch, context):
    rows, results = np.random.default_rng(0).standard_normal((2, 5, 3)), []
    for around in (contextlib.nullcontext, pytorch_contexts()[context]):
        with around():
            net = pytorch.SequenceClassifierScratch(3, 4, 2, cell="lstm", seed=0)
            step = net.make_step(0.1)
            results.append([step(rows, [0, 1]) for _ in range(3)])
            results[-1] += net.evaluate(rows).reshape(-1).tolist()
    np.testing.assert_allclose(*results, rtol=0, atol=SMALL)


def differentiate(pytorch, kind, context):
    """The outputs and gradients of a net, called and differentiated within a context."""
    import torch

    net = make(pytorch, kind)
    net.load_arrays([50 * array for array in net.arrays()])  # float16 has no tiny gradients
    with context():
        outputs, _ = net(X, net.begin_state(2))
        gradients = torch.autograd.grad((outputs * torch.arange(5.0)).sum(), net.params)
    return [outputs.detach(), *gradients]


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("context", ["bfloat16", "float16"])
def test_a_gradient_within_autocast_is_right_to_half_precision(pytorch, kind, context):
    found = differentiate(pytorch, kind, pytorch_contexts()[context])
    expected = differentiate(pytorch, kind, contextlib.nullcontext)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        assert agreement.difference(one.numpy(), other.numpy()) <= 0.02  # bfloat16 has 8 bits


def test_arrays_of_half_precision_become_float32_in_numpy(pytorch):
    import torch

    array = pytorch.to_numpy(torch.tensor([1.5, -2.0], dtype=torch.bfloat16))
    assert array.dtype == np.float32
    assert array.tolist() == [1.5, -2.0]


@pytest.mark.parametrize("kind", FUSED)
def test_pytorch_refuses_a_second_derivative_of_a_fused_cell(pytorch, kind):
    import torch

    net = make(pytorch, kind, "float64")
    outputs, _ = net(X, net.begin_state(2))
    with pytest.raises(RuntimeError, match=r"^a fused cell has no second derivatives, which"):
        torch.autograd.grad((outputs**2).sum(), net.params, create_graph=True)


def second_derivatives(backend, forward_fn, inputs, state, arrays):
    """The gradient, for the parameters, of the sum of their gradients' squares."""
    if backend == "jax":
        import jax

        def first(params):
            return jax.grad(lambda p: (forward_fn(inputs, state, p)[0] ** 2).sum())(params)

        return jax.grad(lambda p: sum((g**2).sum() for g in first(p)))(arrays)
    import tensorflow as tf

    params = [tf.Variable(array) for array in arrays]
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            value = tf.reduce_sum(forward_fn(inputs, state, params)[0] ** 2)
        squares = [tf.reduce_sum(g**2) for g in inner.gradient(value, params)]
        total = sum(squares)
    found = outer.gradient(total, params)
    return [tf.zeros_like(p) if g is None else g for g, p in zip(found, params)]


@pytest.mark.only("jax", "tensorflow")
@pytest.mark.parametrize("kind", FUSED)
def test_the_second_derivative_of_a_fused_cell_equals_that_of_the_plain_cell(rnn, backend, kind):
    net = make(rnn, kind, "float64")
    inputs, state = net.rows(X, net.begin_state(2)), net.begin_state(2)
    results = []
    for name in (kind, kind.removesuffix("_fused")):
        arrays = [50 * array for array in net.arrays()]
        found = second_derivatives(backend, getattr(rnn, name), inputs, state, arrays)
        results.append(list(map(np.array, found)))
    for one, other in zip(*results, strict=True):
        assert agreement.difference(one, other) <= AGREED


@pytest.mark.only("jax")
@pytest.mark.parametrize("kind", FUSED)
def test_only_plain_cells_have_forward_mode(rnn, kind):
    import jax

    net = make(rnn, kind, "float64")
    inputs, state, params = net.rows(X, net.begin_state(2)), net.begin_state(2), net.params

    def outputs(params, forward_fn):
        return forward_fn(inputs, state, params)[0]

    plain = getattr(rnn, kind.removesuffix("_fused"))
    _, found = jax.jvp(lambda p: outputs(p, plain), (params,), (params,))
    assert np.isfinite(found).all()
    with pytest.raises(TypeError, match=r"forward-mode autodiff \(jvp\) to a custom_vjp function"):
        jax.jvp(lambda p: outputs(p, net.forward_fn), (params,), (params,))


# Transformed functions


def transforms(backend):
    """The functions grad and vmap."""
    if backend == "torch":
        from torch import func

        return func.grad, func.vmap
    import jax

    return jax.grad, jax.vmap


def problem_of(rnn, kind):
    """A cell's forward function, several inputs (k, T, n, V), a state and parameters."""
    net = make(rnn, kind, "float64")
    many = np.stack([X, X[::-1], Y])  # (k, n, T)
    ids = rnn.from_numpy(many.transpose(0, 2, 1))
    small = [abs(array).max() < 0.1 for array in net.arrays()]  # drawn from N(0, 0.01²)
    params = [rnn.from_numpy(50 * a if s else a) for a, s in zip(net.arrays(), small, strict=True)]
    return net.forward_fn, ids, net.begin_state(2), params


WAYS = [(kind, "rows") for kind in (*CELLS, "custom", "stack")] + [(kind, "ids") for kind in FUSED]


@pytest.mark.only("torch", "jax")
@pytest.mark.parametrize(("kind", "given"), WAYS)
def test_vmap_computes_each_of_many_inputs(rnn, backend, kind, given):
    forward_fn, many, state, params = problem_of(rnn, kind)
    many = rnn.one_hot(many, 5, dtype="float64") if given == "rows" else many
    _, vmap = transforms(backend)
    found = rnn.to_numpy(vmap(lambda inputs: forward_fn(inputs, state, params)[0])(many))
    for one, inputs in zip(found, many, strict=True):
        expected = rnn.to_numpy(forward_fn(inputs, state, params)[0])
        assert agreement.difference(one, expected) <= AGREED


@pytest.mark.only("torch", "jax")
@pytest.mark.parametrize(("kind", "given"), WAYS)
def test_vmap_of_grad_gives_the_gradients_for_each_of_many_inputs(rnn, backend, kind, given):
    forward_fn, ids, state, params = problem_of(rnn, kind)
    rows, weights = rnn.one_hot(ids, 5, dtype="float64"), np.arange(40.0).reshape(8, 5)
    d_outputs = rnn.from_numpy(weights)
    grad, vmap = transforms(backend)

    def loss(params, inputs):
        return (forward_fn(inputs, state, params)[0] * d_outputs).sum()

    found = vmap(grad(loss), (None, 0))(params, rows if given == "rows" else ids)
    zeros = tuple(0 * s for s in state)
    for number in range(3):
        _, _, expected = rnn.vjp(forward_fn, rows[number], state, params, d_outputs, zeros)
        for one, other in zip(found, expected, strict=True):
            assert agreement.difference(rnn.to_numpy(one[number]), rnn.to_numpy(other)) <= AGREED


@pytest.mark.only("torch", "jax")
def test_vmap_looks_up_rows_and_makes_one_hot_rows(rnn, backend):
    _, vmap = transforms(backend)
    ids, (table, *_) = rnn.from_numpy(X), rnn.get_params(5, 4, seed=0)
    found = vmap(lambda row: rnn.embedding(row, table))(ids)
    np.testing.assert_array_equal(rnn.to_numpy(found), rnn.to_numpy(rnn.embedding(ids, table)))
    found = vmap(lambda row: rnn.one_hot(row, 5))(ids)
    np.testing.assert_array_equal(rnn.to_numpy(found), rnn.to_numpy(rnn.one_hot(ids, 5)))


# Compiled functions


def compiled(backend):
    """The framework's function that compiles functions."""
    if backend == "jax":
        import jax

        return jax.jit
    import tensorflow as tf

    return tf.function(autograph=False)


@pytest.mark.only("jax", "tensorflow")
@pytest.mark.parametrize(("kind", "given"), WAYS)
def test_a_compiled_cell_returns_the_results_of_the_plain_cell(rnn, backend, kind, given):
    forward_fn, many, state, params = problem_of(rnn, kind)
    inputs = many[0] if given == "ids" else rnn.one_hot(many[0], 5, dtype="float64")
    found, last = compiled(backend)(forward_fn)(inputs, state, params)
    expected, last_expected = forward_fn(inputs, state, params)
    for one, other in zip((found, *last), (expected, *last_expected), strict=True):
        assert agreement.difference(rnn.to_numpy(one), rnn.to_numpy(other)) <= AGREED


@pytest.mark.only("jax", "tensorflow")
@pytest.mark.parametrize("kind", [*NETS, "rnn_fused"])
def test_a_net_is_called_within_a_compiled_function(rnn, backend, kind):
    net = make(rnn, kind, "float64")
    expected = rnn.to_numpy(net(X, net.begin_state(2))[0])
    for call in (lambda X: net(X, net.begin_state(2))[0], lambda _: net(X, net.begin_state(2))[0]):
        found = compiled(backend)(call)(rnn.from_numpy(X))
        assert agreement.difference(rnn.to_numpy(found), expected) <= AGREED


NO_VALUES = (
    r"^a tensor has no values while a function is traced \(by training, jit, grad, vmap or "
    r"tf.function, for example\); call functions that need values \(to_numpy, evaluate, gradients, "
    r"training, text generation\) outside "
)
NEED_VALUES = {
    "a step": lambda rnn, net, X, state: net.make_step(0.5)(X, Y, state),
    "a step on arrays": lambda rnn, net, _, state: net.make_step(0.5)(X, Y, net.begin_state(2)),
    "a step of Adam": lambda rnn, net, _, state: net.make_step(0.5, optimizer="adam")(X, Y, state),
    "gradients": lambda rnn, net, X, state: net.gradients(X, Y, state),
    "evaluate": lambda rnn, net, X, state: net.evaluate(X, state),
    "text": lambda rnn, net, X, state: rnn.predict_ch8("ab", 3, net, rnn.Vocab("abcd")),
    "to_numpy": lambda rnn, net, X, state: rnn.to_numpy(X),
    "from_numpy": lambda rnn, net, X, state: rnn.from_numpy(X),
}


@pytest.mark.only("jax", "tensorflow")
@pytest.mark.parametrize("use", NEED_VALUES)
@pytest.mark.parametrize("kind", ["lstm", "lstm_fused", "concise"])
def test_functions_that_need_values_raise_an_error_within_a_compiled_function(
    rnn, backend, kind, use
):
    net, twin = make(rnn, kind, "float64"), make(rnn, kind, "float64")

    def call(X, state):
        NEED_VALUES[use](rnn, net, X, state)
        return X

    with pytest.raises(ValueError, match=NO_VALUES):
        compiled(backend)(call)(rnn.from_numpy(X), net.begin_state(2))
    for one, other in zip(of_training(rnn, net), of_training(rnn, twin), strict=True):
        np.testing.assert_array_equal(one, other)  # as if it had not been tried


@pytest.mark.only("torch")
def test_a_net_can_be_called_within_vmap_but_to_numpy_cannot(rnn):
    import torch

    net = make(rnn, "lstm")
    with pytest.raises(ValueError, match=NO_VALUES):
        torch.func.vmap(rnn.to_numpy)(rnn.from_numpy(X))
    found = torch.func.vmap(lambda row: net(row[None], net.begin_state(1))[0])(rnn.from_numpy(X))
    expected, _ = net(X[:1], net.begin_state(1))
    torch.testing.assert_close(found[0], expected)


# Recorded functions


def around_mxnet(name):
    from mxnet import autograd

    return getattr(autograd, name)


@pytest.mark.only("mxnet")
@pytest.mark.parametrize("context", ["record", "pause", "train_mode", "predict_mode"])
@pytest.mark.parametrize(("kind", "results"), CASES)
def test_a_context_of_mxnet_changes_nothing(rnn, kind, results, context):
    assert_same(rnn, kind, results, around_mxnet(context), made_within=False)


@pytest.mark.only("mxnet")
def test_generation_leaves_the_operators_of_mxnet_s_symbols_as_they_were(rnn):
    from mxnet import symbol

    vocab = rnn.Vocab("abcd")
    net = rnn.RNNModelScratch(len(vocab), 4, *rnn.stack("gru", 2), seed=0)
    assert rnn.predict_ch8("ab", 5, net, vocab).startswith("ab")
    assert not hasattr(symbol.numpy._Symbol, "__matmul__")
