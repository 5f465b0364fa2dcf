"""Cells that take too long, print too much, kill their kernel or are interrupted."""

import os
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest

from d2lrnn.book import notebook

FLAG = "open('flag', 'w').close()\n"
STUBBORN = """
while True:
    try:
        time.sleep(1)
    except KeyboardInterrupt:
        pass
"""
SESSION = "import subprocess\nsubprocess.Popen([{sleep}], start_new_session=True)"
DAEMON = """
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp({program}, [{sleep}])
    os._exit(0)
"""


def write_notebook(folder, sources):
    """Write a notebook of these cells and return its path."""
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(book, folder / "chapter.ipynb")
    return folder / "chapter.ipynb"


@pytest.fixture
def made(tmp_path):
    """A function that writes a notebook of these cells and returns its path."""
    return lambda *sources: write_notebook(tmp_path, sources)


def texts(cell):
    return "".join(output.get("text", "") for output in cell["outputs"])


def test_cells_after_one_that_times_out_run_and_keep_its_names(made):
    run = notebook.run(made("import time", "x = 5\ntime.sleep(60)", "print(x)", "y = 1"), timeout=3)
    (failure,) = run.failures
    assert failure.number == 2
    assert failure.error.startswith("CellTimeoutError: the cell timed out after 3 s")
    assert texts(run.notebook["cells"][2]) == "5\n"


def test_cells_after_one_that_cannot_be_interrupted_run_in_a_new_kernel(made, monkeypatch):
    monkeypatch.setattr("d2lrnn.book.kernel.GRACE", 1.0)
    run = notebook.run(made(f"import time\nx = 5\n{STUBBORN}", "print(1)", "x"), timeout=3)
    assert [failure.number for failure in run.failures] == [1, 3]
    assert "a new kernel, without the names defined so far" in run.failures[0].error
    assert texts(run.notebook["cells"][1]) == "1\n"


def test_cells_after_one_that_kills_the_kernel_run_in_a_new_kernel_with_d2lrnn(made):
    path = made("import os\nos._exit(3)", "import d2l\nprint(d2l.package)")
    run = notebook.run(path, "classic")
    assert [failure.number for failure in run.failures] == [1]
    assert run.failures[0].error.startswith("DeadKernelError: the kernel died")
    assert "the kernel died" in texts(run.notebook["cells"][0])
    assert texts(run.notebook["cells"][1]) == "d2lrnn.book.classic\n"


LIMIT = 1000
LONG = [  # cells that show too much, and what is kept
    ("print('x' * 5000)", "x" * LIMIT),
    ("for _ in range(500): print('123456789')", "123456789\n" * (LIMIT // 10)),
    ("print('x' * 900)\nprint('y' * 900, file=sys.stderr)", "x" * 900),
    ("display(HTML('x' * 5000))", ""),
    ("h = display(HTML('x'), display_id=True)\nh.update(HTML('x' * 5000))", ""),
    ("print('x' * 5000)\n1 / 0", "x" * LIMIT),
    ("raise ValueError('x' * 5000)", ""),
]
SHORT = ["print('x' * 900)", "for _ in range(9):\n    clear_output()\n    print('x' * 900)"]


@pytest.fixture(scope="module")
def long_outputs(tmp_path_factory):
    """The cells above, run with a limit of 1000 characters of output each."""
    first = "import sys\nfrom IPython.display import HTML, clear_output, display"
    sources = [first, *(source for source, _ in LONG), *SHORT]
    path = write_notebook(tmp_path_factory.mktemp("long"), sources)
    return notebook.run(path, max_output=LIMIT)


@pytest.mark.parametrize("place", range(len(LONG)))
def test_output_beyond_the_limit_is_omitted_and_reported(long_outputs, place):
    cell = long_outputs.notebook["cells"][1 + place]
    assert texts(cell).startswith(LONG[place][1])
    assert "characters of output are left out; see --max-output" in texts(cell)
    assert sum(len(str(output)) for output in cell["outputs"]) < 3 * LIMIT + 1500
    assert 2 + place in [number for number, note in long_outputs.notes]


@pytest.mark.parametrize("place", range(len(SHORT)))
def test_output_within_the_limit_is_complete(long_outputs, place):
    cell = long_outputs.notebook["cells"][1 + len(LONG) + place]
    assert texts(cell) == "x" * 900 + "\n"


def test_an_error_beyond_the_limit_is_a_failure(long_outputs):
    assert [failure.number for failure in long_outputs.failures] == [len(LONG), len(LONG) + 1]


def test_a_cell_beyond_the_limit_ends_as_soon_as_it_has_run(made):
    run = notebook.run(made("print('x' * 900)\nraise ValueError('x' * 900)"), max_output=LIMIT)
    (done,) = (cell["metadata"]["execution"] for cell in run.notebook["cells"])
    assert "iopub.status.idle" in done


@pytest.mark.parametrize("source", [SESSION, DAEMON])
def test_processes_that_a_cell_starts_end_with_the_command(made, source):
    number = str(100_000 + os.getpid() % 100_000)
    source = source.format(program="'sleep'", sleep=f"'sleep', '{number}'")
    assert notebook.run(made(source)).failures == []
    assert not runs("sleep", number)


@pytest.mark.parametrize("source", [SESSION, DAEMON])
def test_processes_that_a_cell_starts_end_with_a_killed_command(made, tmp_path, source):
    number, folder = str(200_000 + os.getpid() % 100_000), tmp_path / "t"
    folder.mkdir()
    source = source.format(program="'sleep'", sleep=f"'sleep', '{number}'")
    path = made(source, f"import time\n{FLAG}time.sleep(99)")
    line = [sys.executable, "-m", "d2lrnn", "book", str(path)]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(line, env={**os.environ, "TMPDIR": str(folder)}, **silent) as process:
        assert becomes_true((path.parent / "flag").exists, 120)
        assert becomes_true(lambda: runs("sleep", number), 10)
        process.kill()
    assert becomes_true(lambda: not runs("sleep", number), 30)
    assert becomes_true(lambda: not list(folder.glob("d2lrnn-*")), 30)


def becomes_true(condition, seconds):
    """Wait until a condition is true, for some seconds at most; return whether it is."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
    return condition()


def runs(*command):
    """Return whether a process runs a command."""
    running = [p.info for p in psutil.process_iter(["cmdline", "status"])]
    return any(
        p["cmdline"] == list(command) and p["status"] != psutil.STATUS_ZOMBIE for p in running
    )


def interrupted(path, *signals):
    """Send signals to the command when a cell has created the file flag; return its exit."""
    flag = path.parent / "flag"
    line = [sys.executable, "-m", "d2lrnn", "book", str(path)]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    heard = {"preexec_fn": lambda: [signal.signal(s, signal.SIG_DFL) for s in signals]}
    with subprocess.Popen(line, env=environment, **pipes, **heard) as process:
        deadline = time.monotonic() + 120
        while not flag.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        for signum in signals:
            process.send_signal(signum)
            time.sleep(1)
        printed, errors = process.communicate(timeout=120)
    return process.returncode, printed, errors


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_saves_the_cells_that_have_run(made, signum):
    path = made("print('first')", f"import time\nprint('second')\n{FLAG}time.sleep(99)", "print(3)")
    status, printed, errors = interrupted(path, signum)
    assert status == 128 + signum
    output = path.with_suffix(".executed.ipynb")
    assert errors == f"stopped in cell 2 of 3; the cells that ran are in {output}\n"
    assert "cell 2 failed: import time\n    KeyboardInterrupt" in printed
    cells = nbformat.read(output, as_version=4).cells
    assert [texts(cell) for cell in cells[::2]] == ["first\n", ""]
    assert texts(cells[1]).startswith("second\n")
    assert [cell.execution_count for cell in cells] == [1, 2, None]


def test_a_second_signal_ends_a_cell_that_continues(made):
    path = made("print('first')", f"import time\n{FLAG}{STUBBORN}")
    status, _, errors = interrupted(path, signal.SIGTERM, signal.SIGTERM)
    assert (status, "Traceback" in errors) == (128 + signal.SIGTERM, False)
    assert path.with_suffix(".executed.ipynb").exists()


def test_a_run_without_failures_prints_one_line_and_no_warning(made):
    path = made("print(1)")
    line = [sys.executable, "-m", "d2lrnn", "book", str(path), "--edition", "1.0"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=300)
    output = path.with_suffix(".executed.ipynb")
    assert done.stdout == f"1 of 1 cells passed, with d2lrnn, edition 1.0; see {output}\n"
    assert done.stderr == ""


LOG = """\
import logging, zmq
for error in (zmq.ZMQError(zmq.ENOTSOCK), zmq.ZMQError(zmq.EAGAIN), ValueError("a cause")):
    logging.getLogger("tornado.general").error("failed", exc_info=error)
logging.getLogger("tornado.general").error("no cause")
"""


def test_a_socket_that_is_closed_when_the_kernel_ends_is_not_reported(made):
    line = [sys.executable, "-m", "d2lrnn", "book", str(made(LOG)), "--edition", "1.0"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=300)
    assert done.stdout.startswith("1 of 1 cells passed")
    logged = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
    messages = ["failed", "failed", "no cause"]
    assert logged == [f"ERROR:tornado.general:{message}" for message in messages]
    assert "Socket operation on non-socket" not in done.stderr
    assert "ValueError: a cause" in done.stderr


def test_the_kernel_communicates_through_files_and_not_ports(made):
    source = "from ipykernel.kernelapp import IPKernelApp\nprint(IPKernelApp.instance().transport)"
    assert texts(notebook.run(made(source)).notebook["cells"][0]) == "ipc\n"


def test_nothing_is_left_in_the_folder_of_temporary_files(made, tmp_path, monkeypatch):
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    notebook.run(made("print(1)"))
    assert list(folder.iterdir()) == []
