"""A full disk: a small tmpfs, mounted in a private namespace."""

import shutil
import subprocess
import sys

import pytest

# In a mount namespace of its own: mount, write a checkpoint, fill the disk, train on.
PROGRAM = """
import os, subprocess, sys
from d2lrnn import numpy as rnn
from d2lrnn.nets import build, cells
disk = sys.argv[1]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", disk], check=True)
path = f"{disk}/run"

def train(num_epochs):
    loader, vocab = rnn.load_data_builtin(4, 8, max_tokens=240, seed=0)
    net = build.new_net(rnn, cells.Architecture(), len(vocab), 64, seed=0)
    settings = {"checkpoint": path, "resume": True, "progress": False, "every": 1}
    return rnn.train_ch8(net, loader, vocab, 0.1, num_epochs, **settings)

def content():
    with open(path, "rb") as file:
        return file.read()

train(1)
before = content()
with open(f"{disk}/other", "wb") as other:
    while free := os.statvfs(disk).f_bavail:
        other.write(bytes(free * 4096))
        other.flush()
try:
    train(2)
except OSError as error:
    print(error)
assert content() == before, "the checkpoint has changed"
assert sorted(os.listdir(disk)) == ["other", "run"], os.listdir(disk)
os.unlink(f"{disk}/other")
print(len(train(2).perplexity), "epochs, once there is room again")
"""


@pytest.fixture
def alone():
    """The command that starts a process with private mounts; it exists on Linux."""
    command = ["unshare", "--user", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*command, "true"]).returncode:
        pytest.skip("no tmpfs can be mounted here: unshare --user --mount does not work")
    return command


def test_on_a_full_disk_the_checkpoint_stays_and_the_error_says_what_is_needed(tmp_path, alone):
    command = [*alone, sys.executable, "-c", PROGRAM, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    error, again = result.stdout.splitlines()
    assert error.startswith(f"cannot write {tmp_path}/run (No space left on device): it needs ")
    assert f"0 are free in {tmp_path}; the existing file is unchanged; free some space" in error
    assert again == "2 epochs, once there is room again"
