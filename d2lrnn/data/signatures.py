"""How the functions that load texts are called, for editors and type checkers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from d2lrnn.data.batches import Ids, Minibatch, SeqDataLoader
from d2lrnn.data.grammar import GrammarLoader
from d2lrnn.data.text import Vocab

# Protocols only: what each means is said where it is defined, in loaders.py and batches.py.
# ruff: noqa: D102


class LoadData(Protocol):
    """As load_data_time_machine."""

    def __call__(
        self,
        batch_size: int,
        num_steps: int,
        use_random_iter: bool = False,
        max_tokens: int | None = 10000,
        *,
        token: str = "char",
        seed: int | None = None,
    ) -> tuple[SeqDataLoader, Vocab]: ...


class LoadText(Protocol):
    """As load_data_text."""

    def __call__(
        self,
        path: str | os.PathLike[str],
        batch_size: int,
        num_steps: int,
        use_random_iter: bool = False,
        max_tokens: int | None = None,
        *,
        token: str = "char",
        seed: int | None = None,
    ) -> tuple[SeqDataLoader, Vocab]: ...


class LoadGrammar(Protocol):
    """As load_data_grammar."""

    def __call__(
        self,
        batch_size: int,
        num_steps: int,
        use_random_iter: bool = False,
        max_tokens: int = 10000,
        *,
        token: str = "char",
        seed: int | None = None,
    ) -> tuple[GrammarLoader, Vocab]: ...


class DataIter(Protocol):
    """As seq_data_iter_random and seq_data_iter_sequential."""

    __name__: str

    def __call__(
        self, corpus: Sequence[int] | Ids, batch_size: int, num_steps: int, *, seed: Any = None
    ) -> Iterator[Minibatch]: ...
