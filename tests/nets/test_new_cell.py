"""Custom cells of new_cell have all features of a built-in cell."""

import copy
import dataclasses
import functools
import json
import pickle
import re

import numpy as np
import pytest
from bounds import AGREED

from d2lrnn import backends
from d2lrnn.files import model_file
from d2lrnn.measure import gradient_flow
from d2lrnn.nets import build
from d2lrnn.nets.cells import CELLS, Architecture
from d2lrnn.training import language_epoch

X, Y = np.random.default_rng(0).integers(5, size=(2, 3, 6))


def steps_of(rnn):
    """Return custom steps with the equations of built-in cells."""

    def own_rnn(X, H, p):
        return rnn.tanh(X @ p.W_xh + H @ p.W_hh + p.b_h)

    def own_gru(X, H, p):
        Z = rnn.sigmoid(X @ p.W_xz + H @ p.W_hz + p.b_z)
        R = rnn.sigmoid(X @ p.W_xr + H @ p.W_hr + p.b_r)
        return Z * H + (1 - Z) * rnn.tanh(X @ p.W_xh + (R * H) @ p.W_hh + p.b_h)

    def own_lstm(X, H, C, p):
        W_xi, W_hi, b_i, W_xf, W_hf, b_f, W_xo, W_ho, b_o, W_xc, W_hc, b_c = p
        I = rnn.sigmoid(X @ W_xi + H @ W_hi + b_i)
        F = rnn.sigmoid(X @ W_xf + H @ W_hf + b_f)
        O = rnn.sigmoid(X @ W_xo + H @ W_ho + b_o)
        C = F * C + I * rnn.tanh(X @ W_xc + H @ W_hc + b_c)
        return O * rnn.tanh(C), C

    return {"rnn": own_rnn, "gru": own_gru, "lstm": own_lstm}


def own_cell(rnn, cell, **settings):
    """Return a custom cell with the equations of a built-in one."""
    kind = CELLS[cell]
    return rnn.new_cell(steps_of(rnn)[cell], kind.parameters, tuple(kind.states), **settings)


@pytest.fixture(params=["rnn", "gru", "lstm"])
def cell(request):
    """The name of a built-in cell."""
    return request.param


def matrix_cell(rnn, **settings):
    """Return a cell whose state is a matrix, and whose output is not a state."""

    def memory(X, S, p):  # S: (n, 3, h)
        S = rnn.sigmoid(p.decay) * S + (X @ p.W_k)[:, :, None] * (X @ p.W_v)[:, None, :]
        return rnn.tanh(((X @ p.W_q)[:, None, :] @ S)[:, 0]), S

    params = {"W_q": ("d", 3), "W_k": ("d", 3), "W_v": ("d", "h"), "decay": (3, 1)}
    weights = {name: lambda shape, rng: rng.uniform(-1, 1, shape) for name in params}
    settings = {"init": weights, "output": "O", **settings}
    return rnn.new_cell(memory, params, {"S": (3, "h")}, **settings)


def make(rnn, own, **settings):
    settings = {"seed": 0, "dtype": "float64", **settings}
    return rnn.RNNModelScratch(5, 4, *own, **settings)


def results_of(net, optimizer="adam"):
    """Return gradients, then losses and parameters after three steps, as arrays."""
    _, gradients = net.gradients(X, Y, net.begin_state(3))
    step = net.make_step(0.1, optimizer=optimizer)
    losses = [step(X, Y, net.begin_state(3))[0] for _ in range(3)]
    return [*gradients, np.array(losses), *net.arrays()]


def assert_equal_results(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=AGREED, atol=AGREED)


# The same numbers as a built-in cell


def test_a_custom_cell_with_the_equations_of_a_built_in_cell_trains_like_it(rnn, cell):
    built_in = build.new_net(rnn, Architecture(cell), 5, 4, seed=0, dtype="float64")
    assert_equal_results(results_of(make(rnn, own_cell(rnn, cell))), results_of(built_in))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_stack_of_a_custom_cell_trains_like_the_stack_of_a_built_in_cell(
    rnn, cell, bidirectional
):
    nets = [make(rnn, rnn.stack(one, 2, bidirectional)) for one in (own_cell(rnn, cell), cell)]
    assert_equal_results(*map(results_of, nets))


def test_training_in_segments_gives_the_same_parameters(rnn, cell):
    nets = [make(rnn, own_cell(rnn, cell)) for _ in range(2)]
    for net, segment in zip(nets, (None, 2)):
        language_epoch.make_step(net, 0.5, segment=segment)(X, Y, net.begin_state(3))
    assert_equal_results(nets[0].arrays(), nets[1].arrays())


@pytest.mark.parametrize("name", ["SequenceClassifierScratch", "SequenceTaggerScratch"])
def test_a_network_over_padded_sequences_is_that_of_the_built_in_cell(rnn, cell, name):
    nets = [
        getattr(rnn, name)(5, 4, 3, cell=one, num_layers=2, bidirectional=True, seed=0)
        for one in (own_cell(rnn, cell), cell)
    ]
    batch = [[1, 2, 3, 4], [2], [3, 0]]
    targets = [0, 1, 2] if "Classifier" in name else [[2, 1, 0, 1], [2], [0, 1]]
    results = []
    for net in nets:
        loss, gradients = net.gradients(batch, targets)
        results.append([np.array(loss), net.evaluate(batch), *gradients])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)  # float32


def test_an_encoder_and_a_decoder_of_a_custom_cell_equal_those_of_the_built_in_cell(rnn, cell):
    losses = []
    for one in (own_cell(rnn, cell), cell):
        settings = {"cell": one, "seed": 0, "dtype": "float64"}
        encoder = rnn.EncoderScratch(5, 4, **settings)
        net = rnn.EncoderDecoderScratch(encoder, rnn.DecoderScratch(5, 4, 4, **settings))
        step = net.make_step(0.01)
        losses.append([step([[1, 2], [3, 4]], [[2, 1], [4, 3]]) for _ in range(3)])
    np.testing.assert_allclose(*losses, rtol=AGREED)


def test_the_measurements_are_those_of_the_built_in_cell(rnn, cell):
    nets = make(rnn, own_cell(rnn, cell)), make(rnn, rnn.stack(cell))
    norms = [rnn.gradient_norms(net, X, Y, last_only=True) for net in nets]
    np.testing.assert_allclose(*norms, rtol=AGREED)
    assert norms[0].all()
    states = [rnn.look_inside(net, rnn.Vocab("abcd"), "abba").states for net in nets]
    np.testing.assert_allclose(*states, rtol=AGREED, atol=AGREED)
    readers = [
        rnn.SequenceClassifierScratch(5, 4, 2, cell=one, seed=0, dtype="float64")
        for one in (own_cell(rnn, cell), cell)
    ]
    terms = [rnn.bptt_terms(reader, [[1, 2, 3], [4, 0, 1]], [0, 1]) for reader in readers]
    assert list(terms[0]) == list(terms[1])
    for name, array in terms[0].items():
        np.testing.assert_allclose(array, terms[1][name], rtol=AGREED, atol=AGREED)
    gradient_flow.scale_recurrent(nets[0], 0.5)
    assert np.abs(np.linalg.eigvals(nets[0].arrays()[1])).max() == pytest.approx(0.5)


def test_look_inside_shows_the_other_states_by_name(rnn):
    inside = rnn.look_inside(make(rnn, own_cell(rnn, "lstm")), rnn.Vocab("abcd"), "abb")
    assert (list(inside.series()), inside.others["C"].shape) == (["H", "C"], (3, 4))
    inside = rnn.look_inside(make(rnn, matrix_cell(rnn)), rnn.Vocab("abcd"), "abb")
    assert (list(inside.series()), inside.others["S"].shape) == (["H"], (3, 3, 4))


def test_generated_text_is_that_of_the_built_in_cell(rnn, cell):
    vocab, nets = rnn.Vocab("abcd"), (make(rnn, own_cell(rnn, cell)), make(rnn, rnn.stack(cell)))
    for net in nets:
        net.load_arrays([100 * array for array in net.arrays()])
    settings = {"temperature": 1, "seed": 0}
    one, other = (rnn.predict_many(["ab", "d"], 20, net, vocab, **settings) for net in nets)
    assert one == other
    assert len(set(one[0])) > 1


# States and initial values


def test_an_output_may_differ_from_the_states(rnn):
    net = make(rnn, matrix_cell(rnn))
    assert [tuple(part.shape) for part in net.begin_state(2)] == [(2, 4), (2, 3, 4)]
    reference = backends.load("numpy")
    other = make(reference, matrix_cell(reference))
    assert_equal_results(results_of(net), results_of(other))
    _, (first, *_) = net.gradients(X, Y, net.begin_state(3))
    assert first.any()


def test_parameters_and_states_start_at_the_values_of_init(rnn):
    settings = {"init": {"b_f": 1, "W_xi": lambda shape, rng: np.ones(shape), "C": 0.5}}
    net = make(rnn, own_cell(rnn, "lstm", **settings))
    named = dict(zip(net.architecture.parameters, net.arrays()))
    assert (named["b_f"] == 1).all()
    assert (named["W_xi"] == 1).all()
    assert not named["b_i"].any()
    assert 0 < np.abs(named["W_hi"]).max() < 0.1
    H, C = map(rnn.to_numpy, net.begin_state(2))
    assert not H.any()
    assert (C == 0.5).all()


def test_parameters_without_init_are_drawn_as_those_of_a_built_in_cell(rnn, cell):
    for one, other in zip(
        make(rnn, own_cell(rnn, cell)).arrays(), make(rnn, rnn.stack(cell)).arrays()
    ):
        np.testing.assert_array_equal(one, other)


# Files, checkpoints and copies


def loader(rnn):
    return rnn.load_data_builtin(4, 6, max_tokens=200, seed=0)


def new_net(rnn, own):
    return rnn.RNNModelScratch(55, 4, *own, seed=0)


@pytest.mark.parametrize("num_layers", [1, 2])
def test_a_checkpoint_of_a_custom_cell_is_resumed_bit_for_bit(rnn, num_layers, tmp_path):
    own = rnn.stack(own_cell(rnn, "gru"), num_layers)
    expected, resumed = new_net(rnn, own), new_net(rnn, own)
    data, vocab = loader(rnn)
    settings = {"optimizer": "adam", "progress": False}
    rnn.train_ch8(expected, data, vocab, 0.01, 4, **settings)
    settings["checkpoint"] = tmp_path / "run"
    for net, epochs in ((resumed, 2), (new_net(rnn, own), 4)):
        data, vocab = loader(rnn)
        rnn.train_ch8(net, data, vocab, 0.01, epochs, resume=True, **settings)
    for one, other in zip(net.arrays(), expected.arrays()):
        np.testing.assert_array_equal(one, other)


def test_a_checkpoint_of_another_cell_is_refused(rnn, tmp_path):
    data, vocab = loader(rnn)
    settings = {"checkpoint": tmp_path / "run", "progress": False, "resume": True}
    rnn.train_ch8(new_net(rnn, own_cell(rnn, "gru")), data, vocab, 0.01, 1, **settings)
    other = new_net(rnn, own_cell(rnn, "rnn", name="own_gru"))
    with pytest.raises(rnn.CheckpointError, match="belongs to another run: custom is"):
        rnn.train_ch8(other, data, vocab, 0.01, 2, **settings)


@pytest.mark.parametrize("num_layers", [1, 2])
def test_a_file_is_loaded_with_the_cell_in_every_backend(rnn, num_layers, tmp_path):
    reference = backends.load("numpy")
    net = new_net(rnn, rnn.stack(own_cell(rnn, "lstm"), num_layers))
    _, vocab = loader(rnn)
    rnn.save_model(tmp_path / "model", net, vocab)
    for backend in (rnn, reference):
        loaded, _ = backend.load_model(tmp_path / "model", cell=own_cell(backend, "lstm"))
        assert loaded.architecture.settings() == net.architecture.settings()
        for one, other in zip(loaded.arrays(), net.arrays(), strict=True):
            np.testing.assert_array_equal(one, other)
    assert rnn.predict_ch8("a", 5, loaded, vocab) == rnn.predict_ch8("a", 5, net, vocab)


def test_a_file_without_its_cell_is_one_clear_error(rnn, tmp_path):
    rnn.save_model(tmp_path / "model", new_net(rnn, own_cell(rnn, "rnn")), loader(rnn)[1])
    with pytest.raises(rnn.CheckpointError) as error:
        rnn.load_model(tmp_path / "model")
    assert str(error.value) == (
        f"{tmp_path / 'model'} holds the custom cell own_rnn (parameters: W_xh (d, h), "
        "W_hh (h, h), b_h (h,); states: H (h,)); a file does not hold the function of a custom "
        "cell; load it with load_model(path, cell=new_cell(...))"
    )


@pytest.mark.parametrize("stored", ["a custom cell", "a built-in cell"])
@pytest.mark.parametrize("given", ["other parameters", "another order", "another name"])
def test_a_file_is_not_loaded_with_a_cell_of_other_names_or_shapes(rnn, stored, given, tmp_path):
    saved = own_cell(rnn, "rnn") if stored == "a custom cell" else rnn.stack("rnn")
    rnn.save_model(tmp_path / "model", new_net(rnn, saved), loader(rnn)[1])
    step = steps_of(rnn)["rnn"]
    kinds = {
        "other parameters": own_cell(rnn, "gru", name="own_rnn"),
        "another order": rnn.new_cell(step, dict(reversed(CELLS["rnn"].parameters.items()))),
        "another name": own_cell(rnn, "rnn", name="mine"),
    }
    with pytest.raises(rnn.CheckpointError, match=r"; the argument cell is \w+ \(parameters: "):
        rnn.load_model(tmp_path / "model", cell=kinds[given])


def test_the_parameters_are_copied_between_backends(rnn):
    reference = backends.load("numpy")
    source, target = make(rnn, own_cell(rnn, "gru")), make(reference, own_cell(reference, "gru"))
    target.load_arrays([0 * array for array in target.arrays()])
    rnn.copy_params(source, target)
    assert_equal_results(results_of(target), results_of(source))


def test_the_parameters_are_not_copied_to_another_cell(rnn):
    source, target = make(rnn, own_cell(rnn, "rnn")), make(rnn, rnn.stack("rnn"))
    with pytest.raises(ValueError, match="make both equal"):
        rnn.copy_params(source, target)


def leaky(X, H, p):
    """A step that can be pickled, because it has a name in its module."""
    return 0.5 * H + X @ p.W_xh + H @ p.W_hh


PARAMS = {"W_xh": ("d", "h"), "W_hh": ("h", "h")}


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_net_of_a_custom_cell_is_copied_and_pickled(rnn, copied):
    net = make(rnn, rnn.new_cell(leaky, PARAMS, init={"W_xh": 0.5, "H": 2}))
    assert_equal_results(results_of(copied(net)), results_of(net))


# What a cell shows


def test_a_custom_cell_and_its_nets_are_shown_by_its_name(rnn, backend):
    own = own_cell(rnn, "rnn", name="mine")
    assert repr(own) == (
        f"<custom cell in {backend}: mine (parameters: W_xh (d, h), W_hh (h, h), b_h (h,); "
        "states: H (h,))>"
    )
    assert ": mine, vocab_size=5, num_hiddens=4, 65 parameters, float64>" in repr(make(rnn, own))
    assert ": mine, 2 layers, vocab_size=5, " in repr(make(rnn, rnn.stack(own, 2)))
    assert tuple(own) == (own.get_params, own.init_state, own.forward)


class Leaky:
    """An object that is called."""

    def __call__(self, X, H, p):
        return leaky(X, H, p)


def faded(rate, X, H, p):
    return rate * H + X @ p.W_xh + H @ p.W_hh


@pytest.mark.parametrize(
    ("step", "name"), [(functools.partial(faded, 0.5), "faded"), (Leaky(), "Leaky")]
)
def test_a_step_can_be_any_callable_object(rnn, step, name):
    own, expected = rnn.new_cell(step, PARAMS), rnn.new_cell(leaky, PARAMS)
    assert own.kind.name == name
    assert_equal_results(results_of(make(rnn, own)), results_of(make(rnn, expected)))


def compiled(rnn, step):
    """Return a step compiled by the framework, if it compiles functions."""
    if rnn.__name__.endswith("jax"):
        import jax

        return jax.jit(step)
    if rnn.__name__.endswith("tensorflow"):
        import tensorflow as tf

        return tf.function(step)
    return functools.wraps(step)(lambda *arguments: step(*arguments))


def test_a_step_can_be_compiled(rnn):
    own, expected = rnn.new_cell(compiled(rnn, leaky), PARAMS), rnn.new_cell(leaky, PARAMS)
    assert own.kind.name == "leaky"
    assert_equal_results(results_of(make(rnn, own)), results_of(make(rnn, expected)))


# Errors


def h(*axes):
    return {**PARAMS, "U": axes}


BAD_CELLS = {
    "no function": ((3, PARAMS), {}, "step is an int; expected a function step(X, *states, p)"),
    "a lambda": ((lambda X, H, p: H, PARAMS), {}, "the name of the cell is '<lambda>'; expected"),
    "a built-in name": ((leaky, PARAMS), {"name": "gru"}, "gru is the name of a built-in cell"),
    "a name with a space": ((leaky, PARAMS), {"name": "my cell"}, "the name of the cell is 'my "),
    "no parameters": ((leaky, {}), {}, "params is a dict of 0; expected the axes of each"),
    "a list": ((leaky, ["W_xh"]), {}, "params is a list of 1; expected the axes of each param"),
    "an unknown axis": ((leaky, h("d", "k")), {}, "the axes of U are ('d', 'k'); expected a tuple"),
    "a word": ((leaky, h("hidden")), {}, "the axes of U are ('hidden',); expected a tuple such"),
    "a size of 0": ((leaky, h("h", 0)), {}, "the axes of U are ('h', 0); expected a tuple"),
    "a size of True": ((leaky, h("h", True)), {}, "the axes of U are ('h', True); expected"),
    "no axes": ((leaky, h()), {}, "the axes of U are (); expected a tuple such as"),
    "a number": ((leaky, {**PARAMS, "U": 3}), {}, "the axes of U are 3; expected a tuple such"),
    "no inputs": ((leaky, {"W_hh": ("h", "h")}), {}, "no parameter has the axis 'd' (inputs)"),
    "no units": ((leaky, {"W": ("d", 3)}), {}, "no parameter has the axis 'h' (hidden units)"),
    "not a name": ((leaky, {**PARAMS, "b h": ("h",)}), {}, "'b h' is not a name; expected an"),
    "a keyword": ((leaky, {**PARAMS, "in": ("h",)}), {}, "'in' is not a name; expected an ident"),
    "a name of a number": ((leaky, {**PARAMS, 3: ("h",)}), {}, "3 is not a name; expected an ide"),
    "an underscore": ((leaky, {**PARAMS, "_b": ("h",)}), {}, "the name _b starts with an under"),
    "the output layer": ((leaky, {**PARAMS, "b_q": ("h",)}), {}, "b_q belongs to the output layer"),
    "a state twice": ((leaky, PARAMS, ("H", "H")), {}, "the name H is used twice; parameters"),
    "a parameter and a state": ((leaky, PARAMS, ("W_xh",)), {}, "the name W_xh is used twice;"),
    "the output twice": ((leaky, PARAMS), {"output": "H"}, "the name H is used twice; parameters"),
    "one text": ((leaky, PARAMS, "H"), {}, "states is 'H'; expected names, such as ('H',), or"),
    "no states": ((leaky, PARAMS, ()), {}, "states is (); expected names, such as ('H',), or"),
    "a state of inputs": ((leaky, PARAMS, {"H": ("d",)}), {}, "the state H has the axis 'd'; exp"),
    "a matrix as output": (
        (leaky, PARAMS, {"S": ("h", "h")}),
        {},
        "the first state, S, is also the output and has the axes (h, h); expected ('h',); "
        "otherwise, name the output: output='O'",
    ),
    "a step without p": (
        (lambda X, H: H, PARAMS),
        {"name": "mine"},
        "the step mine(X, H) cannot be called with (X, H, p): the input, the states and the",
    ),
    "more states than the step": (
        (leaky, PARAMS, ("H", "C")),
        {},
        "the step leaky(X, H, p) cannot be called with (X, H, C, p): the input, the states and",
    ),
    "an unknown init": ((leaky, PARAMS), {"init": {"b_f": 1}}, "init has b_f; expected some of W_"),
    "init of a list": ((leaky, PARAMS), {"init": ["W_xh"]}, "init is a list of 1; expected numb"),
    "init of a text": ((leaky, PARAMS), {"init": {"H": "0"}}, "init['H'] is '0'; expected a numb"),
}


@pytest.mark.parametrize("kind", BAD_CELLS)
def test_a_cell_that_cannot_be_made_is_one_clear_error(rnn, kind):
    arguments, settings, message = BAD_CELLS[kind]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        rnn.new_cell(*arguments, **settings)


def test_initial_values_of_a_wrong_shape_are_one_clear_error(rnn):
    own = rnn.new_cell(leaky, PARAMS, init={"W_xh": lambda shape, rng: np.ones(3)})
    message = r"^init\['W_xh'\] returns an array of shape \(3,\); expected \(5, 4\)$"
    with pytest.raises(ValueError, match=message):
        make(rnn, own)


WRONG = {
    "None": (lambda H, C: None, "the step of wrong returns a NoneType; expected H, C as a tuple"),
    "one of two": (lambda H, C: H, "; expected H, C as a tuple"),
    "three": (lambda H, C: (H, C, C), "the step of wrong returns a tuple of 3; expected H, C as a"),
    "a number": (lambda H, C: (H, 1.0), "the step of wrong returns a float for C; expected a tens"),
    "a column": (lambda H, C: (H[:, :1], C), "returns H of shape (3, 1); expected (3, 4), (batch"),
    "one row": (lambda H, C: (H, C[:1]), "returns C of shape (1, 4); expected (3, 4), (batch_siz"),
}
USES = {
    "a call": lambda net: net(X, net.begin_state(3)),
    "gradients": lambda net: net.gradients(X, Y, net.begin_state(3)),
    "a step": lambda net: net.make_step(0.5)(X, Y, net.begin_state(3)),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_result_of_a_step_is_one_clear_error(rnn, kind, use):
    change, message = WRONG[kind]

    def wrong(X, H, C, p):
        H = rnn.tanh(X @ p.W_xh + H @ p.W_hh)
        return change(H, C + H)

    net = make(rnn, rnn.new_cell(wrong, PARAMS, ("H", "C")))
    with pytest.raises(ValueError, match=re.escape(message)):
        USES[use](net)


@pytest.mark.parametrize("use", USES)
def test_a_step_of_another_dtype_is_one_clear_error(rnn, use):
    def wrong(X, H, p):
        return constant

    net = make(rnn, rnn.new_cell(wrong, PARAMS), dtype="float32")
    constant = rnn.from_numpy(np.ones((3, 4)), dtype="float64")
    expected = "returns H of dtype float64; expected float32, that of the state before"
    with pytest.raises(ValueError, match=expected):
        USES[use](net)


@pytest.mark.parametrize("use", ["gradients", "a step"])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_a_parameter_that_the_step_does_not_use_is_named(rnn, use, num_layers):
    own = rnn.new_cell(leaky, {**PARAMS, "b_h": ("h",)})
    net = make(rnn, rnn.stack(own, num_layers))
    unused = "b_h, of 5" if num_layers == 1 else "layer1.b_h, layer2.b_h, of 8"
    message = f"^no gradient reaches {unused} parameters: .* remove unused parameters from params "
    with pytest.raises(ValueError, match=message):
        USES[use](net)


def test_an_unknown_parameter_is_an_error_that_lists_the_parameters(rnn):
    net = make(rnn, rnn.new_cell(lambda X, H, p: H + p.b_h, PARAMS, name="mine"))
    with pytest.raises(AttributeError, match=r"^mine has no parameter b_h; it has W_xh, W_hh"):
        net(X, net.begin_state(3))


@pytest.mark.parametrize("use", ["stack", "SequenceClassifierScratch"])
def test_a_cell_of_another_backend_is_one_clear_error(rnn, backend, use):
    other = "torch" if backend == "numpy" else "numpy"
    own = rnn.new_cell(leaky, PARAMS)
    kind = dataclasses.replace(own.kind, backend=other)
    with pytest.raises(ValueError, match=f"^the cell leaky was made by d2lrnn.{other}.new_cell; "):
        rnn.stack(kind) if use == "stack" else rnn.SequenceClassifierScratch(5, 4, 2, cell=kind)


AXES = [["W", ["d", "h"]]]
STATES = [["H", ["h"]]]
DAMAGED = {
    "no object": 3,
    "a text": "mgu",
    "no states": {"parameters": AXES},
    "an unknown axis": {"parameters": [["W", ["d", "k"]]], "states": STATES},
    "no axis h": {"parameters": [["W", ["d", 3]]], "states": STATES},
    "a parameter twice": {"parameters": AXES * 2, "states": STATES},
    "a list as a name": {"parameters": [[["W"], ["d", "h"]]], "states": STATES},
    "not a name": {"parameters": [["W x", ["d", "h"]]], "states": STATES},
    "no state": {"parameters": AXES, "states": []},
    "a matrix as output": {"parameters": AXES, "states": [["H", ["h", "h"]]]},
    "no pair": {"parameters": [["W"]], "states": STATES},
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_file_with_a_damaged_custom_cell_is_refused(kind, tmp_path):
    reference = backends.load("numpy")
    net = reference.RNNModelScratch(5, 4, *reference.new_cell(leaky, PARAMS), seed=0)
    tensors, metadata = model_file.describe(net, reference.Vocab("abcd"), {})
    settings = {**json.loads(metadata["settings"]), "custom": DAMAGED[kind]}
    model_file.write(tmp_path / "m", tensors, {**metadata, "settings": json.dumps(settings)})
    with pytest.raises(reference.CheckpointError, match=f"^{re.escape(str(tmp_path))}"):
        reference.load_model(tmp_path / "m", cell=reference.new_cell(leaky, PARAMS))


def with_named_index(rnn):
    return lambda X, H, p: rnn.tanh(X @ p["W_xh"] + H @ p.W_hh)


def with_part_changed(rnn):
    def step(X, H, p):
        p.W_hh[0] = 0
        return rnn.tanh(X @ p.W_xh + H @ p.W_hh)

    return step


def with_parameter_changed(rnn):
    def step(X, H, p):
        p.W_hh = 0 * p.W_hh
        return rnn.tanh(X @ p.W_xh + H @ p.W_hh)

    return step


def with_numpy(rnn):
    return lambda X, H, p: np.tanh(X @ p.W_xh + H @ p.W_hh)


CHANGED = "changes a part of a tensor, or p; compute a new tensor instead"
MISUSES = {
    with_named_index: "write p.W_xh, not p['W_xh']",
    with_part_changed: CHANGED,
    with_parameter_changed: CHANGED,
}


def training_error(rnn, make):
    """The message of the error of a training step with the step that make returns."""
    cell = rnn.new_cell(make(rnn), {"W_xh": ("d", "h"), "W_hh": ("h", "h")}, name="mine")
    net, X = rnn.RNNModelScratch(5, 4, *cell, seed=0), np.zeros((2, 3), int)
    with pytest.raises((TypeError, ValueError)) as error:
        net.make_step(0.1, 1.0)(X, X, net.begin_state(2))
    return str(error.value)


@pytest.mark.parametrize("make", MISUSES)
def test_a_misuse_of_the_parameters_in_a_step_is_one_clear_error(rnn, make):
    assert MISUSES[make] in training_error(rnn, make)


@pytest.mark.only("torch", "jax")
def test_a_function_of_numpy_in_a_step_is_one_clear_error(rnn, backend):
    words = "the step of mine converts a tensor to NumPy, as np.tanh(A) does"
    assert words in training_error(rnn, with_numpy)
