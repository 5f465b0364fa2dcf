"""Checks before several processes train one net: all that affects the result must be equal."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from d2lrnn.data import reading
from d2lrnn.files.atomic import StrPath
from d2lrnn.nets import group
from d2lrnn.training.run import Run


def check_run(run: Run, path: StrPath | None, num_epochs: int) -> None:
    """Check that the run of a language model starts from the same facts in all processes.

    Raises:
        ValueError: texts, seeds, settings, versions or checkpoints differ.
    """
    processes = group.group_of(run.net)
    if processes.size > 1:
        facts = {**run.described(), **run.versions(), "num_epochs": num_epochs}
        vocab = run.vocab
        facts["vocabulary"] = group.digest([[vocab.token, *vocab.idx_to_token, str(vocab.unk)]])
        facts["checkpoint"] = _stands_for(path)
        processes.check_same(**facts, **_drawn(run.net, run.rng))


def check_minibatch(net: Any, X: Any, Y: Any) -> None:
    """Check that a minibatch is the same in all processes before each takes its share of the rows.

    Raises:
        ValueError: the minibatches differ.
    """
    processes = group.group_of(net)
    if processes.size > 1:
        sums = [group.checksum(net.tensors.to_numpy(ids)) for ids in (X, Y)]
        processes.check_same(first_minibatch=f"of checksums {sums}")


def check_sequences(net: Any, train_iter: Any, settings: Mapping[str, Any]) -> None:
    """Check that the training of a net over sequences starts from the same facts everywhere.

    Raises:
        ValueError: examples, seeds, settings or versions differ.
    """
    processes = group.group_of(net)
    if processes.size > 1:
        rng = getattr(getattr(train_iter, "rng", None), "bit_generator", None)
        run = Run(net, None, None, None, None, {})
        facts = {**settings, **run.versions(), "batch_size": getattr(train_iter, "batch_size", "")}
        facts["examples"] = group.digest(getattr(train_iter, "arrays", []))
        processes.check_same(**facts, **_drawn(net, rng))


def _drawn(net: Any, rng: Any) -> dict[str, Any]:
    """Return digests of the parameters and of the minibatches' random generator."""
    layer_arrays: list[Any] = net.own_arrays() if hasattr(net, "own_arrays") else []
    return {
        "first_parameters": group.digest([*net.arrays(), *layer_arrays]),
        "generator_of_the_minibatches": rng and group.digest([str(rng.state)]),
    }


def _stands_for(path: StrPath | None) -> str:
    """Return a digest of the content of a file, or a text if there is no file."""
    if path is None:
        return "not used"
    if not os.path.exists(path):
        return f"absent from {path}"
    return group.digest([reading.content(path)])
