"""A training run that can be stopped anywhere, by anything, and goes on bit for bit.

A checkpoint is a model file, as save_model writes them, with the rest of the run in it: the state,
the optimizer's memory, how far the epoch has come, the generator of the minibatches as it was when
the epoch began, the history, the settings and the versions. It replaces the one before in one go.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from d2lrnn import __version__, backends, checks
from d2lrnn.files import json_text, model_file, tensor_file
from d2lrnn.files.model_file import RUN, CheckpointError, StrPath
from d2lrnn.nets import group, losses
from d2lrnn.training import threads
from d2lrnn.training.epoch import Epoch
from d2lrnn.training.history import perplexity_of

Arrays = dict[str, np.ndarray[Any, Any]]

# What a checkpoint's metadata say of the run, as JSON.
KEYS = {"epoch", "rng", "history", "settings", "versions"}
KINDS = ("state", "memory", "own")  # what its tensors are, beside the parameters


@dataclass
class Run:
    """All that a training run consists of."""

    net: Any
    vocab: Any
    train_iter: Any
    step: Any
    history: Any
    settings: Mapping[str, Any]
    threads: int | None = None  # how many compute, where that is known; kept, for the same bits

    @property
    def rng(self) -> Any:
        """NumPy's generator that the minibatches are drawn with, or None where there is none."""
        return getattr(getattr(self.train_iter, "rng", None), "bit_generator", None)

    def check_rng(self) -> None:
        """Check that the generator of the minibatches is one that can be kept."""
        found = getattr(self.train_iter, "rng", None)
        if found is not None and self.rng is None:
            raise ValueError(
                f"train_iter.rng is a {type(found).__name__}, which cannot be kept; draw with a "
                "numpy.random.Generator, or train without a checkpoint"
            )

    def described(self) -> dict[str, Any]:
        """Return what must be the same when the run goes on: settings and data, as JSON has it."""
        data = self.train_iter
        names = [n for n in ("batch_size", "num_steps", "num_tokens") if hasattr(data, n)]
        known = {name: getattr(data, name) for name in names}
        seed = getattr(data, "seed", data)
        if seed is None or isinstance(seed, (int, np.integer)):
            known["seed"] = seed
        if self.corpus_digest is not None:
            known["corpus"] = self.corpus_digest
        if forward_fn := getattr(self.net, "forward_fn", None):
            known["forward"] = getattr(forward_fn, "__name__", type(forward_fn).__name__)
        if self.net.own_arrays():
            known["layers"] = f"{self.backend.title}'s own"
        described: dict[str, Any] = json.loads(_json({**self.settings, **known}))
        return described

    @functools.cached_property
    def corpus_digest(self) -> str | None:
        """The SHA-256 of the corpus, as integers of 64 bits; taken once, however long it is.

        None where there is no corpus of ids.
        """
        corpus, digest = np.asarray(getattr(self.train_iter, "corpus", None)), hashlib.sha256()
        if corpus.dtype.kind not in "iu":
            return None
        for start in range(0, len(corpus), 2**20):
            digest.update(np.ascontiguousarray(corpus[start : start + 2**20], dtype="<i8").data)
        return digest.hexdigest()[:16]

    def has_diverged(self, epoch: Epoch) -> bool:
        """Return whether its loss so far, or that of the net as it is now, has no perplexity.

        An update comes after the loss that it is made from, and may have spoiled everything; so the
        loss of the last minibatch is computed once more.
        """
        if not math.isfinite(epoch.loss):
            return True
        if epoch.minibatch is None:
            return False
        X, Y = map(self.net.tensors.to_numpy, epoch.minibatch)
        state = epoch.state
        if state is None or state[0].shape[0] != len(X):
            state = self.net.begin_state(len(X))
        with np.errstate(all="ignore"):
            outputs, _ = self.net.evaluate(X, state)
            loss, _ = losses.softmax(outputs, Y.T.reshape(-1))  # time-major
        return not math.isfinite(perplexity_of(loss))

    @property
    def backend(self) -> backends.Framework:
        """Whose net it is."""
        return backends.BACKENDS[self.net.ops.name]

    def versions(self) -> dict[str, str | None]:
        """Return what computes."""
        number = {} if self.threads is None else {"threads": f"{self.threads}"}
        return {
            **number,
            "d2lrnn": __version__,
            "Python": platform.python_version(),
            "NumPy": np.__version__,
            self.backend.title: self.backend.version,
            "machine": platform.machine(),
        }


def pack(
    run: Run, epoch: Epoch, rng_state: Any
) -> tuple[dict[str, np.ndarray[Any, Any] | tensor_file.Later], dict[str, str]]:
    """Return a run as tensors by name and metadata."""
    tensors, metadata = model_file.describe(run.net, run.vocab, {})
    to_numpy = run.net.tensors.to_numpy
    kept = {
        "state": {str(i): _joined(run, to_numpy(H)) for i, H in enumerate(epoch.state or ())},
        "memory": run.step.memory(),
        "own": {str(i): array for i, array in enumerate(run.net.own_arrays())},
    }
    for kind, arrays in kept.items():
        tensors |= {f"{RUN}.{kind}.{name}": array for name, array in arrays.items()}
    about = {
        "epoch": epoch.numbers(),
        "rng": rng_state,
        "history": dataclasses.asdict(run.history),
        "settings": run.described(),
        "versions": run.versions(),
    }
    return tensors, {**metadata, RUN: _json(about)}


def _joined(run: Run, own: Any) -> Any:
    """Return the state of all rows, of those of this process."""
    processes = group.of(run.net)
    num_rows = int(processes.sum(np.array([len(own)], np.float32))[0])
    return processes.joined(own, num_rows)


def load(path: StrPath, run: Run) -> Epoch:
    """Make a run what a file holds, and return how far its epoch has come.

    Raises:
        CheckpointError: the file is damaged, is a model without a run, or another run's; the net
            is as it was.
        OSError: the file cannot be read.
    """
    tensors, metadata = model_file.read(path)
    with model_file.naming(path):
        if RUN not in metadata:
            raise ValueError("it is a model, not a training run; go on from it with load_model")
        arrays, vocab, settings = model_file.model_of(tensors, metadata)
        about = json_text.read(metadata[RUN])
        model_file.check_keys("run's keys", about, KEYS)
        kept = _kept(tensors)
    _check_same(path, _model(vocab, settings), _model_of(run))
    _check_same(path, about["settings"], _known_to(about["settings"], run.described()))
    with model_file.naming(path):
        model_file.check_keys("epoch's keys", about["epoch"], set(Epoch().numbers()))
        epoch = Epoch(**_checked(about["epoch"]), state=_state(run.net, kept["state"]))
        history = _history(about["history"])
        _set_rng(run.rng, about["rng"])
        run.step.load_memory(kept["memory"])
        run.net.load_exactly(list(arrays.values()), _in_order("own", kept["own"]))
    model_file.warn_if_not_finite(path, arrays)
    vars(run.history).update(history)
    run.threads = threads.chosen() or _threads(about["versions"])
    _compare_versions(path, about["versions"], run.versions())
    return epoch


def _kept(tensors: Arrays) -> dict[str, Arrays]:
    """Return the tensors that are not parameters by kind and name."""
    kept: dict[str, Arrays] = {kind: {} for kind in KINDS}
    for name, array in tensors.items():
        start, _, rest = name.partition(".")
        if start != RUN:
            continue
        kind, _, own_name = rest.partition(".")
        model_file.check_keys("tensors", {kind}, set(), optional=KINDS)
        kept[kind][own_name] = array
    return kept


def _in_order(kind: str, arrays: Arrays) -> list[Any]:
    """Return arrays that are named by their numbers."""
    names = [str(number) for number in range(len(arrays))]
    model_file.check_keys(f"tensors {RUN}.{kind}", arrays, set(names))
    return [arrays[name] for name in names]


def _state(net: Any, arrays: Arrays) -> Any:
    if not arrays:
        return None
    settings = {"dtype": net.dtype, "device": net.device}
    own = [group.of(net).share(array) for array in _in_order("state", arrays)]
    state = tuple(net.tensors.from_numpy(array, **settings) for array in own)
    net.check_state(state, state[0].shape[0])
    return state


def _threads(versions: Mapping[str, Any]) -> int | None:
    """Return how many threads a run was computed with, or None where its file does not tell."""
    number = versions.get("threads", "")
    return int(number) if isinstance(number, str) and number.isdecimal() else None


def _set_rng(generator: Any, state: Any) -> None:
    if (generator is None) != (state is None):
        kinds = {True: "without a generator", False: "drawn by a generator"}
        raise ValueError(
            f"its minibatches are {kinds[state is None]}, those here {kinds[generator is None]}"
        )
    if generator is not None:
        generator.state = state


def _checked(numbers: dict[str, Any]) -> dict[str, Any]:
    """Return what a file says of an epoch, once it can be so."""
    whole = {name: numbers[name] for name in ("num_minibatches", "num_tokens")}
    checks.size(number=numbers["number"])
    checks.count(**whole)
    checks.not_negative(total_loss=numbers["total_loss"], seconds=numbers["seconds"])
    if max(numbers["number"], *whole.values()) >= 2**63:
        raise ValueError(f"the epoch's numbers are {numbers}; expected some below 2**63")
    return numbers


def _history(seen: dict[str, Any]) -> dict[str, Any]:
    model_file.check_keys("history's keys", seen, {"perplexity", "speed", "samples", "floor"})
    for name in ("perplexity", "speed"):
        if not all(type(value) in (int, float) for value in seen[name]):
            raise ValueError(f"the history's {name} is no list of numbers")
    if not all(isinstance(text, str) and type(epoch) is int for epoch, text in seen["samples"]):
        raise ValueError("the history's samples are no pairs of an epoch and a text")
    return {**seen, "samples": [tuple(sample) for sample in seen["samples"]]}


def _model_of(run: Run) -> dict[str, Any]:
    _, metadata = model_file.describe(run.net, run.vocab, {})
    return _model(run.vocab, json.loads(metadata["settings"]))


def _model(vocab: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a net is, for comparing."""
    tokens = _json([vocab.token, vocab.idx_to_token, vocab.unk]).encode()
    digest = hashlib.sha256(tokens).hexdigest()[:16]
    return {**settings, "vocabulary": f"{len(vocab)} tokens ({digest})"}


def _check_same(path: StrPath, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    for name in sorted({*there, *here}):
        kept, found = (side.get(name, "nothing") for side in (there, here))
        if kept != found:
            raise CheckpointError(
                f"{path} is of another run: {name} is {kept} there, {found} here; "
                "give what that run was given, or keep this one in another file"
            )


def _known_to(there: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without those that older versions did not store in a checkpoint.

    These are the seed, and the sizes of a loader of a grammar.
    """
    return {
        name: value
        for name, value in here.items()
        if name in there or name not in ("batch_size", "num_steps", "seed")
    }


def _compare_versions(path: StrPath, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """Warn where the promise of the same bits cannot be kept."""
    pairs = {"backend": (_backend_in(there), _backend_in(here))}
    pairs |= {name: (there[name], here[name]) for name in sorted({*there} & {*here})}
    changed = [
        f"{name} {kept} there, {own} here" for name, (kept, own) in pairs.items() if kept != own
    ]
    if changed:
        checks.warn(
            f"{path} was written under other conditions ({'; '.join(changed)}): "
            "the parameters may differ in their last bits from those of an uninterrupted run"
        )


def _backend_in(versions: Mapping[str, Any]) -> str:
    """Return the title of the backend that a run's versions name; NumPy stands in all of them."""
    titles = [backend.title for backend in backends.BACKENDS.values() if backend.title in versions]
    return next((title for title in titles if title != "NumPy"), "NumPy")


def _json(value: Any) -> str:
    """Return JSON of values that may hold NumPy's numbers and arrays."""
    return json.dumps(value, default=lambda array: array.tolist())
