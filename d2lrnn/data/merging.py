"""The two loops of byte-pair encoding: learn merges from pieces of text, and apply them to one.

Both keep the tokens in a list with links to the neighbours and the candidates in a heap, so that a
merge costs what it changes and not a pass over the text.
"""

from __future__ import annotations

import collections
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence

Pair = tuple[int, int]
GONE = -1  # the token of a place that was merged into the one before; also: no neighbour


class _Links:
    """Tokens in a row, each with the places of its neighbours."""

    def __init__(self, pieces: Iterable[Sequence[int]]) -> None:
        """Link the tokens within each piece; pieces have no links between them."""
        self.tokens: list[int] = []
        self.after: list[int] = []
        self.before: list[int] = []
        for piece in pieces:
            start, stop = len(self.tokens), len(self.tokens) + len(piece)
            self.tokens += piece
            self.before += [GONE, *range(start, stop - 1)] if piece else []
            self.after += [*range(start + 1, stop), GONE] if piece else []

    def pair(self, place: int) -> Pair | None:
        """Return the token at a place and the one after it, or None at the end of a piece."""
        after = self.after[place]
        return None if after == GONE else (self.tokens[place], self.tokens[after])

    def merge(self, place: int, token: int) -> None:
        """Replace the token at a place and the one after it by one token."""
        gone = self.after[place]
        after = self.after[gone]
        self.tokens[place], self.tokens[gone] = token, GONE
        self.after[place], self.after[gone] = after, GONE
        if after != GONE:
            self.before[after] = place


def merge(ids: list[int], merges: Mapping[Pair, int]) -> list[int]:
    """Apply merges to the ids of a piece: always the one with the smallest id, from the left."""
    links = _Links([ids])
    heap: list[tuple[int, int, Pair]] = []

    def consider(place: int) -> None:
        pair = None if place == GONE else links.pair(place)
        if pair is not None and pair in merges:
            heapq.heappush(heap, (merges[pair], place, pair))

    for place in range(len(ids)):
        consider(place)
    while heap:
        token, place, pair = heapq.heappop(heap)
        if links.pair(place) == pair:
            links.merge(place, token)
            consider(links.before[place])
            consider(place)
    return [token for token in links.tokens if token != GONE]


def learn(pieces: Iterable[tuple[bytes, int]], ids: Iterable[int]) -> Iterator[tuple[Pair, int]]:
    """Yield the most frequent pair of neighbours and its new id, until ids or pairs run out.

    Args:
        pieces: bytes and how often they occur.
        ids: the ids that the merges get.
    """
    pairs = _Pairs([*pieces])
    for token in ids:
        pair = pairs.most_frequent()
        if pair is None:
            return
        pairs.merge(pair, token)
        yield pair, token


class _Pairs:
    """The pairs of neighbours in a text, how often each occurs, and where.

    Once a merge is done, the pairs that existed before it can only become less frequent, and the
    first place of each can only move to the right. So an entry of the heap is never too small a
    claim, and is brought up to date when it comes to the top.
    """

    def __init__(self, pieces: list[tuple[bytes, int]]) -> None:
        """Count the pairs."""
        self.links = _Links([*piece] for piece, _ in pieces)
        self.weights = [count for piece, count in pieces for _ in piece]
        self.counts: dict[Pair, int] = collections.defaultdict(int)
        self.places: dict[Pair, collections.deque[int]] = collections.defaultdict(collections.deque)
        for place in range(len(self.weights)):
            self._add(place)
        self.heap = [self._entry(pair) for pair in self.counts]
        heapq.heapify(self.heap)

    def _add(self, place: int) -> Pair | None:
        pair = self.links.pair(place)
        if pair is not None:
            self.counts[pair] += self.weights[place]
            self.places[pair].append(place)
        return pair

    def _entry(self, pair: Pair) -> tuple[int, int, Pair]:
        """Return the count, negated, and the first place of a pair, for the heap."""
        places = self.places[pair]
        while self.links.pair(places[0]) != pair:  # merged with something else since
            places.popleft()
        return -self.counts[pair], places[0], pair

    def most_frequent(self) -> Pair | None:
        """Return the pair that occurs most often, the first of those that occur equally often."""
        while self.heap:
            entry = heapq.heappop(self.heap)
            pair = entry[2]
            if self.counts.get(pair, 0) <= 0:
                continue
            current = self._entry(pair)
            if current == entry:
                return pair
            heapq.heappush(self.heap, current)
        return None

    def merge(self, pair: Pair, token: int) -> None:
        """Replace every occurrence of a pair by a token, from the left."""
        links = self.links
        changed: set[Pair] = set()
        for place in self.places.pop(pair):
            if links.pair(place) != pair:  # overlaps with the one before
                continue
            neighbours = [links.before[place], place, links.after[place]]
            for neighbour in neighbours:
                old = None if neighbour == GONE else links.pair(neighbour)
                if old is not None:
                    self.counts[old] -= self.weights[place]
            links.merge(place, token)
            for neighbour in neighbours[:2]:
                new = None if neighbour == GONE else self._add(neighbour)
                if new is not None:
                    changed.add(new)
        self.counts.pop(pair)
        for new in changed:
            if self.counts[new] > 0:
                heapq.heappush(self.heap, self._entry(new))
