"""Custom forward functions are trained correctly, or refused with one clear error."""

import functools
import pathlib
import re

import numpy as np
import pytest
from bounds import AGREED, TRAINED, UPDATED

from d2lrnn.measure import agreement
from d2lrnn.nets import build, cells, concatenated, layers
from d2lrnn.training import language_epoch, segments

CONCATENATED = ["rnn", "gru", "lstm"]
X, Y = np.array([[[0, 1, 2, 3], [3, 2, 1, 0]], [[1, 2, 3, 4], [2, 1, 0, 4]]])
SEGMENTS = {"whole": None, "in segments": 0}


def joined(rnn, cell, order="HX"):
    """The cell by its concatenated form, as docs/frameworks.md shows."""
    concat_cell = getattr(rnn, f"concat_{cell}")
    return lambda i, s, p: concat_cell(i, s, rnn.concat_params(p, order=order), order=order)


def joined_and_split(rnn, cell, order="HX"):
    """The cell with parameters that are joined and split again."""

    def forward_fn(inputs, state, params):
        params = rnn.split_params(rnn.concat_params(params, order=order), order=order)
        return getattr(rnn, cell)(inputs, state, params)

    return forward_fn


FORMS = [(joined, "HX"), (joined, "XH"), (joined_and_split, "XH")]


def make(rnn, forward_fn, cell="rnn", get_params=None):
    """A small float64 net of a custom forward function, for a cell's parameters and state."""
    functions = layers.functions(rnn.RNNModelScratch.ops, cells.Architecture(cell))
    functions = get_params or functions[0], functions[1], forward_fn
    return rnn.RNNModelScratch(5, 4, *functions, seed=0, dtype="float64")


def get_joined_params(rnn, *args, **settings):
    return rnn.concat_params(rnn.get_params(*args, **settings))


def trained(net, segment=None):
    """The losses and the parameters of a few steps."""
    step = language_epoch.make_step(net, 0.5, segment=segment)
    losses = [step(X, Y, net.begin_state(2))[0] for _ in range(3)]
    return [np.array(losses), *net.arrays()]


@pytest.mark.parametrize("segment", SEGMENTS.values(), ids=SEGMENTS)
@pytest.mark.parametrize("cell", CONCATENATED)
@pytest.mark.parametrize(("form", "order"), FORMS)
def test_a_net_through_concat_params_learns_like_its_cell(rnn, form, cell, order, segment):
    net, plain = make(rnn, form(rnn, cell, order), cell), make(rnn, getattr(rnn, cell), cell)
    for one, other in zip(trained(net, segment), trained(plain, segment), strict=True):
        assert agreement.difference(one, other) <= UPDATED


@pytest.mark.parametrize("cell", CONCATENATED)
@pytest.mark.parametrize(("form", "order"), FORMS)
def test_a_net_through_concat_params_has_the_gradients_of_its_cell(rnn, form, cell, order):
    net, plain = make(rnn, form(rnn, cell, order), cell), make(rnn, getattr(rnn, cell), cell)
    (_, found), (_, expected) = (n.gradients(X, Y, n.begin_state(2)) for n in (net, plain))
    for one, other in zip(found, expected, strict=True):
        assert agreement.difference(one, other) <= AGREED


@pytest.mark.parametrize("segment", SEGMENTS.values(), ids=SEGMENTS)
def test_train_ch8_trains_a_net_through_concat_params_like_its_cell(rnn, segment):
    histories = []
    for forward_fn in (joined(rnn, "rnn"), rnn.rnn):
        loader, vocab = rnn.load_data_builtin(4, 9, max_tokens=200, seed=0)
        functions = rnn.get_params, rnn.init_rnn_state, forward_fn
        net = rnn.RNNModelScratch(len(vocab), 4, *functions, seed=0, dtype="float64")
        history = rnn.train_ch8(net, loader, vocab, 0.5, 2, segment=segment, progress=False)
        histories.append(history.perplexity)
    assert histories[0] == pytest.approx(histories[1], rel=TRAINED)
    assert histories[0][1] < histories[0][0]


def test_the_example_of_the_page_on_backends_trains_as_the_cell(rnn):
    page = (pathlib.Path(__file__).parents[2] / "docs" / "frameworks.md").read_text("utf-8")
    (example,) = re.findall("^```python\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    names = {"rnn": rnn}
    exec(example, names)
    functions = rnn.get_lstm_params, rnn.init_lstm_state, rnn.lstm
    train_iter, vocab = rnn.load_data_builtin(batch_size=32, num_steps=35, seed=0)
    net = rnn.RNNModelScratch(len(vocab), 32, *functions, seed=0)
    history = rnn.train_ch8(net, train_iter, vocab, lr=1, num_epochs=2, progress=False)
    assert names["history"].perplexity == pytest.approx(history.perplexity, rel=1e-5)  # float32


@pytest.mark.parametrize("form", ["summed", "concatenated"])
def test_joined_and_split_parameters_do_not_change_in_training(rnn, form):
    if form == "summed":
        net, convert = make(rnn, rnn.rnn), rnn.concat_params
    else:
        get_params = functools.partial(get_joined_params, rnn)
        net, convert = make(rnn, rnn.concat_rnn, get_params=get_params), rnn.split_params
    tensors = convert(net.params)
    before = list(map(rnn.to_numpy, tensors))
    trained(net)
    for one, other in zip(map(rnn.to_numpy, tensors), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_arrays_are_joined_too(rnn):
    arrays = list(map(rnn.to_numpy, rnn.get_params(5, 4, seed=0)))
    found = map(rnn.to_numpy, rnn.concat_params(arrays))
    for one, other in zip(found, concatenated.joined(arrays, "HX", np.concatenate), strict=True):
        np.testing.assert_array_equal(one, other)


def get_arrays(rnn, *args, **settings):
    return tuple(map(rnn.to_numpy, rnn.get_params(*args, **settings)))


@pytest.mark.parametrize(
    ("get_params", "forward_fn"), [(get_joined_params, "concat_rnn"), (get_arrays, "rnn")]
)
def test_all_results_of_get_params_are_trained(rnn, get_params, forward_fn):
    get_params = functools.partial(get_params, rnn)
    net = make(rnn, getattr(rnn, forward_fn), get_params=get_params)
    found, expected = trained(net), trained(make(rnn, rnn.rnn))
    if forward_fn == "concat_rnn":
        expected[1:] = concatenated.joined(expected[1:], "HX", np.concatenate)
    for one, other in zip(found, expected, strict=True):
        assert agreement.difference(one, other) <= UPDATED


def written_as_in_the_book(rnn):
    """A recurrent network written with the framework's operators, and a loop over its inputs."""
    tensors = rnn.RNNModelScratch.ops.tensors

    def forward_fn(inputs, state, params):
        W_xh, W_hh, b_h, W_hq, b_q = params
        (H,), outputs = state, []
        for X in inputs:
            H = tensors.tanh(X @ W_xh + H @ W_hh + b_h)
            outputs.append(H @ W_hq + b_q)
        return tensors.concat(outputs, axis=0), (H,)

    return forward_fn


@pytest.mark.parametrize("segment", SEGMENTS.values(), ids=SEGMENTS)
def test_a_cell_written_as_in_the_book_learns_like_the_packages_cell(rnn, segment):
    net, plain = make(rnn, written_as_in_the_book(rnn)), make(rnn, rnn.rnn)
    for one, other in zip(trained(net, segment), trained(plain, segment), strict=True):
        assert agreement.difference(one, other) <= UPDATED
    (_, found), (_, expected) = (n.gradients(X, Y, n.begin_state(2)) for n in (net, plain))
    for one, other in zip(found, expected, strict=True):
        assert agreement.difference(one, other) <= AGREED


# Parameters without a gradient


def cut(rnn, number):
    """A forward function that converts one parameter to NumPy and back."""

    def forward_fn(inputs, state, params):
        params = list(params)
        params[number] = rnn.from_numpy(rnn.to_numpy(params[number]))
        return rnn.rnn(inputs, state, params)

    return forward_fn


def without_the_last(rnn, inputs, state, params):
    return rnn.rnn(inputs, state, params[:-1])


def get_one_more(rnn, *args, **settings):
    extra = rnn.trainable([np.ones((2, 3))], dtype=settings["dtype"])
    return [*rnn.get_params(*args, **settings), *extra]


USES = {
    "gradients": lambda net: net.gradients(X, Y, net.begin_state(2)),
    "a step": lambda net: net.make_step(1.0)(X, Y, net.begin_state(2)),
    "a step of Adam": lambda net: net.make_step(1.0, optimizer="adam")(X, Y, net.begin_state(2)),
    "segments": lambda net: segments.value_and_grad(net, X, Y, net.begin_state(2), 0),
}


@pytest.mark.parametrize("use", USES)
def test_a_parameter_that_is_not_used_is_an_error(rnn, use):
    get_params = functools.partial(get_one_more, rnn)
    net = make(rnn, functools.partial(without_the_last, rnn), get_params=get_params)
    before = net.arrays()
    with pytest.raises(ValueError) as error:
        USES[use](net)
    assert str(error.value) == (
        "no gradient reaches params[5], of 6 parameters: the outputs do not depend on them, or "
        "only through to_numpy, detach or similar; compute with the framework's own operations, "
        "and remove unused parameters from get_params"
    )
    for one, other in zip(net.arrays(), before, strict=True):
        np.testing.assert_array_equal(one, other)


NO_GRADIENT = "|".join(
    [
        r"^no gradient reaches params\[1\], of 5 parameters: ",
        r"^a tensor has no values while a function is traced \(by training, jit, ",  # JAX
        "^a custom forward function converts an array that needs a gradient ",  # NumPy
    ]
)


@pytest.mark.parametrize("use", USES)
def test_a_parameter_that_is_converted_to_numpy_is_an_error(rnn, use):
    net = make(rnn, cut(rnn, 1))
    with pytest.raises(ValueError, match=NO_GRADIENT):
        USES[use](net)


def test_a_net_that_converts_all_its_parameters_to_numpy_is_an_error(rnn):
    arrays = make(rnn, rnn.rnn).arrays()
    net = make(rnn, lambda i, s, p: rnn.rnn(i, s, list(map(rnn.from_numpy, arrays))))
    with pytest.raises(ValueError, match=r"^no gradient reaches params\[0\], params\[1\], "):
        net.make_step(1.0)(X, Y, net.begin_state(2))


@pytest.mark.parametrize("shape", [(0, 2), (3, 0), (0, 0)])
@pytest.mark.parametrize("cell", CONCATENATED)
def test_the_gradients_of_an_empty_batch_are_zeros(rnn, cell, shape):
    functions = layers.functions(rnn.RNNModelScratch.ops, cells.Architecture(cell))
    (T, n), settings = shape, {"dtype": "float64"}
    params, state = functions[0](5, 4, seed=0, **settings), functions[1](n, 4, **settings)
    inputs, ends = (rnn.from_numpy(np.zeros(size)) for size in ((T, n, 5), (T * n, 5)))
    for forward_fn in (joined(rnn, cell), joined_and_split(rnn, cell)):
        _, _, grads = rnn.vjp(forward_fn, inputs, state, params, ends, state)
        assert [rnn.to_numpy(grad).any() for grad in grads] == [False] * len(params)


def test_a_gradient_of_zero_is_accepted_as_a_gradient(rnn):
    net = make(rnn, lambda i, s, p: rnn.rnn(i, s, [0 * p[0], *p[1:]]))
    _, (d_W_xh, *_) = net.gradients(X, Y, net.begin_state(2))
    assert not d_W_xh.any()


# Custom functions around ours


def test_a_wrapped_function_is_trained_and_generates_like_the_function(rnn):
    def doubled(inputs, state, params):
        return rnn.rnn(inputs, state, [20 * param for param in params])

    named = functools.wraps(rnn.rnn)(doubled)  # has the marks of rnn.rnn
    nets = make(rnn, named), make(rnn, doubled)
    for one, other in zip(*map(trained, nets), strict=True):
        np.testing.assert_array_equal(one, other)
    vocab = rnn.Vocab("abcd")
    one, other = (rnn.predict_ch8("ab", 20, net, vocab) for net in nets)
    assert one == other
    plain = make(rnn, rnn.rnn)
    plain.load_arrays([20 * array for array in nets[0].arrays()])
    assert one == rnn.predict_ch8("ab", 20, plain, vocab)


@pytest.mark.parametrize(
    "cell", ["gru", "rnn_fused", "gru_fused", "gru_reset_after_fused", "lstm_fused"]
)
def test_every_cell_is_differentiated_within_a_custom_function(rnn, cell):
    forward_fn, name = getattr(rnn, cell), cell.removesuffix("_fused")

    def halved(inputs, state, params):
        outputs, state = forward_fn(inputs, state, [param / 2 for param in params])
        return 2 * outputs, state

    def by_hand(net):
        net.load_arrays([array / 2 for array in net.arrays()])
        inputs, state = net.rows(X, net.begin_state(2)), net.begin_state(2)
        d_outputs = rnn.from_numpy(np.linspace(-2, 2, 40).reshape(8, 5))
        return rnn.vjp(forward_fn, inputs, state, net.params, d_outputs, state)

    net = make(rnn, halved, name)
    inputs, state = net.rows(X, net.begin_state(2)), net.begin_state(2)
    d_outputs = rnn.from_numpy(np.linspace(-1, 1, 40).reshape(8, 5))
    found = rnn.vjp(halved, inputs, state, net.params, d_outputs, state)
    expected = by_hand(build.new_net(rnn, cells.Architecture(name), 5, 4, seed=0, dtype="float64"))
    assert agreement.difference(rnn.to_numpy(found[0]), rnn.to_numpy(expected[0])) <= AGREED
    for one, other in zip(found[2], expected[2], strict=True):
        assert agreement.difference(2 * rnn.to_numpy(one), rnn.to_numpy(other)) <= AGREED


WRONG = {
    "None": (lambda O, s: None, "returns a NoneType; expected (outputs, state), the state as a"),
    "outputs only": (lambda O, s: O, "; expected (outputs, state), the state as a tuple of 2"),
    "three": (lambda O, s: (O, s, s), "returns a tuple of 3; expected (outputs, state)"),
    "a dict": (lambda O, s: {"O": O, "s": s}, "returns a dict of 2; expected (outputs, state)"),
    "a bare state": (lambda O, s: (O, s[0]), " as the state; expected (outputs, state), the state"),
    "no state": (lambda O, s: (O, None), "returns a NoneType as the state; expected (outputs"),
    "a number": (lambda O, s: (O, (1.0, 2.0)), "state[0] of shape (); expected (2, 4), the shape"),
    "one row": (lambda O, s: (O[:1], s), ", 5) as outputs; expected a tensor"),
    "three axes": (lambda O, s: (O[None], s), ", 5) as outputs; expected"),
    "too few columns": (
        lambda O, s: (O[:, :3], s),
        ", 3) as outputs; expected a tensor (num_steps",
    ),
    "swapped": (lambda O, s: (s, (O, O)), "returns state[0] of shape "),
}
RESULTS_OF = {
    "a call": lambda rnn, net: net(X, net.begin_state(2)),
    "gradients": lambda rnn, net: net.gradients(X, Y, net.begin_state(2)),
    "a step": lambda rnn, net: net.make_step(0.5)(X, Y, net.begin_state(2)),
    "segments": lambda rnn, net: language_epoch.make_step(net, 0.5, segment=0)(
        X, Y, net.begin_state(2)
    ),
}


@pytest.mark.parametrize("use", RESULTS_OF)
@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_result_of_a_custom_function_is_one_clear_error(rnn, kind, use):
    wrong, message = WRONG[kind]

    def mine(inputs, state, params):
        return wrong(*rnn.lstm(inputs, state, params))

    with pytest.raises(ValueError, match=re.escape(message)) as error:
        RESULTS_OF[use](rnn, make(rnn, mine, "lstm"))
    assert "the forward function mine returns" in str(error.value)


@pytest.mark.parametrize("use", RESULTS_OF)
def test_a_custom_function_may_return_lists(rnn, use):
    def listed(inputs, state, params):
        outputs, state = rnn.lstm(inputs, state, params)
        return [outputs, list(state)]

    RESULTS_OF[use](rnn, make(rnn, listed, "lstm"))


def test_a_net_of_a_custom_function_is_shown_by_the_name_of_the_function(rnn):
    def mine(inputs, state, params):
        return rnn.rnn(inputs, state, params)

    assert ": mine, vocab_size=5, num_hiddens=4, " in repr(make(rnn, mine))
    assert ": partial, vocab_size=5, " in repr(make(rnn, functools.partial(mine)))


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("inputs", [[[0, 1]], "ab", None])
def test_inputs_of_a_fused_cell_that_are_not_tensors_are_one_clear_error(rnn, cell, inputs):
    get_params, init_state, _ = layers.functions(rnn.RNNModelScratch.ops, cells.Architecture(cell))
    forward = getattr(rnn, f"{cell}_fused")
    with pytest.raises(ValueError, match=r"^inputs is a \w+; expected \w+ arrays; convert it with"):
        forward(inputs, init_state(2, 4), get_params(5, 4))


@pytest.mark.parametrize("d_outputs", [[[1.0, 1.0, 1.0]], None, "ab"])
def test_gradients_of_outputs_that_are_not_tensors_are_one_clear_error(rnn, d_outputs):
    arguments = rnn.one_hot([[1]], 3), rnn.init_rnn_state(1, 4), rnn.get_params(3, 4)
    with pytest.raises(
        ValueError, match=r"^d_outputs is a .*; expected .* arrays; convert it with"
    ):
        rnn.vjp(rnn.rnn, *arguments, d_outputs, arguments[1])
    d_outputs = rnn.from_numpy(np.ones((1, 3), "float32"))
    with pytest.raises(ValueError, match=r"^d_state is a NoneType; expected a tuple of .* arrays"):
        rnn.vjp(rnn.rnn, *arguments, d_outputs, None)
