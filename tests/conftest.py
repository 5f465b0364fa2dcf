"""Options and fixtures of all tests: ``pytest --backend=torch`` chooses one backend, ``all`` five.

A backend that is requested but not installed is an error. Without --backend, pytest uses the
installed backends and lists them.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small tensors are not faster with more threads

import contextlib
import functools
import gc
import http.server
import itertools
import signal
import sys
import threading
import warnings
from pathlib import Path

import hypothesis
import numpy as np
import pooch
import pytest
from not_files import NOT_FILES

from d2lrnn import backends
from d2lrnn.data import corpora, data_files, loaders
from d2lrnn.nets import build, cells

backends.prepare()  # float64 in JAX too
# A background job of a script ignores Ctrl-C, and so would the processes that tests start.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGQUIT") and signal.getsignal(signal.SIGQUIT) == signal.SIG_IGN:
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
hypothesis.settings.register_profile("d2lrnn", deadline=None, max_examples=25, derandomize=True)
hypothesis.settings.load_profile("d2lrnn")


def pytest_addoption(parser):
    parser.addoption("--backend", help="a backend, or 'all'; by default, the installed ones")
    share = "share of the attempts in docs/proofs.md; by default, a few of each"
    played = "simulate the GPU by the CPU in tests marked gpu (JAX: by a second CPU device)"
    parser.addoption("--gpu-played", action="store_true", help=played)
    pages = "pages of the book: four of each edition, one more for each backend, or all"
    choices = ["four", "sample", "all"]
    parser.addoption("--pages", choices=choices, default="four", help=pages)
    parser.addoption("--faults", type=float, default=0, metavar="SHARE", help=share)


def chosen(config):
    choice = config.getoption("--backend")
    if choice is None:
        return backends.available()
    names = list(backends.BACKENDS) if choice == "all" else [choice]
    for name in names:
        try:
            backends.load(name)
        except (ValueError, ImportError) as error:
            raise pytest.UsageError(f"--backend={choice}: {error}") from None
    return names


JAX_CACHE = "D2LRNN_JAX_CACHE"  # a folder for the code that JAX compiles, for all tests


def share_compiled_code(folder):
    """Let JAX store compiled code in a folder that all tests and workers share."""
    import jax

    jax.config.update("jax_compilation_cache_dir", folder)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def pytest_configure(config):
    if os.environ.get(JAX_CACHE) and "jax" in chosen(config):
        share_compiled_code(os.environ[JAX_CACHE])
    config.addinivalue_line("markers", "pair: compares two backends directly")
    config.addinivalue_line("markers", "only(*backends): for these backends only")
    config.addinivalue_line("markers", "frameworks: for all backends except NumPy")
    words = "against_reference: compares with NumPy in float64, which is excluded"
    config.addinivalue_line("markers", words)
    words = "gpu(played=True): needs a GPU; played=False if a CPU cannot simulate it"
    config.addinivalue_line("markers", words)


def pytest_report_header(config):
    choice = config.getoption("--backend")
    how = "chosen" if choice else "installed; choose others with --backend"
    return f"d2lrnn backends: {', '.join(chosen(config))} ({how})"


def pytest_generate_tests(metafunc):
    names = chosen(metafunc.config)
    if "backend" in metafunc.fixturenames:
        metafunc.parametrize("backend", fitting(metafunc, names), scope="session")
    if "pair" in metafunc.fixturenames:
        pairs = list(itertools.combinations(names, 2))
        metafunc.parametrize("pair", pairs, ids="-".join, scope="session")


def is_for_frameworks(node, fixturenames):
    """Return whether a test excludes NumPy."""
    return "make_concise" in fixturenames or bool(node.get_closest_marker("frameworks"))


def fitting(metafunc, names):
    """Return the backends for which a test is parametrized."""
    if metafunc.definition.get_closest_marker("gpu"):
        return [name for name in names if name in ON_GPUS]
    only = metafunc.definition.get_closest_marker("only")
    if only:
        return [name for name in names if name in only.args]
    alone = is_for_frameworks(metafunc.definition, metafunc.fixturenames)
    return with_layers(names) if alone else names


def is_of_the_reference_alone(item):
    """Return whether a case compares NumPy in float64 with itself, which cannot fail."""
    case = item.callspec.params if hasattr(item, "callspec") else {}
    itself = case.get("backend") == "numpy" and case.get("dtype", "float64") == "float64"
    return itself and bool(item.get_closest_marker("against_reference"))


def needs_no_backend(item):
    """Return whether a test does not depend on the backend; such tests run with NumPy."""
    if BOOK in item.path.parents and item.path.name not in NOTEBOOK_TESTS:
        return False
    return not {*item.fixturenames} & BACKEND_FIXTURES


def is_for_others_only(item, names):
    """Return whether a test is only for backends that are not chosen."""
    only = item.get_closest_marker("only")
    return only is not None and not set(only.args) & set(names)


def with_layers(names):
    """Return the backends whose framework has recurrent layers."""
    return [name for name in names if name != "numpy"]


def pytest_collection_modifyitems(config, items):
    """Deselect, rather than skip, tests that are for none of the chosen backends or pairs."""
    names = chosen(config)
    without = {"pair"} if len(names) == 1 else set()
    without |= set() if "numpy" in names else {"reference"}
    without |= set() if "tensorflow" in names else {"keras"}
    without |= set() if "torch" in names else {"pytorch"}
    without |= set() if "jax" in names else {"two_devices"}
    left_out = [
        item
        for item in items
        if without & set(item.fixturenames)
        or (is_for_frameworks(item, item.fixturenames) and not with_layers(names))
        or (item.get_closest_marker("gpu") and not set(ON_GPUS) & set(names))
        or is_for_others_only(item, names)
        or is_of_the_reference_alone(item)
        or ("numpy" not in names and needs_no_backend(item))
    ]
    absent = [item for item in items if item not in left_out and needs_a_missing_gpu(item)]
    config.stash[NO_GPU] = len(absent)
    left_out += absent
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
    for item in items:
        if "pair" in item.fixturenames:
            item.add_marker(pytest.mark.pair)


BACKEND_FIXTURES = {"backend", "pair", "keras", "pytorch", "two_devices", "gpu"}
BOOK = Path(__file__).parent / "book"  # has other fixtures for its frameworks
# The tests of the book that run notebooks, which do not depend on the backend
NOTEBOOK_TESTS = {
    f"test_book_{part}.py" for part in ("command", "editions", "guard", "installs", "kernel")
}
ON_GPUS = ("torch", "jax")  # the backends that have tests marked gpu
NO_GPU = pytest.StashKey[int]()


@functools.cache
def device_of_tests(name, played):
    """Return the GPU of a backend, or the CPU that simulates it; None if there is neither."""
    tensors, device = backends.load(name).RNNModelScratch.ops.tensors, None
    if played:
        names = ("cpu:1", "cpu") if name == "jax" else ("cpu",)
        for device in names:
            with contextlib.suppress(ValueError):
                return tensors.device_of(device)
    device = backends.load(name).try_gpu()
    return device if tensors.is_gpu(device) else None


def needs_a_missing_gpu(item):
    """Return whether a test needs a GPU and its backend finds none."""
    marker = item.get_closest_marker("gpu")
    if marker is None:
        return False
    played = item.config.getoption("--gpu-played") and marker.kwargs.get("played", True)
    name = item.callspec.params["backend"] if hasattr(item, "callspec") else "torch"
    return device_of_tests(name, played) is None


def pytest_sessionfinish(session):
    """Report the number of tests without a GPU to the main process of pytest-xdist."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["no_gpu"] = session.config.stash.get(NO_GPU, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    node.config.stash[NO_GPU] = getattr(node, "workeroutput", {}).get("no_gpu", 0)


def pytest_terminal_summary(terminalreporter, config):
    count = config.stash.get(NO_GPU, 0)
    if count:
        tests = "1 test marked gpu" if count == 1 else f"{count} tests marked gpu"
        terminalreporter.write_line(f"{tests} deselected: no GPU")


@pytest.fixture
def gpu(backend, request):
    """The GPU of the backend under test, or the device that simulates it."""
    return device_of_tests(backend, request.config.getoption("--gpu-played"))


@pytest.fixture(scope="session")
def rnn(backend):
    """The backend under test."""
    return backends.load(backend)


@pytest.fixture(scope="session")
def faults(request):
    """A function for the number of trials: faults(few, many) is many with --faults=1."""
    share = request.config.getoption("--faults")
    return lambda few, many: max(few, round(share * many))


@pytest.fixture
def data_folder():
    """Require the folder of the texts, which some tests need."""
    if not os.environ.get(data_files.DATA_FOLDER):
        absent = f"the texts are not available: set {data_files.DATA_FOLDER} to their folder"
        if os.environ.get("CI"):
            pytest.fail(f"{absent}; with CI set, no test is skipped for lack of data")
        pytest.skip(absent)


@pytest.fixture
def time_machine(data_folder):
    """The Time Machine's lines."""
    return corpora.read_time_machine()


@pytest.fixture(scope="session")
def builtin():
    """A small corpus and its Vocab."""
    _, vocab = loaders.load_data_builtin(1, 1)
    return vocab[list("".join(corpora.read_builtin()))][:2000], vocab


@pytest.fixture
def make_net(rnn):
    """A function that makes a small model of the backend under test."""

    def make(vocab_size=5, num_hiddens=4, **settings):
        functions = rnn.get_params, rnn.init_rnn_state, rnn.rnn
        return rnn.RNNModelScratch(vocab_size, num_hiddens, *functions, **{"seed": 0, **settings})

    return make


@pytest.fixture
def make_concise(rnn):
    """A function that makes a small model around a framework's own layer."""

    def make(cell="rnn", num_layers=1, bidirectional=False, vocab_size=5, **settings):
        architecture = cells.Architecture(cell, num_layers, bidirectional)
        settings = {"seed": 0, "num_hiddens": 4, **settings}
        return build.concise_net(rnn, architecture, vocab_size, **settings)

    return make


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve tmp_path / "server" on the loopback address, with an empty cache and no data folder."""
    root = tmp_path / "server"
    root.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(root))

        def log_message(self, *args):
            pass

    monkeypatch.setenv("D2LRNN_DATA", "")
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
    with warnings.catch_warnings():  # pooch leaves the connection of a failed download to the
        warnings.simplefilter("ignore", ResourceWarning)  # garbage collector
        gc.collect()


@pytest.fixture
def in_time():
    """Let a test fail after 60 seconds instead of waiting forever."""

    def fail(*_):
        raise AssertionError("the test did not end within 60 seconds")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(params=NOT_FILES.values(), ids=NOT_FILES)
def not_a_file(request, in_time):
    """A function that makes an object at a path that is not a file, and returns path and words.

    The words are part of the error message.
    """
    make, words = request.param

    def made(path):
        return make(path) or path, words

    return made


@pytest.fixture(scope="session")
def reference():
    """The NumPy backend, for slow tests that do not depend on the backend."""
    return backends.load("numpy")


@pytest.fixture
def pytorch():
    """The PyTorch backend, for tests that are only for PyTorch."""
    return backends.load("torch")


@pytest.fixture
def keras():
    """Keras, which comes with the backend TensorFlow."""
    import keras

    return keras


def _refuse_other_hosts(event, arguments):
    """Refuse network connections of this process to other machines."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if host not in ("127.0.0.1", "::1", "localhost", None):
        raise PermissionError(f"a test connects to {host}; only this machine is allowed")


sys.addaudithook(_refuse_other_hosts)


@pytest.fixture(scope="module", autouse=True)
def _release_compiled_code():
    """Release what JAX compiled for the tests of a file.

    Each compiled function takes some of the 65,530 memory maps that Linux allows a process; with
    more, LLVM crashes. In the cache of share_compiled_code, the code is found again.
    """
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()


@pytest.fixture(autouse=True)
def _numpy_complains():
    """Let NumPy raise errors for overflows and invalid values."""
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        yield
