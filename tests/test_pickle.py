"""Nets, loaders and vocabularies can be pickled for new processes."""

import copy
import multiprocessing
import pickle

import numpy as np
import pytest

from d2lrnn.nets import build, cells


def sequence_nets(rnn, settings):
    encoder = rnn.EncoderScratch(5, 4, cell="gru", **settings)
    decoder = rnn.DecoderScratch(5, 4, 4, cell="gru", **settings)
    return {
        "classifier": rnn.SequenceClassifierScratch(5, 4, 2, **settings),
        "tagger": rnn.SequenceTaggerScratch(5, 4, 2, **settings),
        "regressor": rnn.SequenceRegressorScratch(5, 4, 1, cell="s4d", fused=True, **settings),
        "encoder and decoder": rnn.EncoderDecoderScratch(encoder, decoder),
    }


def language_model(rnn, name, settings):
    architecture = cells.Architecture("lstm")
    if name == "stack":
        architecture = cells.Architecture("gru", num_layers=2)
    if name == "concise":
        return build.concise_net(rnn, architecture, 5, 4, **settings)
    return build.new_net(rnn, architecture, 5, 4, fused=name == "fused", **settings)


COPIES = {"pickle": lambda net: pickle.loads(pickle.dumps(net)), "deepcopy": copy.deepcopy}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("name", ["textbook", "fused", "stack", "concise"])
def test_a_copied_language_model_computes_the_same(rnn, name, way):
    net = language_model(rnn, name, {"seed": 0, "dtype": "float64"})
    copied, X = COPIES[way](net), [[0, 1, 2], [3, 4, 0]]
    for one, other in zip(net.arrays(), copied.arrays(), strict=True):
        np.testing.assert_array_equal(one, other)
    expected, _ = net.evaluate(np.array(X), net.begin_state(2))
    found, _ = copied.evaluate(np.array(X), copied.begin_state(2))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("name", ["textbook", "fused", "stack", "concise"])
def test_a_copy_trains_like_the_model_and_does_not_change_it(rnn, name, way):
    net = language_model(rnn, name, {"seed": 0})
    copied, before = COPIES[way](net), net.arrays()
    X, Y = np.array([[0, 1, 2]]), np.array([[1, 2, 3]])
    losses = [rnn.make_step(copied, 1.0)(X, Y, copied.begin_state(1))[0] for _ in range(2)]
    for one, other in zip(net.arrays(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    assert losses == [rnn.make_step(net, 1.0)(X, Y, net.begin_state(1))[0] for _ in range(2)]


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("name", ["classifier", "tagger", "regressor", "encoder and decoder"])
def test_a_network_over_sequences_is_copied_with_its_parameters(rnn, name, way):
    net = sequence_nets(rnn, {"seed": 0})[name]
    copied = COPIES[way](net)
    for one, other in zip(net.arrays(), copied.arrays(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_model_on_a_named_device_pickles(rnn, make_net):
    net = make_net(device=rnn.try_gpu())
    assert pickle.loads(pickle.dumps(net)).device == net.device


@pytest.mark.parametrize("use_random_iter", [False, True])
def test_a_resumed_loader_yields_the_same_minibatches_as_tensors_of_the_backend(
    rnn, builtin, use_random_iter
):
    loader = rnn.SeqDataLoader(builtin[0], 4, 5, use_random_iter, seed=0)
    next(iter(loader))
    copied = pickle.loads(pickle.dumps(loader))
    for (X, Y), (expected, _) in zip(copied, loader, strict=True):
        assert type(X) is type(Y) is type(expected)
        np.testing.assert_array_equal(rnn.to_numpy(X), rnn.to_numpy(expected))


def test_a_vocabulary_pickles(rnn):
    vocab = pickle.loads(pickle.dumps(rnn.Vocab("time machine")))
    assert vocab.to_tokens(vocab["time"[0]]) == "t"


def test_functions_of_the_interface_pickle_by_name(rnn):
    for name in rnn.__all__:
        value = getattr(rnn, name)
        assert pickle.loads(pickle.dumps(value)) is value, name


def loss_of(net):
    """Return the loss of a net, in another process."""
    return net.gradients(np.array([[0, 1]]), np.array([[1, 2]]), net.begin_state(1))[0]


def test_a_net_is_used_in_a_process_that_is_spawned(make_net):
    net = make_net()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(loss_of, (net,)) == loss_of(net)


@pytest.mark.parametrize("make", ["SeqDataLoader", "BatchLoader"])
def test_changing_the_array_does_not_change_the_loader(rnn, make):
    array = np.arange(100)
    sizes = {"num_steps": 5} if make == "SeqDataLoader" else {}
    loader = getattr(rnn, make)(array, batch_size=2, seed=0, **sizes)
    array[:] = 0
    assert rnn.to_numpy(next(iter(loader))[0]).any()
