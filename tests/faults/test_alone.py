"""Parallel processes and threads, imports in any order, and training without a network."""

import concurrent.futures
import itertools
import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from d2lrnn import backends
from d2lrnn.nets import build, cells

# Refuses every address but this machine's before anything is imported.
REFUSE = """
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        print("asks for", arguments, flush=True)
        raise PermissionError("no network")
sys.addaudithook(refuse)
"""


def run(code, *arguments):
    """Return what a fresh process prints."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    return result.stdout


def train(rnn, cell, seed):
    """Return the parameters of a small net after some training."""
    loader, vocab = rnn.load_data_builtin(4, 8, max_tokens=240, seed=seed)
    net = build.new_net(rnn, cells.Architecture(cell), len(vocab), 8, seed=seed)
    history = rnn.train_ch8(net, loader, vocab, 0.01, 3, optimizer="adam", progress=False)
    return net.arrays(), history.perplexity


def assert_same(one, other):
    assert one[1] == other[1]
    for array, expected in zip(one[0], other[0], strict=True):
        np.testing.assert_array_equal(array, expected)


def test_two_models_in_two_threads_train_like_each_alone(rnn):
    runs = [("rnn", 0), ("lstm", 1)]
    alone = [train(rnn, *run) for run in runs]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda run: train(rnn, *run), runs))
    for one, other in zip(together, alone):
        assert_same(one, other)


def test_a_framework_s_own_layers_train_in_two_threads_too(rnn, make_concise):
    X = np.array([[0, 1, 2], [3, 4, 0]])

    def learn(net):
        step, state = net.make_step(0.1, optimizer="adam"), net.begin_state(2)
        losses = []
        for _ in range(4):
            loss, state = step(X, X, state)
            losses.append(float(loss))
        return net.arrays(), losses

    def nets():  # drawn one after the other: a framework has one generator for all threads
        return [make_concise(cell) for cell in ("rnn", "lstm")]

    alone = [learn(net) for net in nets()]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        together = list(pool.map(learn, nets()))
    for one, other in zip(together, alone):
        assert_same(one, other)


TRAIN = """
import sys
from d2lrnn import backends, cli
cli.main(["train", "--backend", sys.argv[1], "--hiddens", "8", "--steps", "8", "--batch-size", "4",
          "--max-tokens", "240", "--epochs", "3", "--cell", "gru", "--optimizer", "adam",
          "--lr", "0.01", "--out", sys.argv[2]], standalone_mode=False)
"""


def test_the_same_command_in_two_processes_writes_the_same_file(backend, tmp_path):
    for name in ("one", "other"):
        run(TRAIN, backend, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


IMPORT = """
import importlib, sys, warnings
import numpy
kept = {name: getattr(numpy, name) for name in dir(numpy) if name != "__warningregistry__"}
settings = numpy.geterr()
for name in sys.argv[1:]:
    importlib.import_module(f"d2lrnn.{name}")
changed = [name for name, value in kept.items() if getattr(numpy, name, None) is not value]
assert not changed, changed
assert numpy.geterr() == settings
for name in sys.argv[1:]:
    rnn = importlib.import_module(f"d2lrnn.{name}")
    net = rnn.RNNModelScratch(3, 2, rnn.get_params, rnn.init_rnn_state, rnn.rnn, seed=0)
    loss, _ = net.make_step(0.1)(numpy.array([[0, 1]]), numpy.array([[1, 2]]), net.begin_state(1))
    print(name, round(float(loss), 4))
"""


def orders():
    return list(itertools.permutations(backends.available()))


def test_backends_are_imported_in_any_order_and_leave_numpy_as_it_was(faults):
    every = orders()
    number = min(faults(1, 120), len(every))
    for index in np.linspace(len(every) - 1, 0, number).astype(int):
        said = run(IMPORT, *every[index]).split()
        assert said[::2] == list(every[index])
        assert set(said[1::2]) == {"1.0986"}, said  # ln 3: what a fresh net knows


def test_importing_and_training_do_not_use_the_network(backend):
    said = run(REFUSE + IMPORT, backend)
    assert "asks for" not in said


def test_a_test_cannot_reach_another_machine():
    with pytest.raises(PermissionError, match="only this machine is allowed"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


def test_every_download_has_its_hash():
    from d2lrnn.data import corpora, datasets

    known = [corpora.TIME_MACHINE_HASH, corpora.SHAKESPEARE_HASH, datasets.FRA_ENG_HASH]
    lengths = {"sha1": 40, "sha256": 64}
    for entry in [*known, *datasets.MNIST_HASHES.values()]:
        kind, _, digits = entry.partition(":")
        assert len(digits) == lengths[kind]
        assert set(digits) <= set("0123456789abcdef")


def test_a_process_without_a_home_or_a_cache_still_trains(backend, tmp_path, monkeypatch):
    for variable in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, os.fspath(tmp_path / "nowhere"))
    said = run(IMPORT, backend).split()
    assert said[1] == "1.0986"
