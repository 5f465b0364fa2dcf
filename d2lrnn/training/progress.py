"""Progress bars: the one place that makes them, and says whether they are shown."""

from __future__ import annotations

import os
import sys
from typing import Any

PROGRESS = "D2LRNN_PROGRESS"  # the environment variable that turns progress bars off where it is 0


def bar(progress: bool | None = None, **settings: Any) -> Any:
    """Return a tqdm bar.

    Args:
        progress: True for a progress bar, False for none, None for one if this is a terminal or a
            notebook and the environment variable D2LRNN_PROGRESS is not 0.
        settings: what else tqdm takes, such as total.
    """
    from tqdm.auto import tqdm  # here: most imports of this package train nothing

    if sys.stderr is None:  # closed: there is nowhere to show it
        disable: bool | None = True
    elif progress is None:
        disable = True if os.environ.get(PROGRESS) == "0" else None
    else:
        disable = not progress
    return tqdm(disable=disable, **settings)


def length(train_iter: Any) -> int | None:
    """Return how many minibatches an epoch has, or None where a loader does not tell.

    Some have the method and raise TypeError: they do not know either.
    """
    try:
        return len(train_iter)
    except TypeError:
        return None
