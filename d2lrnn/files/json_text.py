"""Parse JSON from untrusted files, with a limit on the memory that it takes.

A short text can encode many objects, so their memory is estimated before the text is parsed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass
class Counts:
    """Counts of the elements of a JSON text, to estimate the memory that its objects would take."""

    length: int = 0
    objects: int = 0  # bytes
    strings: float = 0.0  # the number of strings

    def add(self, text: bytes) -> None:
        """Count a piece of text."""
        self.length += len(text)
        self.objects += 240 * text.count(b"{") + 64 * text.count(b"[") + 32 * text.count(b",")
        self.strings += (text.count(b'"') - text.count(b'\\"')) / 2

    def check(self, num_strings: int = 0) -> None:
        """Raise a ValueError if the objects would take much more memory than those of usual text.

        The limit is several times the length, plus 96 bytes for each of ``num_strings`` strings.
        """
        estimate = self.length + self.objects + round(60 * self.strings)
        if estimate > 20_000_000 + 4 * self.length + 96 * num_strings:
            raise ValueError(f"{self.length:,} bytes of JSON would need {estimate:,} in memory")


def read(text: str, num_strings: int = 0) -> Any:
    """Parse JSON text, after checking that the result does not take too much memory.

    The memory is estimated from the number of brackets, commas and quotes.

    Raises:
        ValueError: the text would take much more memory than usual text with that many
            strings, or is not JSON.
    """
    counts = Counts()
    counts.add(text.encode("utf-8", "surrogatepass"))
    counts.check(num_strings)
    return json.loads(text)
