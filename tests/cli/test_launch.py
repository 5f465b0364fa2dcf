"""What launch starts, and what it prints for several machines; tests/distributed starts it."""

import json
import os
import signal
import subprocess
import sys
import time

import click.testing
import pytest

from d2lrnn import cli
from d2lrnn.cli import crew, engines
from d2lrnn.nets.group import Group

RING = [("127.0.0.1", 5000), ("127.0.0.1", 5001)]


def launch(*words):
    return click.testing.CliRunner().invoke(cli.main, ["launch", *words])


def test_a_process_that_was_started_alone_is_rank_0_of_1(rnn):
    processes = rnn.processes()
    assert (processes.rank, processes.size) == (0, 1)


class Of:
    """An engine that says that it is one of several, and adds up nothing."""

    def __init__(self, rank, size):
        self.rank, self.size, self.local_rank = rank, size, rank


@pytest.mark.parametrize("num_rows", [4, 6, 7])
def test_every_row_is_one_process_s(num_rows):
    shares = [Group(None, Of(rank, 4)).share(list(range(num_rows))) for rank in range(4)]
    assert [row for share in shares for row in share] == list(range(num_rows))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_fewer_rows_than_processes_are_an_error():
    with pytest.raises(ValueError, match="3 rows for 4 processes; expected one or more for each"):
        Group(None, Of(0, 4)).rows(3)


@pytest.mark.parametrize("name", engines.STARTERS)
def test_several_machines_get_a_command_each(name):
    result = launch("--processes", "2", "--hosts", "a,b", "--", "train", "--backend", name)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0].startswith("on a: ")
    assert f"train --backend {name}" in lines[-1]
    assert name == "numpy" or lines[-1].startswith("on b: ")


def test_tensorflow_is_told_all_workers_and_which_it_is():
    config = json.loads(engines.STARTERS["tensorflow"].environment(1, RING)["TF_CONFIG"])
    assert config["cluster"]["worker"] == ["127.0.0.1:5000", "127.0.0.1:5001"]
    assert config["task"]["index"] == 1


def test_a_backend_that_there_is_not_is_an_error():
    result = launch("--", "train", "--backend", "tinyml")
    assert result.exit_code == 1
    assert "--backend is 'tinyml'; expected one of 'numpy'" in result.output


def test_a_worker_that_fails_ends_the_others_and_is_shown(capfd):
    fails = [sys.executable, "-c", "import sys; print('so it is'); sys.exit(3)"]
    waits = [sys.executable, "-c", "import time; time.sleep(60)"]
    assert crew.run([({}, waits), ({}, fails)]) == 3
    assert (
        capfd.readouterr().err
        == "so it is\nError: rank 1 ended with status 3; so have the others\n"
    )


def test_workers_that_all_end_well_are_a_success():
    assert crew.run([({}, [sys.executable, "-c", ""])] * 2) == 0


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_to_launch_ends_the_helpers_which_are_apart_too(name, tmp_path):
    note = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(f'{{os.getpid()}}\\n')"
    jobs = [
        [({}, [sys.executable, "-c", f"{first}; import time; time.sleep(60)"])]
        for first in ("pass", note)
    ]
    run = f"from d2lrnn.cli import crew; crew.run(*{jobs!r})"
    with subprocess.Popen([sys.executable, "-c", run]) as process:
        pid = int(wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
        assert os.getsid(pid) == pid
        process.send_signal(getattr(signal, name))
        assert process.wait(30) == 128 + getattr(signal, name)
    wait_for(lambda: not os.path.exists(f"/proc/{pid}"))


def wait_for(happened):
    """Wait until something has happened, and return it."""
    for _ in range(400):
        if found := happened():
            return found
        time.sleep(0.05)
    raise AssertionError("it has not happened")
