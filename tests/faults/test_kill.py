"""Killed training runs can be resumed without loss."""

import json
import pathlib
import subprocess
import sys
import time

import pytest
from killed import outcome

SCRIPT = pathlib.Path(__file__).with_name("killed.py")
NUM_EPOCHS = 3000


def test_a_killed_run_resumes_to_the_result_of_an_uninterrupted_run(backend, tmp_path, faults):
    command = [sys.executable, str(SCRIPT), backend, str(tmp_path), str(faults(3, 200))]
    result = subprocess.run(command, capture_output=True, text=True, timeout=3600)
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    print(f"{backend}: {told}")
    assert told["killed"] == faults(3, 200)
    assert told["compared"] > 0


@pytest.fixture
def train(backend, tmp_path):
    """Start ``d2lrnn train`` with the default settings but for its size; ended with the test."""
    begun = []

    def start(name, epochs, *more):
        words = ["train", "--backend", backend, "--hiddens", 8, "--epochs", epochs, *more]
        words += ["--checkpoint", tmp_path / name]
        command = [sys.executable, "-m", "d2lrnn", *map(str, words)]
        begun.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_killed_command_with_default_settings_can_be_resumed(train, tmp_path):
    killed = train("run", NUM_EPOCHS)
    while not (tmp_path / "run").exists():
        assert killed.poll() is None, killed.stdout.read()
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    epochs = outcome(tmp_path / "run")[1]["epoch"]["number"] + 2
    assert epochs < NUM_EPOCHS
    for name, *more in (["run", "--resume"], ["whole"]):
        process = train(name, epochs, *more)
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")
