"""Backpropagation through time in segments."""

import functools

import numpy as np
import pytest
from bounds import AGREED, SAME, TRAINED
from click.testing import CliRunner

from d2lrnn import cli
from d2lrnn.cli import instead
from d2lrnn.nets import build, cells
from d2lrnn.training import segments


@pytest.fixture(params=["rnn", "gru", "lstm", "rnn_fused", "lstm_fused"])
def net(rnn, request):
    cell, _, fused = request.param.partition("_")
    settings = {"seed": 0, "dtype": "float64", "fused": bool(fused)}
    net = build.new_net(rnn, cells.Architecture(cell), 5, 4, **settings)
    net.load_arrays([50 * array for array in net.arrays()])
    return net


@pytest.fixture
def minibatch():
    return np.random.default_rng(0).integers(5, size=(2, 3, 11))


def state_of(net, batch_size):
    state = net.begin_state(batch_size)
    return net(np.zeros((batch_size, 2), int), state)[1]  # one that is not zero


@pytest.mark.parametrize("segment", [0, 1, 3, 4, 11, 50])
def test_gradients_in_segments_equal_those_of_the_whole(rnn, net, minibatch, segment):
    (X, Y), state = minibatch, state_of(net, 3)
    loss, expected = net.gradients(X, Y, state)
    in_segments, last, found = segments.value_and_grad(net, X, Y, state, segment)
    np.testing.assert_allclose(
        rnn.to_numpy(last[0]), rnn.to_numpy(net(X, state)[1][0]), rtol=TRAINED
    )
    assert in_segments == pytest.approx(loss, rel=AGREED)
    for gradient, whole in zip(found, expected, strict=True):
        np.testing.assert_allclose(gradient, whole, rtol=TRAINED, atol=SAME)


def test_training_in_segments_equals_ordinary_training(rnn, minibatch):
    X, Y = minibatch
    found = []
    for segment in (None, 3):
        net = build.new_net(rnn, cells.Architecture("lstm"), 5, 4, seed=0, dtype="float64")
        step = rnn.make_step(net, 0.1, optimizer="adam", segment=segment)
        state, losses = None, []
        for _ in range(5):
            loss, state = step(X, Y, state or net.begin_state(3))
            losses.append(loss)
        found.append([np.array(losses), *net.arrays()])
    for whole, in_segments in zip(*found, strict=True):
        np.testing.assert_allclose(in_segments, whole, rtol=TRAINED)


def test_in_a_compiling_backend_later_steps_in_segments_do_not_call_python(rnn, backend, minibatch):
    calls = []

    @functools.wraps(rnn.rnn)
    def counted(inputs, state, params):
        calls.append(inputs)
        return rnn.rnn(inputs, state, params)

    X, Y = minibatch
    net = rnn.RNNModelScratch(5, 4, rnn.get_params, rnn.init_rnn_state, counted, seed=0)
    step, state = rnn.make_step(net, 0.1, segment=0), net.begin_state(3)
    _, state = step(X, Y, state)
    calls.clear()
    step(X, Y, state)
    assert bool(calls) == (backend not in ("tensorflow", "jax"))


def test_a_segment_of_less_than_one_step_is_refused(rnn, make_net, minibatch):
    net = make_net()
    with pytest.raises(ValueError, match="segment"):
        segments.value_and_grad(net, *minibatch, net.begin_state(3), -1)
    with pytest.raises(ValueError, match="segment"):
        rnn.make_step(net, 1.0, segment=-1)


def test_a_frameworks_own_layer_has_no_backward_pass_in_segments(rnn, make_concise):
    with pytest.raises(ValueError, match="only a scratch model can backpropagate in segments"):
        rnn.make_step(make_concise(), 1.0, segment=3)


def test_a_run_in_segments_equals_the_whole_run(rnn):
    histories = []
    for segment in (None, 2):
        loader, vocab = rnn.load_data_builtin(4, 9, max_tokens=200, seed=0)
        net = build.new_net(rnn, cells.Architecture("rnn"), len(vocab), 4, seed=0, dtype="float64")
        history = rnn.train_ch8(net, loader, vocab, 0.5, 2, segment=segment, progress=False)
        histories.append(history.perplexity)
    assert histories[1] == pytest.approx(histories[0], rel=TRAINED)


def test_the_command_shows_the_memory_of_both(backend, monkeypatch):
    monkeypatch.setattr(instead, "LENGTHS", (110,))  # each has two processes of its own
    result = CliRunner().invoke(cli.main, ["bench", "memory", "--backend", backend])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[-2].split() == ["steps", "whole", "segments"]
    assert lines[-1].split()[0] == "110"
