"""Print commands that are skipped, and write them into a file for a report."""

from __future__ import annotations

import contextlib
import os
import sys

LOG = "skipped.txt"  # in the environment's folder
HINT = "d2lrnn book skipped this command; --allow-install runs it"


def skip(line: str) -> None:
    """Print that a command has been skipped, and write it into the file."""
    with contextlib.suppress(OSError, ValueError):  # for example, no process reads the pipe
        print(f"{HINT}: {line}", flush=True)
    with open(os.path.join(sys.prefix, LOG), "a", encoding="utf-8", errors="replace") as log:
        log.write(line.replace("\n", " ") + "\n")
