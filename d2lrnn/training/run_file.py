"""Checkpoints: training runs that can be stopped at any time and resumed bit for bit.

A checkpoint is a model file, as save_model writes it, that also holds the rest of the run: the
hidden state, the state of the optimizer, the progress of the epoch, the state of the minibatches'
random generator at the beginning of the epoch, the history, the settings and the versions. A new
checkpoint replaces the one before atomically.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from d2lrnn import __version__, backends, checks
from d2lrnn.files import json_text, model_file, tensor_file
from d2lrnn.files.model_file import RUN, CheckpointError, StrPath
from d2lrnn.nets import group, losses, schedules
from d2lrnn.training import threads
from d2lrnn.training.epoch import Epoch
from d2lrnn.training.history import perplexity_of

Arrays = dict[str, np.ndarray[Any, Any]]

# The keys of the run in a checkpoint's metadata, which are JSON.
KEYS = {"epoch", "rng", "history", "settings", "versions"}
KINDS = (
    "state",
    "memory",
    "own",
    "best",
    "best_own",
)  # the kinds of its tensors that are not parameters


@dataclass
class Run:
    """All that a training run consists of."""

    net: Any
    vocab: Any
    train_iter: Any
    step: Any
    history: Any
    settings: Mapping[str, Any]
    threads: int | None = None  # their number, if known; saved because it affects the last bits
    prefix: str | None = None  # the text that samples continue
    best: tuple[list[Any], list[Any]] | None = None  # arrays() and own_arrays() of the best epoch

    @property
    def rng(self) -> Any:
        """NumPy's generator from which the minibatches are drawn, or None."""
        return getattr(getattr(self.train_iter, "rng", None), "bit_generator", None)

    def check_rng(self) -> None:
        """Check that the state of the minibatches' random generator can be saved."""
        rng = getattr(self.train_iter, "rng", None)
        if rng is not None and self.rng is None:
            raise ValueError(
                f"train_iter.rng is a {type(rng).__name__}, whose state cannot be saved; draw with "
                "a numpy.random.Generator, or train without a checkpoint"
            )

    def described(self) -> dict[str, Any]:
        """Return the settings and data that must be the same when the run is resumed, as JSON."""
        data = self.train_iter
        names = [n for n in ("batch_size", "num_steps", "num_tokens") if hasattr(data, n)]
        facts = {name: getattr(data, name) for name in names}
        seed = getattr(data, "seed", data)
        if seed is None or isinstance(seed, (int, np.integer)):
            facts["seed"] = seed
        if self.corpus_digest is not None:
            facts["corpus"] = self.corpus_digest
        if forward_fn := getattr(self.net, "forward_fn", None):
            facts["forward"] = getattr(forward_fn, "__name__", type(forward_fn).__name__)
        if self.net.own_arrays():
            facts["layers"] = f"{self.backend.title}'s own"
        described: dict[str, Any] = json.loads(_json({**self.settings, **facts}))
        return described

    def for_generation(self) -> dict[str, str]:
        """Return the prefix that d2lrnn generate continues: by default, the start of the corpus."""
        if self.prefix is not None:
            return {"prefix": self.prefix}
        if self.corpus_digest is None:
            return {}
        start = np.asarray(self.train_iter.corpus[:10])
        if start.ndim != 1 or not ((start >= 0) & (start < len(self.vocab))).all():
            return {}  # a loader of another kind
        return {"prefix": str(self.vocab.join(self.vocab.to_tokens(start)))}

    @functools.cached_property
    def corpus_digest(self) -> str | None:
        """The first 16 digits of the SHA-256 of the corpus as 64-bit integers, computed once.

        None if the loader does not have a corpus of integer ids.
        """
        return digest_of(self.train_iter)

    def has_diverged(self, epoch: Epoch) -> bool:
        """Return whether the perplexity is infinite or NaN, so far or with the current parameters.

        The last update comes after the last loss and may have made the parameters unusable, so the
        loss of the last minibatch is computed again.
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
        """The record of the net's backend."""
        return backends.BACKENDS[self.net.ops.name]

    def versions(self) -> dict[str, str | None]:
        """Return the versions, the machine and the number of threads that compute the run."""
        number = {} if self.threads is None else {"threads": f"{self.threads}"}
        return {
            **number,
            "d2lrnn": __version__,
            "Python": platform.python_version(),
            "NumPy": np.__version__,
            self.backend.title: self.backend.version,
            "machine": platform.machine(),
        }


def digest_of(loader: Any) -> str | None:
    """Return the first 16 digits of the SHA-256 of a loader's corpus as 64-bit integers.

    None if the loader does not have a corpus of integer ids.
    """
    corpus, digest = np.asarray(getattr(loader, "corpus", None)), hashlib.sha256()
    if corpus.dtype.kind not in "iu":
        return None
    for start in range(0, len(corpus), 2**20):
        digest.update(np.ascontiguousarray(corpus[start : start + 2**20], dtype="<i8").data)
    return digest.hexdigest()[:16]


def validation_settings(validation: Any) -> dict[str, str]:
    """Return the settings of a run that describe its validation part, if there is one."""
    if validation is None:
        return {}
    sizes = (getattr(validation, name, "?") for name in ("batch_size", "num_steps"))
    words = " x ".join(str(size) for size in sizes)
    return {"validation": f"{digest_of(validation)}, minibatches of {words}"}


def regularization(**options: Any) -> dict[str, Any]:
    """Return the settings of a run that are not 0 or None; a schedule as a text.

    Older versions did not have them, and did not store them in a checkpoint.
    """
    return {
        name: schedules.described(value) if name == "schedule" else value
        for name, value in options.items()
        if value
    }


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
    return tensors, {**metadata, RUN: _json(about)}


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
    tokens = _json([vocab.token, vocab.idx_to_token, vocab.unk]).encode()
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


def _json(value: Any) -> str:
    """Return the JSON of values that may contain NumPy numbers and arrays."""
    return json.dumps(value, default=lambda array: array.tolist())
