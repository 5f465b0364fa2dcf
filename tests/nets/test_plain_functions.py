"""Nets of three plain functions, as in the book: their optional arguments."""

import functools
import re

import numpy as np
import pytest

from d2lrnn import backends
from d2lrnn.nets import networks

X, Y = np.random.default_rng(0).integers(5, size=(2, 3, 6))


def written_as_in_the_book(rnn):
    """Return get_params without seed and dtype, init_state, and the forward function."""

    def get_params(vocab_size, num_hiddens, device):
        shapes = (vocab_size, num_hiddens), (num_hiddens, num_hiddens), (num_hiddens,)
        rng = np.random.default_rng(3)
        arrays = [rng.normal(0, 0.1, shape) for shape in (*shapes, shapes[0][::-1], shapes[0][:1])]
        return [rnn.from_numpy(array, dtype="float32") for array in arrays]

    def init_state(batch_size, num_hiddens, device):
        return (rnn.from_numpy(np.zeros((batch_size, num_hiddens)), dtype="float32"),)

    def my_rnn(inputs, state, params):
        W_xh, W_hh, b_h, W_hq, b_q = params
        (H,), outputs = state, []
        for t in range(inputs.shape[0]):
            H = rnn.tanh(inputs[t] @ W_xh + H @ W_hh + b_h)
            outputs.append(H @ W_hq + b_q)
        return rnn.RNNModelScratch.ops.tensors.concat(outputs, axis=0), (H,)

    return get_params, init_state, my_rnn


class Called:
    """An object that is called as a function."""

    def __init__(self, function):
        self.function = function

    def __call__(self, *args):
        return self.function(*args)


def without(function):
    """Return a function of two arguments, for one of three."""
    return lambda one, other: function(one, other, None)


FORMS = {
    "of the book": lambda functions: functions,
    "without a device": lambda f: (without(f[0]), without(f[1]), f[2]),
    "partial": lambda f: (functools.partial(f[0], device=None), *map(functools.partial, f[1:])),
    "objects": lambda f: (Called(without(f[0])), Called(without(f[1])), Called(f[2])),
}


def losses(net):
    step = net.make_step(1.0)
    return [step(X, Y, net.begin_state(3))[0] for _ in range(3)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", FORMS)
def test_functions_of_the_book_are_trained(rnn, form, dtype):
    functions = written_as_in_the_book(rnn)
    net = rnn.RNNModelScratch(5, 4, *FORMS[form](functions), dtype=dtype, seed=0)
    expected = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, dtype=dtype)
    expected.load_arrays(net.arrays())
    assert {array.dtype.name for array in net.arrays()} == {dtype}
    np.testing.assert_allclose(losses(net), losses(expected), rtol=1e-5)  # float32
    assert net.begin_state(2)[0].shape == (2, 4)


def compiled(rnn, functions):
    """Return functions compiled by the framework, if it compiles functions."""
    if rnn.__name__.endswith("jax"):
        import jax

        static = functools.partial(jax.jit, static_argnums=(0, 1))
        return static(functions[0]), static(functions[1]), jax.jit(functions[2])
    if rnn.__name__.endswith("tensorflow"):
        import tensorflow as tf

        return functions[0], functions[1], tf.function(functions[2], autograph=False)
    return functions


def test_compiled_functions_are_trained(rnn):
    get_params, init_state, forward_fn = written_as_in_the_book(rnn)
    expected = losses(rnn.RNNModelScratch(5, 4, get_params, init_state, forward_fn))

    functions = compiled(rnn, (without(get_params), without(init_state), forward_fn))
    net = rnn.RNNModelScratch(5, 4, *functions)
    np.testing.assert_allclose(losses(net), expected, rtol=1e-5)  # float32


def test_the_seed_none_means_the_default_of_the_function(rnn):
    functions = rnn.init_rnn_state, rnn.rnn
    bound = functools.partial(rnn.get_params, seed=3)
    net = rnn.RNNModelScratch(5, 4, bound, *functions)
    expected = rnn.RNNModelScratch(5, 4, rnn.get_params, *functions, seed=3)
    np.testing.assert_array_equal(net.arrays()[0], expected.arrays()[0])


# Files, checkpoints and a look inside


def loader(rnn):
    return rnn.load_data_builtin(4, 6, max_tokens=200, seed=0)


def test_a_checkpoint_of_plain_functions_is_resumed_bit_for_bit(rnn, tmp_path):
    functions, nets = written_as_in_the_book(rnn), []
    for epochs, file in ((4, "one"), (2, "two"), (4, "two")):
        data, vocab = loader(rnn)
        nets.append(rnn.RNNModelScratch(len(vocab), 4, *functions))
        settings = {"checkpoint": tmp_path / file, "resume": True, "progress": False}
        rnn.train_ch8(nets[-1], data, vocab, 0.5, epochs, **settings)
    for one, other in zip(nets[0].arrays(), nets[2].arrays(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_file_of_plain_functions_is_loaded_with_the_functions_in_every_backend(rnn, tmp_path):
    _, vocab = loader(rnn)
    net = rnn.RNNModelScratch(len(vocab), 4, *written_as_in_the_book(rnn))
    losses_before = net.gradients(X, Y, net.begin_state(3))[0]
    rnn.save_model(tmp_path / "model", net, vocab)
    for backend in (rnn, backends.load("numpy")):
        functions = written_as_in_the_book(backend)
        loaded, _ = backend.load_model(tmp_path / "model", cell=functions)
        loss, _ = loaded.gradients(X, Y, loaded.begin_state(3))
        assert loss == pytest.approx(losses_before, rel=1e-5)  # float32


def test_a_file_of_plain_functions_without_them_is_one_clear_error(rnn, tmp_path):
    net = rnn.RNNModelScratch(5, 4, *written_as_in_the_book(rnn))
    rnn.save_model(tmp_path / "model", net, rnn.Vocab("abcd"))
    with pytest.raises(rnn.CheckpointError) as error:
        rnn.load_model(tmp_path / "model")
    assert str(error.value) == (
        f"{tmp_path / 'model'} holds a net of the custom function my_rnn (parameters of shapes "
        "(5, 4), (4, 4), (4,), (4, 5), (5,)); a file does not hold functions; load it with "
        "load_model(path, cell=(get_params, init_state, forward_fn))"
    )
    others = rnn.get_gru_params, rnn.init_gru_state, rnn.gru
    with pytest.raises(rnn.CheckpointError, match="the functions given make parameters of shapes "):
        rnn.load_model(tmp_path / "model", cell=others)


def test_look_inside_shows_the_states_of_plain_functions(rnn):
    net = rnn.RNNModelScratch(5, 4, *written_as_in_the_book(rnn))
    inside = rnn.look_inside(net, rnn.Vocab("abcd"), "abba")
    expected = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn)
    expected.load_arrays(net.arrays())
    shown = rnn.look_inside(expected, rnn.Vocab("abcd"), "abba")
    np.testing.assert_allclose(inside.states, shown.states, rtol=1e-5)  # float32
    lstm = rnn.RNNModelScratch(
        5, 4, rnn.get_lstm_params, rnn.init_lstm_state, lambda i, s, p: rnn.lstm(i, s, p)
    )
    assert list(rnn.look_inside(lstm, rnn.Vocab("abcd"), "ab").series()) == ["H", "state[1]"]


# Errors


def test_functions_that_need_a_cell_name_new_cell_in_their_error(rnn):
    net = rnn.RNNModelScratch(5, 4, *written_as_in_the_book(rnn))
    with pytest.raises(ValueError, match=r" my_rnn; .* or a cell that new_cell makes"):
        rnn.gradient_norms(net, X, Y)


WRONG = {
    "no list": (0, lambda V, h: None, ValueError, "get_params returns a NoneType; expected a list"),
    "no parameters": (0, lambda V, h: [], ValueError, "get_params returns a list of 0; expected"),
    "a bare state": (
        1,
        lambda n, h: np.zeros((n, h)),
        ValueError,
        "init_state returns a ndarray; expected a tuple of tensors, such as (H,)",
    ),
    "another argument": (
        0,
        lambda V, h, layers: [],
        TypeError,
        "get_params is <lambda>(V, h, layers): missing a required argument: 'layers'; expected "
        "(vocab_size, num_hiddens), and",
    ),
    "one argument": (
        1,
        lambda n: (),
        TypeError,
        "init_state is <lambda>(n): too many positional arguments; expected (batch_size, num_hidd",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_function_is_one_clear_error(rnn, kind):
    place, function, error, message = WRONG[kind]
    functions = [*written_as_in_the_book(rnn)]
    functions[place] = function
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        rnn.RNNModelScratch(5, 4, *functions).begin_state(2)


USES = {
    "a step": lambda rnn, net: net.make_step(0.1)(X, Y, net.begin_state(3)),
    "a step of Adam": lambda rnn, net: net.make_step(0.1, optimizer="adam")(
        X, Y, net.begin_state(3)
    ),
    "sgd_step": lambda rnn, net: rnn.sgd_step(net, X, Y, net.begin_state(3), 0.1),
    "value_and_grad": lambda rnn, net: rnn.value_and_grad(networks.Recurrent(rnn.rnn), "softmax")(
        net.params, (net.inputs(X, net.begin_state(3)), net.begin_state(3)), net.targets(X, Y)
    ),
}


@pytest.mark.parametrize("use", USES)
def test_parameters_without_gradients_are_trained_or_name_the_remedy(rnn, backend, use):
    net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
    net.params = [rnn.from_numpy(array) for array in net.arrays()]
    if backend in ("torch", "tensorflow"):  # only these mark trainable parameters
        remedy = re.escape("trainable parameters; make them with params = rnn.trainable(params)")
        with pytest.raises(ValueError, match=r"^params\[0\], params\[1\], .*" + remedy):
            USES[use](rnn, net)
        net.params = rnn.trainable(net.params)
    USES[use](rnn, net)
