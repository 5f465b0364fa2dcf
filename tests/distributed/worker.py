"""Train a few small nets, in float64, in as many processes as this was started in.

    d2lrnn launch --processes 2 --backend BACKEND -- tests/distributed/worker.py BACKEND FOLDER

With "product" after FOLDER it trains every cell with every optimizer, sequential and random. Rank 0
writes what came of it to FOLDER: the parameters by case, and what was said of processes that had
been given something else than the others.
"""

import itertools
import json
import sys
from pathlib import Path

import numpy as np

from d2lrnn import backends
from d2lrnn.data import corpora
from d2lrnn.nets import build, cells
from d2lrnn.training import run
from d2lrnn.training.keeper import Keeper

LR = {"sgd": 1.0, "adagrad": 0.1, "adam": 0.001}
# Adagrad divides by the root of what may be nearly 0, which multiplies rounding by its rate: in an
# LSTM, at 0.1, to more than the bound.
LR_OF = {("lstm", "adagrad"): 0.01}
# cell, optimizer, whether sampled at random, rows of a minibatch
CASES = [
    ("rnn", "sgd", False, 8),
    ("gru", "adagrad", True, 8),
    ("lstm", "adam", False, 8),
    ("rnn", "adam", True, 8),
    ("gru", "sgd", False, 7),
    ("lstm", "sgd", True, 8),
    ("leaky", "sgd", False, 8),
    ("embedded", "sgd", False, 8),
    ("mamba", "sgd", True, 8),
]
# Every cell, optimizer and way of sampling.
PRODUCT = [(*case, 8) for case in itertools.product(("rnn", "gru", "lstm"), LR, (False, True))]
NUM_STEPS, UPDATES = 6, 100


def architecture_of(rnn, cell):
    """Return the architecture of a built-in cell, of a GRU of embeddings, or of the cell leaky."""
    if cell == "embedded":
        return cells.Architecture("gru", embedding=5)
    if cell != "leaky":
        return cells.Architecture(cell)

    def leaky(X, H, p):
        return 0.5 * H + rnn.tanh(X @ p.W_xh + H @ p.W_hh + p.b_h)

    params = {"W_xh": ("d", "h"), "W_hh": ("h", "h"), "b_h": ("h",)}
    return cells.Architecture("leaky", custom=rnn.new_cell(leaky, params).kind)


def name_of(case):
    """Return the name of a case; cases of one name differ in their rows."""
    cell, optimizer, random, batch_size = case
    return f"{cell}-{optimizer}-{'random' if random else 'sequential'}-{batch_size}"


def data(rnn, random=False, batch_size=8, seed=1, skipped=0):
    """A loader of 20 minibatches an epoch, and its Vocab."""
    text = "".join(corpora.read_builtin())
    vocab = rnn.Vocab(text)
    length = 20 * batch_size * NUM_STEPS + NUM_STEPS
    ids = vocab[list(text[skipped : skipped + length])]
    return rnn.SeqDataLoader(ids, batch_size, NUM_STEPS, random, seed=seed), vocab


def language_model(rnn, case, dtype="float64", text=None, num_epochs=None, **other):
    """Train a language model for 100 updates; return it and its history."""
    cell, optimizer, random, batch_size = case
    loader, vocab = data(rnn, random, batch_size, **(text or {}))
    net = build.new_net(rnn, architecture_of(rnn, cell), len(vocab), 8, seed=0, dtype=dtype)
    settings = {"optimizer": optimizer, "theta": 0.5, "use_random_iter": random, **other}
    epochs = num_epochs or UPDATES // len(loader)
    lr = LR_OF.get((cell, optimizer), LR[optimizer])
    history = rnn.train_ch8(net, loader, vocab, lr, epochs, progress=False, **settings)
    return net, history


def regularized(rnn):
    """Train two layers with regularization, a held-out part and early stopping."""
    loader, vocab = data(rnn)
    ids = data(rnn, skipped=2000)[0].corpus[:300]
    held_out = rnn.SeqDataLoader(ids, 5, NUM_STEPS, shuffle=False)
    settings = {"seed": 0, "dtype": "float64"}
    net = build.new_net(rnn, cells.Architecture("gru", 2), len(vocab), 8, **settings)
    options = {"momentum": 0.5, "weight_decay": 0.001, "schedule": "warmup-cosine"}
    options |= {"dropout": 0.2, "validation": held_out, "patience": 3, "keep": "best"}
    return net, rnn.train_ch8(net, loader, vocab, 1.0, 5, theta=0.5, progress=False, **options)


def tagger(rnn):
    """Train a tagger on sequences of different lengths; return it and its scores."""
    rng = np.random.default_rng(0)
    valid = rng.integers(1, 7, 30)
    X, Y = rng.integers(5, size=(30, 6)), rng.integers(3, size=(30, 6))
    settings = {"cell": "gru", "seed": 0, "dtype": "float64"}
    net = rnn.SequenceTaggerScratch(5, 8, 3, **settings)
    loader = rnn.BatchLoader(X, Y, valid, batch_size=6, seed=2)
    return net, rnn.train_sequences(net, loader, 0.001, 20, theta=0.5, progress=False)


def refusals(rnn, folder):
    """Return the messages for ranks with different arguments, and for too few rows."""
    rank = rnn.processes().rank
    versions = run.Run.versions

    def other(self):
        return {**versions(self), "NumPy": f"1.{rank}"}

    def with_another_version():
        run.Run.versions = other
        try:
            language_model(rnn, CASES[0])
        finally:
            run.Run.versions = versions

    def with_another_checkpoint():
        files = [Path(folder) / "one.safetensors", Path(folder) / "two.safetensors"]
        for num_epochs, file in enumerate(files, 1):
            language_model(rnn, CASES[0], num_epochs=num_epochs, checkpoint=file)
        rnn.processes().gather("written")
        language_model(rnn, CASES[0], checkpoint=files[rank], resume=True)

    attempts = {
        "seed": lambda: language_model(rnn, CASES[0], text={"seed": 1 + rank}),
        "text": lambda: language_model(rnn, CASES[0], text={"skipped": rank}),
        "version": with_another_version,
        "checkpoint": with_another_checkpoint,
        "rows": lambda: language_model(rnn, ("rnn", "sgd", False, 1)),
    }
    return {name: _refused(attempt) for name, attempt in attempts.items()}


def saves_by_time(rnn, folder):
    """After which minibatches each process saves its part, where only the clock of rank 0 runs."""
    processes, numbers = rnn.processes(), []
    save, clock = Keeper.save, Keeper.clock

    def noted(keeper):
        numbers.append(20 * (keeper.epoch.number - 1) + keeper.epoch.num_minibatches)
        return save(keeper)

    Keeper.save = noted
    Keeper.clock = staticmethod(itertools.count().__next__ if processes.rank == 0 else int)
    try:
        settings = {"checkpoint": Path(folder) / "late.safetensors", "every": 10**6}
        language_model(rnn, CASES[0], num_epochs=4, **settings)
    finally:
        Keeper.save, Keeper.clock = save, staticmethod(clock)
    return [json.loads(told) for told in processes.gather(json.dumps(numbers))]


def _refused(attempt):
    try:
        attempt()
    except ValueError as error:
        return str(error)
    return "nothing"


def main(name, folder, which=""):
    rnn = backends.load(name)
    processes = rnn.processes()
    arrays, seen = {}, {}
    some = CASES[:2] if processes.size > 2 else CASES
    for case in PRODUCT if which == "product" else some:
        net, history = language_model(rnn, case)
        arrays |= {f"{name_of(case)}:{i}": array for i, array in enumerate(net.arrays())}
        seen[name_of(case)] = history.perplexity
    if processes.size < 4:
        net, history = language_model(rnn, CASES[0], segment=2)
        arrays |= {f"segments:{i}": array for i, array in enumerate(net.arrays())}
        seen["segments"] = history.perplexity
    net, history = regularized(rnn)
    arrays |= {f"regularized:{i}": array for i, array in enumerate(net.arrays())}
    seen["regularized"] = [*history.perplexity, *history.validation]
    net, scores = tagger(rnn)
    arrays |= {f"tagger:{i}": array for i, array in enumerate(net.arrays())}
    seen["tagger"] = scores.loss
    told = {"rank": processes.rank, "size": processes.size, "seen": seen}
    if processes.size < 4:
        net, history = language_model(rnn, CASES[0], dtype="float32")
        seen["float32"] = history.perplexity
        told["dtypes"] = sorted({array.dtype.name for array in net.arrays()})
    told["refused"] = refusals(rnn, folder) if processes.size == 2 else {}
    told["saves"] = saves_by_time(rnn, folder) if processes.size == 2 else []
    if processes.rank == 0:
        np.savez(Path(folder) / "arrays.npz", **arrays)
        (Path(folder) / "told.json").write_text(json.dumps(told))


if __name__ == "__main__":
    backends.prepare()
    main(*sys.argv[1:])
