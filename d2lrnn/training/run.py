"""All that a training run consists of, and the settings that identify it."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from d2lrnn import __version__, backends
from d2lrnn.nets import losses, schedules
from d2lrnn.training.epoch import Epoch
from d2lrnn.training.history import perplexity_of


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
        described: dict[str, Any] = json.loads(as_json({**self.settings, **facts}))
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


def as_json(value: Any) -> str:
    """Return the JSON of values that may contain NumPy numbers and arrays."""
    return json.dumps(value, default=lambda array: array.tolist())
