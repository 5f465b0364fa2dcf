"""On a GPU: the same numbers, files and runs as on a CPU, and the benchmark.

Without a GPU these are left out; ``--gpu-played`` lets a CPU play it, which tries the tests.
"""

import contextlib
import itertools

import numpy as np
import pytest
from click.testing import CliRunner

from d2lrnn import backends, cli
from d2lrnn.measure import agreement, speed
from d2lrnn.nets import build, cells

pytestmark = pytest.mark.gpu

# A product on a GPU adds up in another order than on a CPU, from run to run too where sums race.
BOUND = agreement.bound("losses", "float64", 0)
KINDS = ("book", "fused", "concise")


@pytest.fixture
def truth():
    """The NumPy backend in float64, with any chosen backend."""
    return backends.load("numpy")


def assert_agree(found, expected, dtype, problem):
    for quantity, arrays in expected.items():
        limit = agreement.bound(quantity, dtype, problem.num_terms)
        for name, array in arrays.items():
            worst = agreement.difference(found[quantity][name], array)
            assert worst <= limit, f"{quantity} {name}: {worst:.1e} > {limit:.1e}"


@pytest.mark.parametrize("dtype", agreement.DTYPES)
@pytest.mark.parametrize("case", agreement.CASES)
def test_outputs_and_gradients_equal_those_of_the_reference(rnn, truth, gpu, case, dtype):
    problem = agreement.make_problem(case)
    expected = agreement.solve(truth, problem)
    assert_agree(agreement.solve(rnn, problem, dtype, device=gpu), expected, dtype, problem)


@pytest.mark.parametrize("dtype", agreement.DTYPES)
@pytest.mark.parametrize("cell", build.FUSED)
def test_fused_cells_equal_the_reference_on_the_gpu(rnn, truth, gpu, cell, dtype):
    problem, settings = agreement.make_problem(cell), {"fused": True, "device": gpu}
    expected = agreement.solve(truth, problem)
    assert_agree(agreement.solve(rnn, problem, dtype, **settings), expected, dtype, problem)


def without_cudnn(rnn, dtype):
    """Let PyTorch's layers run without cuDNN in float32.

    The activation functions of cuDNN's recurrent layers are off by up to 82 eps in float32, with
    TF32 and without. PyTorch's own kernels keep the bound, and so does cuDNN in float64.
    """
    if rnn.RNNModelScratch.ops.name != "torch" or dtype != "float32":
        return contextlib.nullcontext()
    import torch

    return torch.backends.cudnn.flags(enabled=False)


@pytest.mark.parametrize("dtype", agreement.DTYPES)
@pytest.mark.parametrize("case", agreement.CONCISE)
def test_framework_layers_equal_the_reference_on_the_gpu(rnn, truth, gpu, case, dtype):
    problem = agreement.make_problem(case.removesuffix(", concise"))
    expected = agreement.solve_concise(truth, case)
    with without_cudnn(rnn, dtype):
        found = agreement.solve_concise(rnn, case, dtype, device=gpu)
    assert_agree(found, expected, dtype, problem)


@pytest.mark.parametrize("dtype", agreement.DTYPES)
@pytest.mark.parametrize("cell", cells.CELLS)
def test_the_losses_of_a_hundred_steps_equal_those_of_the_reference(rnn, truth, gpu, cell, dtype):
    expected = agreement.train(truth, cell, "float64")
    steps = agreement.losses_of_training(rnn, cell, dtype, device=gpu)
    found = np.array(list(itertools.islice(steps, len(expected))))
    assert np.abs(found / expected - 1).max() <= agreement.bound("losses", dtype, 0)


def begin(rnn, builtin, kind, device):
    """Return a net, a loader and a Vocab, the same each time."""
    (corpus, vocab), architecture = builtin, cells.Architecture("lstm")
    settings = {"seed": 0, "dtype": "float64", "device": device}
    if kind == "concise":
        net = build.concise_net(rnn, architecture, len(vocab), 8, **settings)
    else:
        net = build.new_net(rnn, architecture, len(vocab), 8, fused=kind == "fused", **settings)
    return net, rnn.SeqDataLoader(corpus[:400], 4, 8, seed=0), vocab


def train(rnn, begun, num_epochs, **settings):
    net, loader, vocab = begun
    settings = {"optimizer": "adam", "progress": False, **settings}
    return rnn.train_ch8(net, loader, vocab, 0.01, num_epochs, **settings)


def assert_close(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=BOUND, atol=BOUND)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_written_on_one_device_and_read_on_the_other(rnn, builtin, gpu, tmp_path, kind):
    begun = begin(rnn, builtin, kind, gpu)
    train(rnn, begun, 1)
    net, _, vocab = begun
    rnn.save_model(tmp_path / "there", net, vocab)
    here, _ = rnn.load_model(tmp_path / "there", device="cpu")
    rnn.save_model(tmp_path / "here", here, vocab)
    again, _ = rnn.load_model(tmp_path / "here", device=gpu)
    for other in (here, again):
        for one, expected in zip(other.arrays(), net.arrays(), strict=True):
            np.testing.assert_array_equal(one, expected)
    X = np.arange(12).reshape(3, 4)
    expected, _ = here.evaluate(X, here.begin_state(3))
    found, _ = again.evaluate(X, again.begin_state(3))
    assert agreement.difference(found, expected) <= agreement.bound("forward", "float64", 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["stays", "comes", "goes"])
def test_a_run_is_resumed_on_the_same_or_the_other_device(rnn, builtin, gpu, tmp_path, kind, way):
    first, second = {"stays": (gpu, gpu), "comes": ("cpu", gpu), "goes": (gpu, "cpu")}[way]
    whole = begin(rnn, builtin, kind, gpu)
    expected = train(rnn, whole, 3)
    kept = {"checkpoint": tmp_path / "run"}
    train(rnn, begin(rnn, builtin, kind, first), 1, **kept)
    resumed = begin(rnn, builtin, kind, second)
    found = train(rnn, resumed, 3, resume=True, **kept)
    assert_close(resumed[0].arrays(), whole[0].arrays())
    assert_close([found.perplexity], [expected.perplexity])


@pytest.mark.parametrize("kind", KINDS)
def test_generated_text_equals_that_of_the_cpu(rnn, builtin, gpu, kind):
    texts = []
    for device in ("cpu", gpu):
        net, _, vocab = begin(rnn, builtin, kind, device)
        texts.append(rnn.predict_ch8("The ", 40, net, vocab, temperature=0.5, seed=0))
    assert texts[0] == texts[1]


@pytest.mark.parametrize("name", ["tagger", "encoder-decoder"])
def test_networks_over_sequences_learn_what_they_learn_on_the_cpu(rnn, gpu, name):
    X = np.random.default_rng(0).integers(6, size=(8, 5))

    def trained(device):
        settings = {"cell": "gru", "seed": 0, "dtype": "float64", "device": device}
        if name == "tagger":
            net = rnn.SequenceTaggerScratch(6, 5, 6, **settings)
        else:
            pair = rnn.EncoderScratch(6, 5, **settings), rnn.DecoderScratch(6, 5, 5, **settings)
            net = rnn.EncoderDecoderScratch(*pair)
        step = net.make_step(0.01)
        return [step(X, X) for _ in range(8)], net.arrays()

    (losses, arrays), (expected, others) = trained(gpu), trained("cpu")
    assert_close([losses, *arrays], [expected, *others])


@pytest.mark.parametrize("cell", [*speed.CELLS, "input"])
def test_the_benchmark_runs_against_the_framework_s_own_layer(backend, gpu, cell):
    row = speed.measure(backend, cell, "tiny", rounds=2, device=gpu)
    assert {"fused", "one-hot" if cell == "input" else "layer"} <= set(row.seconds)


@pytest.mark.gpu(played=False)
def test_the_command_names_the_card(backend, gpu):
    command = ["bench", "--backend", backend, "--gpu=require", "--size", "tiny", "--rounds", "2"]
    result = CliRunner().invoke(cli.main, command)
    assert result.exit_code == 0, result.output
    assert f"medians of 2 rounds, on {speed.card_of(backend, gpu)}, float32" in result.stdout


@pytest.mark.gpu(played=False)
def test_a_step_of_pytorch_is_recorded_and_replayed(pytorch, builtin, monkeypatch):
    from d2lrnn.torch import graph

    replayed, call = [], graph.Graph.__call__

    def noted(*given):
        replayed.append(given)
        return call(*given)

    monkeypatch.setattr(graph.Graph, "__call__", noted)
    train(pytorch, begin(pytorch, builtin, "fused", pytorch.try_gpu()), 1)
    assert replayed
