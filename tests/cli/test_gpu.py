"""The option --gpu without a GPU, and with a simulated GPU."""

import pytest
from click.testing import CliRunner

from d2lrnn import backends, cli
from d2lrnn.nets import build

SMALL = ["--hiddens", "8", "--max-tokens", "1500", "--epochs", "1"]
TINY = ["--size", "tiny", "--cell", "rnn", "--rounds", "1"]
NAMES = ["train", "task", "generate", "bench"]


def d2lrnn(*arguments):
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture
def without_gpu(rnn, monkeypatch):
    """A backend that finds no GPU on any machine."""
    monkeypatch.setattr(rnn.RNNModelScratch.ops.tensors, "is_gpu", lambda device: False)


@pytest.fixture
def with_gpu(rnn, monkeypatch):
    """A backend whose CPU is used as a GPU; the list of devices of new nets."""
    cpu, seen, new_net = rnn.try_gpu(99), [], build.new_net
    monkeypatch.setattr(rnn.RNNModelScratch.ops.tensors, "is_gpu", lambda device: True)
    monkeypatch.setattr(rnn, "try_gpu", lambda i=0: cpu)

    def noted(*args, **settings):
        seen.append(settings["device"])
        return new_net(*args, **settings)

    monkeypatch.setattr(build, "new_net", noted)
    return cpu, seen


def absent(backend):
    return f"no GPU that {backends.BACKENDS[backend].title} can use was found"


@pytest.fixture
def commands(backend, tmp_path):
    """The commands that have the option --gpu, with their other arguments, by name."""
    path = tmp_path / "model.safetensors"
    assert d2lrnn("train", *SMALL, "--out", path).exit_code == 0
    return {
        "train": ["train", "--backend", backend, *SMALL],
        "task": ["task", "tagging", "--backend", backend, "--epochs", 0],
        "generate": ["generate", path, "--backend", backend, "--num-preds", 3, "--prefix", "The"],
        "bench": ["bench", "--backend", backend, *TINY],
    }


@pytest.mark.parametrize("name", NAMES)
def test_without_a_gpu_the_command_prints_a_message_and_continues(
    backend, without_gpu, commands, name
):
    result = d2lrnn(*commands[name], "--gpu")
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith(f"{absent(backend)}; computing on the CPU\n")
    assert result.stdout


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_required_gpu_is_an_error_of_one_line(backend, without_gpu, commands, name):
    result = d2lrnn(*commands[name], "--gpu=require")
    assert result.exit_code == 1
    remedy = backends.BACKENDS[backend].gpu
    assert result.stderr == f"Error: {absent(backend)}; {remedy}\n"
    assert not result.stdout


@pytest.mark.parametrize("mode", ["--gpu", "--gpu=require"])
@pytest.mark.parametrize("name", NAMES)
def test_with_a_gpu_the_command_prints_no_message_about_it(with_gpu, commands, name, mode):
    result = d2lrnn(*commands[name], mode)
    assert result.exit_code == 0, result.output
    assert "no GPU" not in result.output


def test_with_a_gpu_the_net_is_made_there(with_gpu, commands):
    cpu, seen = with_gpu
    d2lrnn(*commands["train"], "--gpu")
    assert seen[-1] == cpu


def test_the_benchmark_names_the_card(backend, rnn, with_gpu, commands, monkeypatch):
    monkeypatch.setattr(rnn.RNNModelScratch.ops.baselines, "card", lambda device: "Voodoo 2")
    result = d2lrnn(*commands["bench"], "--gpu")
    assert "medians of 1 round, on Voodoo 2, float32" in result.stdout


@pytest.mark.parametrize("instead", ["--memory", "--growth", "--generation", "--processes"])
def test_the_benchmark_uses_a_gpu_only_for_training_steps(instead):
    result = d2lrnn("bench", "--gpu", instead)
    assert result.exit_code == 1
    assert result.stderr == f"Error: {instead} is not measured on a GPU; leave out --gpu\n"


def test_a_gpu_is_not_required_of_all_backends():
    result = d2lrnn("bench", "--all", "--gpu=require")
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: --all includes NumPy, which cannot use a GPU; choose one --backend instead\n"
    )


def test_an_option_without_a_value_does_not_take_the_next_argument(without_gpu, commands):
    name, what, *rest = commands["task"]
    assert d2lrnn(name, "--gpu", what, *rest).exit_code == 0


def test_another_value_is_refused():
    result = d2lrnn("train", "--gpu=always")
    assert result.exit_code == 2
    assert "'always' is not one of 'use', 'require'" in result.output


def test_try_gpu_of_a_missing_gpu_returns_the_cpu(rnn):
    assert not rnn.RNNModelScratch.ops.tensors.is_gpu(rnn.try_gpu(99))


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "mps"])
def test_a_gpu_of_pytorch_can_be_given_by_its_name(pytorch, device):
    assert pytorch.RNNModelScratch.ops.tensors.is_gpu(device)


@pytest.mark.parametrize("name", backends.BACKENDS)
def test_each_backend_explains_how_to_enable_a_gpu(name):
    assert 20 < len(backends.BACKENDS[name].gpu) < 90
