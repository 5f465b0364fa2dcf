"""Run a tool such as pip or conda, and skip its commands that install or remove packages."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys

from .changes import SKIP
from .commands import installs, skip


def main(tool: str, *args: str) -> int:
    """Run a tool, unless that would install or remove packages."""
    if tool == SKIP or installs([tool, *args]):
        skip(args[0] if tool == SKIP else shlex.join([tool, *args]))
        return 0
    if tool.startswith("pip"):
        return subprocess.call([sys.executable, "-m", "pip", *args])
    scripts = os.path.dirname(sys.executable)
    folders = [f for f in os.environ.get("PATH", "").split(os.pathsep) if f != scripts]
    path = shutil.which(tool, path=os.pathsep.join(folders))
    if path is None:
        print(f"{tool}: command not found", file=sys.stderr)
        return 127
    return subprocess.call([path, *args])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
