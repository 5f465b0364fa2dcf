"""The processes that train one net together: their ranks, their shares, what they must agree on.

An engine does one thing: it adds up a flat tensor over all processes. All else is made of that. A
process that puts numbers into its own part of zeros, for example, tells them to all the others.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from d2lrnn import processes

if TYPE_CHECKING:
    from d2lrnn.nets.ops import Ops

Array = np.ndarray[Any, Any]


class Group:
    """The processes that train together; one alone where nothing was started for more.

    ``rank`` is this one's number, from 0 to ``size`` - 1; ``local_rank`` its number on its machine.
    Rank 0 shows, saves and samples. ``wants_to_stop`` and ``wants_to_save`` may be set in any
    process; ``stops`` and ``saves`` are true in all of them once the next sum has told them so.
    """

    def __init__(self, ops: Ops | None = None, engine: Any = None) -> None:
        """Take an engine, with rank, size, local_rank and all_reduce, or none."""
        self.ops, self.engine = ops, engine
        self.rank: int = 0 if engine is None else engine.rank
        self.size: int = 1 if engine is None else engine.size
        self.local_rank: int = 0 if engine is None else engine.local_rank
        self.wants_to_stop = self.stops = False
        self.wants_to_save = self.saves = False
        if engine is not None:
            processes.limit_waiting(self.rank)

    def all_reduce(self, flat: Any) -> Any:
        """Return the sum, over all processes, of a flat tensor, which may be lost."""
        if self.engine is None:
            return flat
        with self.exchange():
            return self.engine.all_reduce(flat)

    @contextlib.contextmanager
    def exchange(self) -> Iterator[None]:
        """Wait for the other processes within the block; some engines wait when a sum is read.

        Raises:
            ConnectionError: another process is gone.
        """
        try:
            with processes.exchange:
                yield
        except Exception as error:  # each engine has its own, where another process is gone
            if type(error) is ConnectionError:  # of an exchange within this one
                raise
            raise ConnectionError(
                f"rank {self.rank} has lost another process ({_reason(error)})"
            ) from error

    def abandon(self) -> None:
        """Give up in the midst of training, in a way that the others do not wait for ever."""
        if hasattr(self.engine, "abandon"):
            self.engine.abandon()

    def sum(self, array: Array) -> Array:
        """Return the sum, over all processes, of a NumPy array of floats of one shape."""
        if self.ops is None or self.engine is None:
            return array
        tensors = self.ops.tensors
        flat = tensors.from_numpy(array.reshape(-1), dtype=array.dtype.name)
        with self.exchange():
            total: Array = tensors.to_numpy(self.all_reduce(flat)).reshape(array.shape)
        return total

    def gather(self, text: str) -> list[str]:
        """Return what each process says, in the order of their ranks."""
        own = np.frombuffer(text.encode(), np.uint8)
        lengths = np.zeros(self.size, np.float32)
        lengths[self.rank] = len(own)
        sizes = self.sum(lengths).astype(int)
        said = np.zeros((self.size, int(sizes.max())), np.float32)
        said[self.rank, : len(own)] = own
        rows = self.sum(said).astype(np.uint8)
        return [row[:size].tobytes().decode() for row, size in zip(rows, sizes, strict=True)]

    def rows(self, num_rows: int) -> slice:
        """Return which of the rows of a minibatch are this process's.

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
        """Return this process's rows of a tensor, array or list; all of them where it is alone."""
        return batch if self.size == 1 or batch is None else batch[self.rows(len(batch))]

    def joined(self, own: Array, num_rows: int) -> Array:
        """Return the rows of all processes, of whose rows these are this one's."""
        whole = np.zeros((num_rows, *own.shape[1:]), own.dtype)
        whole[self.rows(num_rows)] = own
        return self.sum(whole)

    def check_same(self, **facts: Any) -> None:
        """Check that each fact is the same in all processes.

        Raises:
            ValueError: one differs; in every process, with the same words.
        """
        if self.size == 1:
            return
        first, *others = ([line.split("\0") for line in s.split("\1")] for s in self._told(facts))
        for rank, other in enumerate(others, 1):
            for (name, here), (_, there) in zip(first, other):
                if here != there:
                    raise ValueError(
                        f"rank {rank} differs from rank 0: {name} is {here} on rank 0, {there} on "
                        f"rank {rank}; start every process with the same command, files, seeds "
                        "and versions"
                    )

    def _told(self, facts: Mapping[str, Any]) -> list[str]:
        lines = [f"{name.replace('_', ' ')}\0{value}" for name, value in sorted(facts.items())]
        return self.gather("\1".join(lines))


def _reason(error: Exception) -> str:
    """Return the first sentence of a framework's error, without places in its source code."""
    sentence, *_ = re.split(r"\. |\n", re.sub(r"\[[^][]*\.\w+:\d+\] ", "", f"{error}"))
    return sentence.rstrip(".") or type(error).__name__


ALONE = Group()


def of(net: Any) -> Group:
    """Return the processes that train a net; one alone for a net of nobody's backend."""
    ops = getattr(net, "ops", None)
    return ALONE if ops is None else ops.group


def digest(arrays: Iterable[Any]) -> str:
    """Return a few letters that stand for arrays: their dtypes, shapes and bytes."""
    import hashlib  # here: importing d2lrnn takes no time for it

    seen = hashlib.sha256()
    for array in map(np.asarray, arrays):
        seen.update(f"{array.dtype} {array.shape};".encode())
        seen.update(np.ascontiguousarray(array).tobytes())
    return seen.hexdigest()[:16]


def checksum(array: Any) -> int:
    """Return a number that stands for an array, quickly."""
    import zlib

    return zlib.crc32(np.ascontiguousarray(array).tobytes())
