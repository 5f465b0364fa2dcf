"""Kill a training run at random moments, let it go on each time, and compare how it ends.

    python tests/faults/killed.py BACKEND FOLDER KILLS

The framework is imported once; each run is a fork made before anything is computed. What came of it
is printed as JSON; the first thing that is not as it should be is an error.
"""

import contextlib
import io
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

import numpy as np

from d2lrnn import backends
from d2lrnn.data import corpora
from d2lrnn.files import model_file, tensor_file
from d2lrnn.nets import build, cells

NUM_EPOCHS = 4  # of 7 minibatches each, with a checkpoint after every minibatch
# Every second run is of the framework's own layers, where there are some.
KINDS = (("lstm", False), ("gru_reset_after", True), ("rnn", False), ("lstm", True))


def train(rnn, kind, path, began):
    """Train to the end, from the checkpoint if there is one; write a byte for every tensor made."""
    cell, concise = kind
    text = "".join(corpora.read_builtin())[:240]
    vocab = rnn.Vocab(text)
    loader = rnn.SeqDataLoader(vocab[list(text)], 4, 8, seed=1)
    to_tensor = loader.to_tensor

    def noted(ids):
        os.write(began, b".")
        return to_tensor(ids)

    loader.to_tensor = noted
    make = build.concise_net if concise else build.new_net
    net = make(rnn, cells.Architecture(cell), len(vocab), 16, seed=0)
    settings = {"optimizer": "adam", "prefix": text[:5], "sample_every": 2, "progress": False}
    settings |= {"checkpoint": path, "every": 1, "resume": True}
    with contextlib.redirect_stdout(io.StringIO()):  # the samples
        rnn.train_ch8(net, loader, vocab, 0.01, NUM_EPOCHS, **settings)


def start(rnn, kind, path):
    """Return the process of a run, and the pipe that it writes to as it goes."""
    reads, writes = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writes)
        return pid, reads
    status = 1
    try:
        os.close(reads)
        train(rnn, kind, path, writes)
        status = 0
    except BaseException:
        traceback.print_exc()
    os._exit(status)


def kill(pid, pipe, rng):
    """Kill a run at a random moment, and return how it ended: by the signal, or before it."""
    if rng.random() < 0.1:
        time.sleep(rng.uniform(0, 1))  # most likely before the first minibatch
    else:
        for _ in range(rng.integers(3, 20)):
            os.read(pipe, 1)
        time.sleep(rng.uniform(0, 0.005))  # somewhere in a minibatch or a checkpoint
    os.kill(pid, signal.SIGKILL)
    return ended(pid, pipe)


def ended(pid, pipe):
    while os.read(pipe, 1000):
        pass
    os.close(pipe)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def outcome(path):
    """Return everything that must be equal bit for bit: all values except measured times."""
    tensors, metadata = tensor_file.unpack(path)
    about = json.loads(metadata["training"])
    del about["epoch"]["seconds"], about["history"]["speed"]
    bits = {name: (array.dtype.name, array.tobytes()) for name, array in tensors.items()}
    return bits, about, metadata["vocab"], metadata["settings"]


def main(name, folder, kills):
    rnn, rng = backends.load(name), np.random.default_rng(0)
    kinds = [kind for kind in KINDS if hasattr(rnn, "RNNModel") or not kind[1]]
    expected = {}
    for number, kind in enumerate(kinds):
        path = Path(folder) / f"expected{number}"
        assert ended(*start(rnn, kind, path)) == 0
        expected[kind] = outcome(path)
    told = {"killed": 0, "strays": 0, "before the first checkpoint": 0, "compared": 0}
    runs = 0
    while told["killed"] < kills or runs == 0:
        path, kind, status = Path(folder) / f"run{runs}", kinds[runs % len(kinds)], None
        while status != 0:
            alive = start(rnn, kind, path)
            status = kill(*alive, rng) if told["killed"] < kills else ended(*alive)
            assert status in (0, -signal.SIGKILL), f"{kind} ended with {status}"
            told["killed"] += status == -signal.SIGKILL
            told["strays"] += bool(list(Path(folder).glob(".d2lrnn.*.tmp")))
            if path.exists():
                model_file.read(path)
            else:
                told["before the first checkpoint"] += 1
        assert outcome(path) == expected[kind], f"{kind}: the resumed run is another"
        assert not list(Path(folder).glob(".d2lrnn.*")), "a temporary file is left"
        told["compared"] += 1
        print(told, file=sys.stderr, flush=True)
        runs += 1
    print(json.dumps(told))


if __name__ == "__main__":
    backends.prepare()
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
