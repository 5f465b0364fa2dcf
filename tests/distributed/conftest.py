"""Several processes of one backend, started as a user starts them and ended after the test."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from d2lrnn import processes
from d2lrnn.cli import starters

WORKER = Path(__file__).with_name("worker.py")
ROOT = Path(__file__).parents[2]
PATIENCE = 280  # seconds for a whole run


def pytest_addoption(parser):
    parser.addoption(
        "--product",
        action="store_true",
        help="train every cell with every optimizer and way of sampling, not some of them",
    )


def pytest_collection_modifyitems(config, items):
    """Deselect tests of helper processes that a backend does not have.

    NumPy has the four cases of two signals to two kinds of processes; the others have two of them.
    """

    def is_absent(item):
        case = item.callspec.params if hasattr(item, "callspec") else {}
        if {"name", "to"} <= case.keys() and case["backend"] != "numpy":
            return (case["name"] == "SIGINT") != (case["to"] == "the launcher alone")
        return "helper" in case and case["helper"] not in helpers_of(case["backend"])

    left_out = [item for item in items if is_absent(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
    for item in items:  # those that share what a backend's processes came to share a worker, too
        if "trained" in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group(item.callspec.params["backend"]))


def helpers_of(backend):
    return list(starters.STARTERS[backend].helpers([("127.0.0.1", 1)]))


class Started:
    """A command in a new process group, which is ended after the test."""

    def __init__(self, *words):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "D2LRNN_PROGRESS": "0"}
        environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        self.process = subprocess.Popen(
            [sys.executable, *words],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def end(self, patience=PATIENCE):
        """Wait; return the exit status and the output."""
        try:
            output, errors = self.process.communicate(timeout=patience)
        finally:
            self.kill()
        return self.process.returncode, output + errors

    def kill(self):
        for pid in self.below():
            _signal(os.kill, pid)
        _signal(os.killpg, self.process.pid)

    def below(self):
        """The processes that this one has started, and those that they have."""
        parents = _parents()
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found[1:]

    def helper(self, name):
        """The process with that name, which serves the workers."""
        for pid in self.below():
            if f"{processes.NAME}={name}" in _read(pid, "environ"):
                return pid
        return None

    def worker(self, rank):
        """The process that trains with that rank."""
        names = ("PMI_RANK", "RANK", "JAX_PROCESS_ID", "DMLC_TASK_ID", "LOCAL_RANK")
        own = {f"{name}={rank}" for name in names}
        for pid in self.below():
            words, settings = _read(pid, "cmdline"), set(_read(pid, "environ"))
            if "train" in words and "launch" not in words and own & settings:
                return pid
        return None


def running(pids):
    """Return the processes that have not ended."""
    states = {pid: _stat(pid)[0] for pid in pids}
    return [pid for pid, state in states.items() if state not in ("Z", "X", "")]


def _signal(send, pid):
    with contextlib.suppress(ProcessLookupError):
        send(pid, signal.SIGKILL)


def _read(pid, name):
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace").split("\0")
    except OSError:
        return []


def _parents():
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return {pid: int(parent) for pid in pids for _, parent in [_stat(pid)] if parent}


def _stat(pid):
    """The state of a process, and its parent; nothing when it is gone."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return "", ""
    return state, parent


@pytest.fixture
def start():
    """Start ``python WORDS...``; all of its processes end with the test."""
    begun = []

    def begin(*words):
        begun.append(Started(*map(str, words)))
        return begun[-1]

    yield begin
    for started in begun:
        started.kill()
        started.process.communicate()


@pytest.fixture(scope="session")
def trained(backend, tmp_path_factory, request):
    """The results of worker.py in that many processes: messages, and parameters by case."""
    kept = {}

    def train(size):
        if size not in kept:
            folder = tmp_path_factory.mktemp(f"{backend}{size}")
            launched = ["-m", "d2lrnn", "launch", "--processes", f"{size}", "--backend", backend]
            words = [*launched, "--"] if size > 1 else []
            product = request.config.option.product
            which = ["product"] if product else []
            run = Started(*words, str(WORKER), backend, str(folder), *which)
            status, said = run.end(10 * PATIENCE if product else PATIENCE)
            assert status == 0, said
            told = json.loads((folder / "told.json").read_text())
            with np.load(folder / "arrays.npz") as arrays:
                kept[size] = told, dict(arrays)
        return kept[size]

    return train


def wait_for(happened, seconds=PATIENCE):
    """Wait until a function returns something true, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := happened():
            return found
        time.sleep(0.02)
    raise AssertionError("it has not happened")
