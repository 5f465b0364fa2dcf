"""``d2lrnn bench --processes``: one process against several."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from d2lrnn.cli import launch
from d2lrnn.measure import scaling

SIZES = (64, 256, 512)


def measured(backend: str, cell: str, counts: Sequence[int], rounds: int) -> list[scaling.Point]:
    """Return what each number of processes came to, all having the same threads together."""
    points = []
    for count in counts:
        kinds = ["strong", "weak"] if count > 1 else ["strong"]
        settings = {"backend": backend, "cell": cell, "rounds": rounds}
        points += _run(backend, count, {**settings, "kinds": kinds, "sizes": SIZES})
    return points


def _run(backend: str, count: int, settings: dict[str, Any]) -> list[scaling.Point]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "points.json"
        command = [sys.executable, "-m", "d2lrnn.measure.scaling", str(file), json.dumps(settings)]
        if count > 1:
            status = launch.start(backend, count, None, command)
        else:
            threads = os.environ.get("OMP_NUM_THREADS", f"{os.cpu_count() or 1}")
            alone = {**os.environ, "OMP_NUM_THREADS": threads}
            status = subprocess.run(command, env=alone, check=False).returncode
        if status:
            raise OSError(f"{count} processes of {backend} ended with status {status}")
        return [scaling.Point(**found) for found in json.loads(file.read_text(encoding="utf-8"))]
