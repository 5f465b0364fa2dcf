"""The suite finds faults that are planted in the package."""

import pathlib
import shutil
import subprocess
import sys

import mutants
import pytest

SCRIPT = pathlib.Path(mutants.__file__)
SAMPLE = ["W_hh transposed", "a bias's gradient dropped"]


def test_a_planted_fault_is_found(backend, faults):
    names = faults(0, 1) and list(mutants.faults(backend))
    command = [sys.executable, str(SCRIPT), backend, *(names or SAMPLE)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=3600)
    print(result.stdout)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", ["W_hh transposed", "uphill"])
def test_faults_are_planted_in_every_backend(backend, name):
    assert name in mutants.faults(backend)
    assert len(mutants.faults(backend)) >= 20


def test_every_fault_can_be_planted_in_the_present_code(backend, tmp_path):
    shutil.copytree(mutants.ROOT / "d2lrnn", tmp_path / "d2lrnn")
    for name, fault in mutants.faults(backend).items():
        file = tmp_path / "d2lrnn" / fault[0]
        before = file.read_bytes()
        assert mutants.plant(tmp_path / "d2lrnn", fault), name
        file.write_bytes(before)
