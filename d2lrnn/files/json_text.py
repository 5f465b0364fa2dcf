"""JSON from files that may want to do harm: parsed once it is clear that it is no trap.

Short text can stand for many objects: what they would take is estimated before they are made.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass
class Counts:
    """What there is in JSON text: enough to estimate what it would take to parse it."""

    length: int = 0
    objects: int = 0  # bytes
    strings: float = 0.0

    def add(self, text: bytes) -> None:
        """Count a piece of text."""
        self.length += len(text)
        self.objects += 240 * text.count(b"{") + 64 * text.count(b"[") + 32 * text.count(b",")
        self.strings += (text.count(b'"') - text.count(b'\\"')) / 2

    def check(self, known: int = 0) -> None:
        """Check that it would take no more than honest text of that length does.

        That is some times its own size, and 96 bytes for each of so many ``known`` strings.
        """
        estimate = self.length + self.objects + round(60 * self.strings)
        if estimate > 20_000_000 + 4 * self.length + 96 * known:
            raise ValueError(f"{self.length:,} bytes of JSON would take {estimate:,} to read")


def read(text: str, known: int = 0) -> Any:
    """Return what JSON says, once it is clear that it will not fill the memory.

    Short text can stand for many objects. What they would take is estimated by counting brackets,
    commas and quotes.

    Raises:
        ValueError: it would take much more than honest text with ``known`` strings; or is no JSON.
    """
    counts = Counts()
    counts.add(text.encode("utf-8", "surrogatepass"))
    counts.check(known)
    return json.loads(text)
