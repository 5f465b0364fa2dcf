"""Skip commands that install or remove packages, in the environment that runs a notebook.

A copy of this package lies in that environment: every Python there calls ``start`` first, and the
tools there are scripts that run it. So it imports the standard library only.
"""

from __future__ import annotations

import os
import shlex
import sys

from . import changes
from .commands import HINT, LOG, RUNNER, TOOLS, installs, skip
from .paths import FOLDERS, redirect

__all__ = ["FOLDERS", "HINT", "LOG", "TOOLS", "installs", "redirect", "skip", "start"]


def start() -> None:
    """Watch this Python from its start; end it at once if it was started to install packages."""
    words = sys.orig_argv[1:]
    if __name__ in words[:3]:  # a tool's script
        return
    if sys.argv[:1] != ["-c"] and installs(words):
        skip(shlex.join(["pip" if RUNNER in word else word for word in ["python", *words]]))
        os._exit(0)
    changes.apply()
