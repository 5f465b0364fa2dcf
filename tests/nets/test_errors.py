"""The same mistake has the same error message in every backend."""

import re

import numpy as np
import pytest

IDS = np.array([[0, 1, 2], [2, 1, 0]])  # (batch_size, num_steps), of a vocabulary of 5


def with_W_xh_twice(rnn):
    def get_params(vocab_size, num_hiddens):
        W_xh, _, *others = rnn.get_params(vocab_size, num_hiddens)
        return [W_xh, W_xh, *others]

    return get_params


def zeros(rnn, *shape):
    return rnn.from_numpy(np.zeros(shape, "float32"))


def cell(rnn, inputs=(3, 2, 5), states=((2, 4),)):
    return rnn.rnn(zeros(rnn, *inputs), tuple(zeros(rnn, *s) for s in states), rnn.get_params(5, 4))


MISTAKES = {
    "an id that is too high": (
        lambda rnn, net: net(np.array([[0, 5]]), net.begin_state(1)),
        "token id 5 is outside 0..4; use the Vocab that the model was made for",
    ),
    "a negative id": (
        lambda rnn, net: net(np.array([[0, -1]]), net.begin_state(1)),
        "token id -1 is outside 0..4; use the Vocab that the model was made for",
    ),
    "an id that would wrap round to 1 in 32 bits": (
        lambda rnn, net: rnn.one_hot(np.array([2**32 + 1]), 5),
        "token id 4294967297 is outside 0..4; use the Vocab that the model was made for",
    ),
    "ids that are no integers": (
        lambda rnn, net: net(rnn.from_numpy(np.array([[0.0, 1.0]], "float32")), net.begin_state(1)),
        "token ids have dtype float32; expected integers from 0 to 4; "
        "turn tokens into ids with vocab[tokens]",
    ),
    "a target that is too high": (
        lambda rnn, net: net.make_step(1.0)(IDS, IDS + 3, net.begin_state(2)),
        "token id 5 is outside 0..4; use the Vocab that the model was made for",
    ),
    "a state for another batch": (
        lambda rnn, net: net(IDS, net.begin_state(3)),
        "state is for batch_size 3, the minibatch has 2; call net.begin_state(2)",
    ),
    "a state for another batch in training": (
        lambda rnn, net: net.make_step(1.0)(IDS, IDS, net.begin_state(3)),
        "state is for batch_size 3, the minibatch has 2; call net.begin_state(2)",
    ),
    "a model's state of another width": (
        lambda rnn, net: net(IDS, rnn.init_rnn_state(2, 6)),
        "state has 6 hidden units, the parameters have 4; call net.begin_state(2)",
    ),
    "a state of another width": (
        lambda rnn, net: cell(rnn, states=((2, 6),)),
        "state has 6 hidden units, the parameters have 4; call net.begin_state(2)",
    ),
    "a state of another rank": (
        lambda rnn, net: cell(rnn, states=((4,),)),
        "state has shape (4,); expected axes (batch_size, num_hiddens)",
    ),
    "two states": (
        lambda rnn, net: cell(rnn, states=((2, 4), (2, 4))),
        "state is 2 tensors; expected a tuple of length 1; call net.begin_state(2)",
    ),
    "a state outside its tuple": (
        lambda rnn, net: net(IDS, net.begin_state(2)[0]),
        "state is not a tuple; expected a tuple of length 1; call net.begin_state(2)",
    ),
    "no state in training": (
        lambda rnn, net: net.make_step(1.0)(IDS, IDS, None),
        "state is not a tuple; expected a tuple of length 1; call net.begin_state(2)",
    ),
    "a state of lists": (
        lambda rnn, net: net(IDS, ([[0.0] * 4] * 2,)),
        "state holds a list; expected tensors; call net.begin_state(2)",
    ),
    "functions of two kinds": (
        lambda rnn, net: rnn.RNNModelScratch(5, 4, rnn.get_gru_params, rnn.init_gru_state, rnn.rnn),
        "there are 11 parameters; expected 5: W_xh, W_hh, b_h, W_hq, b_q; "
        "use get_params, init_state and forward_fn of the same cell",
    ),
    "states of another cell": (
        lambda rnn, net: rnn.RNNModelScratch(
            5, 4, rnn.get_gru_params, rnn.init_lstm_state, rnn.gru
        ),
        "init_state returns states of the shapes (1, 4), (1, 4) for batch_size 1; expected (1, 4); "
        "use get_params, init_state and forward_fn of the same cell",
    ),
    "parameters of another shape": (
        lambda rnn, net: rnn.RNNModelScratch(
            5, 4, with_W_xh_twice(rnn), rnn.init_rnn_state, rnn.rnn
        ),
        "W_hh has shape (5, 4); expected (4, 4), because W_xh has (5, 4); "
        "use parameters of one cell and size",
    ),
    "inputs of another rank": (
        lambda rnn, net: cell(rnn, inputs=(3, 5)),
        "inputs has shape (3, 5); expected axes (num_steps, batch_size, num_inputs)",
    ),
    "inputs of another width": (
        lambda rnn, net: cell(rnn, inputs=(3, 2, 7)),
        "inputs has 7 features per row, the parameters are for 5; "
        "make the parameters for that width, or the rows for these parameters",
    ),
    "ids of another rank": (
        lambda rnn, net: net(np.array([0, 1]), net.begin_state(1)),
        "X has shape (2,); expected axes (batch_size, num_steps)",
    ),
    "an mlp's inputs of another rank": (
        lambda rnn, net: rnn.mlp(zeros(rnn, 3), rnn.get_mlp_params(3, 4, 2)),
        "X has shape (3,); expected axes (batch_size, num_inputs)",
    ),
    "an mlp's inputs of another width": (
        lambda rnn, net: rnn.mlp(zeros(rnn, 2, 4), rnn.get_mlp_params(3, 4, 2)),
        "X has 4 features per row, the parameters are for 3; "
        "make the parameters for that width, or the rows for these parameters",
    ),
    "training on no rows": (
        lambda rnn, net: net.make_step(1.0)(IDS[:0], IDS[:0], net.begin_state(0)),
        "the minibatch is empty, of shape (0, 3); "
        "training needs at least one row and one time step",
    ),
    "training on no steps": (
        lambda rnn, net: net.make_step(1.0)(IDS[:, :0], IDS[:, :0], net.begin_state(2)),
        "the minibatch is empty, of shape (2, 0); "
        "training needs at least one row and one time step",
    ),
    "targets of another shape": (
        lambda rnn, net: net.make_step(1.0)(IDS, IDS[:, :2], net.begin_state(2)),
        "Y has shape (2, 2), X has (2, 3); expected a target for each input token",
    ),
    "a learning rate of 0": (
        lambda rnn, net: rnn.make_step(net, 0),
        "lr is 0; expected a finite number above 0",
    ),
    "a learning rate that is no number": (
        lambda rnn, net: rnn.make_step(net, float("nan")),
        "lr is nan; expected a finite number above 0",
    ),
    "a negative theta": (
        lambda rnn, net: rnn.make_step(net, 1.0, -1.0),
        "theta is -1.0; expected a finite number above 0",
    ),
    "clipping at 0": (
        lambda rnn, net: rnn.grad_clipping([zeros(rnn, 2)], 0.0),
        "theta is 0.0; expected a finite number above 0",
    ),
    "no such clipping": (
        lambda rnn, net: net.make_step(1.0, clip="hard"),
        "clip is 'hard'; expected one of 'norm', 'value'",
    ),
    "no hidden units": (
        lambda rnn, net: rnn.get_params(5, 0),
        "num_hiddens is 0; expected an integer, 1 or above",
    ),
    "half a hidden unit": (
        lambda rnn, net: rnn.get_mlp_params(5, 0.5, 2),
        "num_hiddens is 0.5; expected an integer, 1 or above",
    ),
    "a negative batch": (
        lambda rnn, net: net.begin_state(-1),
        "batch_size is -1; expected an integer, 0 or above",
    ),
    "half precision": (
        lambda rnn, net: rnn.get_params(5, 4, dtype="float16"),
        "dtype is 'float16'; expected 'float32' or 'float64'",
    ),
    "a corpus that is too short": (
        lambda rnn, net: list(rnn.seq_data_iter_random(range(30), 1, 35)),
        "the corpus has 30 tokens; batch_size 1 and num_steps 35 need 70 or more; "
        "take a longer text, a smaller batch_size or fewer num_steps",
    ),
    "an unknown kind of token": (
        lambda rnn, net: rnn.tokenize(["a"], "letter"),
        "token is 'letter'; expected one of 'word', 'char', 'wordpunct'",
    ),
    "a prefix without a token": (
        lambda rnn, net: rnn.predict_ch8("", 3, net, rnn.Vocab("abcd")),
        "prefix '' does not contain any tokens; give at least one",
    ),
    "a negative temperature": (
        lambda rnn, net: rnn.predict_ch8("a", 3, net, rnn.Vocab("abcd"), temperature=-1),
        "temperature is -1; expected a finite number, 0 or above",
    ),
    "a learning rate beyond all floats": (
        lambda rnn, net: rnn.make_step(net, 10**400),
        "lr is an integer of 1329 bits; expected a finite number above 0",
    ),
    "a learning rate that float32 holds as 0": (
        lambda rnn, net: rnn.make_step(net, 5e-324),
        "lr is 5e-324; expected 1.2e-38 to 3.4e+38, which float32 holds",
    ),
    "a learning rate that float32 holds as infinity": (
        lambda rnn, net: rnn.make_step(net, 1e39),
        "lr is 1e+39; expected 1.2e-38 to 3.4e+38, which float32 holds",
    ),
    "a theta that float32 holds as infinity": (
        lambda rnn, net: rnn.make_step(net, 1.0, 1e39),
        "theta is 1e+39; expected 1.2e-38 to 3.4e+38, which float32 holds",
    ),
    "a temperature beyond all floats": (
        lambda rnn, net: rnn.predict_ch8("a", 3, net, rnn.Vocab("abcd"), temperature=10**400),
        "temperature is an integer of 1329 bits; expected a finite number, 0 or above",
    ),
    "parameters that are words": (
        lambda rnn, net: net.load_arrays([array.astype(str) for array in net.arrays()]),
        "the dtype is <U32; expected booleans, integers or floats of 64 bits or less",
    ),
    "parameters that are objects": (
        lambda rnn, net: net.load_arrays([array.astype(object) for array in net.arrays()]),
        "the dtype is object; expected booleans, integers or floats of 64 bits or less",
    ),
    "parameters of complex numbers": (
        lambda rnn, net: net.load_arrays([array.astype(complex) for array in net.arrays()]),
        "the dtype is complex128; expected booleans, integers or floats of 64 bits or less",
    ),
    "no parameters at all": (
        lambda rnn, net: net.load_arrays(None),
        "arrays is None; expected a list of arrays, as net.arrays() returns",
    ),
    "an integer beyond those asked for": (
        lambda rnn, net: rnn.from_numpy(np.array([2**63 + 1], "uint64"), dtype="int64"),
        "the numbers are uint64 and do not fit int64",
    ),
    "a GPU of negative number": (
        lambda rnn, net: rnn.try_gpu(-1),
        "i is -1; expected an integer, 0 or above",
    ),
}


DEVICES = ["nonsense", "gpu:99", "/GPU:7", "", 3.5, -1, True, [], b"cpu", "meta", len]
MADE = {
    "a tensor": lambda rnn, device: rnn.from_numpy(np.ones(2), device=device),
    "one-hot rows": lambda rnn, device: rnn.one_hot(IDS, 5, device=device),
    "parameters": lambda rnn, device: rnn.get_params(5, 4, device=device),
    "a state": lambda rnn, device: rnn.init_rnn_state(2, 4, device=device),
    "a classifier": lambda rnn, device: rnn.SequenceClassifierScratch(5, 4, 2, device=device),
}


def assert_refused(make, device):
    words = (
        f"device is {device!r}, which this backend does not find; expected None, 'cpu', or the "
        "result of try_gpu(): a GPU if there is one, otherwise the CPU"
    )
    with pytest.raises(ValueError) as error:
        make(device)
    assert str(error.value) == words


@pytest.mark.parametrize("device", DEVICES, ids=repr)
def test_a_value_that_is_not_a_device_is_one_clear_error(rnn, device):
    assert_refused(lambda device: MADE["a tensor"](rnn, device), device)


@pytest.mark.parametrize("made", MADE)
def test_nothing_is_made_on_an_invalid_device(rnn, made):
    assert_refused(lambda device: MADE[made](rnn, device), "nonsense")


def test_no_layer_is_made_on_an_invalid_device(rnn, make_concise):
    assert_refused(lambda device: make_concise(device=device), "nonsense")
    layer = rnn.RNN(5, 4)
    assert_refused(lambda device: rnn.RNNModel(layer, 5, device=device), "nonsense")


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("device", ["cpu", "cpu:0"])
def test_the_cpu_has_one_name_in_every_backend(rnn, device, made):
    MADE[made](rnn, device)
    MADE[made](rnn, rnn.try_gpu())


NUMBERS = np.arange(6).reshape(2, 3)
VIEWS = {
    "from last to first": lambda array: array[::-1, ::-1],
    "one number, backwards": lambda array: array[0, :1][::-1],
    "every other column": lambda array: array[:, ::2],
    "transposed": lambda array: array.T,
    "repeated": lambda array: np.broadcast_to(array[0], (4, 3)),
    "read only": lambda array: np.frombuffer(array.tobytes(), array.dtype),
    "a single number": lambda array: array[1, 1],
    "nothing": lambda array: array[:0, ::-1],
}


@pytest.mark.parametrize("dtype", ["<i8", ">i8", ">i4", ">f4", ">f8", "<f2", "?"])
@pytest.mark.parametrize("view", VIEWS)
def test_numbers_are_converted_for_every_memory_layout(rnn, view, dtype):
    given = VIEWS[view](NUMBERS.astype(dtype))
    found = rnn.to_numpy(rnn.from_numpy(given))
    np.testing.assert_array_equal(found, given)
    assert found.dtype.name == given.dtype.name
    assert found.flags.c_contiguous


LOADED = {
    "of another order of bytes": lambda array: array.astype(">f4"),
    "backwards": lambda array: array[::-1].copy()[::-1],
    "transposed": lambda array: array.T.copy().T,
    "lists": lambda array: array.tolist(),
    "of float64": lambda array: array.astype("float64"),
}


@pytest.mark.parametrize("form", LOADED)
def test_parameters_are_loaded_for_every_memory_layout(make_net, form):
    net, arrays = make_net(seed=1), make_net(seed=2).arrays()
    net.load_arrays([LOADED[form](array) for array in arrays])
    for one, other in zip(net.arrays(), arrays, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("form", LOADED)
def test_a_framework_s_own_layer_loads_them_too(make_concise, form):
    net, arrays = make_concise(seed=1), make_concise(seed=2).arrays()
    net.load_arrays([LOADED[form](array) for array in arrays])
    for one, other in zip(net.arrays(), arrays, strict=True):
        np.testing.assert_array_equal(one, other)


def test_strings_are_refused_as_parameters_of_a_framework_s_own_layer(make_concise):
    net = make_concise()
    with pytest.raises(ValueError, match=r"^the dtype is <U32; expected booleans, integers"):
        net.load_arrays([array.astype(str) for array in net.arrays()])


def test_an_integer_of_64_bits_is_converted_exactly_or_refused(rnn, backend):
    number = np.array([2**63 + 1], "uint64")
    if backend == "mxnet":  # which has no uint64
        with pytest.raises(ValueError, match=r"^the numbers are uint64 and do not fit int64$"):
            rnn.from_numpy(number)
    else:
        np.testing.assert_array_equal(rnn.to_numpy(rnn.from_numpy(number)), number)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_has_its_error_message(rnn, make_net, mistake):
    make, words = MISTAKES[mistake]
    net = make_net()
    before = net.arrays()
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        make(rnn, net)
    for param, array in zip(net.arrays(), before):
        np.testing.assert_array_equal(param, array)


@pytest.mark.parametrize("use", ["make_step", "gradients", "segments"])
def test_a_subclass_whose_call_training_would_not_use_is_refused(rnn, use):
    class Doubled(rnn.RNNModelScratch):
        def __call__(self, X, state):
            outputs, state = super().__call__(X, state)
            return 2 * outputs, state

    net = Doubled(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
    uses = {
        "make_step": lambda: rnn.make_step(net, 1.0),
        "gradients": lambda: net.gradients([[0, 1]], [[1, 2]], net.begin_state(1)),
        "segments": lambda: rnn.make_step(net, 1.0, segment=0),
    }
    with pytest.raises(ValueError, match="Doubled overrides __call__"):
        uses[use]()


def test_a_subclass_without_a_call_of_its_own_trains(rnn):
    class Named(rnn.RNNModelScratch):
        name = "mine"

    net = Named(5, 4, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
    loss, _ = rnn.make_step(net, 1.0)([[0, 1]], [[1, 2]], net.begin_state(1))
    assert loss > 0


@pytest.mark.parametrize("params", [3, None, iter(())], ids=["a number", "None", "an iterator"])
@pytest.mark.parametrize("cell", ["rnn", "rnn_fused"])
def test_parameters_that_are_not_a_list_are_refused(rnn, cell, params):
    X, state = rnn.one_hot([[0], [1]], 3), rnn.init_rnn_state(1, 4)
    with pytest.raises(
        ValueError, match=r"^params is a \w+; expected the list of rnn's parameters"
    ):
        getattr(rnn, cell)(X, state, params)
