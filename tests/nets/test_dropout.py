"""Dropout of inputs and between layers: the same masks in every backend and process."""

import itertools
import math

import numpy as np
import pytest
from bounds import UPDATED

from d2lrnn import backends
from d2lrnn.data import batches
from d2lrnn.nets import build, cells, group
from d2lrnn.nets.dropout import Dropout

MINIBATCHES = np.random.default_rng(0).integers(5, size=(4, 2, 3, 6))
NETS = [("gru", 2, False, False), ("lstm", 3, True, False), ("rnn", 1, False, True)]


def net_of(rnn, vocab_size, cell, num_layers, bidirectional, fused):
    architecture = cells.Architecture(cell, num_layers, bidirectional)
    settings = {"seed": 0, "dtype": "float64", "fused": fused}
    return build.new_net(rnn, architecture, vocab_size, 8, **settings)


def trained(rnn, builtin, kind, **options):
    corpus, vocab = builtin
    net = net_of(rnn, len(vocab), *kind)
    step = rnn.make_step(net, 0.5, **{"dropout": 0.3, "seed": 1, **options})
    loader, state, losses = batches.SeqDataLoader(corpus, 8, 10, seed=0), net.begin_state(8), []
    for X, Y in itertools.islice(loader, 10):
        loss, state = step(X, Y, state)
        losses.append(loss)
    return net.arrays(), losses


@pytest.mark.parametrize("kind", NETS, ids=str)
def test_ten_steps_equal_those_of_the_reference(rnn, builtin, kind):
    found, losses = trained(rnn, builtin, kind)
    expected, reference = trained(backends.load("numpy"), builtin, kind)
    np.testing.assert_allclose(losses, reference, rtol=UPDATED)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=UPDATED, atol=UPDATED * np.abs(other).max())


def test_the_seed_determines_the_generated_text(reference, builtin):
    (_, first), (_, again), (_, other) = (
        trained(reference, builtin, NETS[0], seed=seed) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_step_computes_with_the_masks(reference):
    net = net_of(reference, 5, "rnn", 2, False, False)
    (X, Y), masks = MINIBATCHES[0], Dropout(net, 0.5, seed=3).masks(6, 3, 0)
    params = net.arrays()
    loss, _ = reference.make_step(net, 1.0, dropout=0.5, seed=3)(X, Y, net.begin_state(3))
    Hs = np.eye(5)[X.T] * masks[0]  # (T, n, V)
    for layer in range(2):
        W_xh, W_hh, b_h = params[3 * layer : 3 * layer + 3]
        H, inputs, Hs = np.zeros((3, 8)), Hs if layer == 0 else Hs * masks[1], []
        for x in inputs:
            H = np.tanh(x @ W_xh + H @ W_hh + b_h)
            Hs.append(H)
        Hs = np.array(Hs)
    outputs = (Hs @ params[6] + params[7]).reshape(-1, 5)
    log_probs = outputs - np.log(np.exp(outputs).sum(1, keepdims=True))
    assert loss == pytest.approx(-log_probs[np.arange(18), Y.T.reshape(-1)].mean(), rel=1e-12)


def test_masks_have_the_given_share_of_zeros_and_are_new_in_every_step(make_net):
    dropout = Dropout(make_net(), 0.2, seed=0)
    (mask,), (again,), (other,) = (dropout.masks(100, 50, number) for number in (0, 0, 1))
    assert mask.shape == (100, 50, 1)
    assert set(np.unique(mask)) == {0.0, 1.25}
    assert abs((mask == 0).mean() - 0.2) < 4 * math.sqrt(0.2 * 0.8 / mask.size)
    np.testing.assert_array_equal(mask, again)
    assert (mask != other).any()


def test_processes_share_the_masks_of_all_rows(reference, monkeypatch):
    net = net_of(reference, 5, "gru", 2, False, False)
    whole, parts = Dropout(net, 0.5, seed=0).masks(6, 5, 7), []
    for rank in range(2):
        processes = group.Group()
        processes.rank, processes.size = rank, 2
        monkeypatch.setattr(group, "group_of", lambda net, processes=processes: processes)
        rows = processes.share(np.zeros((5, 6)))
        parts.append(Dropout(net, 0.5, seed=0).masks(6, len(rows), 7))
    for mask, *shared in zip(whole, *parts, strict=True):
        np.testing.assert_array_equal(np.concatenate(shared, axis=1), mask)


def test_dropout_applies_to_the_inputs_of_a_custom_forward_function(rnn):
    def plain(inputs, state, params):
        return rnn.rnn(inputs, state, params)

    nets = [
        rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, function, seed=0)
        for function in (plain, rnn.rnn)
    ]
    for net in nets:
        step = rnn.make_step(net, 0.5, dropout=0.4, seed=0)
        for X, Y in MINIBATCHES:
            step(X, Y, net.begin_state(3))
    for one, other in zip(nets[0].arrays(), nets[1].arrays(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_a_random_seed_is_part_of_the_state_of_a_step(rnn, make_net):
    (X, Y), nets = MINIBATCHES[0], (make_net(), make_net())
    steps = [rnn.make_step(net, 0.5, dropout=0.4) for net in nets]
    steps[0](X, Y, nets[0].begin_state(3))
    nets[1].load_arrays(nets[0].arrays())
    steps[1].load_memory(steps[0].memory())
    losses = [step(X, Y, net.begin_state(3))[0] for net, step in zip(nets, steps, strict=True)]
    assert losses[0] == losses[1]


def test_validation_and_predictions_are_without_dropout(rnn, make_net, builtin):
    corpus, vocab = builtin
    train_iter = rnn.SeqDataLoader(corpus[:240], 4, 8, seed=0)
    valid_iter = rnn.SeqDataLoader(corpus[240:400], 3, 8, shuffle=False)
    net = make_net(len(vocab), 8)
    options = {"lr": 0.5, "num_epochs": 2, "progress": False, "validation": valid_iter}
    history = rnn.train_ch8(net, train_iter, vocab, dropout=0.5, **options)
    assert history.validation[-1] == rnn.evaluate(net, valid_iter).perplexity


@pytest.mark.parametrize("dropout", [1, -0.1, math.nan, "0.5", 2.0])
def test_a_probability_out_of_range_is_refused(rnn, make_net, dropout):
    with pytest.raises(ValueError, match=r"dropout is .*; expected a (finite )?number"):
        rnn.make_step(make_net(), 1.0, dropout=dropout)


def test_the_packages_dropout_masks_do_not_apply_to_a_framework_s_own_layer(rnn, make_concise):
    with pytest.raises(ValueError, match=r"dropout is 0.5, and the net contains a layer of "):
        rnn.make_step(make_concise("lstm", num_layers=2), 1.0, dropout=0.5)


def test_segments_have_no_dropout(rnn, make_net):
    with pytest.raises(ValueError, match="dropout and segment are both given; choose one"):
        rnn.make_step(make_net(), 1.0, dropout=0.5, segment=2)
