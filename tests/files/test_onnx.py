"""An exported ONNX graph computes the same as the net, in each backend."""

import json
import re
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from d2lrnn import backends, cli
from d2lrnn.data.text import Vocab
from d2lrnn.files import onnx_file, onnx_nodes
from d2lrnn.measure import agreement, exported
from d2lrnn.nets import build

VOCAB = Vocab("abcd")
SCRATCH = [case for case, kind in agreement.CASES.items() if kind.cell in onnx_nodes.NODES]
CASES = {**agreement.CASES, **agreement.CONCISE}
LETTERS = Vocab([chr(ord("a") + number) for number in range(27)])  # 28 tokens, as a Problem has


def runtime_outputs(content, X, state):
    """Return the scores and the new state that onnxruntime computes for a graph."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [f"state_{number}" for number in range(len(state))]
    return session.run(None, {"X": X, **dict(zip(names, state, strict=True))})


def problem_of(case):
    """Parameters, token ids and a state, and the results of the reference."""
    problem = agreement.make_problem(case.removesuffix(", concise"))
    params = [
        np.zeros_like(array) if name.endswith("b_hh") and "concise" in case else array
        for name, array in zip(problem.architecture.parameters, problem.params, strict=True)
    ]
    X = np.random.default_rng(1).integers(28, size=(8, 35))
    numpy = backends.load("numpy")
    net = build.new_net(numpy, problem.architecture, 28, 32, seed=0, dtype="float64")
    net.load_arrays(params)
    outputs, last = net.evaluate(X, tuple(problem.state))
    return params, X, problem.state, [outputs, *last]


def assert_within_the_bound(net, case):
    """Compare the graph of a net, given the problem's parameters, with the reference."""
    params, X, state, expected = problem_of(case)
    net.load_arrays(params)
    state = [part.astype(net.dtype) for part in state]
    outputs = runtime_outputs(onnx_file.to_onnx(net, LETTERS), X, state)
    assert {output.dtype.name for output in outputs} == {net.dtype}
    limit = agreement.bound("forward", net.dtype, 0)
    for output, reference in zip(outputs, expected, strict=True):
        assert agreement.difference(output, reference) <= limit


@pytest.mark.parametrize("dtype", agreement.DTYPES)
@pytest.mark.parametrize("case", SCRATCH)
def test_a_graph_gives_the_scores_and_the_state_of_the_net(rnn, case, dtype):
    net = build.new_net(rnn, CASES[case], 28, 32, seed=0, dtype=dtype)
    assert_within_the_bound(net, case)


@pytest.mark.frameworks
@pytest.mark.parametrize("dtype", agreement.DTYPES)
@pytest.mark.parametrize("case", agreement.CONCISE)
def test_a_graph_gives_the_scores_of_a_framework_s_own_layer(rnn, case, dtype):
    net = build.concise_net(rnn, CASES[case], 28, 32, seed=0, dtype=dtype)
    assert_within_the_bound(net, case)


@pytest.mark.parametrize("dtype", agreement.DTYPES)
@pytest.mark.parametrize("token", [-1, -5, 5, 2**32 + 1, -(2**63)])
def test_a_graph_refuses_a_token_id_outside_the_vocabulary(rnn, token, dtype):
    net = build.new_net(rnn, CASES["gru"], len(VOCAB), 6, seed=0, dtype=dtype)
    X, state = np.array([[0, token, 0]]), [np.zeros((1, 6), dtype)]
    with pytest.raises(Exception, match="out of data bounds"):
        runtime_outputs(onnx_file.to_onnx(net, VOCAB), X, state)


@pytest.mark.parametrize("sizes", [(1, 3), (3, 1), (0, 1), (1, 0)])
@pytest.mark.parametrize("dtype", agreement.DTYPES)
@pytest.mark.parametrize("case", SCRATCH)
def test_a_graph_refuses_a_state_for_another_batch_size(case, dtype, sizes):
    net = build.new_net(backends.load("numpy"), CASES[case], len(VOCAB), 6, seed=0, dtype=dtype)
    num_rows, batch_size = sizes
    content, X = onnx_file.to_onnx(net, VOCAB), np.zeros((batch_size, 2), int)
    with pytest.raises(Exception, match="running Reshape node"):
        runtime_outputs(content, X, net.begin_state(num_rows))


def test_a_graph_computes_a_minibatch_of_no_rows(rnn):
    net = build.new_net(rnn, CASES["lstm"], len(VOCAB), 6, seed=0)
    nothing = [np.zeros((0, 6), "float32")] * 2
    scores, *last = runtime_outputs(onnx_file.to_onnx(net, VOCAB), np.zeros((0, 2), int), nothing)
    assert [scores.shape, *(part.shape for part in last)] == [(0, 5), (0, 6), (0, 6)]


def test_only_a_language_model_with_its_vocabulary_becomes_a_graph(rnn, make_net):
    classifier = rnn.SequenceClassifierScratch(3, 4, 2, seed=0)
    with pytest.raises(ValueError, match="net is a SequenceClassifierScratch; expected a language"):
        onnx_file.to_onnx(classifier, VOCAB)
    with pytest.raises(ValueError, match="the net is for 5 tokens, the vocab has 28"):
        onnx_file.to_onnx(make_net(), LETTERS)


def test_a_net_that_cannot_be_stored_as_onnx_is_refused(make_net, monkeypatch):
    monkeypatch.setattr(onnx_file, "MAX_BYTES", 100)
    with pytest.raises(ValueError, match="an ONNX file can hold only 2 GB"):
        onnx_file.to_onnx(make_net(), VOCAB)


@pytest.mark.parametrize("dtype", agreement.DTYPES)
@pytest.mark.parametrize("scale", [1e-3, 1, 100])
@pytest.mark.parametrize("case", SCRATCH)
def test_the_check_accepts_a_net_of_small_or_large_weights(case, scale, dtype):
    net = build.new_net(backends.load("numpy"), CASES[case], 28, 32, seed=0, dtype=dtype)
    rng = np.random.default_rng(0)
    scale = min(scale, 10) if "mamba" in case else scale  # the products of a block would overflow
    scales = [min(scale, 1) if "log_" in name else scale for name in net.architecture.parameters]
    net.load_arrays(
        [s * rng.normal(size=x.shape) for s, x in zip(scales, net.arrays(), strict=True)]
    )
    report = exported.check(onnx_file.to_onnx(net, LETTERS), net)
    assert report.startswith("ONNX Runtime ")
    assert report.endswith("of the largest, and refuses token ids outside 0..27")


@pytest.mark.parametrize("dtype", agreement.DTYPES)
@pytest.mark.parametrize("case", SCRATCH)
def test_without_onnxruntime_the_reference_implementation_checks(case, dtype, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    net = build.new_net(backends.load("numpy"), CASES[case], 5, 6, seed=0, dtype=dtype)
    report = exported.check(onnx_file.to_onnx(net, VOCAB), net)
    assert report.startswith("the reference implementation of onnx ")
    assert " (onnxruntime is not installed) loads the graph, computes " in report


def test_a_runtime_that_cannot_compute_the_graph_is_named_with_a_remedy(monkeypatch, make_net):
    monkeypatch.setattr(exported, "load", lambda content: ("Runtime 0", lambda inputs: 1 / 0))
    words = "Runtime 0 cannot compute the graph (division by zero); install the newest"
    with pytest.raises(ValueError, match=re.escape(words)):
        exported.check(b"", make_net())


@pytest.fixture
def saved(tmp_path):
    """The file of a small model."""
    numpy, path = backends.load("numpy"), tmp_path / "model.safetensors"
    numpy.save_model(path, build.new_net(numpy, CASES["rnn"], len(VOCAB), 6, seed=0), VOCAB)
    return path


def unreadable(monkeypatch):
    monkeypatch.setattr(onnx_file, "to_onnx", lambda net, vocab: b"no graph")


def with_other_numbers(monkeypatch):
    changed = onnx_nodes.NODES["rnn"].replace("Tanh", "Sigmoid")
    monkeypatch.setitem(onnx_nodes.NODES, "rnn", changed)


def with_last_row_for_minus_1(monkeypatch):
    def ids(graph, vocab_size):
        return graph.add("Identity", ["X"], "ids")

    monkeypatch.setattr(onnx_file, "valid_ids", ids)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (unreadable, "cannot load the graph"),
        (with_other_numbers, "does not compute the same numbers as the net"),
        (with_last_row_for_minus_1, "accepts token id -1, which is outside the vocabulary"),
    ],
)
def test_the_command_writes_no_graph_that_fails_the_check(saved, monkeypatch, damage, words):
    damage(monkeypatch)
    result = CliRunner().invoke(cli.main, ["export", str(saved)])
    assert result.exit_code == 1
    assert words in result.output
    assert not saved.with_suffix(".onnx").exists()


@pytest.mark.filterwarnings("ignore:.*numbers that are not finite")
def test_the_command_writes_no_graph_of_a_net_that_diverged(saved):
    numpy = backends.load("numpy")
    net, vocab = numpy.load_model(saved)
    net.load_arrays([np.full_like(array, np.nan) for array in net.arrays()])
    numpy.save_model(saved, net, vocab)
    result = CliRunner().invoke(cli.main, ["export", str(saved)])
    assert result.exit_code == 1
    assert "its graph cannot be checked; train it again with a smaller lr" in result.output
    assert not saved.with_suffix(".onnx").exists()


@pytest.mark.parametrize("dtype", agreement.DTYPES)
@pytest.mark.parametrize("case", SCRATCH)
def test_the_command_prints_what_it_checked(tmp_path, case, dtype):
    import onnxruntime

    numpy, path = backends.load("numpy"), tmp_path / "model.safetensors"
    net = build.new_net(numpy, CASES[case], len(VOCAB), 6, seed=0, dtype=dtype)
    numpy.save_model(path, net, VOCAB)
    result = CliRunner().invoke(cli.main, ["export", str(path), "--onnx"])
    assert result.exit_code == 0, result.output
    words = f"checked: ONNX Runtime {onnxruntime.__version__} loads the graph, computes the scores"
    assert result.output.splitlines()[-1].startswith(words)


def test_the_command_writes_a_graph_with_its_vocabulary(tmp_path, rnn):
    import onnx

    path = tmp_path / "model.safetensors"
    rnn.save_model(path, build.new_net(rnn, CASES["gru"], len(VOCAB), 6, seed=0), VOCAB)
    result = CliRunner().invoke(cli.main, ["export", str(path), "--onnx"])
    assert result.exit_code == 0, result.output
    assert f"parameters, float32> to {tmp_path / 'model.onnx'}" in result.output
    known = {p.key: p.value for p in onnx.load(tmp_path / "model.onnx").metadata_props}
    assert json.loads(known["tokens"]) == list(VOCAB)
    assert known["architecture"] == "gru"


def test_without_onnx_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    result = CliRunner().invoke(cli.main, ["export", "m"])
    words = "an export needs onnx, which is not installed; run: pip install onnx"
    assert result.output == f"Error: {words}\n"


@pytest.mark.parametrize("to", ["model.safetensors", "model.onnx", "link", "notes.txt"])
def test_a_graph_does_not_replace_a_model_or_a_file_of_another_kind(tmp_path, rnn, to):
    path = tmp_path / ("model.onnx" if to == "model.onnx" else "model.safetensors")
    rnn.save_model(path, build.new_net(rnn, CASES["rnn"], len(VOCAB), 6, seed=0), VOCAB)
    (tmp_path / "link").symlink_to(path)
    (tmp_path / "notes.txt").write_text("notes on d2lrnn")
    before = (tmp_path / to).read_bytes()
    out = [] if to == "model.onnx" else ["--out", str(tmp_path / to)]
    result = CliRunner().invoke(cli.main, ["export", str(path), "--onnx", *out])
    assert result.exit_code == 1
    assert f"Error: {tmp_path / to} " in result.output
    assert (tmp_path / to).read_bytes() == before


def test_a_graph_replaces_a_graph(tmp_path, rnn):
    path = tmp_path / "model.safetensors"
    rnn.save_model(path, build.new_net(rnn, CASES["rnn"], len(VOCAB), 6, seed=0), VOCAB)
    for _ in range(2):
        result = CliRunner().invoke(cli.main, ["export", str(path), "--onnx"])
        assert result.exit_code == 0, result.output
