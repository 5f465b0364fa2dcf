"""Measurements of training with several processes."""

import json
import os
import signal
from pathlib import Path

import pytest
from conftest import running, wait_for


def test_bench_shows_tokens_and_communication_of_one_and_two_processes(start, tmp_path):
    # The measuring is the same code in every backend: one of them will do.
    file = tmp_path / "points.json"
    words = ["processes", 1, 2, "--backend", "torch", "--json", file, "--rounds", 3]
    status, said = start("-m", "d2lrnn", "bench", *words).end()
    assert status == 0, said
    points = json.loads(file.read_text())
    measured = {(point["kind"], point["processes"]) for point in points}
    assert measured == {("strong", 1), ("strong", 2), ("weak", 2)}
    assert all((point["reduce"] > 0) == (point["processes"] == 2) for point in points)
    assert "communication" in said


def has_imported_torch(pid):
    return "libtorch_cpu" in Path(f"/proc/{pid}/maps").read_text(errors="replace")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGKILL"])
def test_bench_leaves_no_measuring_process_behind(start, name):
    run = start("-m", "d2lrnn", "bench", "processes", 2, "--backend", "torch")
    measuring = wait_for(lambda: len(run.below()) == 2 and run.below())
    wait_for(lambda: all(map(has_imported_torch, measuring)))  # else Python itself complains
    os.kill(run.process.pid, getattr(signal, name))
    status, said = run.end()
    number = getattr(signal, name)
    assert status == (-number if name == "SIGKILL" else 128 + number), said
    assert "Traceback" not in said
    wait_for(lambda: not running(measuring), 30)
