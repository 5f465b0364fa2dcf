"""A process that is lost takes nothing with it."""

import json
import os
import re
import signal
import time

import numpy as np
import pytest
from conftest import wait_for

from d2lrnn.files import tensor_file

EPOCHS = 12


def command(backend, folder, *more, processes=2, epochs=EPOCHS, every=("--every", 2)):
    train = ["train", "--backend", backend, "--max-tokens", 1000, "--steps", 6, "--batch-size", 6]
    train += ["--hiddens", 8, "--epochs", epochs, "--dtype", "float64", "--optimizer", "adam"]
    train += ["--lr", 0.001, "--sample-every", 1000, *every]
    train += ["--checkpoint", folder / "run.safetensors", *more]
    if processes == 1:
        return ["-m", "d2lrnn", *train]
    return ["-m", "d2lrnn", "launch", "--processes", processes, "--", *train]


def outcome(folder):
    """All that a run came to, but for what a clock has said."""
    tensors, metadata = tensor_file.unpack(folder / "run.safetensors")
    about = json.loads(metadata["training"])
    del about["epoch"]["seconds"], about["history"]["speed"]
    return {name: array.copy() for name, array in tensors.items()}, about


def fresh(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    return folder


def test_ctrl_c_is_for_all_of_them_and_the_run_is_saved(backend, start, tmp_path):
    folder = fresh(tmp_path, "interrupted")
    run = start(*command(backend, folder, epochs=100000))
    wait_for((folder / "run.safetensors").exists)
    os.killpg(run.process.pid, signal.SIGINT)
    status, said = run.end()
    assert status == 130, said
    assert said.count("interrupted in epoch") == 1, said
    saved = re.search(r"in epoch (\d+), after (\d+) of its minibatches; saved", said)
    epoch = outcome(folder)[1]["epoch"]
    assert [epoch["number"], epoch["num_minibatches"]] == [int(number) for number in saved.groups()]


@pytest.fixture
def killed(backend, start, tmp_path):
    """A run of two processes, of which rank 1 was killed in the midst; what was said of it."""
    folder = fresh(tmp_path, "killed")
    run = start(*command(backend, folder, epochs=1000))
    wait_for((folder / "run.safetensors").exists)
    signal_at = time.monotonic()
    pid = run.worker(1)
    os.kill(pid, signal.SIGKILL)
    status, said = run.end()
    return folder, status, said, time.monotonic() - signal_at


def test_one_that_is_killed_ends_the_others_and_the_run_goes_on(backend, killed, start, tmp_path):
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


def test_with_the_default_settings_a_run_that_is_killed_goes_on_too(backend, start, tmp_path):
    folder, default = fresh(tmp_path, "killed"), {"every": ()}
    run = start(*command(backend, folder, epochs=1000, **default))
    wait_for((folder / "run.safetensors").exists)
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
