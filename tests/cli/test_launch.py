"""The processes of launch, and its output for several machines; tests/distributed runs it."""

import json
import os
import signal
import subprocess
import sys
import time

import click.testing
import pytest

from d2lrnn import cli
from d2lrnn.cli import starters, workers
from d2lrnn.nets.group import Group

READ = "Read error [127.0.0.1]:29: Reset"
RING = [("127.0.0.1", 5000), ("127.0.0.1", 5001)]


def launch(*words):
    return click.testing.CliRunner().invoke(cli.main, ["launch", *words])


def test_a_process_that_was_started_alone_is_rank_0_of_1(rnn):
    processes = rnn.processes()
    assert (processes.rank, processes.size) == (0, 1)


class Of:
    """An engine that claims to be one of several processes, and sums nothing."""

    def __init__(self, rank, size):
        self.rank, self.size, self.local_rank = rank, size, rank


@pytest.mark.parametrize("num_rows", [4, 6, 7])
def test_each_row_belongs_to_one_process(num_rows):
    shares = [Group(None, Of(rank, 4)).share(list(range(num_rows))) for rank in range(4)]
    assert [row for share in shares for row in share] == list(range(num_rows))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("[/a/gloo/pair.cc:537] Read error [127.0.0.1]:29: Reset. Caused by. GLHF!", READ),
        ("a broken ring\nat line 1", "a broken ring"),
        ("", "RuntimeError"),
    ],
)
def test_a_lost_process_is_reported_with_a_sentence_of_the_framework_s_error(said, shown):
    with pytest.raises(ConnectionError) as caught, Group().exchange():
        raise RuntimeError(said)
    assert str(caught.value) == f"rank 0 has lost another process ({shown})"


def test_fewer_rows_than_processes_are_an_error():
    with pytest.raises(ValueError, match="3 rows for 4 processes; expected one or more for each"):
        Group(None, Of(0, 4)).rows(3)


@pytest.mark.parametrize("name", starters.STARTERS)
def test_one_command_is_printed_for_each_machine(name):
    result = launch("--processes", "2", "--hosts", "a,b", "--", "train", "--backend", name)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0].startswith("on a: ")
    assert f"train --backend {name}" in lines[-1]
    assert name == "numpy" or lines[-1].startswith("on b: ")


def test_tensorflow_receives_all_workers_and_its_index():
    config = json.loads(starters.STARTERS["tensorflow"].environment(1, RING)["TF_CONFIG"])
    assert config["cluster"]["worker"] == ["127.0.0.1:5000", "127.0.0.1:5001"]
    assert config["task"]["index"] == 1


def test_an_unknown_backend_is_an_error():
    result = launch("--", "train", "--backend", "tinyml")
    assert result.exit_code == 1
    assert "--backend is 'tinyml'; expected one of 'numpy'" in result.output


def test_a_worker_that_fails_ends_the_others_and_is_shown(capfd):
    fails = [sys.executable, "-c", "import sys; print('so it is'); sys.exit(3)"]
    waits = [sys.executable, "-c", "import time; time.sleep(60)"]
    assert workers.run([({}, waits), ({}, fails)]) == 3
    assert (
        capfd.readouterr().err
        == "so it is\nError: rank 1 ended with status 3; the others were ended\n"
    )


def test_workers_that_all_succeed_are_a_success():
    assert workers.run([({}, [sys.executable, "-c", ""])] * 2) == 0


# Says that it runs, and then what interrupts it; ends at the first interrupt with 130, as we do.
TELLS = """
import d2lrnn, signal, sys, time
def note(*_):
    print("interrupted", file=log, flush=True)
    time.sleep(0.3)  # a second one would be noted too
    sys.exit(130)
log = open({log!r}, "w")
signal.signal(signal.SIGINT, note)
print("runs", file=log, flush=True)
while True:
    time.sleep(0.01)
"""
RUN = "from d2lrnn.cli import workers; raise SystemExit(workers.run({jobs!r}))"


@pytest.fixture
def launched(tmp_path):
    """A launcher of two workers in a new process group, and the files that they write."""
    logs = [tmp_path / f"log{rank}" for rank in range(2)]
    jobs = [({}, [sys.executable, "-c", TELLS.format(log=str(log))]) for log in logs]
    command = [sys.executable, "-c", RUN.format(jobs=jobs)]
    process = subprocess.Popen(command, preexec_fn=os.setpgrp)  # as a shell starts a job
    for log in logs:
        wait_for(lambda log=log: log.exists() and log.read_text())
    yield process, logs
    process.kill()
    process.wait()


@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["the launcher", "its process group"])
def test_an_interrupt_reaches_each_worker_once(launched, send):
    process, logs = launched
    send(process.pid, signal.SIGINT)
    assert process.wait(30) == 130
    assert [log.read_text() for log in logs] == ["runs\ninterrupted\n"] * 2


def test_an_unhandled_interrupt_in_a_script_is_not_reported_as_a_lost_worker(capfd, tmp_path):
    waits = "import os, time; open({log!r}, 'w').close(); time.sleep(60)"
    interrupts = (
        "import os, time\n"
        f"while len(os.listdir({str(tmp_path)!r})) < 2: time.sleep(0.05)\n"
        "time.sleep(0.2); os.kill(os.getppid(), 2)"
    )
    codes = [waits.format(log=str(tmp_path / f"{rank}")) for rank in range(2)]
    *jobs, helper = [({}, [sys.executable, "-c", code]) for code in (*codes, interrupts)]
    assert workers.run(jobs, [helper]) == 130
    assert "killed" not in capfd.readouterr().err


def state_of(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def test_ctrl_z_stops_the_workers_and_fg_continues_them(launched):
    process, _ = launched
    pids = [process.pid, *children_of(process.pid)]
    assert len(pids) == 3
    process.send_signal(signal.SIGTSTP)
    wait_for(lambda: {state_of(pid) for pid in pids} == {"T"})
    process.send_signal(signal.SIGCONT)
    wait_for(lambda: not {"T"} & {state_of(pid) for pid in pids})
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130


def test_a_worker_that_has_stopped_is_named_and_all_are_ended(capfd, tmp_path):
    waits = "from d2lrnn import processes; import time; processes.meet(time.sleep, 60)"
    stops = "import d2lrnn, os, signal; os.kill(os.getpid(), signal.SIGSTOP)"
    jobs = [({}, [sys.executable, "-c", code]) for code in (waits, stops)]
    assert workers.run(jobs, limit=3) == 1
    said = "Error: rank 1 has not answered for 3 seconds; all processes were ended"
    assert capfd.readouterr().err.startswith(said)


def test_a_worker_that_fails_because_another_stopped_is_reported_with_it(capfd):
    fails = "import d2lrnn, time, sys; time.sleep(7); sys.exit(3)"
    stops = "import d2lrnn, os, signal; os.kill(os.getpid(), signal.SIGSTOP)"
    jobs = [({}, [sys.executable, "-c", code]) for code in (fails, stops)]
    assert workers.run(jobs) == 3
    assert "Error: rank 1 has not answered for" in capfd.readouterr().err


SCRIPT = """
import json, os, sys, threading
import beside
told = [__name__, sys.argv, sys.path[0], __file__, beside.word]
told += [[thread.name for thread in threading.enumerate()]]
print(json.dumps(told))
"""


@pytest.mark.parametrize("by_hand", [True, False], ids=["python", "launch"])
def test_a_script_runs_as_python_runs_it(tmp_path, by_hand):
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "beside.py").write_text("word = 'beside'")
    (folder / "train.py").write_text(SCRIPT)
    words = [str(folder / "train.py"), "--epochs", "3"]
    launch = [] if by_hand else ["-m", "d2lrnn", "launch", "--processes=1", "--backend=torch", "--"]
    told = json.loads(subprocess.check_output([sys.executable, *launch, *words], cwd=tmp_path))
    assert told[:5] == ["__main__", words, str(folder), words[0], "beside"]
    assert len(told[5]) == (1 if by_hand else 2)  # another follows the launcher


def test_a_missing_script_is_an_error_of_one_line():
    result = launch("--", "nothing.py")
    assert result.exit_code == 1
    assert result.output == (
        "Error: the script nothing.py: there is no such file; check its name and folder\n"
    )


@pytest.mark.parametrize("text", ["0", "-3", "nan"])
def test_an_invalid_timeout_is_refused(text):
    result = launch("--timeout", text, "--", "train")
    assert result.exit_code == 1
    assert "expected a number of seconds above 0" in result.output


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_to_launch_also_ends_the_helper_processes(name, tmp_path):
    note = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(f'{{os.getpid()}}\\n')"
    jobs = [
        [({}, [sys.executable, "-c", f"{first}; import time; time.sleep(60)"])]
        for first in ("pass", note)
    ]
    run = f"from d2lrnn.cli import workers; workers.run(*{jobs!r})"
    with subprocess.Popen([sys.executable, "-c", run]) as process:
        pid = int(wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
        assert os.getsid(pid) == pid
        process.send_signal(getattr(signal, name))
        assert process.wait(30) == 128 + getattr(signal, name)
    wait_for(lambda: not os.path.exists(f"/proc/{pid}"))


def wait_for(happened):
    """Wait until a function returns something true, and return it."""
    for _ in range(400):
        if found := happened():
            return found
        time.sleep(0.05)
    raise AssertionError("it has not happened")
