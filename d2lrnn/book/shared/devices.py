"""The choice of a device in edition 1.0 (section 6.7)."""

from __future__ import annotations

import sys
from typing import Any

d2l = sys.modules[__package__]


def try_gpu(i: int = 0) -> Any:
    """Return the i-th GPU if it exists, otherwise the CPU."""
    return d2l.gpu(i) if d2l.num_gpus() > i else d2l.cpu()


def try_all_gpus() -> list[Any]:
    """Return all GPUs."""
    return [d2l.gpu(i) for i in range(d2l.num_gpus())]
