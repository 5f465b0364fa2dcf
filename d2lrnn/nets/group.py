"""The group of processes that train one net: ranks, shares of the rows, checks of agreement.

An engine has one operation: the sum of a flat tensor over all processes (all-reduce). All other
operations use it. For example, a process sends numbers to all others by writing them into its own
part of a tensor of zeros, which is then summed.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from d2lrnn import processes

if TYPE_CHECKING:
    from d2lrnn.nets.ops import Ops

Array = np.ndarray[Any, Any]


class Group:
    """The processes that train one net; a single one unless several were started.

    ``rank`` is the number of this process, from 0 to ``size`` - 1, and ``local_rank`` its number on
    its machine. Rank 0 shows progress, saves and generates samples. Any process may set
    ``wants_to_stop`` and ``wants_to_save``; with the next sum, ``stops`` and ``saves`` become true
    in all processes.
    """

    def __init__(self, ops: Ops | None = None, engine: Any = None) -> None:
        """Store an engine, which has rank, size, local_rank and all_reduce, or None."""
        self.ops, self.engine = ops, engine
        self.rank: int = 0 if engine is None else engine.rank
        self.size: int = 1 if engine is None else engine.size
        self.local_rank: int = 0 if engine is None else engine.local_rank
        self.wants_to_stop = self.stops = False
        self.wants_to_save = self.saves = False
        self.num_rows = 0  # of the minibatch that was shared last
        if engine is not None:
            processes.limit_waiting(self.rank)

    def all_reduce(self, vector: Any) -> Any:
        """Return the sum, over all processes, of a flat tensor, which may be overwritten."""
        if self.engine is None:
            return vector
        with self.exchange():
            return self.engine.all_reduce(vector)

    @contextlib.contextmanager
    def exchange(self) -> Iterator[None]:
        """Turn any error of an exchange within the block into a ConnectionError.

        Within the block, this process may wait for the others. Read the sum within the block, too,
        because some engines wait only then.

        Raises:
            ConnectionError: another process has ended.
        """
        try:
            with processes.exchange:
                yield
        except Exception as error:  # each engine has its own errors for a process that has ended
            if type(error) is ConnectionError:  # raised by a nested exchange
                raise
            raise ConnectionError(
                f"rank {self.rank} has lost another process ({_reason(error)})"
            ) from error

    def abandon(self) -> None:
        """Leave the group during training, in a way that the others do not wait forever."""
        if hasattr(self.engine, "abandon"):
            self.engine.abandon()

    def sum(self, array: Array) -> Array:
        """Return the sum, over all processes, of a NumPy array of floats of one shape."""
        if self.ops is None or self.engine is None:
            return array
        tensors = self.ops.tensors
        vector = tensors.from_numpy(array.reshape(-1), dtype=array.dtype.name)
        with self.exchange():
            total: Array = tensors.to_numpy(self.all_reduce(vector)).reshape(array.shape)
        return total

    def gather(self, text: str) -> list[str]:
        """Return the texts of all processes, in the order of their ranks."""
        data = np.frombuffer(text.encode(), np.uint8)
        lengths = np.zeros(self.size, np.float32)
        lengths[self.rank] = len(data)
        sizes = self.sum(lengths).astype(int)
        texts = np.zeros((self.size, int(sizes.max())), np.float32)
        texts[self.rank, : len(data)] = data
        rows = self.sum(texts).astype(np.uint8)
        return [row[:size].tobytes().decode() for row, size in zip(rows, sizes, strict=True)]

    def rows(self, num_rows: int) -> slice:
        """Return this process's share of the rows of a minibatch.

        Raises:
            ValueError: there are fewer rows than processes.
        """
        if num_rows < self.size:
            raise ValueError(
                f"the minibatch has {num_rows} rows for {self.size} processes; expected one or "
                "more for each; take a larger batch_size or fewer processes"
            )
        start, end = (num_rows * rank // self.size for rank in (self.rank, self.rank + 1))
        return slice(start, end)

    def share(self, batch: Any) -> Any:
        """Return this process's rows of a tensor, array or list; all rows if it is the only one."""
        if self.size == 1 or batch is None:
            return batch
        self.num_rows = len(batch)
        return batch[self.rows(self.num_rows)]

    def joined(self, rows: Array, num_rows: int) -> Array:
        """Return the rows of all processes, given those of this process."""
        whole = np.zeros((num_rows, *rows.shape[1:]), rows.dtype)
        whole[self.rows(num_rows)] = rows
        return self.sum(whole)

    def check_same(self, **facts: Any) -> None:
        """Check that each fact is the same in all processes.

        Raises:
            ValueError: a fact differs; every process raises it with the same message.
        """
        if self.size == 1:
            return
        first, *others = (
            [line.split("\0") for line in s.split("\1")] for s in self._gather_lines(facts)
        )
        for rank, other in enumerate(others, 1):
            for (name, here), (_, there) in zip(first, other):
                if here != there:
                    raise ValueError(
                        f"rank {rank} differs from rank 0: {name} is {here} on rank 0, {there} on "
                        f"rank {rank}; start every process with the same command, files, seeds "
                        "and versions"
                    )

    def _gather_lines(self, facts: Mapping[str, Any]) -> list[str]:
        lines = [f"{name.replace('_', ' ')}\0{value}" for name, value in sorted(facts.items())]
        return self.gather("\1".join(lines))


def _reason(error: Exception) -> str:
    """Return the first sentence of a framework's error, without source file names and lines."""
    sentence, *_ = re.split(r"\. |\n", re.sub(r"\[[^][]*\.\w+:\d+\] ", "", f"{error}"))
    return sentence.rstrip(".") or type(error).__name__


ALONE = Group()


def group_of(net: Any) -> Group:
    """Return the group of processes that train a net; a single process for a net without ops."""
    ops = getattr(net, "ops", None)
    return ALONE if ops is None else ops.group


def for_backend(ops: Ops) -> dict[str, Callable[[], Group]]:
    """Return the function processes of a backend, by name."""

    def processes() -> Group:
        return ops.group

    return {"processes": processes}


def digest(arrays: Iterable[Any]) -> str:
    """Return the first 16 digits of the SHA-256 of arrays: of their dtypes, shapes and bytes."""
    import hashlib  # imported here, so that importing d2lrnn stays fast

    sha256 = hashlib.sha256()
    for array in map(np.asarray, arrays):
        sha256.update(f"{array.dtype} {array.shape};".encode())
        sha256.update(np.ascontiguousarray(array).tobytes())
    return sha256.hexdigest()[:16]


def checksum(array: Any) -> int:
    """Return the CRC-32 of an array, which is faster than digest."""
    import zlib

    return zlib.crc32(np.ascontiguousarray(array).tobytes())
