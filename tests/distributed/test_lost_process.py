"""If a process is lost, the run can be resumed without loss."""

import json
import os
import re
import signal
import time

import numpy as np
import pytest
from conftest import PATIENCE, helpers_of, running, wait_for

from d2lrnn.cli import starters
from d2lrnn.files import tensor_file

EPOCHS = 2  # of 10 minibatches


def command(backend, folder, *more, processes=2, epochs=EPOCHS, every=("--every", 2), timeout=60):
    train = ["train", "--backend", backend, "--max-tokens", 400, "--steps", 6, "--batch-size", 6]
    train += ["--hiddens", 8, "--epochs", epochs, "--dtype", "float64", "--optimizer", "adam"]
    train += ["--lr", 0.001, "--sample-every", 1000, *every]
    train += ["--checkpoint", folder / "run.safetensors", *more]
    if processes == 1:
        return ["-m", "d2lrnn", *train]
    launch = ["launch", "--processes", processes, "--timeout", timeout]
    return ["-m", "d2lrnn", *launch, "--", *train]


def outcome(folder):
    """Return the content of a checkpoint without measured times."""
    tensors, metadata = tensor_file.unpack(folder / "run.safetensors")
    about = json.loads(metadata["training"])
    del about["epoch"]["seconds"], about["history"]["speed"]
    return {name: array.copy() for name, array in tensors.items()}, about


def fresh(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    return folder


def wait_for_checkpoint(run, folder):
    """Wait until a run has saved its first checkpoint; fail at once if it ends before."""
    found = folder / "run.safetensors"
    wait_for(lambda: found.exists() or run.process.poll() is not None)
    assert found.exists(), run.end()


@pytest.fixture
def training(backend, start, tmp_path):
    """A function that starts an endless run of two processes and waits until it trains."""

    def begin(**settings):
        run = start(*command(backend, tmp_path, epochs=10**6, **settings))
        wait_for_checkpoint(run, tmp_path)
        return run

    return begin


@pytest.mark.parametrize("to", ["the launcher alone", "each of them"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_stops_all_processes_and_the_run_is_saved(training, tmp_path, name, to):
    folder, run, signum = tmp_path, training(), getattr(signal, name)
    below = run.below()
    workers = [run.worker(rank) for rank in range(2)] if to == "each of them" else []
    for pid in [run.process.pid, *workers]:
        os.kill(pid, signum)
    status, said = run.end()
    assert status == 128 + signum, said
    assert not running(below)
    assert said.count("interrupted in epoch") == 1, said
    saved = re.search(r"in epoch (\d+), after (\d+) of its minibatches; saved", said)
    epoch = outcome(folder)[1]["epoch"]
    assert [epoch["number"], epoch["num_minibatches"]] == [int(number) for number in saved.groups()]


def test_all_processes_end_if_their_launcher_is_killed(training, tmp_path):
    run = training()
    below = run.below()
    run.process.kill()
    wait_for(lambda: not running(below), 20)
    written = (tmp_path / "run.safetensors").read_bytes()
    time.sleep(2)
    assert (tmp_path / "run.safetensors").read_bytes() == written


def test_stopped_processes_end_too_if_their_launcher_is_killed(training):
    run = training()
    below = run.below()
    os.kill(run.worker(1), signal.SIGSTOP)
    run.process.kill()
    wait_for(lambda: not running(below), 20)


def test_a_run_whose_output_is_closed_continues_and_saves_its_model(backend, start, tmp_path):
    run = start(*command(backend, tmp_path, "--out", tmp_path / "m"))
    run.process.stdout.close()
    assert run.process.wait(PATIENCE) == 0
    assert (tmp_path / "m").exists()


def check_named(run, below, name):
    """Check that a run ends because of a process, and names that one alone."""
    status, said = run.end()
    assert status == 1, said
    assert f"Error: {name} has not answered for 8 seconds; all processes were ended" in said
    assert said.count("not answered") == 1, said
    assert not running(below)


@pytest.mark.parametrize("rank", range(2))
def test_a_worker_that_has_stopped_is_named_and_all_are_ended(training, rank):
    run = training(timeout=8)
    below = run.below()
    os.kill(run.worker(rank), signal.SIGSTOP)
    check_named(run, below, f"rank {rank}")


@pytest.mark.parametrize("helper", sorted({h for b in starters.STARTERS for h in helpers_of(b)}))
def test_a_server_that_has_stopped_is_named_and_all_are_ended(training, helper):
    run = training(timeout=8)
    below = run.below()
    os.kill(run.helper(helper), signal.SIGSTOP)
    check_named(run, below, helper)


def test_a_worker_that_has_stopped_before_it_met_the_others_is_named(backend, start, tmp_path):
    run = start(*command(backend, tmp_path, timeout=30))
    os.kill(wait_for(lambda: run.worker(1)), signal.SIGSTOP)
    status, said = run.end()
    assert status == 1, said
    assert "Error: rank 1 has not answered for 30 seconds" in said


@pytest.fixture
def killed(backend, start, tmp_path):
    """The output of a run of two processes in which rank 1 was killed."""
    folder = fresh(tmp_path, "killed")
    run = start(*command(backend, folder, epochs=1000))
    wait_for_checkpoint(run, folder)
    signal_at = time.monotonic()
    pid = run.worker(1)
    os.kill(pid, signal.SIGKILL)
    status, said = run.end()
    return folder, status, said, time.monotonic() - signal_at


def test_a_killed_process_ends_the_others_and_the_run_can_be_resumed(
    backend, killed, start, tmp_path
):
    folder, status, said, seconds = killed
    assert status == 1
    named = [line for line in said.splitlines() if "rank 1 was killed by SIGKILL" in line]
    assert len(named) == 1, said
    assert seconds < 30

    epochs = outcome(folder)[1]["epoch"]["number"] + 2
    copy = fresh(tmp_path, "copy")
    (copy / "run.safetensors").write_bytes((folder / "run.safetensors").read_bytes())
    whole = fresh(tmp_path, "whole")
    runs = [
        start(*command(backend, whole, epochs=epochs)),
        start(*command(backend, folder, "--resume", epochs=epochs)),
        start(*command(backend, copy, "--resume", epochs=epochs, processes=1)),
    ]
    for run in runs:
        status, said = run.end()
        assert status == 0, said

    (expected, about), (resumed, again) = outcome(whole), outcome(folder)
    assert {n: a.tobytes() for n, a in resumed.items()} == {
        n: a.tobytes() for n, a in expected.items()
    }
    assert again == about
    alone, _ = outcome(copy)
    for name, array in expected.items():
        np.testing.assert_allclose(alone[name], array, rtol=0, atol=1e-12, err_msg=name)


def test_with_default_settings_a_killed_run_can_be_resumed(backend, start, tmp_path):
    folder, default = fresh(tmp_path, "killed"), {"every": ()}
    run = start(*command(backend, folder, epochs=1000, **default))
    wait_for_checkpoint(run, folder)
    run.kill()
    run.end()
    whole, epochs = fresh(tmp_path, "whole"), outcome(folder)[1]["epoch"]["number"] + 2
    runs = [
        start(*command(backend, whole, epochs=epochs, **default)),
        start(*command(backend, folder, "--resume", epochs=epochs, **default)),
    ]
    for run in runs:
        status, said = run.end()
        assert status == 0, said
    (expected, about), (resumed, again) = outcome(whole), outcome(folder)
    assert {n: a.tobytes() for n, a in resumed.items()} == {
        n: a.tobytes() for n, a in expected.items()
    }
    assert again == about
