"""Checkpoints: training runs that can be stopped at any time and resumed bit for bit.

A checkpoint is a model file, as save_model writes it, that also holds the rest of the run: the
hidden state, the state of the optimizer, the progress of the epoch, the state of the minibatches'
random generator at the beginning of the epoch, the history, the settings and the versions. A new
checkpoint replaces the one before atomically.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from d2lrnn import backends, checks
from d2lrnn.files import json_text, model_file, tensor_file
from d2lrnn.files.model_file import RUN, CheckpointError, StrPath
from d2lrnn.nets import group
from d2lrnn.training import threads
from d2lrnn.training.epoch import Epoch
from d2lrnn.training.run import Run, as_json

Arrays = dict[str, np.ndarray[Any, Any]]

# The keys of the run in a checkpoint's metadata, which are JSON.
KEYS = {"epoch", "rng", "history", "settings", "versions"}
KINDS = ("state", "memory", "own", "best", "best_own")  # of its tensors besides the parameters


def pack(
    run: Run, epoch: Epoch, rng_state: Any
) -> tuple[dict[str, np.ndarray[Any, Any] | tensor_file.Later], dict[str, str]]:
    """Return a run as tensors, by name, and metadata."""
    tensors, metadata = model_file.describe(run.net, run.vocab, run.for_generation())
    to_numpy = run.net.tensors.to_numpy
    by_kind = {
        "state": {str(i): _joined(run, to_numpy(H)) for i, H in enumerate(epoch.state or ())},
        "memory": run.step.memory(),
        "own": _numbered(run.net.own_arrays()),
        "best": _numbered(run.best[0] if run.best else ()),
        "best_own": _numbered(run.best[1] if run.best else ()),
    }
    for kind, arrays in by_kind.items():
        tensors |= {f"{RUN}.{kind}.{name}": array for name, array in arrays.items()}
    about = {
        "epoch": epoch.numbers(),
        "rng": rng_state,
        "history": dataclasses.asdict(run.history),
        "settings": run.described(),
        "versions": run.versions(),
    }
    return tensors, {**metadata, RUN: as_json(about)}


def _numbered(arrays: Iterable[Any]) -> dict[str, Any]:
    """Return arrays by the names "0", "1", ...; see _in_order."""
    return {str(number): array for number, array in enumerate(arrays)}


def _joined(run: Run, rows: Any) -> Any:
    """Return the state of the rows of all processes, given that of this process's rows."""
    processes = group.group_of(run.net)
    num_rows = int(processes.sum(np.array([len(rows)], np.float32))[0])
    return processes.joined(rows, num_rows)


def load(path: StrPath, run: Run) -> Epoch:
    """Load a checkpoint into a run, and return the progress of its epoch.

    Raises:
        CheckpointError: the file is damaged, holds a model without a run, or belongs to another
            run; the net is unchanged.
        OSError: the file cannot be read.
    """
    tensors, metadata = model_file.read(path)
    with model_file.naming(path):
        if RUN not in metadata:
            raise ValueError("it is a model, not a training run; load it with load_model")
        arrays, vocab, settings = model_file.model_of(tensors, metadata)
        about = json_text.read(metadata[RUN])
        model_file.check_keys("run's keys", about, KEYS)
        by_kind = _tensors_by_kind(tensors)
    _check_same(path, _model(vocab, settings), _model_of(run))
    _check_same(path, about["settings"], _known_to(about["settings"], run.described()))
    with model_file.naming(path):
        model_file.check_keys("epoch's keys", about["epoch"], set(Epoch().numbers()))
        epoch = Epoch(**_checked(about["epoch"]), state=_state(run.net, by_kind["state"]))
        history = _history(about["history"])
        run.best = _best(run.net, by_kind)
        _set_rng(run.rng, about["rng"])
        run.step.load_memory(by_kind["memory"])
        run.net.load_exactly(list(arrays.values()), _in_order("own", by_kind["own"]))
    model_file.warn_if_not_finite(path, arrays)
    vars(run.history).update(history)
    run.threads = threads.chosen() or _threads(about["versions"])
    _compare_versions(path, about["versions"], run.versions())
    return epoch


def _tensors_by_kind(tensors: Arrays) -> dict[str, Arrays]:
    """Return the tensors that are not parameters by kind and name."""
    by_kind: dict[str, Arrays] = {kind: {} for kind in KINDS}
    for name, array in tensors.items():
        start, _, rest = name.partition(".")
        if start != RUN:
            continue
        kind, _, own_name = rest.partition(".")
        model_file.check_keys("tensors", {kind}, set(), optional=KINDS)
        by_kind[kind][own_name] = array
    return by_kind


def _in_order(kind: str, arrays: Arrays) -> list[Any]:
    """Return arrays named "0", "1", ... as a list in that order."""
    names = [str(number) for number in range(len(arrays))]
    model_file.check_keys(f"tensors {RUN}.{kind}", arrays, set(names))
    return [arrays[name] for name in names]


def _state(net: Any, arrays: Arrays) -> Any:
    if not arrays:
        return None
    settings = {"dtype": net.dtype, "device": net.device}
    rows = [group.group_of(net).share(array) for array in _in_order("state", arrays)]
    state = tuple(net.tensors.from_numpy(array, **settings) for array in rows)
    net.check_state(state, state[0].shape[0])
    return state


def _best(net: Any, by_kind: dict[str, Arrays]) -> tuple[list[Any], list[Any]] | None:
    """Return the parameters of the best epoch, if the file holds them."""
    best, best_own = (_in_order(kind, by_kind[kind]) for kind in ("best", "best_own"))
    if not best:
        return None
    return checks.same_shapes(best, net.arrays()), checks.same_shapes(best_own, net.own_arrays())


def _threads(versions: Mapping[str, Any]) -> int | None:
    """Return the number of threads that computed a run, or None if its file does not state it."""
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
    """Return the numbers of an epoch from a file after checking that they are in range."""
    whole = {name: numbers[name] for name in ("num_minibatches", "num_tokens")}
    checks.size(number=numbers["number"])
    checks.count(**whole)
    checks.not_negative(total_loss=numbers["total_loss"], seconds=numbers["seconds"])
    if max(numbers["number"], *whole.values()) >= 2**63:
        raise ValueError(f"the epoch's numbers are {numbers}; expected numbers below 2**63")
    return numbers


def _history(values: dict[str, Any]) -> dict[str, Any]:
    required = {"perplexity", "speed", "samples", "floor"}
    model_file.check_keys("history's keys", values, required, optional=("validation",))
    for name in ("perplexity", "speed", "validation"):
        if not all(type(value) in (int, float) for value in values.get(name, ())):
            raise ValueError(f"the history's {name} is not a list of numbers")
    if not all(isinstance(text, str) and type(epoch) is int for epoch, text in values["samples"]):
        raise ValueError("the history's samples are not pairs of an epoch and a text")
    return {**values, "samples": [tuple(sample) for sample in values["samples"]]}


def _model_of(run: Run) -> dict[str, Any]:
    _, metadata = model_file.describe(run.net, run.vocab, {})
    return _model(run.vocab, json.loads(metadata["settings"]))


def _model(vocab: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a net and a digest of its vocabulary, for comparison."""
    settings = {name: value for name, value in settings.items() if name != "prefix"}
    tokens = as_json([vocab.token, vocab.idx_to_token, vocab.unk]).encode()
    digest = hashlib.sha256(tokens).hexdigest()[:16]
    return {**settings, "vocabulary": f"{len(vocab)} tokens ({digest})"}


def _check_same(path: StrPath, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    for name in sorted({*there, *here}):
        saved, current = (side.get(name, "nothing") for side in (there, here))
        if saved != current:
            raise CheckpointError(
                f"{path} belongs to another run: {name} is {saved} there, {current} here; "
                f"use the arguments of that run{_more(name)}, or save this run in another file"
            )


def _more(name: str) -> str:
    """Return what else an argument depends on that must be as before."""
    if name != "schedule":
        return ""
    return (
        ", with num_epochs (--epochs) as before if the schedule is given by name, which depends on "
        "it; a schedule that does not depend on it is a function or 'constant'"
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
    """Warn if the versions differ, because the last bits of the parameters may then differ."""
    pairs = {"backend": (_backend_in(there), _backend_in(here))}
    pairs |= {name: (there[name], here[name]) for name in sorted({*there} & {*here})}
    changed = [
        f"{name} {saved} there, {current} here"
        for name, (saved, current) in pairs.items()
        if saved != current
    ]
    if changed:
        checks.warn(
            f"{path} was written under other conditions ({'; '.join(changed)}): "
            "the parameters may differ in their last bits from those of an uninterrupted run"
        )


def _backend_in(versions: Mapping[str, Any]) -> str:
    """Return the title of the backend in a run's versions, which always contain NumPy as well."""
    titles = [backend.title for backend in backends.BACKENDS.values() if backend.title in versions]
    return next((title for title in titles if title != "NumPy"), "NumPy")
