"""A model given to ONNX says what the net does, in each backend."""

import json
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from d2lrnn import cli
from d2lrnn.data.text import Vocab
from d2lrnn.files import onnx_file
from d2lrnn.measure import agreement
from d2lrnn.nets import build

VOCAB = Vocab("abcd")
CASES = {**agreement.CASES, **agreement.CONCISE}


def asked(content, X, state):
    """What onnxruntime says of the bytes of a model: scores and the new state."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = [f"state_{number}" for number in range(len(state))]
    return session.run(None, {"X": X, **dict(zip(names, state, strict=True))})


def with_large_weights(net):
    """The net, whose scores differ by more than the rounding of what it begins with."""
    rng = np.random.default_rng(0)
    net.load_arrays([rng.normal(size=array.shape).astype("float32") for array in net.arrays()])
    return net


@pytest.mark.parametrize("case", agreement.CASES)
def test_a_graph_gives_the_scores_and_the_state_of_the_net(rnn, case):
    net = with_large_weights(build.new_net(rnn, CASES[case], len(VOCAB), 6, seed=0))
    rng = np.random.default_rng(1)
    X = rng.integers(len(VOCAB), size=(3, 7))
    state = [rng.uniform(-1, 1, size=(3, 6)).astype("float32") for _ in net.begin_state(3)]
    outputs, last = net.evaluate(X, tuple(map(rnn.from_numpy, state)))
    scores, *after = asked(onnx_file.to_onnx(net, VOCAB), X, state)
    np.testing.assert_allclose(scores, outputs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(after, [rnn.to_numpy(part) for part in last], rtol=1e-4, atol=1e-5)


@pytest.mark.frameworks
@pytest.mark.parametrize("case", agreement.CONCISE)
def test_a_graph_gives_the_scores_of_a_framework_s_own_layer(rnn, case):
    net = build.concise_net(rnn, CASES[case], len(VOCAB), 6, seed=0)
    net.load_arrays([3 * array for array in net.arrays()])  # a bias that Flax lacks stays 0
    X = np.random.default_rng(1).integers(len(VOCAB), size=(3, 7))
    outputs, _ = net.evaluate(X, net.begin_state(3))
    zeros = [np.zeros((3, 6), "float32") for _ in range(CASES[case].num_states)]
    scores = asked(onnx_file.to_onnx(net, VOCAB), X, zeros)[0]
    np.testing.assert_allclose(scores, outputs, rtol=1e-4, atol=1e-5)


def test_the_command_writes_a_graph_with_its_vocabulary(tmp_path, rnn):
    import onnx

    path = tmp_path / "model.safetensors"
    rnn.save_model(path, build.new_net(rnn, CASES["gru"], len(VOCAB), 6, seed=0), VOCAB)
    result = CliRunner().invoke(cli.main, ["export", str(path), "--onnx"])
    assert result.exit_code == 0, result.output
    assert f"parameters, float32> saved in {tmp_path / 'model.onnx'}" in result.output
    known = {p.key: p.value for p in onnx.load(tmp_path / "model.onnx").metadata_props}
    assert json.loads(known["tokens"]) == list(VOCAB)
    assert known["architecture"] == "gru"


def test_without_a_format_or_without_onnx_the_remedy_is_named(tmp_path, monkeypatch):
    result = CliRunner().invoke(cli.main, ["export", "m"])
    assert result.output == "Error: no format is given; add --onnx\n"
    monkeypatch.setitem(sys.modules, "onnx", None)
    result = CliRunner().invoke(cli.main, ["export", "m", "--onnx"])
    words = "an export needs onnx, which is not installed; run: pip install onnx"
    assert result.output == f"Error: {words}\n"


@pytest.mark.parametrize("to", ["model.safetensors", "model.onnx", "link", "notes.txt"])
def test_a_graph_replaces_no_model_and_no_file_of_another_kind(tmp_path, rnn, to):
    path = tmp_path / ("model.onnx" if to == "model.onnx" else "model.safetensors")
    rnn.save_model(path, build.new_net(rnn, CASES["rnn"], len(VOCAB), 6, seed=0), VOCAB)
    (tmp_path / "link").symlink_to(path)
    (tmp_path / "notes.txt").write_text("notes on d2lrnn")
    before = (tmp_path / to).read_bytes()
    out = [] if to == "model.onnx" else ["--out", str(tmp_path / to)]
    result = CliRunner().invoke(cli.main, ["export", str(path), "--onnx", *out])
    assert result.exit_code == 1
    assert f"{tmp_path / to} is " in result.output
    assert (tmp_path / to).read_bytes() == before


def test_a_graph_replaces_a_graph(tmp_path, rnn):
    path = tmp_path / "model.safetensors"
    rnn.save_model(path, build.new_net(rnn, CASES["rnn"], len(VOCAB), 6, seed=0), VOCAB)
    for _ in range(2):
        result = CliRunner().invoke(cli.main, ["export", str(path), "--onnx"])
        assert result.exit_code == 0, result.output
