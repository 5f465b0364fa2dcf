"""Arguments that are mixed up, of another type or missing: one clear error, the same everywhere."""

import copy
import pickle

import numpy as np
import pytest

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


def test_make_step_in_the_other_order_is_an_error_that_tells_the_order(rnn, net):
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
def test_what_yields_no_minibatches_is_refused_before_training(
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


def test_parameters_are_copied_between_models_alone(rnn, net):
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


def test_an_empty_list_of_sequences_has_an_empty_result(classifier, translator):
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


def test_a_training_step_says_what_to_pickle_instead(rnn, net, classifier):
    for step in (
        rnn.make_step(net, 0.1, optimizer="adam"),
        rnn.make_step(net, 0.1, segment=2),
        classifier.make_step(0.1),
    ):
        with pytest.raises(TypeError, match="a training step cannot be pickled; pickle the net"):
            pickle.dumps(step)
        assert copy.deepcopy(step) is step
