"""Child processes end when their parent ends for any reason."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from d2lrnn import children, processes
from d2lrnn.measure import apart

# A parent that starts a child, which notes its process id and counts for ever.
CHILD = """
import d2lrnn, os, time
from pathlib import Path
Path({note!r}).write_text(f"{{os.getpid()}}\\n")
while True:
    time.sleep(0.01)
"""
PARENT = """
import sys
from d2lrnn.measure import apart
apart.run([sys.executable, "-c", {child!r}])
"""


@pytest.fixture
def family(tmp_path):
    """A parent, as a Popen, and the process id of its child."""
    note = tmp_path / "pid"
    child = CHILD.format(note=str(note))
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(child=child)], env={**os.environ, "TMPDIR": "/tmp"}
    )
    pid = int(wait_for(lambda: note.exists() and note.read_text()))
    yield process, pid
    process.kill()
    process.wait()
    with contextlib.suppress(ProcessLookupError):
        if not has_ended(pid):
            os.kill(pid, signal.SIGKILL)


def wait_for(happened, seconds=30):
    """Wait until a function returns something true, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := happened():
            return found
        time.sleep(0.02)
    raise AssertionError("it has not happened")


def has_ended(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in ("Z", "X")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT", "SIGKILL", "SIGQUIT"])
def test_a_child_ends_with_its_parent_whatever_ends_it(family, name):
    parent, child = family
    parent.send_signal(getattr(signal, name))
    parent.wait(30)
    wait_for(lambda: has_ended(child))


def test_a_child_that_is_stopped_ends_with_its_parent(family):
    parent, child = family
    os.kill(child, signal.SIGSTOP)
    parent.kill()
    wait_for(lambda: has_ended(child))


def test_a_killed_parent_leaves_no_files(tmp_path):
    note = tmp_path / "pid"
    code = PARENT.format(child=CHILD.format(note=str(note)))
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # tmp_path may be too long for a socket
        environment = {**os.environ, "TMPDIR": folder}
        with subprocess.Popen([sys.executable, "-c", code], env=environment) as parent:
            wait_for(note.exists)
            assert len(os.listdir(folder)) == 1
            parent.kill()
        wait_for(lambda: not os.listdir(folder))


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_terminated_parent_exits_with_the_status_of_the_signal(family, name):
    parent, child = family
    parent.send_signal(getattr(signal, name))
    assert parent.wait(30) == 128 + getattr(signal, name)
    assert has_ended(child)


def started(path, code="import d2lrnn, time; time.sleep(60)"):
    environment = {**os.environ, processes.PARENT: str(path)}
    return subprocess.run([sys.executable, "-c", code], env=environment, timeout=50, check=False)


def test_a_child_whose_parent_has_ended_before_it_begins_ends_at_once(tmp_path):
    assert started(tmp_path / "nobody").returncode == 1


def test_a_child_whose_parent_was_killed_removes_the_parents_temporary_files(tmp_path):
    import socket

    folder = tmp_path / "left"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "parent"))  # no process listens any more
    assert started(folder / "parent").returncode == 1
    assert not folder.exists()


def test_a_grandchild_has_another_parent():
    code = f"import d2lrnn, os; raise SystemExit({processes.PARENT!r} in os.environ)"
    with children.listening() as environment:
        run = [sys.executable, "-c", code]
        assert subprocess.run(run, env={**os.environ, **environment}, check=False).returncode == 0


def test_a_long_path_of_the_temporary_folder_works(tmp_path, monkeypatch):
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    assert apart.run([sys.executable, "-c", "import d2lrnn"]).returncode == 0


def test_a_parent_receives_the_output_and_the_end_of_its_child():
    code = (
        "import time; from d2lrnn import processes\n"
        "processes.meet(time.sleep, 1.2)\n"
        "end = time.monotonic() + 1.2\n"
        "while time.monotonic() < end: pass"
    )
    reports = []
    with children.listening(reports.append) as environment:
        own = {**os.environ, **environment, processes.NAME: "rank 7"}
        subprocess.run([sys.executable, "-c", code], env=own, check=True)
        wait_for(lambda: reports and reports[-1].get("ended"))
    assert {report["name"] for report in reports} == {"rank 7"}
    states = [(report["begun"], report["done"]) for report in reports]
    assert list(dict.fromkeys(states)) in ([(0, 0), (1, 0), (1, 1)], [(1, 0), (1, 1)])
    assert reports[-1]["busy"] > 0  # it has computed
    assert reports[-1]["leaving"]
    assert [report["busy"] for report in reports if report["done"] == 0][-1] <= 1  # it has waited


def test_an_exchange_within_an_exchange_counts_once():
    exchange = processes.Exchange()
    with exchange:
        with exchange:
            assert (exchange.begun, exchange.done) == (1, 0)
        assert (exchange.begun, exchange.done) == (1, 0)
    assert (exchange.begun, exchange.done) == (1, 1)


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan"])
def test_an_invalid_time_limit_is_refused(monkeypatch, text):
    monkeypatch.setenv(processes.TIMEOUT, text)
    with pytest.raises(ValueError, match=f"D2LRNN_TIMEOUT is '{text}'; expected a number of sec"):
        processes.time_limit(5.0)


def test_a_process_without_a_parent_ends_when_it_has_waited_too_long():
    code = "import time; from d2lrnn import processes; processes.limit_waiting(3); "
    code += "processes.meet(time.sleep, 60)"
    environment = {**os.environ, processes.TIMEOUT: "1"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert run.stderr.startswith("Error: rank 3 has waited 1 seconds for the other processes")


def test_a_process_that_continues_is_not_ended():
    code = (
        "import time; from d2lrnn import processes; processes.limit_waiting(3)\n"
        "for _ in range(15): processes.meet(time.sleep, 0.1); time.sleep(0.1)"
    )
    environment = {**os.environ, processes.TIMEOUT: "1"}
    run = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert run.returncode == 0
