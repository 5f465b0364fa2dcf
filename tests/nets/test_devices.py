"""Nets on a device that is not the default, without a GPU: another device simulates it.

PyTorch has one without memory, "meta": shapes and places are right there, numbers are none. JAX
takes a CPU for as many devices as it is told; the second is one that nothing comes to by default.
"""

import contextlib
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from d2lrnn.nets import build, cells

ARCHITECTURES = {
    **{cell: cells.Architecture(cell) for cell in cells.CELLS},
    "lstm, 2 layers, bidirectional": cells.Architecture("lstm", 2, True),
}
V, n, T = 7, 4, 6
X = np.random.default_rng(0).integers(V, size=(n, T))
# How numbers come to a device: as a tensor of the CPU that shares its memory with NumPy's array.
ARRIVAL = {"aten::lift_fresh", "aten::_to_copy"}


@pytest.fixture
def only_meta(pytorch, monkeypatch):
    """A context in which an operation on tensors of the CPU is an error."""
    import torch
    from torch.utils import _pytree
    from torch.utils._python_dispatch import TorchDispatchMode

    class OnlyMeta(TorchDispatchMode):
        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            results = operation(*args, **(kwargs or {}))
            leaves = _pytree.tree_leaves((args, kwargs, results))
            devices = {t.device.type for t in leaves if isinstance(t, torch.Tensor) and t.ndim}
            if devices - {"meta"} and operation._schema.name not in ARRIVAL:
                raise AssertionError(f"{operation} computes on {devices}")
            return results

    monkeypatch.setattr(pytorch.RNNModelScratch.ops.tensors, "working", torch.device)
    return OnlyMeta


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam"])
@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("case", ARCHITECTURES)
def test_a_step_of_pytorch_stays_on_its_device(pytorch, only_meta, case, fused, optimizer):
    architecture, settings = ARCHITECTURES[case], {"seed": 0, "device": "meta"}
    fused = fused and architecture.plain and architecture.cell in build.FUSED
    with only_meta():
        net = build.new_net(pytorch, architecture, V, 5, fused=fused, **settings)
        step, state = net.make_step(1.0, optimizer=optimizer), net.begin_state(n)
        for _ in range(2):
            loss, state = step.deferred(X, X, state)
    assert {t.device.type for t in (loss, *state, *net.params)} == {"meta"}


@pytest.mark.parametrize("cell", build.LAYERS)
def test_a_step_of_a_layer_of_pytorch_stays_on_its_device(pytorch, only_meta, cell):
    net = build.concise_net(pytorch, cells.Architecture(cell, 2), V, 5, seed=0, device="meta")
    with only_meta():
        loss, _ = net.loss(X, X, net.begin_state(n))
        loss.backward()
    assert {p.grad.device.type for p in net.params} == {"meta"}


@pytest.mark.usefixtures("only_meta")
def test_a_layer_of_pytorch_has_the_same_weights_on_every_device(pytorch, monkeypatch):
    from torch import nn

    drawn_on, draw = [], nn.RNNBase.reset_parameters

    def noted(layer):
        drawn_on.append(layer.weight_hh_l0.device.type)
        draw(layer)

    monkeypatch.setattr(nn.RNNBase, "reset_parameters", noted)
    layer = pytorch.LSTM(V, 5, seed=0, device="meta")
    assert (drawn_on, layer.weight_hh_l0.device.type) == (["cpu"], "meta")


def test_concatenated_cells_compute_on_the_device_of_their_parameters(pytorch, only_meta):
    with only_meta():
        inputs = pytorch.one_hot(X.T, V, device="meta")
        params = [pytorch.from_numpy(p, device="meta") for p in concat_arrays()]
        outputs, state = pytorch.concat_rnn(inputs, (np.zeros((n, 5), "float32"),), params)
    assert {outputs.device.type, state[0].device.type} == {"meta"}


def concat_arrays():
    shapes = [(5 + V, 5), (5,), (5, V), (V,)]
    return [np.zeros(shape, "float32") for shape in shapes]


def sequences(rnn):
    """Return networks over sequences, each with a minibatch."""
    settings = {"cell": "lstm", "seed": 0, "device": "meta"}
    pair = rnn.EncoderScratch(V, 5, **settings), rnn.DecoderScratch(V, 5, 5, **settings)
    labels = np.zeros(n, int)
    return {
        "classifier": (rnn.SequenceClassifierScratch(V, 5, 3, **settings), (X, labels)),
        "tagger": (rnn.SequenceTaggerScratch(V, 5, V, **settings), (X, X)),
        "regressor": (rnn.SequenceRegressorScratch(V, 5, 1, **settings), (X, np.zeros(n))),
        "decoder": (rnn.DecoderScratch(V, 5, 2, **settings), (np.zeros((n, 2)), X)),
        "encoder-decoder": (rnn.EncoderDecoderScratch(*pair), (X, X)),
    }


@pytest.mark.parametrize(
    "name", ["classifier", "tagger", "regressor", "decoder", "encoder-decoder"]
)
def test_a_step_over_sequences_stays_on_its_device(pytorch, only_meta, name):
    net, batch = sequences(pytorch)[name]
    with only_meta():
        step = net.make_step(0.1)
        with contextlib.suppress(RuntimeError):  # at last the loss is read, and has no value
            step(*batch)
        loss, _, grads = net.compute(net.params, *net.tensors_of(*batch))
    assert {t.device.type for t in (loss, *grads, *net.params)} == {"meta"}


START = """
import jax, pathlib, sys
import numpy as np
from d2lrnn import jax as rnn
from d2lrnn.nets import build, cells

here, there = jax.devices()
folder = pathlib.Path(sys.argv[1])

def tensors(net):
    return [getattr(param, "value", param) for param in net.params]

def check(*arrays):
    for array in jax.tree.leaves(arrays):
        assert (array.committed, array.devices()) == (True, {there}), array.sharding

def begin(kind, device):
    text, architecture = "the time machine " * 20, cells.Architecture("lstm")
    vocab = rnn.Vocab(list(text))
    loader = rnn.SeqDataLoader(vocab[list(text)], 4, 8, seed=0)
    if kind == "concise":
        net = build.concise_net(rnn, architecture, len(vocab), 5, seed=0, device=device)
    else:
        fused = kind == "fused"
        net = build.new_net(rnn, architecture, len(vocab), 5, seed=0, fused=fused, device=device)
    return net, loader, vocab
"""


@pytest.fixture
def two_devices(tmp_path):
    """A function that runs a script where JAX has two CPUs: here, the default, and there."""
    flags = f"--xla_force_host_platform_device_count=2 {os.environ.get('XLA_FLAGS', '')}"
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_ENABLE_X64": "1"}

    def run(script, *arguments):
        whole = START + textwrap.dedent(script)
        command = [sys.executable, "-W", "error", "-c", whole, str(tmp_path), *arguments]
        result = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr

    return run


@pytest.mark.parametrize("kind", ["book", "fused", "concise"])
def test_a_net_of_jax_trains_and_generates_on_its_device(two_devices, kind):
    two_devices(
        """
        net, loader, vocab = begin(sys.argv[2], there)
        check(tensors(net), net.begin_state(2))
        step, state = net.make_step(0.1, optimizer="adam"), net.begin_state(4)
        for X, Y in loader:
            loss, state = step.deferred(X, Y, state)
        check(tensors(net), loss, state)
        check(net(X, state))
        assert len(rnn.predict_ch8("the ", 5, net, vocab, state=net.begin_state(1))) == 9
        net.gradients(X, Y, state)
        """,
        kind,
    )


@pytest.mark.parametrize("kind", ["fused", "concise"])
def test_a_run_of_jax_is_resumed_on_another_device_to_the_same_bits(two_devices, kind):
    two_devices(
        """
        def trained(device, num_epochs, name, **more):
            net, loader, vocab = begin(sys.argv[2], device)
            settings = {"optimizer": "adam", "progress": False, "checkpoint": folder / name}
            history = rnn.train_ch8(net, loader, vocab, 0.1, num_epochs, **settings, **more)
            return net, history.perplexity

        whole, expected = trained(here, 3, "whole")
        trained(here, 1, "half")
        net, found = trained(there, 3, "half", resume=True)
        check(tensors(net))
        assert found == expected
        for one, other in zip(net.arrays(), whole.arrays(), strict=True):
            np.testing.assert_array_equal(one, other)
        """,
        kind,
    )


def test_a_file_written_by_jax_is_read_onto_another_device(two_devices):
    two_devices(
        """
        net, loader, vocab = begin("fused", there)
        rnn.save_model(folder / "model", net, vocab)
        for device in (there, None, here):
            read, _ = rnn.load_model(folder / "model", device=device)
            assert {d for t in tensors(read) for d in t.devices()} == {device or here}
            for one, other in zip(read.arrays(), net.arrays(), strict=True):
                np.testing.assert_array_equal(one, other)
        """
    )


def test_networks_of_jax_over_sequences_stay_on_their_device(two_devices):
    two_devices(
        """
        X, settings = np.arange(12).reshape(3, 4) % 5, {"cell": "gru", "seed": 0, "device": there}
        pair = rnn.EncoderScratch(5, 6, **settings), rnn.DecoderScratch(5, 6, 6, **settings)
        both = rnn.EncoderDecoderScratch(*pair)
        tagger = rnn.SequenceTaggerScratch(5, 6, 5, **settings)
        for net in (tagger, both):
            step = net.make_step(0.1)
            step(X, X)
            step(X, X)
            check(list(net.params))
        tagger.predict(X)
        both.predict(X, end=1, num_steps=3, beam_size=2)
        """
    )
