"""Which notebook runs on which backend, and the line of a notebook that chooses the backend.

This module does not need Jupyter; build.py, student.py and tests/notebooks use it.
"""

from __future__ import annotations

import re
from pathlib import Path

from d2lrnn.backends import BACKENDS

FOLDER = Path(__file__).resolve().parent
REPOSITORY = "d2lrnn/d2lrnn"  # on GitHub, where Colab fetches notebooks from
BUILT_ON = "torch"  # the backend of the committed outputs, and of the line
LINE = "from d2lrnn import torch as rnn  # or tensorflow, jax, mxnet, numpy"

# In the order of reading. Beside each is what .ci/run tries: every notebook on two backends, every
# backend on four notebooks or more. tox -e notebooks-all tries all of them.
SAMPLE = {
    "01-hidden-states": ("numpy", "jax"),
    "02-text-to-minibatches": ("torch", "mxnet"),
    "03-rnn-from-scratch": ("numpy", "tensorflow"),
    "04-rnn-concise": ("tensorflow", "mxnet"),
    "05-bptt-by-hand": ("torch", "jax"),
    "06-gru": ("numpy", "mxnet"),
    "07-lstm": ("torch", "tensorflow"),
    "08-deep-and-bidirectional": ("jax", "mxnet"),
    "09-five-kinds-of-input-and-output": ("numpy", "torch"),
    "10-how-low-can-perplexity-go": ("numpy", "tensorflow"),
    "11-five-frameworks-one-network": ("torch", "mxnet"),
    "12-from-textbook-to-fast": ("torch", "jax"),
    "13-minimal-character-model": ("numpy", "jax"),
    "14-from-one-machine-to-many": ("numpy", "torch"),
    "15-recurrence-in-parallel": ("torch", "mxnet"),
    "16-state-space-models": ("numpy", "tensorflow"),
}

# Backends that a notebook cannot use, and the reason.
NOT_ON = {
    "04-rnn-concise": {"numpy": "NumPy does not have recurrent layers"},
}


def names() -> list[str]:
    """Return the names of the existing notebooks, in the order of reading."""
    return [name for name in SAMPLE if script(name).exists()]


def script(name: str) -> Path:
    """Return the path of a notebook's percent script."""
    return FOLDER / f"{name}.py"


def backends_of(name: str) -> list[str]:
    """Return the backends that a notebook runs on."""
    return [backend for backend in BACKENDS if backend not in NOT_ON.get(name, {})]


def on_backend(source: str, backend: str) -> str:
    """Return a notebook's script with its one line changed to another backend.

    Raises:
        ValueError: the line does not occur exactly once, or another line imports a backend as rnn.
    """
    lines = source.splitlines()
    found = [line for line in lines if re.search(r"\bas rnn\b", line)]
    if found != [LINE]:
        raise ValueError(f"the backend is chosen by {found}; expected one line: {LINE}")
    return source.replace(LINE, f"from d2lrnn import {backend} as rnn")
