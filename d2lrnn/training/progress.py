"""Whether progress is shown: in one place, for all that takes long."""

from __future__ import annotations

import os

PROGRESS = "D2LRNN_PROGRESS"  # the environment variable that turns progress bars off where it is 0


def disable(progress: bool | None) -> bool | None:
    """Return what tqdm takes as ``disable``.

    Args:
        progress: True for a progress bar, False for none, None for one if this is a terminal or a
            notebook and the environment variable D2LRNN_PROGRESS is not 0.
    """
    if progress is None:
        return True if os.environ.get(PROGRESS) == "0" else None
    return not progress
