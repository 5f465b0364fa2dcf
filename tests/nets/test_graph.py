"""Recorded steps of PyTorch, on a CPU that simulates a GPU; see simulated_graph."""

import contextlib

import numpy as np
import pytest

from d2lrnn.data import batches
from d2lrnn.nets import build, cells

ALL = {
    **{cell: (cells.Architecture(cell), False) for cell in cells.CELLS},
    **{f"{cell}, fused": (cells.Architecture(cell), True) for cell in build.FUSED},
    "lstm, 2 layers, bidirectional": (cells.Architecture("lstm", 2, True), False),
}
V, n, T = 7, 4, 6


@pytest.fixture
def recorder(pytorch, monkeypatch):
    """A recorder for the CPU, so that steps are recorded until off() is called."""
    from simulated_graph import Simulated

    from d2lrnn.torch import fused, graph

    simulated = Simulated()
    monkeypatch.setattr(fused, "kernel_takes", lambda *arguments: False)  # it is a CPU's
    monkeypatch.setattr(graph, "recorder_for", lambda device: simulated)
    simulated.off = lambda: monkeypatch.setattr(graph, "recorder_for", lambda device: None)
    return simulated


def make_net(pytorch, case="rnn, fused", **settings):
    architecture, fused = ALL[case]
    return build.new_net(pytorch, architecture, V, 5, seed=0, fused=fused, **settings)


def minibatches(sizes):
    """Return X and Y for each batch size."""
    rng = np.random.default_rng(1)
    return [tuple(rng.integers(V, size=(2, size, T))) for size in sizes]


def learned(net, data, lr=1.0, step=None, **settings):
    """Return the losses of a pass over minibatches, the state carried on, and all parameters."""
    step, state, losses = step or net.make_step(lr, **settings), None, []
    for X, Y in data:
        if state is None or len(state[0]) != len(X):
            state = net.begin_state(len(X))
        loss, state = step(X, Y, state)
        losses.append(loss)
    return [np.array(losses), *map(net.tensors.to_numpy, state), *net.arrays()]


def assert_the_same_bits(one, other):
    for found, expected in zip(one, other, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam"])
@pytest.mark.parametrize("case", ALL)
def test_a_recorded_step_computes_the_same_bits(pytorch, recorder, case, optimizer):
    data = minibatches([n] * 8)
    found = learned(make_net(pytorch, case), data, optimizer=optimizer)
    assert (recorder.recorded, recorder.replayed) == (1, 5)
    recorder.off()
    assert_the_same_bits(found, learned(make_net(pytorch, case), data, optimizer=optimizer))


@pytest.mark.parametrize("clip", ["norm", "value"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clipping_is_recorded_on_the_tape(pytorch, recorder, clip, dtype):
    settings, data = {"theta": 0.01, "clip": clip}, minibatches([n] * 6)
    found = learned(make_net(pytorch, dtype=dtype), data, **settings)
    assert recorder.replayed == 3
    recorder.off()
    assert_the_same_bits(found, learned(make_net(pytorch, dtype=dtype), data, **settings))


def test_each_shape_has_a_graph_of_its_own(pytorch, recorder):
    data = minibatches([n, n, 2] * 6)  # the last minibatch of an epoch is smaller
    found = learned(make_net(pytorch), data, optimizer="adam")
    assert (recorder.recorded, recorder.replayed) == (2, 18 - 2 * 3)
    recorder.off()
    assert_the_same_bits(found, learned(make_net(pytorch), data, optimizer="adam"))


def test_a_limited_number_of_shapes_is_recorded(pytorch, recorder):
    net, sizes = make_net(pytorch), range(1, 13)
    learned(net, minibatches([size for size in sizes for _ in range(4)]))
    assert recorder.recorded == 8


def test_a_recorded_step_is_replayed_from_a_new_state(pytorch, recorder):
    data, net = minibatches([n] * 8), make_net(pytorch)
    step = net.make_step(1.0)
    found = [step(X, Y, net.begin_state(n))[0] for X, Y in data]
    recorder.off()
    net = make_net(pytorch)
    step = net.make_step(1.0)
    assert found == [step(X, Y, net.begin_state(n))[0] for X, Y in data]


def test_another_learning_rate_needs_another_step(pytorch, recorder):
    data = minibatches([n] * 6)

    def twice():
        net = make_net(pytorch)
        return [*learned(net, data, lr=1.0), *learned(net, data, lr=0.25)]

    found = twice()
    assert recorder.recorded == 2
    recorder.off()
    assert_the_same_bits(found, twice())


def test_training_continues_from_loaded_parameters(pytorch, recorder):
    data = minibatches([n] * 6)

    def with_others():
        net = make_net(pytorch)
        step = net.make_step(0.1, optimizer="adam")
        learned(net, data, step=step)
        net.load_arrays([0.5 * array for array in net.arrays()])
        return learned(net, data, step=step)

    found = with_others()
    assert recorder.recorded == 2
    recorder.off()
    assert_the_same_bits(found, with_others())


def test_a_recorded_step_continues_from_a_loaded_state(pytorch, recorder):
    data = minibatches([n] * 6)

    def with_another():
        net = make_net(pytorch)
        step = net.make_step(0.1, optimizer="adam")
        learned(net, data, step=step)
        step.load_memory({name: 2 * array for name, array in step.memory().items()})
        return learned(net, data, step=step)

    found = with_another()
    assert recorder.recorded == 1
    recorder.off()
    assert_the_same_bits(found, with_another())


def test_a_stored_state_and_loss_do_not_change(pytorch, recorder):
    net, ((X, Y), *_) = make_net(pytorch), minibatches([n])
    step, state, held = net.make_step(1.0).deferred, net.begin_state(n), []
    for _ in range(8):
        loss, state = step(X, Y, state)
        held.append((loss, state, loss.item(), net.tensors.to_numpy(state[0])))
    for loss, state, value, array in held:
        assert loss.item() == value
        np.testing.assert_array_equal(net.tensors.to_numpy(state[0]), array)


def test_a_step_that_cannot_be_recorded_runs_with_a_warning(pytorch, recorder):
    recorder.fails, data = True, minibatches([n] * 6)
    with pytest.warns(UserWarning, match=r"recorded as a CUDA graph \(operation not permitted"):
        found = learned(make_net(pytorch), data, optimizer="adam")
    recorder.off()
    assert_the_same_bits(found, learned(make_net(pytorch), data, optimizer="adam"))


def test_a_custom_forward_function_is_called_each_time(pytorch, recorder):
    calls = []

    def own(inputs, state, params):
        calls.append(len(calls))
        return pytorch.rnn(inputs, state, params)

    functions = pytorch.get_params, pytorch.init_rnn_state, own
    net = pytorch.RNNModelScratch(V, 5, *functions, seed=0)
    learned(net, minibatches([n] * 6))
    assert (len(calls), recorder.recorded) == (6, 0)


@pytest.mark.parametrize("use_random_iter", [False, True])
def test_epochs_of_recorded_steps_end_in_the_same_bits(pytorch, recorder, builtin, use_random_iter):
    corpus, vocab = builtin

    def trained():
        net = build.new_net(pytorch, cells.Architecture("gru"), len(vocab), 5, seed=0, fused=True)
        loader = pytorch.SeqDataLoader(corpus[:600], n, T, use_random_iter, seed=0)
        settings = {"use_random_iter": use_random_iter, "optimizer": "adam"}
        history = pytorch.train_ch8(net, loader, vocab, 0.1, 2, progress=False, **settings)
        return [np.array(history.perplexity), *net.arrays()]

    found = trained()
    assert recorder.replayed > 20
    recorder.off()
    assert_the_same_bits(found, trained())


def test_networks_over_sequences_are_recorded_too(pytorch, recorder):
    rng = np.random.default_rng(0)
    X, Y = rng.integers(V, size=(64, T)), rng.integers(3, size=64)

    def trained():
        net = pytorch.SequenceClassifierScratch(V, 5, 3, cell="lstm", seed=0)
        loader = batches.BatchLoader(X, Y, batch_size=8, seed=0)
        scores = pytorch.train_sequences(net, loader, 0.1, 2, progress=False)
        return [np.array(scores.loss), *net.arrays()]

    found = trained()
    assert recorder.replayed == 16 - 3
    recorder.off()
    assert_the_same_bits(found, trained())


def test_a_gpu_s_steps_are_recorded_and_a_cpu_s_are_not(pytorch, monkeypatch):
    import torch

    from d2lrnn.torch import graph

    monkeypatch.setattr(graph, "Recorder", lambda device: device.type)
    find = graph.recorder_for.__wrapped__
    found = {name: find(torch.device(name)) for name in ("cuda", "cpu", "mps", "meta")}
    assert found == {"cuda": "cuda", "cpu": None, "mps": None, "meta": None}


def test_recording_uses_a_stream_that_is_synchronized_with_the_main_stream(pytorch, monkeypatch):
    import torch

    from d2lrnn.torch import graph

    seen = []

    class Stream:
        def __init__(self, name):
            self.name = name

        def wait_stream(self, other):
            seen.append(f"{self.name} waits for {other.name}")

    @contextlib.contextmanager
    def within(what, *_, stream=None):
        seen.append(f"within {stream.name if stream else getattr(what, 'name', what)}")
        yield

    class CUDAGraph:
        name = "graph"

        def replay(self):
            seen.append("replay")

    for name, fake in {
        "Stream": lambda device: Stream("own"),
        "current_stream": lambda device: Stream("current"),
        "stream": within,
        "device": within,
        "graph": within,
        "CUDAGraph": CUDAGraph,
    }.items():
        monkeypatch.setattr(torch.cuda, name, fake)
    recorder = graph.Recorder("device")
    assert recorder.aside(lambda: seen.append("work") or 1) == 1
    assert seen == ["own waits for current", "within own", "work", "current waits for own"]
    del seen[:]
    replay, results = recorder.record(lambda: seen.append("work") or 2)
    replay()
    assert (seen, results) == (["within device", "within own", "work", "replay"], 2)
