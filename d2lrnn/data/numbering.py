"""Number and count the tokens of a long text in blocks, to save memory."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

Ids = np.ndarray[Any, Any]

BLOCK = 2**20  # characters per block


def words(
    lines: Iterable[str],
    max_tokens: int | None,
    split: Callable[[str], list[str]] = str.split,
) -> tuple[list[Ids], dict[str, int]]:
    """Return the words of a text as numbers, in order of first appearance, and the count of each.

    ``split`` divides a part of the text, which ends between two words, into words.
    Words beyond max_tokens are counted, but their numbers are not returned (apart from the rest of
    a block).
    """
    numbers: dict[str, int] = collections.defaultdict(itertools.count().__next__)
    blocks: list[Ids] = []
    counts, length = np.zeros(0, np.int64), 0
    for block in _blocks(lines, "\n"):
        words = split(block)
        ids = np.fromiter(map(numbers.__getitem__, words), np.int32, len(words))
        totals = np.bincount(ids, minlength=len(numbers))
        totals[: len(counts)] += counts
        counts = totals
        if max_tokens is None or length < max_tokens:
            blocks.append(ids)
            length += len(ids)
    return blocks, dict(zip(numbers, counts.tolist(), strict=True))


def characters(lines: Iterable[str], max_tokens: int | None) -> tuple[list[Ids], dict[str, int]]:
    """Do what ``words`` does for the characters of a text."""
    numbers: Ids = np.zeros(0, np.int32)  # from 1, by code point
    counts: Ids = np.zeros(0, np.int64)
    codes_in_order: list[int] = []
    blocks: list[Ids] = []
    length = 0
    for block in _blocks(lines, ""):
        codes = np.frombuffer(block.encode("utf-32-le", "surrogatepass"), "<u4")
        top = max(len(counts), int(codes.max(initial=0)) + 1)
        numbers, counts = (np.pad(a, (0, top - len(a))) for a in (numbers, counts))
        counts += np.bincount(codes, minlength=top)
        new = np.flatnonzero((counts > 0) & (numbers == 0))
        if len(new):
            places = np.zeros(top, np.intp)
            places[codes[::-1]] = np.arange(len(codes))[::-1]  # the first place is written last
            codes_in_order += new[np.argsort(places[new])].tolist()
            numbers[codes_in_order] = np.arange(1, len(codes_in_order) + 1)
        if max_tokens is None or length < max_tokens:
            dtype = np.min_scalar_type(len(codes_in_order))  # one byte for most texts
            blocks.append((numbers[codes] - 1).astype(dtype))
            length += len(codes)
    return blocks, {chr(code): int(counts[code]) for code in codes_in_order}


def _blocks(lines: Iterable[str], between: str) -> Iterator[str]:
    """Yield the joined lines in blocks of about a million characters.

    Longer lines are divided, but only if ``between``, the string that joins the lines, is empty.
    """
    together: list[str] = []
    size = 0
    for line in lines:
        start = 0
        while not between and len(line) - start > BLOCK:
            yield "".join([*together, line[start : start + BLOCK]])
            together, size, start = [], 0, start + BLOCK
        together.append(line[start:])
        size += len(line) - start
        if size >= BLOCK:
            yield between.join(together)
            together, size = [], 0
    yield between.join(together)


def num_held_out(length: int, share: float) -> int:
    """Return how many of the tokens are held out for validation."""
    return round(share * length)
