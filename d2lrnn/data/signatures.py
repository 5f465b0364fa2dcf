"""The types of the functions that load a text: without validation they return one loader less."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol, overload

if TYPE_CHECKING:
    from d2lrnn.data.batches import SeqDataLoader
    from d2lrnn.data.grammar import GrammarLoader
    from d2lrnn.data.vocab import Vocab


class Load(Protocol):
    """A function that loads a text of the package, such as load_data_time_machine."""

    @overload
    def __call__(
        self,
        batch_size: int,
        num_steps: int,
        use_random_iter: bool = False,
        max_tokens: int | None = 10000,
        *,
        token: str = "char",
        seed: int | None = None,
        vocab: Vocab | None = None,
        validation: None = None,
        vocab_size: int | None = None,
    ) -> tuple[SeqDataLoader, Vocab]: ...

    @overload
    def __call__(
        self,
        batch_size: int,
        num_steps: int,
        use_random_iter: bool = False,
        max_tokens: int | None = 10000,
        *,
        token: str = "char",
        seed: int | None = None,
        vocab: Vocab | None = None,
        validation: float,
        vocab_size: int | None = None,
    ) -> tuple[SeqDataLoader, SeqDataLoader, Vocab]: ...


class LoadGrammar(Protocol):
    """The type of load_data_grammar, whose source has no byte-pair tokens."""

    @overload
    def __call__(
        self,
        batch_size: int,
        num_steps: int,
        use_random_iter: bool = False,
        max_tokens: int | None = 10000,
        *,
        token: str = "char",
        seed: int | None = None,
        vocab: Vocab | None = None,
        validation: None = None,
    ) -> tuple[GrammarLoader, Vocab]: ...

    @overload
    def __call__(
        self,
        batch_size: int,
        num_steps: int,
        use_random_iter: bool = False,
        max_tokens: int | None = 10000,
        *,
        token: str = "char",
        seed: int | None = None,
        vocab: Vocab | None = None,
        validation: float,
    ) -> tuple[GrammarLoader, SeqDataLoader, Vocab]: ...


class LoadText(Protocol):
    """The type of load_data_text."""

    @overload
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
        vocab: Vocab | None = None,
        validation: None = None,
        vocab_size: int | None = None,
        encoding: str = "utf-8",
    ) -> tuple[SeqDataLoader, Vocab]: ...

    @overload
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
        vocab: Vocab | None = None,
        validation: float,
        vocab_size: int | None = None,
        encoding: str = "utf-8",
    ) -> tuple[SeqDataLoader, SeqDataLoader, Vocab]: ...


class LoadString(Protocol):
    """The type of load_data_string."""

    @overload
    def __call__(
        self,
        text: str,
        batch_size: int,
        num_steps: int,
        use_random_iter: bool = False,
        max_tokens: int | None = None,
        *,
        token: str = "char",
        seed: int | None = None,
        vocab: Vocab | None = None,
        validation: None = None,
        vocab_size: int | None = None,
    ) -> tuple[SeqDataLoader, Vocab]: ...

    @overload
    def __call__(
        self,
        text: str,
        batch_size: int,
        num_steps: int,
        use_random_iter: bool = False,
        max_tokens: int | None = None,
        *,
        token: str = "char",
        seed: int | None = None,
        vocab: Vocab | None = None,
        validation: float,
        vocab_size: int | None = None,
    ) -> tuple[SeqDataLoader, SeqDataLoader, Vocab]: ...
