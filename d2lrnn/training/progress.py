"""Progress bars: the one place that makes them, and says whether they are shown."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import Any

# The environment variable that turns progress bars off where it is 0. Where it is "lines", as in
# the command, output that is not a terminal gets a line every few seconds.
PROGRESS = "D2LRNN_PROGRESS"
LINES = "lines"
SECONDS = 5.0  # from one such line to the next


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
        variable = os.environ.get(PROGRESS)
        if variable == LINES and not sys.stderr.isatty():
            return _lines(**settings)
        disable = True if variable == "0" else None
    else:
        disable = not progress
    return tqdm(disable=disable, **settings)


def _lines(**settings: Any) -> Any:
    """Return a tqdm bar that writes a line now and then, and none for what ends before."""
    from tqdm import tqdm

    class Lines(tqdm):  # type: ignore[misc]
        written = time.monotonic()

        def display(self, msg: str | None = None, pos: int | None = None) -> None:
            if time.monotonic() - self.written >= SECONDS:
                self.written = time.monotonic()
                with contextlib.suppress(OSError, ValueError):  # a full disk, a closed pipe
                    self.fp.write(f"{self}\n")
                    self.fp.flush()

        def clear(self, nolock: bool = False) -> None:
            pass  # lines stay

        def close(self) -> None:
            self.leave = False
            self.disable = True

    return Lines(mininterval=SECONDS, delay=SECONDS, ncols=0, **settings)


def length(train_iter: Any) -> int | None:
    """Return how many minibatches an epoch has, or None where a loader does not tell.

    Some have the method and raise TypeError: they do not know either.
    """
    try:
        return len(train_iter)
    except TypeError:
        return None
