"""Swapped, wrong or missing arguments raise one clear error, the same in all backends."""

import copy
import inspect
import pickle

import numpy as np
import pytest

from d2lrnn.nets import build
from d2lrnn.nets.cells import Architecture

X = Y = np.array([[0, 1, 2], [2, 1, 0]])


@pytest.fixture
def net(rnn):
    return rnn.RNNModelScratch(5, 4, *rnn.stack("rnn"), seed=0)


@pytest.fixture
def vocab(rnn):
    return rnn.Vocab("abcd")


@pytest.fixture
def classifier(rnn):
    return rnn.SequenceClassifierScratch(5, 4, 2, seed=0)


@pytest.fixture
def translator(rnn):
    encoder = rnn.EncoderScratch(5, 4, seed=0)
    return rnn.EncoderDecoderScratch(encoder, rnn.DecoderScratch(6, 4, 4, seed=0))


def test_a_vocab_in_place_of_a_language_model_is_named(rnn, net, vocab):
    words = "net is a Vocab; expected a language model, such as an RNNModelScratch; the order is "
    for call, order in (
        (lambda: rnn.predict_ch8("a", 3, vocab, net), "predict_ch8(prefix, num_preds, net, vocab)"),
        (lambda: rnn.predict_many(["a"], 3, vocab, net), "predict_ch8(prefix"),
        (lambda: rnn.train_ch8(vocab, [(X, Y)], net, 1, 1), "train_ch8(net, train_iter, vocab, lr"),
        (lambda: rnn.train_epoch_ch8(vocab, [(X, Y)], net), "train_epoch_ch8(net, train_iter, st"),
        (lambda: rnn.make_step(vocab, 0.1), "make_step(net, lr)"),
    ):
        with pytest.raises(ValueError) as caught:
            call()
        assert str(caught.value).startswith(words + order)


def test_make_step_in_the_wrong_order_is_an_error_that_names_the_order(rnn, net):
    with pytest.raises(ValueError, match=r"net is a float; .*the order is make_step\(net, lr\)"):
        rnn.make_step(0.1, net)


def test_each_kind_of_net_is_trained_by_its_own_function(rnn, net, vocab, classifier):
    with pytest.raises(ValueError, match="train a network over sequences with train_sequences"):
        rnn.train_ch8(classifier, [(X, Y)], vocab, 0.1, 1)
    with pytest.raises(ValueError, match="train a language model with train_ch8"):
        rnn.train_sequences(net, [(X, Y)], 0.1, 1)
    with pytest.raises(ValueError, match=r"net is None; .*SequenceClassifierScratch$"):
        rnn.train_sequences(None, [(X, Y)], 0.1, 1)


@pytest.mark.parametrize("minibatches", [lambda: [(X, Y)], list, 3, None])
def test_a_train_iter_without_minibatches_is_refused_before_training(
    rnn, net, vocab, classifier, minibatches
):
    for train in (
        lambda: rnn.train_ch8(net, minibatches, vocab, 1, 1),
        lambda: rnn.train_epoch_ch8(net, minibatches, rnn.make_step(net, 1)),
        lambda: rnn.train_sequences(classifier, minibatches, 1, 1),
    ):
        with pytest.raises(ValueError, match=f"train_iter is of type {type(minibatches).__name__}"):
            train()


@pytest.mark.parametrize("step", [0.1, None])
def test_a_step_that_is_not_a_function_is_refused(rnn, net, step):
    with pytest.raises(ValueError, match=rf"step is {step}; .*pass make_step\(net, lr\)"):
        rnn.train_epoch_ch8(net, [(X, Y)], step)


@pytest.mark.parametrize("path", [3, True])
def test_a_file_to_write_has_a_name(rnn, net, vocab, path):
    words = f"the file to write is given as {path}; expected its name"
    with pytest.raises(ValueError, match=words):
        rnn.train_ch8(net, [(X, Y)], vocab, 1, 1, checkpoint=path, progress=False)


def test_parameters_are_copied_only_between_models(rnn, net):
    for pair, name in (((net, None), "target"), (("a", net), "source")):
        with pytest.raises(ValueError, match=f"{name} is of type .* is copy_params.source, target"):
            rnn.copy_params(*pair)


def test_an_encoder_and_a_decoder_in_the_other_order_are_named(rnn):
    encoder, decoder = rnn.EncoderScratch(5, 4, seed=0), rnn.DecoderScratch(6, 4, 4, seed=0)
    with pytest.raises(ValueError, match="encoder is a DecoderScratch; expected an EncoderScratch"):
        rnn.EncoderDecoderScratch(decoder, encoder)
    with pytest.raises(ValueError, match="decoder is None; expected a DecoderScratch"):
        rnn.EncoderDecoderScratch(encoder, None)


def test_a_list_of_numbers_in_place_of_sequences_is_named(rnn, classifier, translator):
    for call in (
        lambda: rnn.train_sequences(classifier, [([0], [[1]])], 0.1, 1, progress=False),
        lambda: classifier([0, 1]),
        lambda: translator.make_step(0.1)([[1, 2]], [1]),
        lambda: translator.score([[1, 2]], [1]),
    ):
        with pytest.raises(ValueError, match=r"\[0\] is of type int; expected a sequence"):
            call()


def test_predictions_for_an_empty_list_of_sequences_are_empty(classifier, translator):
    assert translator.predict([], end=0, num_steps=3) == []
    assert classifier.predict([]).shape == (0,)


@pytest.mark.parametrize("length", [600, 5000])
def test_a_text_in_place_of_a_file_s_name_is_not_printed_whole(rnn, length):
    text = ("It was a dark and stormy night. " * 200)[:length]
    for load in (lambda: rnn.load_data_text(text, 2, 5), lambda: rnn.load_model(text)):
        with pytest.raises((ValueError, OSError), match=f"{length} characters") as caught:
            load()
        assert len(str(caught.value)) < 400


@pytest.mark.parametrize("path", [None, 3.5, [1]])
def test_a_model_is_loaded_from_a_file_s_name(rnn, path):
    with pytest.raises(rnn.CheckpointError, match=f"^path is of type {type(path).__name__};"):
        rnn.load_model(path)


def test_settings_of_numpy_are_saved_as_python_s(rnn, net, vocab, tmp_path):
    path = tmp_path / "m"
    rnn.save_model(
        path, net, vocab, lr=np.float32(0.5), sizes=np.array([1, 2]), n={"a": np.int64(3)}
    )
    assert b'\\"lr\\": 0.5, \\"sizes\\": [1, 2], \\"n\\": {\\"a\\": 3}' in path.read_bytes()
    with pytest.raises(ValueError, match=r"the setting other cannot be stored .*type object"):
        rnn.save_model(path, net, vocab, other=object())


@pytest.mark.parametrize("arrays", [None, 3])
def test_parameters_come_in_a_list(rnn, arrays):
    with pytest.raises(ValueError, match=f"arrays is {arrays}; expected a list of arrays"):
        rnn.trainable(arrays)
    for function in (rnn.split_params, rnn.concat_params):
        with pytest.raises(
            ValueError, match=f"params is of type {type(arrays).__name__}; expected"
        ):
            function(arrays)


@pytest.mark.parametrize("value", [1.7, 2.0, None, float("nan"), 10**30, np.float32(1)])
def test_padding_is_for_integers(rnn, value):
    with pytest.raises(ValueError, match=r"sequences\[0\]\[1\] is .*; expected an id, an integer"):
        rnn.pad_sequences([[1, value]])
    with pytest.raises(ValueError, match=r"value is .*; expected an integer of 64 bits"):
        rnn.pad_sequences([[1]], 2, value=value)


def test_rows_of_tensors_and_arrays_of_integers_are_padded(rnn):
    ids = rnn.from_numpy(np.array([[1, 2], [3, 4]]), dtype="int64")
    for rows in (list(ids), np.array([[1, 2], [3, 4]], np.uint8), [(1, 2), (3, 4)]):
        np.testing.assert_array_equal(rnn.pad_sequences(rows, 3), [[0, 1, 2], [0, 3, 4]])


@pytest.mark.parametrize("number", range(5))
def test_a_net_whose_parameters_hold_nan_generates_no_text(rnn, net, vocab, number):
    arrays = net.arrays()
    arrays[number].flat[-1] = np.nan
    net.load_arrays(arrays)
    for generate in (lambda: rnn.predict_ch8("a", 3, net, vocab, temperature=0.5, seed=0),):
        with pytest.raises(ValueError, match=rf"hold NaN, in arrays\(\)\[{number}\]; training has"):
            generate()


@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy, copy.deepcopy])
def test_the_error_for_a_training_step_says_what_to_copy_or_pickle_instead(
    rnn, net, classifier, duplicate
):
    for step in (
        rnn.make_step(net, 0.1, optimizer="adam"),
        rnn.make_step(net, 0.1, segment=2),
        classifier.make_step(0.1),
    ):
        with pytest.raises(TypeError, match="a training step cannot be copied or pickled; copy or"):
            duplicate(step)


@pytest.mark.frameworks
@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy, copy.deepcopy])
def test_copying_the_training_step_of_a_framework_s_layer_is_refused(rnn, make_concise, duplicate):
    step = rnn.make_step(make_concise(), 0.1)
    with pytest.raises(TypeError, match="a training step cannot be copied or pickled"):
        duplicate(step)


def steps_of(rnn, net, optimizer):
    """Return training steps of each kind, all of which have a state."""
    for each, segment in ((net, None), (net, 2), *((net, None) for net in concise_nets(rnn))):
        step = rnn.make_step(each, 0.1, optimizer=optimizer, segment=segment)
        step(X, Y, each.begin_state(2))
        yield step


WRONG_MEMORIES = {
    "None": (lambda memory: None, "memory is a NoneType; expected a dictionary"),
    "a list": (lambda memory: [*memory.values()], "memory is a list; expected a dictionary"),
    "NaN": (lambda memory: {n: a * np.nan for n, a in memory.items()}, "holds NaN or infinity"),
    "infinity": (lambda memory: {n: a + np.inf for n, a in memory.items()}, "NaN or infinity"),
    "None in it": (dict.fromkeys, "the dtype is object; expected booleans, integers or"),
    "other names": (lambda memory: {"x": np.ones(3)}, "use the memory of the same optimizer"),
    "an array less": (lambda memory: dict([*memory.items()][1:]), "the memory of the same optim"),
    "other shapes": (lambda memory: dict.fromkeys(memory, np.ones(7)), "memory of the same"),
}


@pytest.mark.parametrize("optimizer", ["adagrad", "adam"])
@pytest.mark.parametrize("wrong", WRONG_MEMORIES)
def test_a_step_refuses_a_wrong_state(rnn, net, optimizer, wrong):
    change, words = WRONG_MEMORIES[wrong]
    for step in steps_of(rnn, net, optimizer):
        before = step.memory()
        with pytest.raises(ValueError, match=words):
            step.load_memory(change(before))
        for name, array in step.memory().items():
            np.testing.assert_array_equal(array, before[name])


@pytest.fixture
def foreign(backend):
    """A function that makes an object that looks like a tensor of another framework."""
    package = "jax" if backend != "jax" else "torch"

    def make(array):
        facts = {"__module__": package, "dtype": array.dtype, "shape": array.shape}
        return type("Tensor", (), facts)()

    return make


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("what", ["inputs", "state", "params", "a parameter", "lists"])
def test_a_concatenated_cell_accepts_tensors_of_its_backend(rnn, foreign, cell, what):
    get_params, init_state, _ = rnn.stack(cell)
    params, state = rnn.concat_params(get_params(5, 4, seed=0)), init_state(2, 4)
    inputs = rnn.one_hot([[0, 1]], 5)
    if what == "inputs":
        inputs = foreign(rnn.to_numpy(inputs))
    elif what == "state":
        state = tuple(foreign(rnn.to_numpy(H)) for H in state)
    elif what == "params":
        params = [foreign(rnn.to_numpy(param)) for param in params]
    elif what == "a parameter":
        params[-1] = foreign(rnn.to_numpy(params[-1]))
    else:
        params, what = [rnn.to_numpy(param).tolist() for param in params], "params"
    with pytest.raises(ValueError, match=r"is a (JAX|PyTorch) array; expected|params is a list; "):
        getattr(rnn, f"concat_{cell}")(inputs, state, params)


@pytest.mark.frameworks
@pytest.mark.parametrize("what", ["inputs", "params", "all", "a parameter"])
def test_a_concatenated_cell_refuses_numpy_arrays(rnn, what):
    params, state = rnn.concat_params(rnn.get_params(5, 4, seed=0)), rnn.init_rnn_state(2, 4)
    inputs = rnn.one_hot([[0, 1]], 5)
    if what in ("inputs", "all"):
        inputs = rnn.to_numpy(inputs)
    if what in ("params", "all"):
        params = [rnn.to_numpy(param) for param in params]
    if what == "a parameter":
        params[-1] = rnn.to_numpy(params[-1])
    with pytest.raises(ValueError, match=r"(inputs|params) is a NumPy array; expected .* arrays"):
        rnn.concat_rnn(inputs, state, params)


@pytest.mark.parametrize("name", ["concat_params", "split_params"])
def test_parameters_are_joined_and_split_in_one_framework(rnn, foreign, name):
    params = rnn.get_gru_params(5, 4, seed=0)
    if name == "split_params":
        params = rnn.concat_params(params)
    arrays = [rnn.to_numpy(param) for param in params]
    for wrong in (
        [foreign(array) for array in arrays],
        [*params[:-1], foreign(arrays[-1])],
        [array.tolist() for array in arrays],
        [None] * len(arrays),
    ):
        with pytest.raises(ValueError, match=r"params is .*; expected .* arrays; convert it with"):
            getattr(rnn, name)(wrong)
    with pytest.raises(ValueError, match="params is of type NoneType; expected the list of a cell"):
        getattr(rnn, name)(None)


def test_a_net_of_a_custom_function_has_no_attribute_architecture(rnn):
    functions = rnn.get_params, rnn.init_rnn_state, lambda *arguments: rnn.rnn(*arguments)
    net = rnn.RNNModelScratch(5, 4, *functions, seed=0)
    assert not hasattr(net, "architecture")
    assert getattr(net, "architecture", "none") == "none"
    assert {name for name in dir(net) if not hasattr(net, name)} == {"architecture", "speaker"}
    inspect.getmembers(net)
    with pytest.raises(ValueError, match="forward_fn is the custom function <lambda>; this needs"):
        net.architecture  # noqa: B018


@pytest.mark.parametrize("kind", ["scratch", "custom", "concise", "classifier", "translator"])
def test_every_attribute_of_an_object_is_looked_up_without_an_error(request, rnn, vocab, net, kind):
    objects = {
        "scratch": lambda: [net, net.make_step(0.1), vocab, rnn.SeqDataLoader(range(50), 2, 3)],
        "custom": lambda: [
            rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, lambda *a: rnn.rnn(*a))
        ],
        "concise": lambda: concise_nets(rnn),
        "classifier": lambda: [request.getfixturevalue("classifier")],
        "translator": lambda: [request.getfixturevalue("translator")],
    }
    for value in objects[kind]():
        inspect.getmembers(value)
        copy.copy(vars(value))


def concise_nets(rnn):
    """Return a net around a framework's own layer, if the framework has layers."""
    if not rnn.RNNModelScratch.ops.has_layers:
        return []
    return [build.concise_net(rnn, Architecture("lstm"), 5, 4, seed=0)]
